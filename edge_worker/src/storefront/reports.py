"""Shoppers report a shop's page to the platform: a form that works without JavaScript.

The report goes to the telemetry database, from which the control plane collects it; nothing of it is shown to the
merchant. Where it can't be kept, the page says so and still holds what was typed.
"""

import dataclasses
import hmac
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from storefront import pages, telemetry
from storefront.bindings import Env, variable
from storefront.chat_api import RETRY_AFTER, RequestError, body_of, is_from_here, is_within, plain, visitor_of
from storefront.hosts import Shop, shop_of
from storefront.links import is_path
from storefront.messages import Messages
from storefront.messages_report import REASONS
from storefront.responses import shop_message, shop_page

MAX_BODY = 32_768
"""Bytes: 1,000 characters of four bytes each take 12 when they are percent-encoded, and then there is the rest."""
MAX_TEXT, MAX_EMAIL, MAX_PAGE = 1_000, 254, 300

_EMAIL = re.compile(r"[^\s@<>\"(),;:]{1,64}@[^\s@<>\"(),;:]+\.[^\s@<>\"(),;:.]{2,}")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Form:
    """What was typed; `website` is a field that people don't see and programs fill in."""

    page: str = ""
    reason: str = ""
    text: str = ""
    email: str = ""
    website: str = ""

    def problems(self, words: Messages) -> dict[str, str]:
        """By field, what must be put right."""
        found = {}
        if self.reason not in REASONS:
            found["reason"] = words("report_no_reason")
        if len(self.text) > MAX_TEXT:
            found["text"] = words("report_too_long", count=len(self.text))
        if self.email and (len(self.email) > MAX_EMAIL or not _EMAIL.fullmatch(self.email)):
            found["email"] = words("report_bad_email")
        return found


async def report(request: Request) -> Response:
    """GET shows the form, filled in with the page it was opened from; POST takes it and leads to a thank-you."""
    shop = await shop_of(request)
    if request.method != "POST":
        return _page(shop, Form(page=_page_of(request.query_params.get("page", ""), shop)))
    if not _is_own(request):
        return shop_message(shop, "report_foreign", 403)
    try:
        form = await _form_of(request, shop)
    except RequestError:
        return shop_message(shop, "report_too_large", 413)
    words = Messages(shop.record.config.locale)
    if problems := form.problems(words):
        return _page(shop, form, status=422, problems=problems)
    if form.website:
        return _thanked()  # a program, which learns nothing
    if not await _within_limits(request, shop):
        return _page(shop, form, status=429, notice=words("report_too_many"))
    if not await telemetry.report(shop.env, _row(form, request, shop)):
        return _page(shop, form, status=503, notice=words("report_down"))
    return _thanked()


async def thanks(request: Request) -> Response:
    return shop_message(await shop_of(request), "report_thanks", 200)


def _thanked() -> Response:
    return RedirectResponse("/report/thanks", 303, {"cache-control": "no-store"})


def _page(
    shop: Shop, form: Form, *, status: int = 200, notice: str = "", problems: Mapping[str, str] | None = None
) -> Response:
    html = pages.report(shop.record, origin=shop.origin, form=form, notice=notice, problems=problems)
    response = shop_page(shop, html, status=status)
    if status == 429:
        response.headers["retry-after"] = RETRY_AFTER
    return response


def _is_own(request: Request) -> bool:
    """Whether the form was sent from this very host. A browser says where from; what says nothing is no browser."""
    if not is_from_here(request):
        return False
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin.lower()).netloc == request.headers["host"].lower()


async def _form_of(request: Request, shop: Shop) -> Form:
    """The body's fields. Raises RequestError for more than any report has."""
    body = await body_of(request, MAX_BODY)
    try:
        sent = dict(parse_qsl(body.decode("utf-8", "replace"), max_num_fields=20))
    except ValueError:
        raise RequestError(413, "too_large", "A report has fewer fields.") from None
    return Form(
        page=_page_of(sent.get("page", ""), shop),
        reason=sent.get("reason", ""),
        text=plain(sent.get("text", "").replace("\r\n", "\n")),
        email=plain(sent.get("email", "")),
        website=sent.get("website", ""),
    )


def _page_of(typed: str, shop: Shop) -> str:
    """A path of this shop, from a path or a whole address; the start page for anything else."""
    path = plain(typed).removeprefix(shop.origin)
    return path[:MAX_PAGE] if is_path(path) else "/"


async def _within_limits(request: Request, shop: Shop) -> bool:
    tenant, env = shop.record.tenant.id, shop.env
    return await is_within(env.VISITOR_LIMITER, f"report:{tenant}:{visitor_of(request)}") and await is_within(
        env.SHOP_LIMITER, f"report:{tenant}"
    )


def _row(form: Form, request: Request, shop: Shop) -> dict[str, Any]:
    at = telemetry.now_ms()
    tenant = shop.record.tenant.id
    return {
        "id": telemetry.uuid7(at), "tenant_id": tenant, "at": at, "page": form.page, "reason": form.reason,
        "text": form.text, "email": form.email, "lang": shop.record.config.locale,
        "reporter": _reporter(shop.env, tenant, visitor_of(request)),
    }  # fmt: skip


def _reporter(env: Env, tenant: str, visitor: str) -> str:
    """Tells two reporters of one shop apart without telling who they are: nobody without the secret can guess back."""
    secret = variable(env, "TELEMETRY_WRITE_TOKEN") or "no-secret"
    return hmac.new(secret.encode(), f"{tenant} {visitor}".encode(), "sha256").hexdigest()[:24]
