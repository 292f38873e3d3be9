"""The Workers AI adapter against the stand-in and its real model."""

import pytest

from controlplane.adapters.errors import AdapterError
from controlplane.localcloud.cloudflare.embeddings import DIMENSIONS, MODEL
from controlplane.localcloud.faults import Fault
from tests.plugins.cloudflare import CloudflareCloud


def test_texts_of_like_meaning_have_like_vectors(cloudflare_cloud: CloudflareCloud) -> None:
    texts = ["a warm jacket for winter", "an insulated coat for cold days", "espresso beans from Ethiopia"]
    warm, cold, coffee = cloudflare_cloud.ai().embed(texts, model=MODEL)
    assert len(warm) == DIMENSIONS
    assert _dot(warm, cold) > 0.5 > _dot(warm, coffee)


def test_more_than_a_hundred_texts_take_several_calls(cloudflare_cloud: CloudflareCloud) -> None:
    vectors = cloudflare_cloud.ai().embed(["tea"] * 101, model=MODEL)
    assert len(vectors) == 101
    assert _dot(vectors[0], vectors[100]) == pytest.approx(1.0, abs=1e-3)


def test_a_model_it_does_not_have_is_a_permanent_failure(cloudflare_cloud: CloudflareCloud) -> None:
    with pytest.raises(AdapterError, match="No such model @cf/baai/bge-m3") as failed:
        cloudflare_cloud.ai().embed(["tea"], model="@cf/baai/bge-m3")
    assert failed.value.permanent


def test_an_outage_is_a_passing_failure(cloudflare_cloud: CloudflareCloud) -> None:
    cloudflare_cloud.faults.set([Fault(kind="status", status=502)])
    with pytest.raises(AdapterError) as failed:
        cloudflare_cloud.ai().embed(["tea"], model=MODEL)
    assert not failed.value.permanent


def _dot(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))
