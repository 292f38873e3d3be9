"""The admin HTTP API: `POST /admin/query` and `POST /admin/transact` (server: admin/routes.clj, util/http.clj)."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from controlplane.localcloud.instant.engine import Engine
from controlplane.localcloud.instant.errors import Refusal, not_found, param_malformed, param_missing
from controlplane.localcloud.instant.permissions import ADMIN, GUEST, Caller
from controlplane.localcloud.instant.values import as_uuid, loads


async def query(request: Request) -> JSONResponse:
    body = await _body(request)
    engine, caller = _engine(request), _caller(request)
    inference = bool(body.get("inference?"))
    return JSONResponse(engine.query(caller, _required(body, "query", dict), inference=inference))


async def transact(request: Request) -> JSONResponse:
    body = await _body(request)
    steps = _required(body, "steps", list)
    engine, caller = _engine(request), _caller(request)
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


async def _body(request: Request) -> Mapping[str, Any]:
    try:
        body = loads(await request.body() or b"{}")
    except (ValueError, RecursionError) as error:
        raise param_malformed(None, "body") from error
    if not isinstance(body, dict):
        raise param_malformed(None, "body")
    return body


def _required(body: Mapping[str, Any], name: str, kind: type) -> Any:
    value = body.get(name)
    if value is None:
        raise param_missing("body", name)
    if not isinstance(value, kind):
        raise param_malformed(value, "body", name)
    return value


def _engine(request: Request) -> Engine:
    """The app that the request names. For the vendor a guest's unknown app is empty; here it is an error."""
    named = request.headers.get("app-id") or request.query_params.get("app_id")
    if not named:
        raise param_missing("headers", "app-id")
    app_id = as_uuid(named)
    if app_id is None:
        raise param_malformed(named, "headers", "app-id")
    engines: Mapping[str, Engine] = request.app.state.engines
    if app_id not in engines:
        raise not_found("app", args=[{"app-id": app_id}])
    return engines[app_id]


def _caller(request: Request) -> Caller:
    """Who asks. `as-token` and `as-guest` need no admin token: for those only the app id is trusted."""
    if token := request.headers.get("as-token"):
        if as_uuid(token) is None:
            raise param_malformed(token, "asUser", "token")
        raise not_found("app-user", args=[{"refresh-token": token}])  # nobody can sign in yet
    if email := request.headers.get("as-email"):
        _require_admin(request)
        raise not_found("app-user", args=[{"email": email}])
    if request.headers.get("as-guest"):
        return GUEST
    _require_admin(request)
    return ADMIN


def _require_admin(request: Request) -> None:
    header = request.headers.get("authorization")
    if not header:
        raise param_missing("headers", "authorization")
    token = as_uuid(header.split("Bearer ")[-1].strip())
    if token is None:
        raise param_malformed(header, "headers", "authorization")
    engine = _engine(request)
    if not engine.is_admin(token):
        advice = "This admin token may be expired or invalid. Or you may have provided an incorrect app ID."
        raise not_found("app-admin-token", args=[{"app-id": engine.app.id, "token": token}], message=advice)
