"""The stand-in as one ASGI app: admin API, faults, and a page for people who open it in a browser."""

import html
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from controlplane.localcloud.faults import FaultMiddleware, Faults
from controlplane.localcloud.instant import admin, admin_users, platform, runtime, sockets, sse
from controlplane.localcloud.instant.engine import App, Engine
from controlplane.localcloud.instant.errors import Refusal
from controlplane.localcloud.instant.registry import Registry

# Frames above this size close their connection. On loopback compression costs more than it saves.
SERVER: Mapping[str, Any] = {"ws": "websockets-sansio", "ws_max_size": 4_000_000, "ws_per_message_deflate": False}

BANNER = "A development stand-in for the Instant server. Not for production, no data here is safe."

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Instant stand-in</title>
<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
<style>body{{font:1rem/1.5 system-ui;max-width:40rem;margin:3rem auto;padding:0 1rem}}
td,th{{padding:.2rem 1.5rem .2rem 0}}
th{{text-align:left}}td+td{{text-align:right;font-variant-numeric:tabular-nums}}</style>
<h1>Instant stand-in</h1><p>{banner}</p>{apps}"""


def app(path: Path | str, *, apps: Sequence[App] | None = None, faults: Faults | None = None) -> Starlette:
    """Serves `apps` (default: the local cloud's one) from SQLite files in the directory `path`, made if it is missing.

    `app.state.engines` holds the engines by app id; whoever does not run the ASGI lifespan closes them.
    """
    registry = Registry(Path(path), (App(),) if apps is None else apps)
    starlette = Starlette(
        routes=[route for part in PARTS for route in part],
        exception_handlers={Refusal: admin.refused, Exception: admin.broken},
        # Outermost, so that a page of another origin can read refusals too.
        middleware=[
            Middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["*"], allow_headers=["*"]),
            Middleware(FaultMiddleware, faults=Faults() if faults is None else faults),
        ],
        lifespan=_closing,
    )
    starlette.state.registry = registry
    starlette.state.engines = registry.engines
    starlette.state.lines = sse.Lines()
    return starlette


@asynccontextmanager
async def _closing(starlette: Starlette) -> AsyncIterator[None]:
    yield
    starlette.state.registry.close()


async def home(request: Request) -> HTMLResponse:
    engines: Mapping[str, Engine] = request.app.state.engines
    return HTMLResponse(PAGE.format(banner=BANNER, apps="".join(_table(engine) for engine in engines.values())))


def _table(engine: Engine) -> str:
    rows = "".join(f"<tr><td>{html.escape(name)}<td>{count}" for name, count in engine.counts().items())
    heading = f"{html.escape(engine.app.title)} <small>{html.escape(engine.app.id)}</small>"
    return f"<h2>{heading}</h2><table><tr><th>Namespace<th>Entities{rows}</table>"


PARTS = (
    [Route("/", home)],
    admin.routes,
    admin_users.routes,
    runtime.routes,
    platform.routes,
    sse.routes,
    sockets.routes,
)
