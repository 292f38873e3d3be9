"""The bindings inside Cloudflare: the platform's own objects behind the ports of `bindings.py`.

`entry.py` hands in what the SDK (workers-runtime-sdk 1.9.5) made of them: its binding wrappers turn Python arguments
into JavaScript values and answers back into Python, and null into None.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from storefront.bindings import (
    AI,
    FETCH_TIMEOUT,
    KV,
    STREAM_IDLE,
    STREAM_START,
    BindingError,
    Cache,
    Defer,
    Fetch,
    Kept,
    RateLimiter,
    Reply,
)

log = logging.getLogger("storefront")

CACHE_TTL = 30
"""Seconds a location keeps a value, or the fact that there is none; KV refuses fewer."""


@asynccontextmanager
async def _platform_call(what: str, seconds: float) -> AsyncIterator[None]:
    """Whatever JavaScript throws, or an answer that does not come in `seconds`, becomes a BindingError."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except Exception as error:  # pyodide.ffi.JsException, which CPython has not; OSError from the SDK's fetch
        raise BindingError(f"{what}: {type(error).__name__} {error}".rstrip()) from error


class WorkerKV:
    """A KvNamespace binding."""

    def __init__(self, namespace: Any) -> None:
        self._namespace = namespace

    async def get(self, key: str) -> str | None:
        async with _platform_call("KV", FETCH_TIMEOUT):
            value = await self._namespace.get(key, cacheTtl=CACHE_TTL)
        return None if value is None else str(value)


class WorkerAI:
    """The Workers AI binding."""

    def __init__(self, binding: Any) -> None:
        self._binding = binding

    async def run(self, model: str, inputs: dict[str, Any]) -> dict[str, Any]:
        async with _platform_call("Workers AI", FETCH_TIMEOUT):
            result = await self._binding.run(model, inputs)
        if not isinstance(result, dict):
            raise BindingError("Workers AI answered without a result")
        return result

    @asynccontextmanager
    async def stream(self, model: str, inputs: dict[str, Any]) -> AsyncIterator[AsyncIterator[bytes]]:
        """The SDK hands a ReadableStream through as it is; a model that can't stream answers with an object."""
        async with _platform_call("Workers AI", STREAM_START):
            answer = await self._binding.run(model, {**inputs, "stream": True})
        if isinstance(answer, dict):
            yield _whole(answer)
            return
        reader = answer.getReader()
        try:
            yield _chunks(reader)
        finally:
            with suppress(Exception):  # a stream that has failed can't be cancelled, and need not be
                await reader.cancel()


async def _whole(answer: dict[str, Any]) -> AsyncIterator[bytes]:
    yield f"data: {json.dumps(answer)}\n\n".encode()


async def _chunks(reader: Any) -> AsyncIterator[bytes]:
    while True:
        async with _platform_call("Workers AI", STREAM_IDLE):
            step = await reader.read()
        if step.done:
            return
        yield step.value.to_bytes()


class WorkerLimiter:
    """A Ratelimit binding: `limit({key})` resolves to `{success}`."""

    def __init__(self, binding: Any) -> None:
        self._binding = binding

    async def limit(self, key: str) -> bool:
        async with _platform_call("rate limiting", FETCH_TIMEOUT):
            outcome = await self._binding.limit({"key": key})
        return bool(outcome["success"])


CACHE_PATIENCE = 0.5
"""Seconds for a look into the location's own cache: one that takes longer helps nobody."""


class WorkerCache:
    """`caches.default`. `respond(text, headers)` makes a JavaScript Response.

    The facts travel in one header: the cache reads some of the usual ones itself (it evaluates conditions against an
    ETag, refuses Set-Cookie), and an entry must mean nothing but its text and its end. On hosts without a zone
    (workers.dev, the dashboard's preview) Cloudflare's cache keeps nothing.
    """

    def __init__(self, cache: Any, respond: Callable[[str, dict[str, str]], Any]) -> None:
        self._cache = cache
        self._respond = respond

    async def match(self, key: str) -> Kept | None:
        async with _platform_call("the cache", CACHE_PATIENCE):
            found = await self._cache.match(key)
            if not found:
                return None
            return Kept(text=str(await found.text()), facts=json.loads(str(found.headers.get("x-facts"))))

    async def put(self, key: str, kept: Kept, seconds: int) -> None:
        headers = {"cache-control": f"public, max-age={seconds}", "x-facts": json.dumps(dict(kept.facts))}
        async with _platform_call("the cache", FETCH_TIMEOUT):
            await self._cache.put(key, self._respond(kept.text, headers))

    async def delete(self, key: str) -> None:
        async with _platform_call("the cache", FETCH_TIMEOUT):
            await self._cache.delete(key)


