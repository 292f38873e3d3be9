"""What the landing editor asks: how the page in the form would look, how large it is, what must be put right."""

import json
import uuid
from typing import Any

from django.apps import apps
from django.core.exceptions import RequestDataTooBig
from django.db.models import Q
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from storefront import pages
from storefront.documents import MAX_RECORD_BYTES, Section
from tenants.checks import problems_of
from tenants.documents import bytes_of, fit, record_of, size_of
from tenants.models import Tenant
from tenants.page import Page

MOST_BYTES = 262_144
"""Of a draft as it is sent: thirteen times what can go live."""

MOST_FOUND = 20


def page_sent(request: HttpRequest) -> tuple[Page, int]:
    """The page and the version of the draft it follows, from a request's JSON.

    Raises ValueError with a sentence where it is none or too large.
    """
    data = json_of(request)
    if not isinstance(data.get("page"), dict):
        raise ValueError("The editor sent no page. Reload it and try again.")
    version = data.get("version")
    return Page.from_editor(data["page"]), version if type(version) is int else -1


def json_of(request: HttpRequest) -> dict[str, Any]:
    """A request's JSON object. Raises ValueError with a sentence where it is none or too large."""
    try:
        if len(request.body) > MOST_BYTES:
            raise RequestDataTooBig
        data = json.loads(request.body)
    except RequestDataTooBig:
        raise ValueError("This page is too large to be kept. Shorten or remove something.") from None
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise ValueError("The editor sent something that is no page. Reload it and try again.")
    return data


def preview_of(tenant: Tenant, page: Page, origin: str) -> dict[str, Any]:
    """The page as shoppers would see it, a comment `<!--section:{id}-->` before each section, and what it weighs.

    Bytes of the record and of each section (cards included), the limit, and the problems by path.
    """
    record = record_of(tenant, page)
    shown = [block.id for block in page.blocks if not block.hidden]
    fitted = fit(record)
    ids = {id(section): id_ for section, id_ in zip(fitted.sections, shown, strict=True)}
    return {
        "html": pages.landing(fitted, origin=origin, mark=lambda section: mark_of(ids[id(section)])),
        "size": size_of(record),
        "limit": MAX_RECORD_BYTES,
        "sizes": {id_: bytes_of(section) for section, id_ in zip(record.sections, shown, strict=True)},
        "problems": problems_of(page, record),
    }


def mark_of(id_: str) -> SafeString:
    return format_html("<!--section:{}-->", id_)


def products_found(tenant: Tenant, query: str, ids: list[str]) -> list[dict[str, str]]:
    """Products of this shop: those with the given ids, or whose title or address holds `query`; at most 20."""
    products = apps.get_model("catalog", "Product")._default_manager.filter(tenant=tenant)
    if ids:
        products = products.filter(pk__in=[one for one in ids if is_uuid(one)][:MOST_FOUND])
    elif query:
        products = products.filter(Q(title__icontains=query) | Q(slug__icontains=query))
    rows = products.order_by("title", "pk").values_list("pk", "title", "status")[:MOST_FOUND]
    return [{"id": str(pk), "title": title, "status": status} for pk, title, status in rows]


def pictures_of(tenant: Tenant, page: Page) -> list[dict[str, str]]:
    """Pictures that this shop uses already, on its page and its products, each once; at most 120."""
    products = apps.get_model("catalog", "Product")._default_manager.filter(tenant=tenant).exclude(image_url="")
    rows = list(products.order_by("title", "pk").values_list("image_url", "title")[:100])
    found = dict.fromkeys(address for section in page.sections for address in _pictures(section))
    named = dict.fromkeys(found, "On the page") | dict(rows)
    return [{"url": address, "title": title} for address, title in list(named.items())[:120]]


def _pictures(section: Section) -> list[str]:
    rows = [section, *(item for name in ("images", "logos") for item in getattr(section, name, ()))]
    return [address for row in rows if (address := getattr(row, "image_url", ""))]


def is_uuid(value: str) -> bool:
    try:
        uuid.UUID(value)
    except ValueError:
        return False
    return True
