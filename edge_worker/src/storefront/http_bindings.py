"""The bindings over HTTP, for running outside Cloudflare: KV and AI by Cloudflare's REST API, fetch by httpx."""

import asyncio
import contextlib
import dataclasses
import logging
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from typing import Any
from urllib.parse import quote

import httpx

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


class HttpFetch:
    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def __call__(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        timeout: float = FETCH_TIMEOUT,  # noqa: ASYNC109 - the platform itself keeps it
    ) -> Reply:
        try:
            answer = await self._client.request(method, url, headers=headers, content=body, timeout=timeout)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise BindingError(f"{method} {url}: {type(error).__name__}") from error
        return Reply(status=answer.status_code, headers=dict(answer.headers), body=answer.content)


@dataclasses.dataclass(frozen=True, kw_only=True)
class CloudflareAccount:
    """Where the REST API is and who asks. `api_url` ends in /client/v4."""

    api_url: str
    account_id: str
    api_token: str = dataclasses.field(repr=False)

    def url(self, path: str) -> str:
        return f"{self.api_url.rstrip('/')}/accounts/{self.account_id}/{path}"

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.api_token}"}


class HttpKV:
    """`GET /accounts/{account}/storage/kv/namespaces/{namespace}/values/{key}`: the bare value, 404 for none."""

    def __init__(self, fetch: Fetch, account: CloudflareAccount, namespace_id: str) -> None:
        self._fetch = fetch
        self._account = account
        self._path = f"storage/kv/namespaces/{namespace_id}/values/"

    async def get(self, key: str) -> str | None:
        url = self._account.url(self._path + quote(key, safe=""))
        reply = await self._fetch("GET", url, headers=self._account.headers)
        if reply.status == 404:
            return None
        if reply.status != 200:
            raise BindingError(f"KV answered {reply.status}")
        return reply.body.decode("utf-8", "replace")


class HttpAI:
    """`POST /accounts/{account}/ai/run/{model}`: the result inside Cloudflare's envelope, or a bare event stream."""

    def __init__(self, client: httpx.AsyncClient, account: CloudflareAccount) -> None:
        self._client = client
        self._account = account

    async def run(self, model: str, inputs: dict[str, Any]) -> dict[str, Any]:
        body = httpx.Request("POST", "/", json=inputs).content
        headers = self._account.headers | {"content-type": "application/json"}
        reply = await HttpFetch(self._client)("POST", self._url(model), headers=headers, body=body)
        if reply.status != 200:
            raise BindingError(f"Workers AI answered {reply.status}")
        envelope = reply.json()
        result = envelope.get("result") if isinstance(envelope, dict) else None
        if not isinstance(result, dict):
            raise BindingError("Workers AI answered without a result")
        return result

    @contextlib.asynccontextmanager
    async def stream(self, model: str, inputs: dict[str, Any]) -> AsyncIterator[AsyncIterator[bytes]]:
        # Both waits are the longer one here: httpx has one timeout for the first byte and for the next.
        timeout = httpx.Timeout(FETCH_TIMEOUT, read=max(STREAM_START, STREAM_IDLE))
        asked = self._client.stream(
            "POST", self._url(model), headers=self._account.headers, json={**inputs, "stream": True}, timeout=timeout
        )
        try:
            async with asked as answer:
                if answer.status_code != 200:
                    raise BindingError(f"Workers AI answered {answer.status_code}")
                yield answer.aiter_bytes()
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise BindingError(f"Workers AI: {type(error).__name__}") from error

    def _url(self, model: str) -> str:
        return self._account.url(f"ai/run/{quote(model, safe='@/')}")


class WindowLimiter:
    """At most `limit` in a window of `period` seconds and key, in this process: Cloudflare's counts as loosely."""

    MAX_KEYS = 10_000

    def __init__(self, limit: int, period: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit, self._period, self._clock = limit, period, clock
        self._counts: dict[str, int] = {}
        self._window = -1

    async def limit(self, key: str) -> bool:
        window = int(self._clock() // self._period)
        if window != self._window or len(self._counts) >= self.MAX_KEYS:
            self._window, self._counts = window, {}
        self._counts[key] = self._counts.get(key, 0) + 1
        return self._counts[key] <= self._limit


class MemoryCache:
    """The cache in this process: at most MAX_CHARACTERS in all, what was asked for longest ago goes first."""

    MAX_CHARACTERS = 32_000_000

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: OrderedDict[str, tuple[float, Kept]] = OrderedDict()
        self.characters = 0

    async def match(self, key: str) -> Kept | None:
        until, kept = self._kept.get(key, (0.0, None))
        if kept is None or until <= self._clock():
            self._drop(key)
            return None
        self._kept.move_to_end(key)
        return kept

    async def put(self, key: str, kept: Kept, seconds: int) -> None:
        self._drop(key)
        self._kept[key] = (self._clock() + seconds, kept)
        self.characters += len(kept.text)
        while self.characters > self.MAX_CHARACTERS:
            self._drop(next(iter(self._kept)))

    async def delete(self, key: str) -> None:
        self._drop(key)

    def _drop(self, key: str) -> None:
        _, kept = self._kept.pop(key, (0.0, None))
        self.characters -= len(kept.text) if kept else 0


class Tasks:
    """Deferred work as tasks of the running loop. `drain` waits for them: at the end, and in tests."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def __call__(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("deferred work failed: %s %s", type(error).__name__, error)

    async def drain(self) -> None:
        while self._running:
            await asyncio.wait(self._running)


class LocalEnv:
    """`scope["env"]` outside Cloudflare: the bindings, and variables by attribute. Limits are wrangler.jsonc's."""

    def __init__(self, *, kv: KV, ai: AI, fetch: Fetch, variables: Mapping[str, str]) -> None:
        self.KV = kv
        self.AI = ai
        self.FETCH = fetch
        self.CACHE: Cache = MemoryCache()
        self.DEFER: Defer = Tasks()
        self.VISITOR_LIMITER: RateLimiter = WindowLimiter(20, 60)
        self.SHOP_LIMITER: RateLimiter = WindowLimiter(300, 60)
        self.SEARCH_LIMITER: RateLimiter = WindowLimiter(120, 60)
        self._variables = dict(variables)

    def __getattr__(self, name: str) -> str:
        try:
            return self.__dict__["_variables"][name]  # type: ignore[no-any-return]
        except KeyError:
            raise AttributeError(name) from None
