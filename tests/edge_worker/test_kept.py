"""What a location keeps: how many calls each page costs, and what is shown while a store is away or slow."""

import asyncio
import dataclasses
import json

import pytest

from storefront import kept
from storefront.bindings import BindingError
from storefront.documents import DomainRecord, TenantRef
from storefront.http_bindings import MemoryCache
from tests.edge_worker.memory import INSTANT, TURSO, Platform, product, shop_record

pytestmark = pytest.mark.anyio

PAGES = ("/", "/cart", "/products", "/products?page=2&sort=title", "/products/jug-1", "/sitemap.xml")
WITH_PRODUCTS = ("/products", "/products/jug-1", "/sitemap.xml")


class Clock:
    """The time that kept entries are told by: the wall's, moved on by hand."""

    def __init__(self) -> None:
        self.now = 1_795_600_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, platform: Platform) -> Clock:
    clock = Clock()
    monkeypatch.setattr(kept, "now", clock)
    platform.CACHE = MemoryCache(clock)
    platform.FETCH.rows = [("product", "p5", "Jug number 5", "", "/products/jug-5", 0.9)]
    return clock


def calls(platform: Platform) -> tuple[int, int, int]:
    """Reads of KV, calls of Instant and of Turso since the last look."""
    urls = [url for url, _, _ in platform.FETCH.requests]
    counted = len(platform.KV.reads), sum(INSTANT in url for url in urls), sum(TURSO in url for url in urls)
    platform.KV.reads.clear()
    platform.FETCH.requests.clear()
    return counted


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("path", [*PAGES, "/search?q=jug", "/search", "/nothing", "/robots.txt", "/healthz"])
async def test_no_page_costs_more_than_one_read_of_kv_and_one_call_of_instant(platform: Platform, path: str) -> None:
    await platform.get(f"https://pots.test{path}")
    kv, instant, turso = calls(platform)
    assert kv <= 1
    assert instant <= 1
    assert turso <= 1


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", PAGES)
async def test_a_kept_page_asks_neither_instant_nor_turso(platform: Platform, path: str, method: str) -> None:
    made = await platform.get(f"https://pots.test{path}")
    assert made.headers["cache-status"] == "storefront; fwd=miss"
    calls(platform)
    again = await platform.get(f"https://pots.test{path}", method=method)
    assert calls(platform) == (1, 0, 0)
    assert again.headers["cache-status"].startswith("storefront; hit; ttl=")
    assert again.text == ("" if method == "HEAD" else made.text)
    own = {"cache-status", "x-request-id"}
    assert {k: v for k, v in again.headers.items() if k not in own} == {
        k: v for k, v in made.headers.items() if k not in own
    }


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("path", PAGES)
async def test_a_publish_is_a_new_page_at_once(platform: Platform, path: str) -> None:
    before = await platform.get(f"https://pots.test{path}")
    platform.publish(shop_record(catalog="0000000000000-00000001"))
    after = await platform.get(f"https://pots.test{path}")
    assert after.headers["cache-status"] == "storefront; fwd=miss"
    assert after.headers["x-storefront-revision"] != before.headers["x-storefront-revision"]


async def test_an_edited_price_is_shown_as_soon_as_kv_has_the_new_catalogue(platform: Platform, clock: Clock) -> None:
    assert "€12.50" in (await platform.get("https://pots.test/products/jug-1")).text
    platform.FETCH.products[0] = product(1, price=9900)
    platform.publish(shop_record(catalog=f"{int(clock.now * 1000):013d}-00000001"))
    assert "€99.00" in (await platform.get("https://pots.test/products/jug-1")).text


