"""The Worker's entry point: the only module that imports Cloudflare's runtime, so the only one CPython can't load.

tests/edge_worker/test_pyodide_smoke.py runs it, bundled as wrangler uploads it, in the Pyodide of the pinned
compatibility date. The SDK is PyPI's `workers-runtime-sdk`.
"""

from typing import Any

import anyio._backends._asyncio  # noqa: F401 - else the first request imports it: 0.3 s; now it is in the snapshot
import js
from pyodide.ffi import create_proxy, to_js
from workers import WorkerEntrypoint, asgi, fetch

from storefront import pages
from storefront.app import app
from storefront.chat_api import MAX_BODY
from storefront.worker_bindings import CappedRequest, WorkerCache, WorkerEnv

pages.compile_templates()


class Default(WorkerEntrypoint):  # type: ignore[misc] # the SDK is not installed where mypy runs
    async def fetch(self, request: Any) -> Any:
        # The JavaScript request itself: the SDK's wrapper raises KeyError for a method such as PROPFIND.
        capped = CappedRequest(request.js_object, MAX_BODY)
        return await asgi.fetch(app, capped, WorkerEnv(self.env, fetch, self._keep, _cache), self.ctx)

    def _keep(self, task: Any) -> None:
        """`ctx.waitUntil`. The task crosses as a proxy of its own: a borrowed one would end with this call."""
        proxy = create_proxy(task)
        task.add_done_callback(lambda _: proxy.destroy())
        self.ctx.waitUntil(proxy)


def _cache() -> WorkerCache:
    return WorkerCache(js.caches.default, _response)


def _response(text: str, headers: dict[str, str]) -> Any:
    return js.Response.new(text, headers=to_js([*headers.items()]))
