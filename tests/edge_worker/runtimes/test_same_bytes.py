"""Every kind of request under CPython and in Pyodide: the same status, headers and bytes, but for asked.MAY_DIFFER."""

import json
from typing import Any

import pytest

from tests.edge_worker.memory import CONVERSATION
from tests.edge_worker.runtimes.asked import Asked, Whole
from tests.edge_worker.runtimes.cpython import CPython
from tests.edge_worker.runtimes.pyodide import Pyodide
from tests.edge_worker.runtimes.world import POTTERY

pytestmark = [pytest.mark.pyodide, pytest.mark.xdist_group("pyodide")]

SHOP = "https://pots.test"
OUT_OF_ORDER = "http://127.0.0.1:9/down"  # nobody listens there


def get(url: str, **more: Any) -> Asked:
    return Asked(url=url, **more)


def post(
    url: str, value: Any, *, visitor: str = "203.0.113.7", headers: dict[str, str] | None = None, **more: Any
) -> Asked:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    own = {"content-type": "application/json", "cf-connecting-ip": visitor} | (headers or {})
    return Asked(url=url, method="POST", headers=own, body=body, **more)


def chat(question: str, *, host: str = "pots.test", **more: Any) -> Asked:
    value = {"conversation": CONVERSATION, "messages": [{"role": "user", "content": question}]}
    return post(f"https://{host}/api/chat", value, **more)


