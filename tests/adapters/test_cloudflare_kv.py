"""The KV adapter over real HTTP: the contract against the stand-in and against Cloudflare's own simulator; faults,
rates and tokens, which the simulator lacks (docs/runtime.md), against the stand-in alone."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from controlplane.adapters.cloudflare_kv import BULK_PAIRS, Expiring, KVNamespace
from controlplane.adapters.errors import AdapterError
from controlplane.localcloud.faults import Fault
from tests.plugins.cloudflare import CloudflareCloud

THEIRS = [pytest.mark.pyodide, pytest.mark.xdist_group("pyodide")]


@pytest.fixture(params=["stand-in", pytest.param("simulator", marks=THEIRS)])
def kv(request: pytest.FixtureRequest) -> Iterator[KVNamespace]:
    made: KVNamespace
    if request.param == "simulator":
        made = request.getfixturevalue("simulator").kv()
    else:
        made = request.getfixturevalue("cloudflare_cloud").kv()
    yield made
    made.close()


def test_what_is_put_can_be_read_and_deleted(kv: KVNamespace) -> None:
    assert kv.put({"domain:a": "Grüße ☕", "domain:b": "{}"}) == {}
    assert kv.get(["domain:a", "domain:b", "domain:c"]) == {"domain:a": "Grüße ☕", "domain:b": "{}"}
    assert kv.put({"x": "1"}) == {}
    assert set(kv.keys("domain:")) == {"domain:a", "domain:b"}


def test_deleted_keys_are_gone(kv: KVNamespace, request: pytest.FixtureRequest) -> None:
    kv.put({"a": "1", "b": "2", "c": "3"})
    if "cloudflare_cloud" in request.fixturenames:
        request.getfixturevalue("cloudflare_cloud").forget_pace()
    assert kv.delete(["a", "b"]) == {}
    assert list(kv.keys()) == ["c"]
    assert kv.get(["a", "b"]) == {}


def test_deleting_a_missing_key_is_no_error(kv: KVNamespace) -> None:
    assert kv.delete(["nothing"]) == {}


def test_keys_come_page_by_page(kv: KVNamespace) -> None:
    kv.put({f"k{number:04}": "v" for number in range(1001)})
    assert list(kv.keys()) == [f"k{number:04}" for number in range(1001)]


def test_a_key_of_any_characters_comes_back_as_it_was(kv: KVNamespace) -> None:
    key = "domain:töpferei.test/x?y=1#z%41 ☕"
    kv.put({key: "v"})
    assert list(kv.keys("domain:t")) == [key]
    assert kv.get([key]) == {key: "v"}


def test_a_value_ends_no_sooner_than_in_a_minute(kv: KVNamespace) -> None:
    now = datetime.now(UTC)
    assert kv.put({"a": Expiring("1", now + timedelta(minutes=2))}) == {}
    assert kv.get(["a"]) == {"a": "1"}
    with pytest.raises(AdapterError) as refused:
        kv.put({"b": Expiring("1", now + timedelta(seconds=30))})
    assert refused.value.permanent


def test_more_than_one_request_s_worth_of_pairs_is_sliced(cloudflare_cloud: CloudflareCloud) -> None:
    kv = cloudflare_cloud.kv()
    assert kv.put({f"k{number}": "v" for number in range(BULK_PAIRS + 1)}) == {}
    assert len(list(kv.keys())) == BULK_PAIRS + 1


def test_more_than_a_hundred_keys_are_read_in_slices(kv: KVNamespace) -> None:
    values = {f"k{number}": str(number) for number in range(150)}
    kv.put(values)
    assert kv.get(list(values)) == values


def test_a_key_that_kv_did_not_take_is_named_and_the_others_are_written(cloudflare_cloud: CloudflareCloud) -> None:
    cloudflare_cloud.faults.set([Fault(kind="partial", match="b")])
    kv = cloudflare_cloud.kv()
    failed = kv.put({"a": "1", "b": "2"})
    assert list(failed) == ["b"]
    assert not failed["b"].permanent
    assert kv.get(["a", "b"]) == {"a": "1"}


def test_a_second_write_within_a_second_is_refused_for_now(cloudflare_cloud: CloudflareCloud) -> None:
    kv = cloudflare_cloud.kv()
    kv.put({"a": "1"})
    with pytest.raises(AdapterError) as refused:
        kv.put({"a": "2"})
    assert (refused.value.permanent, refused.value.retry_after) == (False, 1.0)


@pytest.mark.parametrize(
    ("fault", "permanent", "retry_after"),
    [
        (Fault(kind="status", status=429, retry_after=300), False, 300.0),
        (Fault(kind="status", status=503), False, None),
        (Fault(kind="status", status=400), True, None),
        (Fault(kind="drop"), False, None),
    ],
)
def test_failures_say_whether_to_try_again(
    cloudflare_cloud: CloudflareCloud, fault: Fault, permanent: bool, retry_after: float | None
) -> None:
    cloudflare_cloud.faults.set([fault])
    with pytest.raises(AdapterError) as failed:
        cloudflare_cloud.kv().put({"a": "1"})
    assert (failed.value.permanent, failed.value.retry_after) == (permanent, retry_after)


def test_a_server_that_is_not_there_is_a_passing_failure() -> None:
    kv = KVNamespace(base_url="http://127.0.0.1:9/client/v4", api_token="t", account_id="a", namespace_id="n")
    with pytest.raises(AdapterError, match=r"can't be reached") as failed:
        kv.put({"a": "1"})
    assert not failed.value.permanent


def test_a_wrong_token_is_permanent_and_not_shown(cloudflare_cloud: CloudflareCloud) -> None:
    with pytest.raises(AdapterError) as failed:
        cloudflare_cloud.kv(api_token="very-secret").put({"a": "1"})
    assert failed.value.permanent
    assert "very-secret" not in failed.value.message


@pytest.mark.parametrize("key", ["ü" * 257, "k" * 513, ""])
def test_a_key_that_is_none_is_permanent(kv: KVNamespace, key: str) -> None:
    with pytest.raises(AdapterError) as failed:
        kv.put({key: "1"})
    assert failed.value.permanent
