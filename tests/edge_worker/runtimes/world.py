"""What both runtimes are asked about: shops in every state, and the vendors as one HTTP server on loopback.

The server answers as Instant, libSQL and Workers AI do, from the lists of tests/edge_worker/memory.py. An address with
`down` in it answers 500, so that a test chooses an outage by an address and no test disturbs another's.
"""

import dataclasses
import json
import threading
from collections.abc import AsyncIterator
from typing import Any

import anyio.to_thread
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from storefront.documents import (
    CLOSED,
    SUSPENDED,
    UNCONNECTED,
    DomainRecord,
    RealtimeCell,
    TenantRef,
    domain_key,
    draft_key,
    redirect_key,
)
from storefront.sections import Hero
from tests.edge_worker.memory import INSTANT, TELEMETRY, TURSO, Stores, product, shop_record

POTTERY = "töpferei.test".encode("idna").decode()
GATED = "@cf/test/gated"

FRAMES = [
    b'data: {"response": "Jug number 2 is sturdy [1]. "}\n\n',
    b'data: {"response": "It costs EUR 25.00 [1]. J"}\n\n',
    b'data: {"response": "ugs for 9 Euro are free. "}\n\ndata: [DO',
    b"NE]\n\n",
]


class Vendors:
    """The server. `asked` is what came in: path, headers, body."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str], Any]] = []
        self.origin = ""
        self.gate = threading.Event()  # a gated model says its first sentence, and the rest once this is set
        self._stores = Stores()
        self._stores.products = [product(number) for number in range(1, 31)]
        self._stores.rows = [
            ("product", "p2", "Jug number 2", "A sturdy jug.", "/products/jug-2", 0.8),
            ("knowledge", "k1", "Is a jug safe in the oven?", "Up to 200 <degrees>.", "/pages/oven", 0.7),
        ]
        self.app = Starlette(routes=[Route("/{path:path}", self._answer, methods=["POST"])])

    def asked_of(self, part: str) -> list[tuple[dict[str, str], Any]]:
        return [(headers, body) for path, headers, body in self.asked if part in path]

    async def _answer(self, request: Request) -> Response:
        path, body = request.path_params["path"], json.loads(await request.body())
        self.asked.append((path, dict(request.headers), body))
        if "down" in path:
            return JSONResponse({"errors": [{"code": 7010, "message": "out of order"}]}, 500)
        if "/ai/run/" in path:
            return self._model(path, body)
        base = {"instant": INSTANT, "turso": TURSO, "telemetry": TELEMETRY}[path.split("/")[0]]
        reply = await self._stores("POST", f"{base}/", body=json.dumps(body).encode())
        return Response(reply.body, media_type="application/json")

    def _model(self, path: str, body: dict[str, Any]) -> Response:
        if body.get("stream"):
            return StreamingResponse(self._spoken(path.endswith(GATED)), media_type="text/event-stream")
        return JSONResponse({"success": True, "result": {"shape": [1, 3], "data": [[0.1, 0.2, 0.3]]}})

    async def _spoken(self, gated: bool) -> AsyncIterator[bytes]:
        for number, frame in enumerate(FRAMES):
            if gated and number == 2 and not await anyio.to_thread.run_sync(self.gate.wait, 8):
                return  # nobody has seen the first sentence: the test then misses the second
            yield frame


def variables(vendors: str) -> dict[str, str]:
    """The Worker's variables and secrets; with `down` in an address that store is down."""
    return {
        "PUBLIC_SCHEME": "https", "PUBLIC_PORT": "", "IMG_SRC": "https://img.test", "CHAT_MODEL": "@cf/test/text",
        "RERANK_MODEL": "", "AI_URL": f"{vendors}/client/v4/accounts/test/ai/run", "TURSO_URL": f"{vendors}/turso",
        "TURSO_READ_TOKEN": "read-only", "TELEMETRY_URL": f"{vendors}/telemetry", "TELEMETRY_WRITE_TOKEN": "telemetry",
    }  # fmt: skip


def _shop(vendors: str, name: str = "Pots", **changes: Any) -> DomainRecord:
    record = shop_record(name, **changes)
    cell = RealtimeCell(app_id="app-1", api_uri=f"{vendors}/instant", websocket_uri="wss://instant.test/session")
    return dataclasses.replace(record, config=dataclasses.replace(record.config, realtime=cell))


def _says(record: DomainRecord, **chat: Any) -> DomainRecord:
    settings = dataclasses.replace(record.config.chat, **chat)
    return dataclasses.replace(record, config=dataclasses.replace(record.config, chat=settings))


def records(vendors: str) -> dict[str, str]:
    """KV's pairs."""
    pots = _shop(vendors)
    german = dataclasses.replace(pots.config, locale="de-AT", currency="CHF")
    down = dataclasses.replace(pots.config, realtime=RealtimeCell(app_id="app-1", api_uri=f"{vendors}/instant-is-down"))
    hosts = {
        "pots.test": pots,
        POTTERY: dataclasses.replace(pots, canonical_host=POTTERY, config=german),
        "instant-down.test": dataclasses.replace(pots, canonical_host="instant-down.test", config=down),
        "bare.test": dataclasses.replace(pots, sections=(Hero(heading="Bare"),), config=down),
        "no-chat.test": _says(pots, enabled=False),
        "gated.test": _says(pots, model=GATED),
        "www.pots.test": DomainRecord(tenant=TenantRef(id="t-a", status="active"), redirect_to="pots.test"),
    } | {
        f"{status}.test": DomainRecord(tenant=TenantRef(id="t-b", status=status))
        for status in (SUSPENDED, CLOSED, UNCONNECTED)
    }
    draft = dataclasses.replace(pots, sections=(Hero(heading="A draft & more"),))
    foreign = _shop(vendors, "Pans", tenant="t-c")
    values = {domain_key(host): record.to_json() for host, record in hosts.items()}
    values |= {draft_key("secret"): draft.to_json(), draft_key("foreign"): foreign.to_json()}
    values[redirect_key("t-a", "/products/old jug")] = "/products/jug-1"
    values[redirect_key("t-a", "/products/evil")] = "//evil.test/"
    newer = json.loads(pots.to_json()) | {"version": 99}
    return values | {domain_key("newer.test"): json.dumps(newer), domain_key("broken.test"): "{"}
