"""What the admin token may do to users (server: admin/routes.clj)."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from controlplane.localcloud.instant.errors import Refusal, invalid
from controlplane.localcloud.instant.requests import admin_engine, body_of, coerced, optional, required
from controlplane.localcloud.instant.runtime import extra_fields, send_code
from controlplane.localcloud.instant.users import User, Users, as_email
from controlplane.localcloud.instant.values import as_uuid


async def refresh_tokens(request: Request) -> JSONResponse:
    users, body = admin_engine(request).users, await body_of(request)
    email, id_ = optional(body, "email", as_email), optional(body, "id", as_uuid)
    if not (email or id_):
        raise invalid("body", dict(body), {"message": "Please provide an `email` or `id`"})
    user, created = users.get_or_create(email, id_, extra_fields(body))
    return JSONResponse({"user": users.with_token(user), "created": created})


async def sign_out(request: Request) -> JSONResponse:
    users, body = admin_engine(request).users, await body_of(request)
    if id_ := optional(body, "id", as_uuid):
        users.sign_out_everywhere(id_)
    elif email := optional(body, "email", as_email):
        users.sign_out_everywhere(users.by_email(email)["id"])
    elif token := optional(body, "refresh_token", as_uuid):
        users.sign_out(token)
    else:
        raise invalid("body", dict(body), {"message": "Please provide an `id`, `email`, or `refresh_token`"})
    return JSONResponse({"ok": True})


async def get_user(request: Request) -> JSONResponse:
    return JSONResponse({"user": _named(admin_engine(request).users, request.query_params)})


async def delete_user(request: Request) -> JSONResponse:
    users = admin_engine(request).users
    user = _named(users, request.query_params)
    if user:
        users.delete(user["id"])
    return JSONResponse({"deleted": user})


def _named(users: Users, params: Mapping[str, Any]) -> User | None:
    if email := optional(params, "email", as_email, "params"):
        return users.find({"email": email})
    if token := optional(params, "refresh_token", as_uuid, "params"):
        try:
            return users.by_token(token)
        except Refusal:
            return None
    if id_ := optional(params, "id", as_uuid, "params"):
        return users.find({"id": id_})
    raise invalid("params", dict(params), {"message": "Please provide a user id, email, or refresh_token"})


async def magic_code(request: Request) -> JSONResponse:
    users, body = admin_engine(request).users, await body_of(request)
    return JSONResponse({"code": users.magic_code(coerced(body, "email", as_email))})


async def send_magic_code(request: Request) -> JSONResponse:
    engine, body = admin_engine(request), await body_of(request)
    return JSONResponse({"code": send_code(engine, coerced(body, "email", as_email))})


async def verify_magic_code(request: Request) -> JSONResponse:
    users, body = admin_engine(request).users, await body_of(request)
    email, code = coerced(body, "email", as_email), required(body, "code", str)
    token = optional(body, "refresh-token", as_uuid)
    user, created = users.verify_magic_code(email, code, guest_token=token, extra=extra_fields(body), by_admin=True)
    return JSONResponse({"user": user, "created": created})


async def sign_in_guest(request: Request) -> JSONResponse:
    users, body = admin_engine(request).users, await body_of(request)
    return JSONResponse({"user": users.sign_in_guest(extra_fields(body), by_admin=True)})


routes = [
    Route("/admin/refresh_tokens", refresh_tokens, methods=["POST"]),
    Route("/admin/sign_out", sign_out, methods=["POST"]),
    Route("/admin/users", get_user, methods=["GET"]),
    Route("/admin/users", delete_user, methods=["DELETE"]),
    Route("/admin/magic_code", magic_code, methods=["POST"]),
    Route("/admin/send_magic_code", send_magic_code, methods=["POST"]),
    Route("/admin/verify_magic_code", verify_magic_code, methods=["POST"]),
    Route("/admin/sign_in_guest", sign_in_guest, methods=["POST"]),
]
