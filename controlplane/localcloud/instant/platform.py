"""What `instant-cli` and `@instantdb/platform` call (server: dash/routes.clj, superadmin/routes.clj).

The app's own admin token is enough for what concerns one app; making and listing apps takes the platform token.
"""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from controlplane.localcloud import defaults
from controlplane.localcloud.instant import schema_push
from controlplane.localcloud.instant.attrs import Attrs
from controlplane.localcloud.instant.engine import Engine
from controlplane.localcloud.instant.errors import invalid, not_found, param_malformed
from controlplane.localcloud.instant.registry import Registry
from controlplane.localcloud.instant.requests import body_of, find_engine, required
from controlplane.localcloud.instant.rules import errors
from controlplane.localcloud.instant.schema import attrs_of, random_ids
from controlplane.localcloud.instant.values import as_uuid

Body = Mapping[str, Any]


def _registry(request: Request) -> Registry:
    registry: Registry = request.app.state.registry
    return registry


def _token(request: Request) -> str:
    return request.headers.get("authorization", "").removeprefix("Bearer ").strip()


def _require_platform(request: Request) -> None:
    if _token(request) != defaults.INSTANT_PLATFORM_TOKEN:
        raise not_found("instant-personal-access-token", message="Making and listing apps takes the platform token.")


def _engine(request: Request) -> Engine:
    """The app in the path, for whoever holds its admin token or the platform's."""
    app_id = as_uuid(request.path_params["app_id"])
    if app_id is None:
        raise param_malformed(request.path_params["app_id"], "params", "app_id")
    engine = find_engine(request, app_id)
    token = _token(request)
    if token != defaults.INSTANT_PLATFORM_TOKEN and not engine.is_admin(token):
        raise not_found("app-admin-token", args=[{"app-id": app_id}])
    return engine


# Schema


async def pull_schema(request: Request) -> JSONResponse:
    engine = _engine(request)
    attrs = [attr.to_wire() for attr in engine.store.attrs]
    schema = schema_push.as_api_schema(engine.store.attrs)
    return JSONResponse({"schema": schema, "attrs": attrs, "app-title": engine.app.title})


async def get_schema(request: Request) -> JSONResponse:
    return JSONResponse({"schema": schema_push.as_api_schema(_engine(request).store.attrs)})


async def plan(request: Request) -> JSONResponse:
    return JSONResponse(_plan(_engine(request), await body_of(request)))


async def apply_plan(request: Request) -> JSONResponse:
    engine, body = _engine(request), await body_of(request)
    planned = _plan(engine, body)
    return JSONResponse({**planned, **engine.push_schema(planned["steps"])})


async def apply_steps(request: Request) -> JSONResponse:
    engine, body = _engine(request), await body_of(request)
    return JSONResponse(engine.push_schema(required(body, "steps", list)))


def _plan(engine: Engine, body: Body) -> dict[str, Any]:
    attrs, schema = engine.store.attrs, required(body, "schema", dict)
    types, background = bool(body.get("check_types")), bool(body.get("supports_background_updates"))
    return {
        "new-schema": schema_push.as_api_schema(Attrs(attrs_of(schema, random_ids))),
        "current-schema": schema_push.as_api_schema(attrs),
        "current-attrs": [attr.to_wire() for attr in attrs],
        "steps": schema_push.plan(attrs, schema, check_types=types, background=background),
    }


async def jobs(request: Request) -> JSONResponse:
    engine = _engine(request)
    return JSONResponse({"jobs": engine.jobs.get(request.path_params["group_id"], [])})


# Rules


async def get_rules(request: Request) -> JSONResponse:
    return JSONResponse({"perms": _engine(request).rules})


async def push_rules(request: Request) -> JSONResponse:
    engine, body = _engine(request), await body_of(request)
    code = required(body, "code", dict)
    engine.push_rules(code)
    return JSONResponse({"rules": {"app_id": engine.app.id, "code": code}})


# Apps


def _describe(engine: Engine) -> dict[str, Any]:
    app = engine.app
    return {"id": app.id, "title": app.title, "admin-token": app.admin_token, "status": "active"}


def _details(engine: Engine) -> dict[str, Any]:
    schema = schema_push.as_api_schema(engine.store.attrs)
    return {**_describe(engine), "perms": engine.rules, "schema": schema}


def _create(request: Request, body: Body, rules: Any) -> Engine:
    if found := errors(rules):
        raise invalid("rule", rules, *found)
    title = required(body, "title", str)
    return _registry(request).create(title=title, schema=body.get("schema") or {}, rules=rules)


async def create_app(request: Request) -> JSONResponse:
    _require_platform(request)
    body = await body_of(request)
    return JSONResponse({"app": _details(_create(request, body, body.get("perms") or {}))})


async def create_ephemeral(request: Request) -> JSONResponse:
    """Anybody may have one, as with the vendor: tests and demos do not sign in."""
    body = await body_of(request)
    engine = _create(request, body, (body.get("rules") or {}).get("code") or {})
    return JSONResponse({"app": _describe(engine), "expires_ms": 14 * 86_400_000})


async def list_apps(request: Request) -> JSONResponse:
    _require_platform(request)
    engines: Mapping[str, Engine] = request.app.state.engines
    return JSONResponse({"apps": [_details(engine) for engine in engines.values()]})


async def get_app(request: Request) -> JSONResponse:
    return JSONResponse({"app": _describe(_engine(request))})


async def delete_app(request: Request) -> JSONResponse:
    engine = _engine(request)
    _registry(request).delete(engine)
    return JSONResponse({"app": _describe(engine)})


ONE = "/superadmin/apps/{app_id}"
DASH = "/dash/apps/{app_id}"
routes = [
    Route("/dash/apps/ephemeral", create_ephemeral, methods=["POST"]),
    Route("/superadmin/apps", create_app, methods=["POST"]),
    Route("/superadmin/apps", list_apps, methods=["GET"]),
    Route(ONE, get_app, methods=["GET"]),
    Route(ONE, delete_app, methods=["DELETE"]),
    Route(f"{ONE}/schema", get_schema, methods=["GET"]),
    Route(f"{ONE}/perms", get_rules, methods=["GET"]),
    Route(f"{ONE}/perms", push_rules, methods=["POST"]),
    Route(f"{DASH}/schema/pull", pull_schema, methods=["GET"]),
    Route(f"{DASH}/schema/steps/apply", apply_steps, methods=["POST"]),
    Route(f"{DASH}/perms/pull", get_rules, methods=["GET"]),
    Route(f"{DASH}/rules", push_rules, methods=["POST"]),
    Route(f"{DASH}/indexing-jobs/group/{{group_id}}", jobs, methods=["GET"]),
    *(Route(f"{path}/schema/push/plan", plan, methods=["POST"]) for path in (ONE, DASH)),
    *(Route(f"{path}/schema/push/apply", apply_plan, methods=["POST"]) for path in (ONE, DASH)),
]
