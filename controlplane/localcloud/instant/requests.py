"""What every route reads from a request: the body, the app that is named, and who asks (server: util/exception.clj)."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from starlette.requests import Request

from controlplane.localcloud.instant.engine import Engine
from controlplane.localcloud.instant.errors import not_found, param_malformed, param_missing
from controlplane.localcloud.instant.permissions import ADMIN, GUEST, Caller
from controlplane.localcloud.instant.values import as_uuid, loads

T = TypeVar("T")


async def body_of(request: Request) -> Mapping[str, Any]:
    try:
        body = loads(await request.body() or b"{}")
    except (ValueError, RecursionError) as error:
        raise param_malformed(None, "body") from error
    if not isinstance(body, dict):
        raise param_malformed(None, "body")
    return body


def required(body: Mapping[str, Any], name: str, kind: type) -> Any:
    value = body.get(name)
    if value is None:
        raise param_missing("body", name)
    if not isinstance(value, kind):
        raise param_malformed(value, "body", name)
    return value


def coerced(values: Mapping[str, Any], name: str, coerce: Callable[[Any], T | None], where: str = "body") -> T:
    """A parameter that must be there and that `coerce` must understand; it answers None to what it does not."""
    value = values.get(name)
    if value is None:
        raise param_missing(where, name)
    found = coerce(value)
    if found is None:
        raise param_malformed(value, where, name)
    return found


def optional(values: Mapping[str, Any], name: str, coerce: Callable[[Any], T | None], where: str = "body") -> T | None:
    return None if values.get(name) is None else coerced(values, name, coerce, where)


def engine_of(request: Request) -> Engine:
    """The app that the headers or the address name."""
    named = request.headers.get("app-id") or request.query_params.get("app_id")
    if not named:
        raise param_missing("headers", "app-id")
    app_id = as_uuid(named)
    if app_id is None:
        raise param_malformed(named, "headers", "app-id")
    return find_engine(request, app_id)


def find_engine(request: Request, app_id: str) -> Engine:
    """For the vendor a guest's unknown app is empty; here it is an error."""
    engines: Mapping[str, Engine] = request.app.state.engines
    if app_id not in engines:
        raise not_found("app", args=[{"app-id": app_id}])
    return engines[app_id]


def caller_of(request: Request) -> Caller:
    """Who asks. `as-token` and `as-guest` need no admin token: for those only the app id is trusted."""
    engine = engine_of(request)
    if token := request.headers.get("as-token"):
        if as_uuid(token) is None:
            raise param_malformed(token, "asUser", "token")
        return Caller(user=engine.users.by_token(token))
    if email := request.headers.get("as-email"):
        admin_engine(request)
        return Caller(user=engine.users.by_email(email))
    if request.headers.get("as-guest"):
        return GUEST
    admin_engine(request)
    return ADMIN


def admin_engine(request: Request) -> Engine:
    """The app that the request names, whose admin token it must carry."""
    engine, token = engine_of(request), bearer(request)
    if not engine.is_admin(token):
        advice = "This admin token may be expired or invalid. Or you may have provided an incorrect app ID."
        raise not_found("app-admin-token", args=[{"app-id": engine.app.id, "token": token}], message=advice)
    return engine


def bearer(request: Request) -> str:
    header = request.headers.get("authorization")
    if not header:
        raise param_missing("headers", "authorization")
    token = as_uuid(header.split("Bearer ")[-1].strip())
    if token is None:
        raise param_malformed(header, "headers", "authorization")
    return token
