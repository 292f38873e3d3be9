"""One browser's websocket, `GET /runtime/session?app_id=` (server: reactive/session.clj)."""

import asyncio
import contextlib
import logging
import uuid
from collections.abc import Mapping
from typing import Any

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from controlplane.localcloud.instant.engine import Engine
from controlplane.localcloud.instant.errors import Refusal, invalid, not_found, param_malformed, param_missing
from controlplane.localcloud.instant.outbox import Outbox, Overflow
from controlplane.localcloud.instant.permissions import Caller
from controlplane.localcloud.instant.subscriptions import Computation
from controlplane.localcloud.instant.values import as_uuid, compact, dumps, loads

log = logging.getLogger(__name__)

Event = Mapping[str, Any]

TOO_SLOW = 1013  # "try again later": the client reconnects


class Session:
    """`handle` answers one event; what the server says of its own accord is put into `outbox` too."""

    def __init__(self, engines: Mapping[str, Engine]) -> None:
        self.id = str(uuid.uuid4())
        self.outbox = Outbox()
        self.wrote = 0
        self._engines = engines
        self._engine: Engine | None = None
        self._caller = Caller()
        self._queries: dict[str, Computation] = {}

    def close(self) -> None:
        for computation in self._queries.values():
            self.engine.subscriptions.remove(self, computation)
        self._queries = {}

    @property
    def engine(self) -> Engine:
        if self._engine is None:
            raise invalid("init", {"sess-id": self.id}, {"message": "`init` has not run for this session."})
        return self._engine

    def receive(self, text: str) -> None:
        """Answers one frame; whatever is wrong with it becomes an `error` event, never an exception."""
        try:
            event = loads(text)
        except (ValueError, RecursionError):
            self._refuse({}, param_malformed(None, "frame"))
            return
        if not isinstance(event, dict):
            self._refuse({}, param_malformed(None, "frame"))
            return
        try:
            self._handle(event)
        except Refusal as refusal:
            self._refuse(event, refusal)
        except Exception:
            log.exception("The event %s could not be answered", event.get("op"))
            self._refuse(event, Refusal("unknown", "Something went wrong. Sorry about this!"), status=500)

    def _handle(self, event: Event) -> None:
        handler = HANDLERS.get(event.get("op", ""))
        if handler is None:
            raise Refusal("param-malformed", "Invalid op", {"op": event.get("op")})
        handler(self, event)

    def _reply(self, event: Event, op: str, **rest: Any) -> None:
        named = {name.replace("_", "-"): value for name, value in rest.items()}
        self._send({"op": op, "client-event-id": event.get("client-event-id"), **named})

    def _send(self, message: Mapping[str, Any]) -> None:
        self.outbox.put(compact(message))

    def _refuse(self, event: Event, refusal: Refusal, status: int | None = None) -> None:
        status = status or refusal.status
        body = {**refusal.body(), "status": 400 if status == 429 else status}
        self._send({"op": "error", "client-event-id": event.get("client-event-id"), "original-event": event, **body})

    # Events

    def _init(self, event: Event) -> None:
        if self._engine is not None:
            raise invalid("init", event, {"message": "`init` has already run for this session."})
        engine = self._app(event)
        token = event.get("refresh-token")
        user = engine.user_of(str(token)) if token else None
        admin = "__admin-token" in event and self._is_admin(engine, str(event["__admin-token"]))
        self._caller = Caller(admin=admin, user=user)
        self._engine = engine
        app = {"id": engine.app.id, "title": engine.app.title}
        frame = {
            "op": "init-ok",
            "session-id": self.id,
            "client-event-id": event.get("client-event-id"),
            "auth": {"app": app, "user": user, "admin?": admin},
            "app-status": {"status": "active"},
        }
        self.outbox.put(f'{compact(frame)[:-1]},"attrs":{engine.attrs_json()}}}')

    def _app(self, event: Event) -> Engine:
        if not event.get("app-id"):
            raise param_missing("app-id")
        app_id = as_uuid(event["app-id"])
        if app_id is None:
            raise param_malformed(event["app-id"], "app-id")
        if app_id not in self._engines:
            raise not_found("app", args=[{"id": app_id}])
        return self._engines[app_id]

    def _is_admin(self, engine: Engine, token: str) -> bool:
        if not engine.is_admin(token):
            raise not_found("app-admin-token", args=[{"app-id": engine.app.id, "token": token}])
        return True

    def _add_query(self, event: Event) -> None:
        engine, query = self.engine, event.get("q")
        if query is None:
            raise invalid("add-query", {"q": None}, {"message": "Query can not be null."})
        if not isinstance(query, dict):
            raise invalid("query", query, {"expected": "map?", "in": []})
        if (name := dumps(query)) in self._queries:
            self._reply(event, "add-query-exists", q=query)
            return
        computation = engine.subscriptions.add(self, self._caller, query)
        self._queries[name] = computation
        head = {"op": "add-query-ok", "client-event-id": event.get("client-event-id"), "q": query}
        as_of = f'"processed-tx-id":{engine.last_tx_id},"processed-isn":null,"result-meta":null'
        self.outbox.put(f'{compact(head)[:-1]},{as_of},"result":{computation.result}}}')

    def _remove_query(self, event: Event) -> None:
        engine, query = self.engine, event.get("q")
        if computation := self._queries.pop(dumps(query), None):
            engine.subscriptions.remove(self, computation)
        self._reply(event, "remove-query-ok", q=query)

    def _transact(self, event: Event) -> None:
        tx_id = self.engine.transact_browser(self._caller, event.get("tx-steps"))
        self.wrote = tx_id
        self._reply(event, "transact-ok", tx_id=tx_id, isn=str(tx_id))

    # As a subscriber

    def refreshed(self, computation: Computation) -> None:
        self.outbox.put(computation.frame, key=computation.key)

    def failed(self, computation: Computation, refusal: Refusal) -> None:
        self._queries.pop(dumps(computation.query), None)
        self._refuse({"op": "add-query", "q": computation.query}, refusal)


HANDLERS = {
    "init": Session._init,
    "add-query": Session._add_query,
    "remove-query": Session._remove_query,
    "transact": Session._transact,
}


async def session(socket: WebSocket) -> None:
    await socket.accept()
    one = Session(socket.app.state.engines)
    tasks = [asyncio.create_task(_receive_all(socket, one)), asyncio.create_task(_send_all(socket, one.outbox))]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        one.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    if one.outbox.overflowed:
        with contextlib.suppress(WebSocketDisconnect, RuntimeError, TimeoutError):
            await asyncio.wait_for(socket.close(TOO_SLOW, "too slow"), 1)  # it may not read even that


async def _receive_all(socket: WebSocket, one: Session) -> None:
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return
        one.receive(message.get("text") or "")
        await asyncio.sleep(0)  # a client that sends without pause must not keep the others waiting


async def _send_all(socket: WebSocket, outbox: Outbox) -> None:
    with contextlib.suppress(Overflow, WebSocketDisconnect, RuntimeError):  # gone, one way or the other
        while True:
            await socket.send_text(await outbox.get())


routes = [WebSocketRoute("/runtime/session", session)]