async def test_while_the_catalogue_has_just_changed_nothing_of_it_is_kept(platform: Platform, clock: Clock) -> None:
    """KV may know of the edit before Instant: a page made then would hold the former price under the new key."""
    platform.publish(shop_record(catalog=f"{int(clock.now * 1000):013d}-00000001"))
    assert "€12.50" in (await platform.get("https://pots.test/products/jug-1")).text
    platform.FETCH.products[0] = product(1, price=9900)  # now Instant has it too
    assert "€99.00" in (await platform.get("https://pots.test/products/jug-1")).text
    clock.now += kept.SETTLED + 1
    await platform.get("https://pots.test/products/jug-1")
    calls(platform)
    await platform.get("https://pots.test/products/jug-1")
    assert calls(platform) == (1, 0, 0)


async def test_a_page_with_products_is_asked_for_anew_after_a_minute(platform: Platform, clock: Clock) -> None:
    await platform.get("https://pots.test/products/jug-1")
    platform.FETCH.products[0] = product(1, price=9900)  # and KV never hears of it
    clock.now += kept.FRESH + 1
    assert "€99.00" in (await platform.get("https://pots.test/products/jug-1")).text


@pytest.mark.parametrize("path", WITH_PRODUCTS)
async def test_with_instant_down_the_last_page_is_shown_and_says_so(
    platform: Platform, clock: Clock, path: str
) -> None:
    fresh = await platform.get(f"https://pots.test{path}")
    platform.FETCH.down.add(INSTANT)
    platform.publish(shop_record(seo=dataclasses.replace(shop_record().seo, title="Another title")))
    clock.now += 100
    stale = await platform.get(f"https://pots.test{path}")
    assert (stale.status_code, stale.text) == (200, fresh.text)
    assert stale.headers["cache-status"] == 'storefront; hit; ttl=-40; detail="Instant away"'
    assert stale.headers["cache-control"] == "no-store"


async def test_no_page_is_shown_longer_than_an_hour_after_instant_went_away(platform: Platform, clock: Clock) -> None:
    await platform.get("https://pots.test/sitemap.xml")
    platform.FETCH.down.add(INSTANT)
    clock.now += kept.STALE + 1
    assert (await platform.get("https://pots.test/sitemap.xml")).status_code == 503


async def test_a_card_that_is_newer_than_the_last_page_is_shown_in_its_place(platform: Platform, clock: Clock) -> None:
    platform.FETCH.products[1] = product(2, price=9900)
    assert "€99.00" in (await platform.get("https://pots.test/products/jug-2")).text
    clock.now += 100
    platform.FETCH.down.add(INSTANT)
    platform.publish(shop_record(catalog=f"{int(clock.now * 1000):013d}-00000001"))
    page = (await platform.get("https://pots.test/products/jug-2")).text
    assert "€25.00" in page
    assert "€99.00" not in page


