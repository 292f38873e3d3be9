"""Fifty shops at once over every route: no byte that carries one shop's mark is in an answer to another."""

import asyncio
import dataclasses
import json
import random
import re
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from storefront.bindings import FETCH_TIMEOUT, BindingError, Kept, Reply
from storefront.documents import DomainRecord, Link, Seo
from storefront.http_bindings import MemoryCache
from storefront.sections import FeaturedProducts, Hero
from tests.edge_worker.memory import (
    CONVERSATION,
    INSTANT,
    TELEMETRY,
    DictKV,
    FixedAI,
    Platform,
    Stores,
    card,
    product,
    shop_record,
)

pytestmark = pytest.mark.anyio

SHOPS, ROUNDS = 50, 2
MARK = re.compile(r"mark[a-j]{3}")


def mark_of(number: int) -> str:
    return "mark" + "".join(chr(97 + int(digit)) for digit in f"{number:03d}")


async def pause() -> None:
    """As a store takes its time: answers come back in any order."""
    await asyncio.sleep(random.random() / 200)


class SlowKV(DictKV):
    flaky = 0.0
    """The share of calls that fail."""

    async def get(self, key: str) -> str | None:
        await pause()
        if random.random() < self.flaky:
            raise BindingError("KV is down")
        return await super().get(key)


class SlowCache(MemoryCache):
    async def match(self, key: str) -> Kept | None:
        await pause()
        return await super().match(key)

    async def put(self, key: str, kept: Kept, seconds: int) -> None:
        await pause()
        await super().put(key, kept, seconds)


class SlowAI(FixedAI):
    async def run(self, model: str, inputs: dict[str, Any]) -> dict[str, Any]:
        await pause()
        return await super().run(model, inputs)

    async def _frames(self) -> Any:
        for frame in [*self.frames]:
            await pause()
            yield frame


class SlowStores(Stores):
    """Instant holds everybody's products; passages are those of the tenant that the statement binds."""

    flaky = 0.0

    async def __call__(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        timeout: float = FETCH_TIMEOUT,  # noqa: ASYNC109 - the port's own signature
    ) -> Reply:
        await pause()
        if random.random() < self.flaky:
            raise BindingError(f"{url} is down")
        if url.startswith((INSTANT, TELEMETRY)):
            return await super().__call__(method, url, headers=headers, body=body, timeout=timeout)
        tenant = json.loads(body or b"")["requests"][0]["stmt"]["args"][0]["value"]
        mark = tenant.removeprefix("t-")
        own = Stores()
        own.rows = [
            ("product", f"{mark}-1", f"{mark} jug", f"{mark} is sturdy", f"/products/jug-{mark}", 0.9),
            ("knowledge", f"k-{mark}", f"{mark} delivery", f"{mark} delivers jugs", "", 0.8),
        ]
        return await own(method, url, headers=headers, body=body, timeout=timeout)


def shop_of(mark: str) -> DomainRecord:
    return shop_record(
        mark, tenant=f"t-{mark}", seo=Seo(title=f"{mark} title"), navigation=(Link(label=mark, url=f"/{mark}"),),
        sections=(
            Hero(heading=f"{mark} hero", button_label=mark, button_url="/products"),
            FeaturedProducts(heading=mark, cards=(card(1, id=f"{mark}-1", slug=f"jug-{mark}", title=f"{mark} jug"),)),
        ),
    )  # fmt: skip


@pytest.fixture
def crowd() -> Platform:
    made = Platform(KV=SlowKV(), FETCH=SlowStores(), CACHE=SlowCache(), AI=SlowAI())
    for number in range(SHOPS):
        mark = mark_of(number)
        made.publish(shop_of(mark))
        made.KV.values[f"draft:{mark}"] = dataclasses.replace(shop_of(mark), seo=Seo(title=f"{mark} draft")).to_json()
        made.KV.values[f"redirect:t-{mark}:/products/former"] = f"/products/jug-{mark}"
        # Every shop has a product at /products/jug as well: the same path must not mean the same page.
        made.FETCH.products += [
            product(number, f"t-{mark}", id=f"{mark}-{which}", slug=slug, title=f"{mark} jug", tags=(mark,))
            for which, slug in ((1, f"jug-{mark}"), (2, "jug"))
        ]
    return made


def requests_of(mark: str) -> list[tuple[str, str]]:
    paths = [
        "/", "/products", f"/products?tag={mark}", "/products?sort=title&page=1", f"/products/jug-{mark}",
        "/products/jug", "/products/former", "/search", "/search?q=jug", "/api/search?q=jug", "/cart", "/robots.txt",
        "/sitemap.xml", f"/preview/{mark}", "/not/there", "/healthz",
    ]  # fmt: skip
    return [("GET", path) for path in paths] + [("HEAD", "/"), ("POST", "/api/chat"), ("PUT", "/")]


async def test_no_byte_with_a_shops_mark_reaches_another_shops_visitor(crowd: Platform) -> None:
    wanted = [
        (mark_of(number), method, path)
        for number in range(SHOPS)
        for method, path in requests_of(mark_of(number))
        for _ in range(ROUNDS if path in ("/", "/products", "/products/jug") else 1)
    ]
    random.shuffle(wanted)
    gate = asyncio.Semaphore(64)
    seen: dict[str, int] = dict.fromkeys((mark_of(number) for number in range(SHOPS)), 0)

    async def ask(mark: str, method: str, path: str) -> None:
        async with gate:
            body = {"conversation": CONVERSATION, "messages": [{"role": "user", "content": "Is the jug sturdy?"}]}
            content = json.dumps(body).encode() if method == "POST" else b""
            answer = await crowd._send(
                method, f"https://{mark}.test{path}", {"content-type": "application/json"}, content
            )
        marks = set(MARK.findall(answer.text + str(answer.headers)))
        assert marks <= {mark}, f"{marks - {mark}} at {mark}.test{path}"
        assert answer.status_code < 500
        seen[mark] += bool(marks)

    await asyncio.gather(*(ask(*one) for one in wanted))
    await crowd.DEFER.drain()
    assert min(seen.values()) >= 20  # every shop did show its own
    assert all(MARK.findall(key)[:1] == MARK.findall(one.text)[:1] for key, (_, one) in crowd.CACHE._kept.items())


async def test_shops_stay_apart_while_stores_come_and_go(crowd: Platform) -> None:
    """Stale pages and records are picked under pressure too: each store fails for a third of the calls."""
    assert isinstance(crowd.KV, SlowKV)
    assert isinstance(crowd.FETCH, SlowStores)

    async def ask(number: int) -> httpx.Response:
        mark = mark_of(number % SHOPS)
        answer = await crowd._send(
            "GET", f"https://{mark}.test{random.choice(('/', '/products', '/products/jug'))}", {}
        )
        assert set(MARK.findall(answer.text + str(answer.headers))) <= {mark}
        return answer

    for number in range(SHOPS):
        await ask(number)
    crowd.KV.flaky = crowd.FETCH.flaky = 0.3
    answers = await asyncio.gather(*(ask(number) for number in range(SHOPS * 4)))
    await crowd.DEFER.drain()
    assert sum(answer.status_code == 200 for answer in answers) > SHOPS * 2
    assert any("detail" in answer.headers.get("cache-status", "") for answer in answers)