# What is asked, by what it is about → the status and a text that must stand in the body.
CASES: dict[str, tuple[Asked, int, str]] = {
    "a landing page with every kind of section": (get(f"{SHOP}/"), 200, "Made to be used"),
    "a landing page in German under a host with an umlaut": (get(f"https://{POTTERY}/"), 200, '<html lang="de-AT"'),
    "a host in capitals, with a port and a dot": (get(f"{SHOP}/", host="POTS.test.:443"), 200, "Made to be used"),
    "cookies": (get(f"{SHOP}/", headers={"cookie": "a=1; b=\u00fc".encode().decode("latin-1")}), 200, "Made to be"),
    "HEAD of a landing page": (get(f"{SHOP}/", method="HEAD"), 200, ""),
    "HEAD of a page that is missing": (get(f"{SHOP}/nothing", method="HEAD"), 404, ""),
    "OPTIONS": (get(f"{SHOP}/", method="OPTIONS"), 405, ""),
    "a method of WebDAV": (get(f"{SHOP}/", method="PROPFIND"), 405, ""),
    "a long query string": (get(f"{SHOP}/?{'x' * 6000}=1"), 200, "Made to be used"),
    "products": (get(f"{SHOP}/products"), 200, "Jug number 24"),
    "a page of products by price": (get(f"{SHOP}/products?page=2&sort=price-descending"), 200, "Jug number 6"),
    "products by tag": (get(f"{SHOP}/products?tag=kitchen&in_stock=1"), 200, "Jug number 29"),
    "odd choices": (get(f"{SHOP}/products?page=%C2%B2&sort=none&tag=%00%ff"), 200, "page"),
    "a product": (get(f"{SHOP}/products/jug-3"), 200, "Thrown by hand, 3 times."),
    "a product that is missing": (get(f"{SHOP}/products/none"), 404, ""),
    "a product that was renamed": (get(f"{SHOP}/products/old%20jug"), 301, ""),
    "a former address that leads away": (get(f"{SHOP}/products/evil"), 404, ""),
    "a search": (get(f"{SHOP}/search?q=sturdy+jug"), 200, "200 &lt;degrees&gt;"),
    "a search without a question": (get(f"{SHOP}/search"), 200, 'name="q"'),
    "a search with limits": (get(f"{SHOP}/search?q=jug&max_price=20%2C5&in_stock=1"), 200, ""),
    "the search of the browser": (get(f"{SHOP}/api/search?q=sturdy&limit=3"), 200, '"degraded":false'),
    "suggestions": (get(f"{SHOP}/api/search?q=porcelain+vase&max_price=1"), 200, "suggestions"),
    "the cart": (get(f"{SHOP}/cart"), 200, ""),
    "robots.txt": (get(f"{SHOP}/robots.txt"), 200, "Sitemap: https://pots.test/sitemap.xml"),
    "sitemap.xml": (get(f"{SHOP}/sitemap.xml"), 200, "<loc>https://pots.test/products/jug-1</loc>"),
    "the build": (get(f"{SHOP}/healthz"), 200, "ok "),
    "a path of escapes": (get(f"{SHOP}/%2e%2e%2f%2E%2Fetc/passwd"), 404, ""),
    "a path that is no UTF-8": (get(f"{SHOP}/%ff%fe"), 404, ""),
    "a shared draft": (get(f"{SHOP}/preview/secret"), 200, "A draft &amp; more"),
    "another shop's draft": (get(f"{SHOP}/preview/foreign"), 404, ""),
    "a draft that has ended": (get(f"{SHOP}/preview/none"), 404, ""),
    "a host that moved": (get("https://www.pots.test/products?tag=a%20b&x=%C3%BC"), 308, ""),
    "a suspended shop": (get("https://suspended.test/"), 451, ""),
    "a closed shop": (get("https://closed.test/products"), 410, ""),
    "a host that is claimed and not proven": (get("https://unconnected.test/"), 404, ""),
    "a host that nobody has": (get("https://nobody.test/", headers={"accept-language": "de, en;q=0.5"}), 404, ""),
    "a host that can't be one": (get(f"{SHOP}/", host="-bad_.test"), 400, ""),
    "no host": (get(f"{SHOP}/", host=""), 400, ""),
    "a host of escapes": (get(f"{SHOP}/", host="pots%2etest"), 400, ""),
    "two hosts in one": (get(f"{SHOP}/", host="pots.test, www.pots.test"), 400, ""),
    "a record of a newer version": (get("https://newer.test/"), 503, ""),
    "a record that is broken": (get("https://broken.test/"), 503, ""),
    "KV down": (get(f"{SHOP}/", kv_is_down=True), 503, ""),
    "KV down, of the browser": (chat("Sturdy?", kv_is_down=True), 503, ""),
    "Instant down: the list shows the record's cards": (get("https://instant-down.test/products"), 200, "Jug number 1"),
    "Instant down: a product from its card": (get("https://instant-down.test/products/jug-2"), 200, "Jug number 2"),
    "Instant down: a product without a card": (get("https://instant-down.test/products/jug-9"), 503, ""),
    "Instant down: nothing to show": (get("https://bare.test/products"), 503, ""),
    "Instant down: no sitemap": (get("https://instant-down.test/sitemap.xml"), 503, ""),
    "Instant down: a chat": (chat("Is the jug sturdy?", host="instant-down.test"), 200, "event: done"),
    "Turso down: a search by name": (
        get(f"{SHOP}/search?q=jug", variables={"TURSO_URL": OUT_OF_ORDER}), 200, "Jug number 1"),
    "Turso down: the search of the browser": (
        get(f"{SHOP}/api/search?q=jug", variables={"TURSO_URL": OUT_OF_ORDER}), 200, '"degraded":true'),
    "Turso down: a product": (
        get(f"{SHOP}/products/jug-3", variables={"TURSO_URL": OUT_OF_ORDER}), 200, "Jug number 1"),
    "Turso down: a chat": (chat("Jug?", variables={"TURSO_URL": OUT_OF_ORDER}), 200, '"reason":"search_only"'),
    "the telemetry down: a chat": (
        chat("Is the jug sturdy?", variables={"TELEMETRY_URL": OUT_OF_ORDER}), 200, '"answered":true'),
    "a chat": (chat("Is the jug sturdy?"), 200, '"answered":true'),
    "a chat in German": (chat("Ist der Krug stabil?", host=POTTERY), 200, "event: done"),
    "a chat where there is none": (chat("Sturdy?", host="no-chat.test"), 404, "chat_off"),
    "a chat of a suspended shop": (chat("Sturdy?", host="suspended.test"), 451, ""),
    "a chat that is no JSON": (post(f"{SHOP}/api/chat", b"{"), 400, "malformed"),
    "a chat in another type": (post(f"{SHOP}/api/chat", {}, headers={"content-type": "text/plain"}), 415, "not_json"),
    "a chat of another site's page": (post(f"{SHOP}/api/chat", {}, headers={"sec-fetch-site": "cross-site"}), 403, ""),
    "a question that is too long": (chat("x" * 1001), 413, "too_large"),
    "a body of ten megabytes": (post(f"{SHOP}/api/chat", b"x" * 10_000_000), 413, "too_large"),
    "GET of the chat": (get(f"{SHOP}/api/chat"), 405, ""),
    "a rating": (post(f"{SHOP}/api/chat/rating", {"turn": CONVERSATION, "value": 1}), 204, ""),
    "a rating that is none": (post(f"{SHOP}/api/chat/rating", {"turn": CONVERSATION, "value": 9}), 400, "malformed"),
}  # fmt: skip


