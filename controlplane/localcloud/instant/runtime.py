"""Runtime auth, what a browser calls without any token of the app (server: runtime/routes.clj)."""

import sys
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from controlplane.localcloud.instant.engine import Engine
from controlplane.localcloud.instant.errors import param_malformed
from controlplane.localcloud.instant.requests import body_of, coerced, find_engine, optional, required
from controlplane.localcloud.instant.users import as_email
from controlplane.localcloud.instant.values import as_uuid


async def sign_in_guest(request: Request) -> JSONResponse:
    body = await body_of(request)
    user = find_engine(request, coerced(body, "app-id", as_uuid)).users.sign_in_guest(extra_fields(body))
    return JSONResponse({"user": user})


async def verify_refresh_token(request: Request) -> JSONResponse:
    body = await body_of(request)
    token = coerced(body, "refresh-token", as_uuid)
    user = find_engine(request, coerced(body, "app-id", as_uuid)).users.by_token(token)
    return JSONResponse({"user": {**user, "refresh_token": token}})


async def send_magic_code(request: Request) -> JSONResponse:
    body = await body_of(request)
    email = coerced(body, "email", as_email)
    send_code(find_engine(request, coerced(body, "app-id", as_uuid)), email)
    return JSONResponse({"sent": True})


async def verify_magic_code(request: Request) -> JSONResponse:
    body = await body_of(request)
    email, code = coerced(body, "email", as_email), required(body, "code", str)
    users = find_engine(request, coerced(body, "app-id", as_uuid)).users
    token = optional(body, "refresh-token", as_uuid)
    user, created = users.verify_magic_code(email, code, guest_token=token, extra=extra_fields(body))
    return JSONResponse({"user": user, "created": created})


async def signout(request: Request) -> JSONResponse:
    """The one body of this API with underscores."""
    body = await body_of(request)
    token = coerced(body, "refresh_token", as_uuid)
    find_engine(request, coerced(body, "app_id", as_uuid)).users.sign_out(token)
    return JSONResponse({})


def send_code(engine: Engine, email: str) -> str:
    """A development server sends no mail: the code goes to its console."""
    engine.users.limit("create", email)
    code = engine.users.magic_code(email)
    sys.stderr.write(f"Instant stand-in: the sign-in code for {email} is {code}\n")
    return code


def extra_fields(body: Any) -> Any:
    extra = body.get("extra-fields")
    if not isinstance(extra, dict | None):
        raise param_malformed(extra, "body", "extra-fields")
    return extra


routes = [
    Route("/runtime/auth/sign_in_guest", sign_in_guest, methods=["POST"]),
    Route("/runtime/auth/verify_refresh_token", verify_refresh_token, methods=["POST"]),
    Route("/runtime/auth/send_magic_code", send_magic_code, methods=["POST"]),
    Route("/runtime/auth/verify_magic_code", verify_magic_code, methods=["POST"]),
    Route("/runtime/signout", signout, methods=["POST"]),
]
