"""One client's session: it answers events and is told of changes (server: reactive/session.clj).

How frames come and go is `sockets`' business.
"""

import logging
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from controlplane.localcloud.instant.engine import Engine
from controlplane.localcloud.instant.errors import Refusal, invalid, not_found, param_malformed, param_missing
from controlplane.localcloud.instant.outbox import Outbox
from controlplane.localcloud.instant.permissions import Caller
from controlplane.localcloud.instant.subscriptions import Computation, Shape
from controlplane.localcloud.instant.values import as_uuid, compact, dumps, loads

log = logging.getLogger(__name__)

Event = Mapping[str, Any]


class Session:
    """`receive` takes a frame. Answers, and what the server says of its own accord, go into `outbox`."""

    def __init__(self, engines: Mapping[str, Engine]) -> None:
        self.id = str(uuid.uuid4())
        self.outbox = Outbox()
        self.wrote = 0
        self._engines = engines
        self._engine: Engine | None = None
        self._caller = Caller()
        self._queries: dict[str, Computation] = {}

    def close(self) -> None:
        """Leaves nothing behind: no subscription, no presence."""
        if self._engine:
            self._engine.sessions.discard(self)
            for computation in self._queries.values():
                self._engine.subscriptions.remove(self, computation)
            self._engine.rooms.leave_all(self)
        self._queries = {}

    def enter(self, engine: Engine, caller: Caller) -> None:
        """What `init` does for a browser; the admin API's sessions come with it."""
        self._engine, self._caller = engine, caller
        engine.sessions.add(self)

    @property
    def user_id(self) -> str | None:
        return self._caller.user["id"] if self._caller.user else None

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
        self._answer(event, lambda: self._handle(event))

    def add_query(self, event: Event, shape: Shape) -> None:
        """The event `add-query`, whose answers come in a shape that only the admin API knows."""
        self._answer(event, lambda: self._add_query(event, shape))

    def _answer(self, event: Event, handle: Callable[[], None]) -> None:
        try:
            handle()
        except Refusal as refusal:
            self._refuse(event, refusal)
        except Exception:
            log.exception("The event %s could not be answered", event.get("op"))
            self._refuse(event, Refusal("unknown", "Something went wrong. Sorry about this!"), status=500)

    def _handle(self, event: Event) -> None:
        op = event.get("op")
        handler = HANDLERS.get(op) if isinstance(op, str) else None
        if handler is None:
            raise Refusal("param-malformed", "Invalid op", {"op": op})
        handler(self, event)

    def _reply(self, event: Event, op: str, **rest: Any) -> None:
        named = {name.replace("_", "-"): value for name, value in rest.items()}
        self.push({"op": op, "client-event-id": event.get("client-event-id"), **named})

    def push(self, message: Mapping[str, Any], key: str | None = None) -> None:
        self.outbox.put(compact(message), key)

    def _refuse(self, event: Event, refusal: Refusal, status: int | None = None) -> None:
        status = status or refusal.status
        body = {**refusal.body(), "status": 400 if status == 429 else status}
        self.push({"op": "error", "client-event-id": event.get("client-event-id"), "original-event": event, **body})

    # Events

    def _init(self, event: Event) -> None:
        if self._engine is not None:
            raise invalid("init", event, {"message": "`init` has already run for this session."})
        engine = self._app(event)
        token = event.get("refresh-token")
        user = engine.user_of(str(token)) if token else None
        admin = "__admin-token" in event and self._is_admin(engine, str(event["__admin-token"]))
        self.enter(engine, Caller(admin=admin, user=user))
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

    def _add_query(self, event: Event, shape: Shape = "join-rows") -> None:
        engine, query = self.engine, event.get("q")
        if query is None:
            raise invalid("add-query", {"q": None}, {"message": "Query can not be null."})
        if not isinstance(query, dict):
            raise invalid("query", query, {"expected": "map?", "in": []})
        if dumps(query) in self._queries:
            self._reply(event, "add-query-exists", q=query)
            return
        computation = engine.subscriptions.add(self, self._caller, query, shape)
        self._queries[dumps(query)] = computation
        result, meta = computation.answer
        head = {"op": "add-query-ok", "client-event-id": event.get("client-event-id"), "q": query}
        as_of = f'"processed-tx-id":{engine.last_tx_id},"processed-isn":null'
        self.outbox.put(f'{compact(head)[:-1]},{as_of},"result-meta":{meta},"result":{result}}}')

    def _remove_query(self, event: Event) -> None:
        engine, query = self.engine, event.get("q")
        if computation := self._queries.pop(dumps(query), None):
            engine.subscriptions.remove(self, computation)
        self._reply(event, "remove-query-ok", q=query)

    def _transact(self, event: Event) -> None:
        tx_id = self.engine.transact_browser(self._caller, event.get("tx-steps"))
        self.wrote = tx_id
        self._reply(event, "transact-ok", tx_id=tx_id, isn=str(tx_id))

    # Rooms

    def _join_room(self, event: Event) -> None:
        engine, room_id = self.engine, _room_id(event)
        self._reply(event, "join-room-ok", room_id=room_id)
        engine.rooms.join(room_id, self, event.get("data"))

    def _leave_room(self, event: Event) -> None:
        engine, room_id = self.engine, _room_id(event)
        engine.rooms.leave(room_id, self)
        self._reply(event, "leave-room-ok", room_id=room_id)

    def _set_presence(self, event: Event) -> None:
        engine, room_id = self.engine, _room_id(event)
        engine.rooms.set_presence(room_id, self, event.get("data"))
        self._reply(event, "set-presence-ok", room_id=room_id)

    def _client_broadcast(self, event: Event) -> None:
        engine, room_id = self.engine, _room_id(event)
        sent = engine.rooms.broadcast(room_id, self, event.get("topic"), event.get("data"))
        self.push({"op": "client-broadcast-ok", "client-event-id": event.get("client-event-id"), **sent})

    def renew(self) -> None:
        """After a change of rules or schema: the attributes, and all queries anew, in what is now the caller's view."""
        engine = self.engine
        head = {"op": "refresh-ok", "processed-tx-id": engine.last_tx_id, "processed-isn": None, "computations": []}
        self.outbox.put(f'{compact(head)[:-1]},"attrs":{engine.attrs_json()}}}', key="attrs")
        for name, old in list(self._queries.items()):
            engine.subscriptions.remove(self, old)
            try:
                new = engine.subscriptions.add(self, self._caller, old.query, old.shape)
            except Refusal as refusal:
                self.failed(old, refusal)
                continue
            self._queries[name] = new
            if new.answer != old.answer:
                self.refreshed(new)

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
    "join-room": Session._join_room,
    "leave-room": Session._leave_room,
    "set-presence": Session._set_presence,
    "client-broadcast": Session._client_broadcast,
}


def _room_id(event: Event) -> str:
    room_id = event.get("room-id")
    if room_id is None:
        raise param_missing("room-id")
    if not isinstance(room_id, str):
        raise param_malformed(room_id, "room-id")
    return room_id
