"""The Worker's app under CPython, called as an ASGI server calls it, with the bindings over HTTP."""

import asyncio
import queue
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx

from storefront.app import app
from storefront.http_bindings import CloudflareAccount, HttpAI, HttpFetch, HttpKV, LocalEnv, MemoryCache, Tasks
from tests.edge_worker.runtimes.asked import Asked, Told
from tests.edge_worker.runtimes.simulator import ACCOUNT, BASE, AsyncWithoutAccount, Simulator

NOWHERE = "http://127.0.0.1:9/client/v4"

Queue = queue.Queue[Any]
END = object()


class CPython:
    """A loop of its own in a thread, so that an answer can be read while it is made."""

    name = "cpython"

    def __init__(self, simulator: Simulator, variables: dict[str, str]) -> None:
        self._simulator, self._variables = simulator, variables
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._client = httpx.AsyncClient(transport=AsyncWithoutAccount(simulator.explorer))
        self._caches: dict[str, MemoryCache] = {}
        self._counters = self._env(Asked(url="https://none.test/"))

    def __enter__(self) -> "CPython":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        asyncio.run_coroutine_threadsafe(self._client.aclose(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def ask(self, asked: Asked) -> Told:
        messages: Queue = queue.Queue()
        asyncio.run_coroutine_threadsafe(self._serve(asked, messages), self._loop)
        start = messages.get(timeout=30)
        if isinstance(start, BaseException):
            raise start
        headers = [(name.decode(), value.decode()) for name, value in start["headers"]]
        return Told(status=start["status"], headers=headers, parts=_parts(messages))

    async def _serve(self, asked: Asked, messages: Queue) -> None:
        env = self._env(asked)
        sent = [{"type": "http.request", "body": asked.body, "more_body": False}]
        gone = asyncio.Event()

        async def receive() -> dict[str, Any]:
            if sent:
                return sent.pop()
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            messages.put(message)

        try:
            await app(_scope(asked) | {"env": env}, receive, send)
            assert isinstance(env.DEFER, Tasks)
            await env.DEFER.drain()
        except BaseException as error:  # in the thread of the test it is raised again
            messages.put(error)
        messages.put(END)

    def _env(self, asked: Asked) -> LocalEnv:
        variables = self._variables | dict(asked.variables)
        fetch = HttpFetch(self._client)
        kv = CloudflareAccount(
            api_url=NOWHERE if asked.kv_is_down else BASE, account_id=ACCOUNT, api_token="the simulator asks for none"
        )
        api_url, account = variables["AI_URL"].removesuffix("/ai/run").split("/accounts/")
        ai = CloudflareAccount(api_url=api_url, account_id=account, api_token="none")
        env = LocalEnv(
            kv=HttpKV(fetch, kv, self._simulator.namespace_id),
            ai=HttpAI(self._client, ai),
            fetch=fetch,
            variables=variables,
        )
        env.CACHE = self._caches.setdefault(asked.cache, MemoryCache()) if asked.cache else MemoryCache()
        if counters := getattr(self, "_counters", None):  # what is counted outlives a request
            for name in ("VISITOR_LIMITER", "SHOP_LIMITER", "SEARCH_LIMITER"):
                setattr(env, name, getattr(counters, name))
        return env


def _scope(asked: Asked) -> dict[str, Any]:
    """As the SDK's `request_to_scope` (workers/asgi.py) makes it of a JavaScript request."""
    url = urlsplit(asked.url)
    return {
        "type": "http", "asgi": {"spec_version": "2.0", "version": "3.0"}, "http_version": "1.1",
        "method": asked.method, "scheme": url.scheme, "path": unquote(url.path), "raw_path": url.path.encode(),
        "query_string": url.query.encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in asked.sent_headers],
    }  # fmt: skip


def _parts(messages: Queue) -> Iterator[bytes]:
    while (message := messages.get(timeout=30)) is not END:
        if isinstance(message, BaseException):
            raise message
        yield message.get("body", b"")
