"""The admin HTTP API: `POST /admin/query` and `POST /admin/transact` (server: admin/routes.clj, util/http.clj)."""

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from controlplane.localcloud.instant.errors import Refusal
from controlplane.localcloud.instant.requests import body_of, caller_of, engine_of, required


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


async def refused(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refusal)
    return JSONResponse(error.body(), error.status)


async def broken(_: Request, error: Exception) -> JSONResponse:
    """A bug of ours, as the vendor answers to one of its own; the traceback goes to the log."""
    return JSONResponse({"type": "unknown", "message": "Something went wrong. Sorry about this!", "hint": {}}, 500)


routes = [
    Route("/admin/query", query, methods=["POST"]),
    Route("/admin/transact", transact, methods=["POST"]),
]
