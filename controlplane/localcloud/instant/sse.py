"""Sessions over server-sent events: the admin API's `subscribe-query`, and browsers without a websocket.

A browser opens `GET /runtime/sse?app_id=` and posts its events to the same address (server: lib/ring/sse.clj).
"""

import dataclasses
import hmac
import uuid
from collections.abc import AsyncIterator, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route

from controlplane.localcloud.instant.errors import Refusal
from controlplane.localcloud.instant.outbox import Overflow
from controlplane.localcloud.instant.requests import body_of, caller_of, coerced, engine_of, required
from controlplane.localcloud.instant.session import Session
from controlplane.localcloud.instant.subscriptions import Shape
from controlplane.localcloud.instant.values import as_uuid, compact

MACHINE = str(uuid.UUID(int=1))  # the vendor names the machine of its cluster that holds the session
RETRY = "retry: 500\n\n"


@dataclasses.dataclass(frozen=True)
class Line:
    """One open stream. Whoever has its token may speak for its session."""

    session: Session
    token: str = dataclasses.field(default_factory=lambda: str(uuid.uuid4()))

    def opening(self) -> None:
        named = {"machine-id": MACHINE, "session-id": self.session.id, "sse-token": self.token}
        self.session.push({"op": "sse-init", **named})


class Lines:
    """The streams of browsers, by session id."""

    def __init__(self) -> None:
        self.open: dict[str, Line] = {}

    def find(self, session_id: str, token: str) -> Session:
        line = self.open.get(session_id)
        if line is None or not hmac.compare_digest(line.token, token):
            raise Refusal("session-missing", "Session is missing.", {"sess-id": session_id})
        return line.session

    async def stream(self, line: Line) -> AsyncIterator[str]:
        self.open[line.session.id] = line
        try:
            async for part in _stream(line):
                yield part
        finally:
            del self.open[line.session.id]


async def subscribe_query(request: Request) -> StreamingResponse:
    body = await body_of(request)
    query, engine, caller = required(body, "query", dict), engine_of(request), caller_of(request)
    line = Line(Session(request.app.state.engines))
    line.session.enter(engine, caller)
    shape: Shape = "inferred tree" if body.get("inference?") else "tree"
    event = {"op": "add-query", "client-event-id": str(uuid.uuid4()), "q": query}
    return _response(_stream(line, lambda: line.session.add_query(event, shape)))


async def runtime(request: Request) -> StreamingResponse:
    line = Line(Session(request.app.state.engines))
    return _response(request.app.state.lines.stream(line))


async def runtime_events(request: Request) -> JSONResponse:
    body = await body_of(request)
    token, session_id = coerced(body, "sse_token", as_uuid), coerced(body, "session_id", as_uuid)
    session = request.app.state.lines.find(session_id, token)
    for message in required(body, "messages", list):
        session.receive(compact(message))
    return JSONResponse({})


async def _stream(line: Line, start: Callable[[], None] = lambda: None) -> AsyncIterator[str]:
    """Ends, and leaves nothing behind, when the client goes or is too slow."""
    try:
        line.opening()
        start()
        yield RETRY
        while True:
            yield f"data: {await line.session.outbox.get()}\n\n"
    except Overflow:
        return
    finally:
        line.session.close()


def _response(parts: AsyncIterator[str]) -> StreamingResponse:
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(parts, media_type="text/event-stream", headers=headers)


routes = [
    Route("/admin/subscribe-query", subscribe_query, methods=["POST"]),
    Route("/runtime/sse", runtime, methods=["GET"]),
    Route("/runtime/sse", runtime_events, methods=["POST"]),
]
