"""The admin HTTP API: `POST /admin/query` and `POST /admin/transact` (server: admin/routes.clj, util/http.clj)."""

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from controlplane.localcloud.instant.errors import Refusal
from controlplane.localcloud.instant.requests import admin_engine, body_of, caller_of, coerced, engine_of, required


async def query(request: Request) -> JSONResponse:
    body = await body_of(request)
    engine, caller = engine_of(request), caller_of(request)
    inference = bool(body.get("inference?"))
    return JSONResponse(engine.query(caller, required(body, "query", dict), inference=inference))


async def transact(request: Request) -> JSONResponse:
    body = await body_of(request)
    steps = required(body, "steps", list)
    engine, caller = engine_of(request), caller_of(request)
    strict = bool(body.get("throw-on-missing-attrs?"))
    return JSONResponse({"tx-id": engine.transact(caller, steps, throw_on_missing_attrs=strict)})


async def presence(request: Request) -> JSONResponse:
    engine = admin_engine(request)
    coerced(request.query_params, "room-type", _text, "params")  # required, and ignored, by the vendor too
    sessions = engine.rooms.sessions(coerced(request.query_params, "room-id", _text, "params"))
    for session in (sessions or {}).values():
        if session["user"]:
            session["user"] = engine.users.find({"id": session["user"]["id"]})
    return JSONResponse({"sessions": sessions})


def _text(value: str) -> str | None:
    return value.strip() or None


async def refused(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refusal)
    return JSONResponse(error.body(), error.status)


async def broken(_: Request, error: Exception) -> JSONResponse:
    """A bug of ours, as the vendor answers to one of its own; the traceback goes to the log."""
    return JSONResponse({"type": "unknown", "message": "Something went wrong. Sorry about this!", "hint": {}}, 500)


routes = [
    Route("/admin/query", query, methods=["POST"]),
    Route("/admin/transact", transact, methods=["POST"]),
    Route("/admin/rooms/presence", presence, methods=["GET"]),
]