async def test_with_instant_slow_the_last_page_is_shown(
    platform: Platform, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = await platform.get("https://pots.test/products")
    clock.now += 100
    monkeypatch.setattr(kept, "PATIENCE", 0.01)
    asked = platform.FETCH.__class__.__call__
    never = asyncio.Event()

    async def slow(self: object, *args: object, **named: object) -> object:
        await never.wait()
        return await asked(self, *args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(platform.FETCH.__class__, "__call__", slow)
    stale = await platform.get("https://pots.test/products")
    assert stale.text == fresh.text
    assert 'detail="Instant slow"' in stale.headers["cache-status"]


async def test_with_turso_down_similar_products_are_those_that_were(platform: Platform, clock: Clock) -> None:
    assert "Similar products" in (await platform.get("https://pots.test/products/jug-1")).text
    platform.FETCH.down.add(TURSO)
    clock.now += 3_600
    assert "Similar products" in (await platform.get("https://pots.test/products/jug-1")).text


@pytest.mark.parametrize("path", ["/", "/cart", "/products", "/products/jug-1"])
async def test_with_kv_down_a_shop_goes_on_from_its_kept_record(platform: Platform, clock: Clock, path: str) -> None:
    fresh = await platform.get(f"https://pots.test{path}")
    platform.KV.down = True
    clock.now += 30
    stale = await platform.get(f"https://pots.test{path}")
    assert (stale.status_code, stale.text) == (200, fresh.text)
    assert 'detail="KV away"' in stale.headers["cache-status"]
    assert stale.headers["cache-control"] == "no-store"


async def test_a_page_that_is_asked_for_all_day_keeps_its_record_confirmed(platform: Platform, clock: Clock) -> None:
    for _ in range(20):
        await platform.get("https://pots.test/")
        clock.now += kept.STALE / 4
    platform.KV.down = True
    assert (await platform.get("https://pots.test/")).status_code == 200


@pytest.mark.parametrize("path", ["/", "/products"])
async def test_no_shop_is_shown_longer_than_an_hour_after_kv_went_away(
    platform: Platform, clock: Clock, path: str
) -> None:
    await platform.get(f"https://pots.test{path}")
    platform.KV.down = True
    clock.now += kept.STALE + 1
    answer = await platform.get(f"https://pots.test{path}")
    assert answer.status_code == 503
    assert "Pots" not in answer.text


async def test_what_is_served_while_kv_is_away_does_not_prolong_itself(platform: Platform, clock: Clock) -> None:
    await platform.get("https://pots.test/")
    platform.KV.down = True
    for path in ("/products", "/products/jug-1", "/"):
        clock.now += kept.STALE / 3
        await platform.get(f"https://pots.test{path}")
    clock.now += 1
    assert (await platform.get("https://pots.test/")).status_code == 503


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("status", ["suspended", "closed", "unconnected", ""])
async def test_a_shop_that_kv_says_is_gone_is_not_shown_when_kv_goes_away(platform: Platform, status: str) -> None:
    await platform.get("https://pots.test/")
    if status:
        platform.publish(DomainRecord(tenant=TenantRef(id="t-a", status=status)), "pots.test")
    else:
        platform.KV.values.clear()
    gone = await platform.get("https://pots.test/")
    assert gone.status_code in (404, 410, 451)
    platform.KV.down = True
    assert (await platform.get("https://pots.test/")).status_code == 503


@pytest.mark.usefixtures("clock")
async def test_a_slow_answer_that_a_shop_is_gone_is_heeded(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    await platform.get("https://pots.test/")
    platform.publish(DomainRecord(tenant=TenantRef(id="t-a", status="suspended")), "pots.test")
    monkeypatch.setattr(kept, "PATIENCE", 0.01)
    read = platform.KV.get

    async def slow(key: str) -> str | None:
        await asyncio.sleep(0.05)
        return await read(key)

    monkeypatch.setattr(platform.KV, "get", slow)
    assert (await platform.get("https://pots.test/")).status_code == 200
    assert (await platform.get("https://pots.test/")).status_code == 451


@pytest.mark.usefixtures("clock")
async def test_a_host_that_became_another_shops_shows_nothing_of_the_first(platform: Platform) -> None:
    await platform.get("https://pots.test/products")
    platform.publish(shop_record("Lamps", tenant="t-b"), "pots.test")
    platform.FETCH.down.add(INSTANT)
    page = (await platform.get("https://pots.test/products")).text
    assert "Lamps" in page
    assert "Pots" not in page


@pytest.mark.usefixtures("clock")
async def test_a_draft_and_a_search_are_never_kept(platform: Platform) -> None:
    platform.KV.values["draft:tok"] = shop_record().to_json()
    for path in ("/preview/tok", "/search?q=jug", "/api/search?q=jug", "/search"):
        answer = await platform.get(f"https://pots.test{path}")
        assert answer.headers["cache-control"] == "no-store"
    assert platform.CACHE.characters == 0


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("path", PAGES)
async def test_headers_of_a_visitor_change_nothing_that_is_kept(platform: Platform, path: str) -> None:
    mark = "evil-0190a"
    odd = {
        "cookie": f"session={mark}", "authorization": f"Bearer {mark}", "x_forwarded_host": f"{mark}.test",
        "x_forwarded_proto": mark, "x_original_url": f"/{mark}", "x_rewrite_url": f"/{mark}", "origin": f"https://{mark}",
        "accept_language": mark, "user_agent": mark, "referer": f"https://{mark}", "x_forwarded_prefix": f"/{mark}",
        "forwarded": f"host={mark}", "accept": mark, "range": "bytes=0-1",
    }  # fmt: skip
    await platform.get(f"https://pots.test{path}", **odd)
    later = await platform.get(f"https://pots.test{path}")
    assert later.headers["cache-status"].startswith("storefront; hit")
    plain = Platform(FETCH=platform.FETCH, KV=platform.KV)
    assert later.text == (await plain.get(f"https://pots.test{path}")).text
    assert mark not in later.text + json.dumps([*later.headers.items()])


@pytest.mark.usefixtures("clock")
async def test_a_cache_that_fails_is_no_cache(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> None:
        raise BindingError("the cache is away")

    for name in ("match", "put", "delete"):
        monkeypatch.setattr(platform.CACHE, name, broken)
    for path in (*PAGES, *PAGES):
        assert (await platform.get(f"https://pots.test{path}")).status_code == 200


async def test_an_entry_that_can_not_be_read_is_made_anew(platform: Platform, clock: Clock) -> None:
    page = await platform.get("https://pots.test/")
    for key, (until, entry) in list(platform.CACHE._kept.items()):
        platform.CACHE._kept[key] = (until, dataclasses.replace(entry, facts={}))
    clock.now += 1
    again = await platform.get("https://pots.test/")
    assert again.text == page.text
    assert again.headers["content-security-policy"]


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ("{tag}", 304), ("W/{tag}", 304), ("*", 304), ('"a", {tag}', 304), ('"a,b" ,\tW/{tag}, "c"', 304),
        (", ,{tag},", 304), ('"a"', 200), ("", 200), ("{bare}", 200), ('"a {tag}', 200), ('*, "a"', 200),
        ('"x{bare}"', 200), ("w/{tag}", 200),
    ],
)  # fmt: skip
async def test_conditions_are_read_as_the_standard_says(platform: Platform, path: str, asked: str, status: int) -> None:
    tag = (await platform.get(f"https://pots.test{path}")).headers["etag"]
    condition = asked.format(tag=tag, bare=tag.strip('"'))
    for method in ("GET", "HEAD"):
        answer = await platform.get(f"https://pots.test{path}", method=method, if_none_match=condition)
        assert answer.status_code == status
        assert answer.headers["etag"] == tag
        if status == 304:
            assert answer.content == b""


@pytest.mark.usefixtures("clock")
async def test_a_page_names_what_it_needs_first_in_a_header(platform: Platform) -> None:
    answer = await platform.get("https://pots.test/")
    for link in answer.headers["link"].split(", "):
        address = link.split(">")[0].removeprefix("<")
        assert f'"{address}"' in answer.text
        assert ("rel=modulepreload" in link) == address.endswith(".js")


async def test_memory_is_bounded_and_forgets_what_was_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MemoryCache, "MAX_CHARACTERS", 1_000)
    cache = MemoryCache(lambda: 0.0)
    await cache.put("favourite", kept.entry("x" * 100), 60)
    for number in range(100):
        await cache.put(str(number), kept.entry("y" * 100), 60)
        assert await cache.match("favourite") is not None
    assert cache.characters <= 1_000
    assert await cache.match("0") is None
    assert await cache.match("99") is not None


def test_keys_of_hosts_and_of_kinds_never_meet() -> None:
    made = {
        kept.record_key("a.test"), kept.record_key("b.test"), kept.page_key("a.test", "/", revision="r", build="b"),
        kept.page_key("a.test", "/", revision="r2", build="b"), kept.page_key("a.test", "/", revision="r", build="b2"),
        kept.page_key("a.test", "/products", revision="r", build="b"), kept.last_key("a.test", "t", "/"),
        kept.last_key("a.test", "u", "/"), kept.similar_key("a.test", "t", "x"), kept.similar_key("a.test", "t", "y/z"),
    }  # fmt: skip
    assert len(made) == 10
