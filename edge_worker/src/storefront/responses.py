"""HTML out: security headers, validators, and the last line of defence against tracebacks."""

import contextvars
import logging
import re
import uuid
from collections.abc import Iterable, Mapping

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from storefront import browser_page, pages, theme
from storefront.assets import BUNDLE, STYLESHEET
from storefront.bindings import Env, variable
from storefront.hosts import Shop
from storefront.messages import preferred_language

REVALIDATE = "public, max-age=0, must-revalidate"
RETRY_AFTER = "30"
"""Seconds: KV's own propagation is about as long."""

PRELOAD = ", ".join(
    [f"<{STYLESHEET}>; rel=preload; as=style"]
    + [f"<{BUNDLE[name]}>; rel=preload; as=style" for name in ("live.css",) if name in BUNDLE]
    + [f"<{BUNDLE[name]}>; rel=modulepreload" for name in ("start.js",) if name in BUNDLE]
)
"""What every page needs first, in a header: Cloudflare makes Early Hints (103) of it, where the zone has them on. There
is no font: pages use what the visitor's system has."""

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


HTML = "text/html; charset=utf-8"


def page_headers(shop: Shop) -> dict[str, str]:
    """Of a page that is a plain success: everybody may keep it, and asks again before it is used."""
    connect = browser_page.connect_sources(shop.record.config.realtime)
    return security_headers(shop.env, pages.style(shop.record), connect) | {
        "cache-control": REVALIDATE,
        "link": PRELOAD,
        "x-storefront-revision": shop.record.revision,
    }


def shop_page(shop: Shop, html: str, *, status: int = 200) -> Response:
    """A page of a shop that nobody keeps: what is not a plain success, or is one visitor's own."""
    headers = page_headers(shop) | {"cache-control": "no-store"}
    if status in (429, 503):
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


_ENTITY_TAG = re.compile(r'\s*(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")\s*(?:,|$)')


def is_unchanged(request: Request, etag: str) -> bool:
    """Whether If-None-Match names `etag`: compared weakly (RFC 9110, 13.1.2), so a CDN's W/ does not matter.

    A tag may hold commas, so the list is read and not split; what is no list of tags is no condition.
    """
    asked = ",".join(request.headers.getlist("if-none-match")).strip()
    if not (asked and etag):
        return False
    if asked == "*":
        return True
    tags, place = [], 0
    while place < len(asked):
        found = _ENTITY_TAG.match(asked, place)
        if found is None:
            empty = re.compile(r"\s*,").match(asked, place)  # lists may have empty elements (RFC 9110, 5.6.1)
            if empty is None:
                return False
            place = empty.end()
            continue
        tags.append(found[1])
        place = found.end()
    return etag.removeprefix("W/") in tags


def not_modified(headers: Mapping[str, str]) -> Response:
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
