"""The stand-in as one ASGI app: routes, authentication, limits, faults and a page for people."""

import asyncio
import contextlib
import html
import logging
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from controlplane.localcloud import defaults
from controlplane.localcloud.cloudflare import ai, custom_hostnames, dns, dns_page, embeddings, kv
from controlplane.localcloud.cloudflare.clock import Clock
from controlplane.localcloud.cloudflare.envelope import Refusal, refused
from controlplane.localcloud.cloudflare.limits import Pace, Quota
from controlplane.localcloud.cloudflare.saas import Saas
from controlplane.localcloud.cloudflare.store import Store
from controlplane.localcloud.cloudflare.zone_store import ZoneStore
from controlplane.localcloud.faults import FaultMiddleware, Faults

BANNER = "A development stand-in for Cloudflare's API. Not Cloudflare, not for production."

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Cloudflare stand-in</title>
<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
<style>body{{font:1rem/1.5 system-ui;max-width:50rem;margin:3rem auto;padding:0 1rem}}
td,th{{padding:.2rem 1.5rem .2rem 0;text-align:left}}</style>
<h1>Cloudflare stand-in</h1><p>{banner} <a href="/dns">Play DNS provider</a></p>
<h2>Workers KV</h2><table><tr><th>Key<th>Bytes{rows}</table>"""


log = logging.getLogger(__name__)


class Gate:
    """Who may ask, and how often: Cloudflare answers both in its envelope."""

    def __init__(self, app: ASGIApp, token: str, account: str, quota: Quota | None) -> None:
        self.app, self.token, self.account, self.quota = app, token, account, quota

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (refusal := self._refusal(Request(scope))):
            await (await refused(Request(scope), refusal))(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _refusal(self, request: Request) -> Refusal | None:
        if not request.url.path.startswith("/client/v4/"):
            return None
        account = f"/client/v4/accounts/{self.account}/"
        zone = f"/client/v4/zones/{defaults.CLOUDFLARE_ZONE_ID}/"
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or not token:
            return Refusal(400, 9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers")
        if token not in (self.token, defaults.CLOUDFLARE_BINDING_TOKEN):
            return Refusal(401, 10000, "Authentication error")
        if not request.url.path.startswith((account, zone)):
            return Refusal(403, 10000, "Authentication error")
        if token == defaults.CLOUDFLARE_BINDING_TOKEN:
            runs = request.method == "POST" and request.url.path.startswith(f"{account}ai/run/")
            reads = request.method == "GET" and request.url.path.startswith(account)
            return None if runs or reads else Refusal(403, 10000, "Authentication error")
        if self.quota and (wait := self.quota.retry_after()):
            return Refusal(429, 10429, "More than 1200 requests per 300 seconds reached.", retry_after=int(wait) + 1)
        return None


def app(
    path: Path,
    *,
    faults: Faults | None = None,
    token: str = defaults.CLOUDFLARE_API_TOKEN,
    account: str = defaults.CLOUDFLARE_ACCOUNT_ID,
    namespace: str = defaults.CLOUDFLARE_KV_NAMESPACE_ID,
    enforce_write_rate: bool = True,
    enforce_quota: bool = True,
    quota_clock: Callable[[], float] = time.monotonic,
    clock: Clock | None = None,
    hostnames: int = 100,
    hard_cap: int = 50_000,
) -> Starlette:
    """Serves the API under `/client/v4` from the SQLite file `path`; `namespace` is made if it is missing.

    `clock` is the time of custom hostnames; `hostnames` of them are paid for, and `hard_cap` refuses more.
    """
    chosen = Faults() if faults is None else faults
    api = Starlette(
        routes=[*kv.routes, *ai.routes, *custom_hostnames.routes],
        exception_handlers={
            Refusal: refused,
            ValueError: _malformed,
            TypeError: _malformed,
            OverflowError: _malformed,
            404: _unknown,
            405: _unknown,
        },
    )
    starlette = Starlette(
        routes=[
            Route("/", home),
            Route("/__stats", stats),
            *dns.routes,
            *dns_page.routes,
            Mount("/client/v4", api),
        ],
        middleware=[
            Middleware(FaultMiddleware, faults=chosen),
            Middleware(Gate, token=token, account=account, quota=Quota(quota_clock) if enforce_quota else None),
        ],
        lifespan=_warmed,
    )
    models = dict(ai.TEXT_MODELS)
    store = Store(path)
    store.create_namespace(namespace, "storefront")
    pace = Pace() if enforce_write_rate else None
    zone_store = ZoneStore(path.with_name("zone.sqlite3"))
    zones = dns.Zones(zone_store)
    saas = Saas(zone_store, zones, clock or Clock(), allocated=hostnames, hard_cap=hard_cap)
    for one in (api, starlette):
        one.state.zone_store, one.state.zones, one.state.saas = zone_store, zones, saas
        one.state.store, one.state.faults, one.state.pace = store, chosen, pace
        one.state.text_models = models
    return starlette


@contextlib.asynccontextmanager
async def _warmed(_app: Starlette) -> AsyncIterator[None]:
    """The embedding model is loaded beside the first requests: else the first question waits for it, and times out."""
    loading = asyncio.create_task(asyncio.to_thread(embeddings.load))
    loading.add_done_callback(_told)
    yield
    with contextlib.suppress(Exception):  # told already
        await loading


def _told(loading: "asyncio.Task[object]") -> None:
    if not loading.cancelled() and (error := loading.exception()):
        log.error("The embedding model can't be loaded: %s", error)


async def _unknown(request: Request, error: Exception) -> JSONResponse:
    if getattr(error, "status_code", 404) == 405:
        return await refused(request, Refusal(405, 7001, f"{request.method} not supported for requested URI."))
    return await refused(request, Refusal(404, 7003, "Could not route to the path"))


async def _malformed(request: Request, error: Exception) -> JSONResponse:
    """A number, text or JSON that can't be parsed: the client's fault, so not a 500, which it would try again."""
    return await refused(request, Refusal(400, 10001, f"malformed request: {error}"))


async def stats(request: Request) -> JSONResponse:
    """How often each key was written since the start."""
    return JSONResponse(request.app.state.store.writes)


async def home(request: Request) -> Response:
    store: Store = request.app.state.store
    rows = "".join(
        f"<tr><td>{html.escape(key)}<td>{size:,}"
        for id_, _ in store.namespaces()
        for key, size, *_ in store.list(id_, "", "", 1000)
    )
    return HTMLResponse(PAGE.format(banner=BANNER, rows=rows))