def answers(both: tuple[CPython, Pyodide], asked: Asked) -> tuple[Whole, Whole]:
    ours, theirs = (runtime.ask(asked).whole() for runtime in both)
    return ours, theirs


@pytest.mark.parametrize(("asked", "status", "text"), CASES.values(), ids=CASES)
def test_both_runtimes_answer_the_same(both: tuple[CPython, Pyodide], asked: Asked, status: int, text: str) -> None:
    ours, theirs = answers(both, asked)
    assert theirs.comparable == ours.comparable
    assert ours.status == status
    assert text in ours.text


@pytest.mark.parametrize("stopped", ["AI down: a search", "AI down: a chat"])
def test_both_do_without_workers_ai(both: tuple[CPython, Pyodide], vendors: Any, stopped: str) -> None:
    down = {"AI_URL": f"{vendors.origin}/client/v4/accounts/down/ai/run"}
    asked = get(f"{SHOP}/search?q=jug", variables=down) if "search" in stopped else chat("A jug?", variables=down)
    ours, theirs = answers(both, asked)
    assert theirs.comparable == ours.comparable
    assert (ours.status, "Jug number 1" in ours.text or "search_only" in ours.text) == (200, True)


@pytest.mark.parametrize("path", ["/", "/products"])
def test_both_answer_a_conditional_request_alike(both: tuple[CPython, Pyodide], path: str) -> None:
    etag = both[0].ask(get(f"{SHOP}{path}")).whole().header("etag")
    for named in (etag, f'W/{etag}, "other"', '"other"', "*", "nonsense,,"):
        ours, theirs = answers(both, get(f"{SHOP}{path}", headers={"if-none-match": named or '""'}))
        assert theirs.comparable == ours.comparable
        if path == "/":
            assert (ours.status, bool(ours.body)) == ((304, False) if etag in named or named == "*" else (200, True))


def test_a_request_without_a_ray_gets_an_id_of_its_own(both: tuple[CPython, Pyodide]) -> None:
    found = [answer.header("x-request-id") for answer in answers(both, get(f"{SHOP}/", headers={"cf-ray": "…"[:0]}))]
    assert all(found)


def test_no_answer_sets_a_cookie(both: tuple[CPython, Pyodide]) -> None:
    for name in ("a landing page with every kind of section", "a chat", "the cart"):
        assert [answer.header("set-cookie") for answer in answers(both, CASES[name][0])] == ["", ""]


@pytest.mark.parametrize("path", ["/", "/products"])
def test_both_show_what_was_kept_while_kv_is_away(both: tuple[CPython, Pyodide], path: str) -> None:
    cache = f"kept{path}"
    first = answers(both, get(f"{SHOP}{path}", cache=cache))
    again = answers(both, get(f"{SHOP}{path}", cache=cache))
    away = answers(both, get(f"{SHOP}{path}", cache=cache, kv_is_down=True))
    for ours, theirs in (first, again, away):
        assert theirs.comparable == ours.comparable
        assert (ours.status, ours.body) == (200, first[0].body)
    said = [one.header("cache-status") for one in (first[1], again[1], away[1])]
    assert ["fwd=miss" in said[0], "hit" in said[1], "KV away" in said[2]] == [True, True, True]
