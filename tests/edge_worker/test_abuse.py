"""Requests that mean harm: refused or without effect. The server here is uvicorn as `make demo` starts it; Cloudflare
ends such requests before a Worker sees them, and what it lets through meets the same app."""

import asyncio
from collections.abc import Iterator, MutableMapping
from typing import Any

import pytest

from storefront import kept, local
from storefront.app import app
from storefront.http_bindings import MemoryCache, WindowLimiter
from tests.edge_worker.memory import INSTANT, Platform, product, shop_record
from tests.plugins.cloudflare import Serving

MEGABYTES_10 = 10_000_000


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A real server with the shop https://pots.test."""
    platform = Platform()
    platform.publish(shop_record())
    platform.FETCH.products = [product(number) for number in range(1, 7)]
    serving = Serving(local.serve(platform), lifespan="on")
    with serving:
        yield serving.port


async def raw(port: int, request: bytes, *, within: float = 10) -> bytes:
    """Everything that the server says to these bytes until it closes or has been quiet."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    said = bytearray()
    try:
        async with asyncio.timeout(within):
            sending = asyncio.create_task(_sent(writer, request))
            while piece := await asyncio.wait_for(reader.read(65_536), 1.5):
                said += piece
            await sending
    except (TimeoutError, ConnectionError):
        pass
    finally:
        writer.close()
    return bytes(said)


async def _sent(writer: asyncio.StreamWriter, request: bytes) -> None:
    try:
        writer.write(request)
        await writer.drain()
    except ConnectionError:
        pass  # refused before it was all read


def ask(port: int, request: bytes) -> bytes:
    return asyncio.run(raw(port, request))


def status(said: bytes) -> int:
    return int(said.split(b" ", 2)[1]) if said.startswith(b"HTTP/1.1 ") else 0


GOOD = b"GET / HTTP/1.1\r\nHost: pots.test\r\nConnection: close\r\n\r\n"


def test_the_server_serves(port: int) -> None:
    assert b"Made to be used" in ask(port, GOOD)


@pytest.mark.parametrize(
    "request_head",
    [
        b"Host: pots.test\r\nHost: lamps.test",
        b"Host: pots.test\r\nHost: pots.test",
        b"Host: pots.test\r\nContent-Length: 3\r\nContent-Length: 4",
        b"Host: pots.test\r\nContent-Length: 3, 4",
        b"Host: pots.test\r\nContent-Length: -1",
        b"Host: pots.test\r\nContent-Length: 0x10",
        b"Host: pots.test\r\nTransfer-Encoding: chunked, identity",
        b"Host: pots.test\r\nTransfer-Encoding: xchunked",
        b"Host: pots.test\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: gzip",
        b"Host : pots.test",
        b"Host: pots.test\r\n X: folded\r\nBad Name: x",
        b"Host: pots.test\r\nX: a\x00b",
        b"Host: pots.test/evil",
        b"Host: pots.test#lamps.test",
        b"Host: lamps.test@pots.test",
        b"Host: pots%2etest",
        b"Host: %70ots.test",
        b"Host: pots.test%00.lamps.test",
        b"Host: ",
        b"X: none",
    ],
)
def test_an_ambiguous_request_is_refused(port: int, request_head: bytes) -> None:
    said = ask(port, b"GET / HTTP/1.1\r\n" + request_head + b"\r\nConnection: close\r\n\r\n")
    assert status(said) in (0, 400, 404, 501)
    assert b"Made to be used" not in said


def test_a_request_hidden_in_another_is_not_answered(port: int) -> None:
    """Both lengths at once: whichever part believes the other one would take the body for a request."""
    hidden = b"GET /products HTTP/1.1\r\nHost: pots.test\r\n\r\n"
    head = b"POST /api/chat HTTP/1.1\r\nHost: pots.test\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
    said = ask(port, head + b"0\r\n\r\n" + hidden)
    assert b"All products" not in said or said.count(b"HTTP/1.1") <= 1


def test_headers_of_ten_megabytes_are_refused(port: int) -> None:
    said = ask(port, b"GET / HTTP/1.1\r\nHost: pots.test\r\nX-Long: " + b"x" * MEGABYTES_10 + b"\r\n\r\n")
    assert status(said) in (0, 400, 431)  # by h11, or by httptools where that is installed
    assert b"Made to be used" in ask(port, GOOD)


@pytest.mark.parametrize("method", [b"GET", b"POST", b"PUT"])
def test_a_body_of_ten_megabytes_changes_nothing(port: int, method: bytes) -> None:
    head = method + b" / HTTP/1.1\r\nHost: pots.test\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % MEGABYTES_10
    assert status(ask(port, head + b"x" * MEGABYTES_10)) in (0, 200, 405)
    assert b"Made to be used" in ask(port, GOOD)


def test_a_chat_of_ten_megabytes_is_refused(port: int) -> None:
    head = b"POST /api/chat HTTP/1.1\r\nHost: pots.test\r\nContent-Type: application/json\r\nConnection: close\r\n"
    chunks = b"".join(b"10000\r\n" + b"x" * 65_536 + b"\r\n" for _ in range(160)) + b"0\r\n\r\n"
    assert status(ask(port, head + b"Content-Length: %d\r\n\r\n" % MEGABYTES_10 + b"x" * MEGABYTES_10)) in (0, 413)
    assert status(ask(port, head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks)) in (0, 413)


@pytest.mark.parametrize(
    "path",
    [
        "/assets/../../pyproject.toml", "/static/../../src/entry.py", "/assets/%2e%2e/%2e%2e/wrangler.jsonc",
        "/static/..%2f..%2fpyproject.toml", "/assets/..%5c..%5cpyproject.toml", "//etc/passwd", "/static//etc/passwd",
        "/static/%2fetc%2fpasswd", "/assets/%00", "/static/storefront.css%00.html", "/assets/....//....//etc/passwd",
        "/_headers", "/static/../_headers", "/assets/%252e%252e/_headers", "/static/" + "a" * 5_000,
    ],
)  # fmt: skip
def test_no_path_leads_out_of_the_public_folder(port: int, path: str) -> None:
    said = ask(port, f"GET {path} HTTP/1.1\r\nHost: pots.test\r\nConnection: close\r\n\r\n".encode())
    assert status(said) in (0, 400, 404)
    for secret in (b"[project]", b"WorkerEntrypoint", b"kv_namespaces", b"root:", b"immutable\n"):
        assert secret not in said


def test_clients_that_never_finish_a_request_hold_up_nobody(port: int) -> None:
    """Slow-loris: connections that dribble cost memory, not answers. Cloudflare hands a Worker whole heads only."""

    async def attack() -> bytes:
        slow = [await asyncio.open_connection("127.0.0.1", port) for _ in range(200)]
        for _, writer in slow:
            writer.write(b"GET / HTTP/1.1\r\nHost: pots.test\r\nX-Slow: ")
        for _ in range(3):
            for _, writer in slow:
                writer.write(b"x")
        half = [await asyncio.open_connection("127.0.0.1", port) for _ in range(50)]
        for _, writer in half:  # a body that never comes
            writer.write(
                b"POST /api/chat HTTP/1.1\r\nHost: pots.test\r\nContent-Type: application/json\r\n"
                b"Content-Length: 100\r\n\r\n{"
            )
        said = await raw(port, GOOD)
        for _, writer in (*slow, *half):
            writer.close()
        return said

    assert b"Made to be used" in asyncio.run(attack())


async def body_of(platform: Platform, path: str, query: str) -> bytes:
    """What the app sends: five thousand times, so without a client around it."""
    body = bytearray()
    scope = {
        "type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": query.encode(),
        "headers": [(b"host", b"pots.test")], "env": platform, "http_version": "1.1", "scheme": "https",
    }  # fmt: skip

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b""}

    async def send(message: MutableMapping[str, Any]) -> None:
        body.extend(message.get("body", b""))

    await app(scope, receive, send)
    return bytes(body)


@pytest.mark.anyio
@pytest.mark.parametrize("path", ["/", "/products", "/products/jug-1", "/cart", "/sitemap.xml"])
async def test_five_thousand_queries_make_one_page(
    platform: Platform, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = kept.now()
    monkeypatch.setattr(kept, "now", lambda: began)  # however slow this machine is, no minute passes
    platform.CACHE = MemoryCache(lambda: began)
    plain = await platform.get(f"https://pots.test{path}")
    size, calls = platform.CACHE.characters, len(platform.FETCH.requests)
    for number in range(5_000 if path == "/products" else 50):
        query = f"utm_{number}=x&cb={number}%00&x%5B%5D={number}&page=%D9%A1&PAGE={number}&tag=&sort=x{number}"
        assert await body_of(platform, path, query) == plain.content
    await platform.DEFER.drain()
    assert (platform.CACHE.characters, len(platform.FETCH.requests)) == (size, calls)


@pytest.mark.anyio
@pytest.mark.parametrize("path", ["/products?tag={}", "/search?q=jug{}", "/products?page={}"])
async def test_what_can_be_thought_up_without_end_is_counted_by_visitor(platform: Platform, path: str) -> None:
    platform.SEARCH_LIMITER = WindowLimiter(120, 3_600)
    answers = [
        await platform._send("GET", "https://pots.test" + path.format(number), {"cf-connecting-ip": "203.0.113.7"})
        for number in range(2, 402)
    ]
    await platform.DEFER.drain()
    assert {answer.status_code for answer in answers} == {200, 429}
    assert len([url for url, _, _ in platform.FETCH.requests if INSTANT in url]) <= 120
    refused = answers[-1]
    assert refused.headers["retry-after"]
    assert refused.headers["cache-control"] == "no-store"
    other = await platform.get("https://pots.test" + path.format("401"), cf_connecting_ip="203.0.113.8")
    assert other.status_code == 200
