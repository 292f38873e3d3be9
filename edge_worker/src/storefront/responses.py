"""HTML out: security headers, validators, and the last line of defence against tracebacks."""

import contextvars
import logging
import re
import uuid
from collections.abc import Iterable

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from storefront import browser_page, pages, theme
from storefront.assets import BUILD
from storefront.bindings import Env, variable
from storefront.hosts import Shop
from storefront.messages import preferred_language

REVALIDATE = "public, max-age=0, must-revalidate"
RETRY_AFTER = "30"
"""Seconds: KV's own propagation is about as long."""

_RAY = re.compile(r"[0-9a-zA-Z-]{8,64}")

log = logging.getLogger("storefront")
request_id: contextvars.ContextVar[str] = contextvars.ContextVar("request_id", default="-")


def security_headers(env: Env, style: str, connect: Iterable[str] = ()) -> dict[str, str]:
    """No inline script and no inline style but `style`, the page's theme, which is let through by its hash.

    `connect` are the further origins that its scripts may talk to: the shop's own Instant and nobody else's.
    """
    https = variable(env, "PUBLIC_SCHEME", "https") == "https"
    policy = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": f"'self' {theme.csp_hash(style)}",
        "img-src": f"'self' data: https: {variable(env, 'IMG_SRC')}".rstrip(),
        "font-src": "'self'",
        "connect-src": " ".join(("'self'", *connect)),
        "worker-src": "'self'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    headers = {
        "content-security-policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "x-content-type-options": "nosniff",
        "referrer-policy": "strict-origin-when-cross-origin",
        "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        "cross-origin-opener-policy": "same-origin",
    }
    return headers | ({"strict-transport-security": "max-age=31536000"} if https else {})


def shop_page(shop: Shop, html: str, *, status: int = 200, etag: str = "") -> Response:
    """A page of a shop. What is not a plain success is not stored anywhere."""
    connect = browser_page.connect_sources(shop.record.config.realtime)
    headers = security_headers(shop.env, pages.style(shop.record), connect) | {
        "cache-control": REVALIDATE if status == 200 else "no-store",
        "x-storefront-revision": shop.record.revision,
    }
    if etag:
        headers["etag"] = etag
    if status == 503:
        headers["retry-after"] = RETRY_AFTER
    return HTMLResponse(html, status, headers)


def shop_message(shop: Shop, kind: str, status: int) -> Response:
    html = pages.message(shop.record, origin=shop.origin, kind=kind, request_id=request_id.get())
    return shop_page(shop, html, status=status)


def neutral_page(request: Request, kind: str, status: int) -> Response:
    """A page of the platform that names no shop."""
    language = preferred_language(request.headers.get("accept-language", ""))
    html = pages.neutral(kind, language=language, request_id=request_id.get())
    headers = security_headers(request.scope["env"], pages.style(None)) | {"cache-control": "no-store"}
    if status == 503:
        headers["retry-after"] = RETRY_AFTER
    return HTMLResponse(html, status, headers)


def landing_etag(shop: Shop) -> str:
    """Changes with the record and with the build; "" for a record that has no revision."""
    return f'"{shop.record.revision}-{BUILD}"' if shop.record.revision else ""


def is_unchanged(request: Request, etag: str) -> bool:
    """Whether If-None-Match names `etag` (weak comparison, RFC 9110 section 13.1.2)."""
    asked = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    return bool(etag) and (etag in asked or "*" in asked)


def not_modified(shop: Shop, etag: str) -> Response:
    headers = {"etag": etag, "cache-control": REVALIDATE, "x-storefront-revision": shop.record.revision}
    return Response(status_code=304, headers=headers)


class Guard:
    """The outermost layer: gives each request an id, turns any exception into a page, sends no body for HEAD."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        ray = request.headers.get("cf-ray", "")
        request_id.set(ray if _RAY.fullmatch(ray) else uuid.uuid4().hex[:16])
        started = False

        async def guarded_send(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                MutableHeaders(scope=message)["x-request-id"] = request_id.get()
            elif scope["method"] == "HEAD":
                message = {**message, "body": b""}
            await send(message)

        try:
            await self._app(scope, receive, guarded_send)
        except Exception:
            log.exception("request %s to %s failed", request_id.get(), scope["path"])
            if not started:
                await neutral_page(request, "failed", 500)(scope, receive, guarded_send)
