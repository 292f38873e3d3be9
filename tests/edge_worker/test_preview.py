"""Shared drafts at the edge: who has the link sees them, nobody else and no machine keeps them."""

import dataclasses

import pytest

from storefront.documents import draft_key
from storefront.sections import Hero
from tests.edge_worker.memory import Platform, shop_record

TOKEN = "t" * 43
ADDRESS = f"https://pots.test/preview/{TOKEN}"


pytestmark = pytest.mark.anyio


@pytest.fixture
def shared(platform: Platform) -> Platform:
    platform.publish(shop_record())
    draft = dataclasses.replace(shop_record(), sections=(Hero(heading="A draft & more"),))
    platform.KV.values[draft_key(TOKEN)] = draft.to_json()
    return platform


async def test_the_link_shows_the_draft_and_nothing_keeps_it(shared: Platform) -> None:
    page = await shared.get(ADDRESS)
    assert page.status_code == 200
    assert "A draft &amp; more" in page.text
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["x-robots-tag"] == "noindex"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert "etag" not in page.headers
    assert "Disallow: /preview/" in (await shared.get("https://pots.test/robots.txt")).text


async def test_another_token_another_shop_or_no_token_is_a_404(shared: Platform) -> None:
    shared.publish(shop_record(name="Pans", tenant="t-b"))
    for address in (f"{ADDRESS}x", "https://pots.test/preview/", f"https://pans.test/preview/{TOKEN}"):
        assert (await shared.get(address)).status_code == 404, address


async def test_a_draft_that_can_not_be_read_is_a_clear_page(shared: Platform) -> None:
    shared.KV.values[draft_key(TOKEN)] = '{"version": 99}'
    assert (await shared.get(ADDRESS)).status_code == 503