class WaitUntil:
    """`ctx.waitUntil` takes a promise: Pyodide makes one of a task, which starts at once."""

    def __init__(self, wait_until: Callable[[Any], Any]) -> None:
        self._wait_until = wait_until

    def __call__(self, work: Coroutine[Any, Any, None]) -> None:
        self._wait_until(asyncio.ensure_future(_logged(work)))


async def _logged(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except Exception as error:
        log.error("deferred work failed: %s %s", type(error).__name__, error)


class WorkerFetch:
    """The SDK's `fetch`: it takes keyword options and answers with a response whose `bytes()` is awaited."""

    def __init__(self, fetch: Any) -> None:
        self._fetch = fetch

    async def __call__(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        timeout: float = FETCH_TIMEOUT,  # noqa: ASYNC109 - the Protocol's parameter
    ) -> Reply:
        options: dict[str, Any] = {"method": method, "headers": dict(headers or {})}
        if body is not None:
            options["body"] = body
        async with _platform_call(f"{method} {url}", timeout):  # a cancelled fetch aborts its request
            answer = await self._fetch(url, **options)
            content = bytes(await answer.bytes())
        names = {name.lower(): value for name, value in answer.headers.items()}
        return Reply(status=answer.status, headers=names, body=content)


class CappedRequest:
    """A JavaScript request whose body ends after the piece that brings it past `most` bytes.

    The SDK's asgi.process_request (workers-runtime-sdk 1.9.5) holds a whole body in memory before the app is called, so
    the app can't refuse one in time; it refuses what is longer than it takes.
    """

    def __init__(self, request: Any, most: int) -> None:
        self._request = request
        self._most = most

    @property
    def body(self) -> AsyncIterator[Any] | None:
        stream = self._request.body
        return _first_pieces(stream, self._most) if stream else None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._request, name)


async def _first_pieces(stream: Any, most: int) -> AsyncIterator[Any]:
    read = 0
    async for piece in stream:
        yield piece
        read += piece.byteLength
        if read > most:
            return


class WorkerEnv:
    """`scope["env"]` on Cloudflare. A binding is looked up when used: a page that needs no AI is served without it."""

    def __init__(
        self, env: Any, fetch: Any, wait_until: Callable[[Any], Any], cache: Callable[[], Cache] | None = None
    ) -> None:
        self._env = env
        self._fetch = fetch
        self._wait_until = wait_until
        self._cache = cache

    @property
    def KV(self) -> KV:  # noqa: N802 - the binding's name in wrangler.jsonc
        return WorkerKV(self._env.KV)

    @property
    def AI(self) -> AI:  # noqa: N802
        return WorkerAI(self._env.AI)

    @property
    def FETCH(self) -> Fetch:  # noqa: N802
        return WorkerFetch(self._fetch)

    @property
    def CACHE(self) -> Cache:  # noqa: N802
        if self._cache is None:
            raise AttributeError("CACHE")
        return self._cache()

    @property
    def DEFER(self) -> Defer:  # noqa: N802
        return WaitUntil(self._wait_until)

    @property
    def VISITOR_LIMITER(self) -> RateLimiter:  # noqa: N802
        return WorkerLimiter(self._env.VISITOR_LIMITER)

    @property
    def SHOP_LIMITER(self) -> RateLimiter:  # noqa: N802
        return WorkerLimiter(self._env.SHOP_LIMITER)

    @property
    def SEARCH_LIMITER(self) -> RateLimiter:  # noqa: N802
        return WorkerLimiter(self._env.SEARCH_LIMITER)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._env, name)
