"""The edge outside Cloudflare: `uvicorn storefront.local:app --factory --port 8787`.

The same app with the same names in `scope["env"]`, backed by HTTP and configured by environment variables:
CLOUDFLARE_API_URL, CLOUDFLARE_ACCOUNT_ID, CLOUDFLARE_API_TOKEN and CLOUDFLARE_KV_NAMESPACE_ID are required;
TURSO_URL, TURSO_READ_TOKEN (and their …_<CELL> forms), TELEMETRY_URL, TELEMETRY_WRITE_TOKEN, CHAT_MODEL, RERANK_MODEL,
PUBLIC_SCHEME, PUBLIC_PORT and IMG_SRC as on Cloudflare.
"""

import contextlib
import os
import posixpath
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import httpx
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from storefront.app import build
from storefront.bindings import Env
from storefront.http_bindings import CloudflareAccount, HttpAI, HttpFetch, HttpKV, LocalEnv

PUBLIC = Path(__file__).parents[2] / "public"

_DEFAULTS = {"PUBLIC_SCHEME": "http", "PUBLIC_PORT": "8787"}
_WORKER_VARIABLES = ("PUBLIC_SCHEME", "PUBLIC_PORT", "IMG_SRC", "CHAT_MODEL", "RERANK_MODEL")


def environment(variables: Mapping[str, str], client: httpx.AsyncClient) -> LocalEnv:
    """The bindings that `variables` configure. Raises SystemExit naming a missing variable."""

    def required(name: str) -> str:
        if not variables.get(name):
            raise SystemExit(f"{name} is not set: the edge needs it to reach KV and Workers AI.")
        return variables[name]

    fetch = HttpFetch(client)
    account = CloudflareAccount(
        api_url=required("CLOUDFLARE_API_URL"),
        account_id=required("CLOUDFLARE_ACCOUNT_ID"),
        api_token=required("CLOUDFLARE_API_TOKEN"),
    )
    passed_on = {
        name: value
        for name, value in variables.items()
        if name in _WORKER_VARIABLES or name.startswith(("TURSO_", "TELEMETRY_"))
    }
    return LocalEnv(
        kv=HttpKV(fetch, account, required("CLOUDFLARE_KV_NAMESPACE_ID")),
        ai=HttpAI(client, account),
        fetch=fetch,
        variables=_DEFAULTS | passed_on,
    )


def with_env(inner: ASGIApp, env: Env) -> ASGIApp:
    """`inner` with `scope["env"]`, as Cloudflare's ASGI adapter sets it."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await inner({**scope, "env": env}, receive, send)

    return app


MAX_HEADERS = 131_072
"""Bytes of a request's headers, as Cloudflare allows: a server elsewhere may let through any number."""


def without_doubt(inner: ASGIApp) -> ASGIApp:
    """`inner`, but what Cloudflare refuses by itself is refused: headers without an end, and a request that gives its
    length in two ways, as a part in front that believes the other one takes its body for a request (RFC 9112, 6.1)."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        headers = scope.get("headers", ())
        answer: ASGIApp = inner
        if sum(len(name) + len(value) for name, value in headers) > MAX_HEADERS:
            answer = PlainTextResponse("The request's headers are too long.\n", 431)
        elif {b"content-length", b"transfer-encoding"} <= {name for name, _ in headers}:
            answer = PlainTextResponse("Two lengths\n", 400, {"connection": "close"})
        await answer(scope, receive, send)

    return app


def with_files(inner: ASGIApp) -> ASGIApp:
    """`inner`, but files of public/ where the address is theirs (public/assets/ comes and goes with builds)."""
    files = StaticFiles(directory=PUBLIC)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        path = posixpath.normpath(
            scope.get("path", "")
        )  # as StaticFiles will: what it names decides, not how it begins
        is_file = path.startswith(("/static/", "/assets/")) or path == "/sw.js"
        await (files if is_file else inner)(scope, receive, _kept(send) if path.startswith("/assets/") else send)

    return app


def _kept(send: Send) -> Send:
    """As public/_headers says on Cloudflare: a name with a content hash never changes its content."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] < 400:
            MutableHeaders(scope=message)["cache-control"] = "public, max-age=31536000, immutable"
        await send(message)

    return sending


def serve(env: Env, client: httpx.AsyncClient | None = None) -> Starlette:
    """The storefront with its static files, which are Static Assets on Cloudflare; closes `client` at the end."""

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        if client:
            await client.aclose()

    return Starlette(
        routes=[
            Mount("/", without_doubt(with_files(with_env(build(), env)))),
        ],
        lifespan=lifespan,
    )


def app() -> Starlette:
    """The factory that uvicorn calls."""
    client = httpx.AsyncClient(follow_redirects=False, limits=httpx.Limits(max_connections=100))
    return serve(environment(os.environ, client), client)
