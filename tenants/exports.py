"""The shop's own part of its copy: what it is, its pages, people and hosts."""

import itertools
import logging
from collections.abc import Iterator
from typing import Any

from tenants.exporting import Part, as_json, fields_of, rows_as_json
from tenants.models import Landing, Picture, Tenant

log = logging.getLogger(__name__)
A_PIECE = 256 * 1024

READ_ME = """This is everything of your shop as of the day you asked for it.

shop.json           its settings
landing.json        the landing page as you last saved it, with its sections
revisions.json      every published version of it
domains.json        its addresses
members.json        who works in it
products.csv        its products, in the columns of Shopify's product CSV
products.json       its products, with everything that CSV has no column for
knowledge.json      what its chat knows
chat.json           how its chat speaks
conversations.json  what shoppers asked, and were told
pictures.json       the addresses of its pictures; those that you uploaded lie in the folder pictures

Texts are UTF-8. Prices in JSON are whole numbers of the currency's smallest unit. Times are UTC.
"""


def parts(tenant: Tenant) -> Iterator[Part]:
    yield Part("README.txt", [READ_ME.encode()])
    yield Part("shop.json", [as_json(fields_of(tenant, "realtime_cell", "vector_cell", "plan")), b"\n"])
    landing = Landing.objects.filter(tenant=tenant).first()
    if landing:
        sections = [fields_of(section, "landing") for section in landing.sections.order_by("position")]
        page = fields_of(landing, "live", "edited_by", "scheduled_by")
        yield Part("landing.json", [as_json({**page, "sections": sections}), b"\n"])
    yield Part("revisions.json", rows_as_json(tenant.revisions.select_related("author").order_by("number"), _revision))
    yield Part("domains.json", rows_as_json(tenant.domains.order_by("host"), _domain))
    yield from _pictures(tenant)
    yield Part("members.json", rows_as_json(tenant.memberships.select_related("user").order_by("pk"), _member))


def _pictures(tenant: Tenant) -> Iterator[Part]:
    """Those that were uploaded, in their largest size, with a list of what they are."""
    pictures = Picture.objects.filter(tenant=tenant).order_by("pk")
    yield Part("pictures/index.json", rows_as_json(pictures, _picture))
    for picture in pictures.iterator(chunk_size=100):
        yield Part(_place(picture), _bytes_of(picture))


def _place(picture: Picture) -> str:
    return f"pictures/{picture.pk}.webp"


def _picture(picture: Any) -> dict[str, Any]:
    return {"file": _place(picture), **fields_of(picture, "file"), "address": picture.url}


def _bytes_of(picture: Picture) -> Iterator[bytes]:
    """A file that is missing leaves an empty entry: the rest of the copy is worth having."""
    try:
        with picture.file.open("rb") as file:
            yield from file.chunks(A_PIECE)
    except FileNotFoundError:
        log.warning("The picture %s has lost its file", picture.pk)


def _revision(row: Any) -> dict[str, Any]:
    author = row.author.get_full_name() or row.author.get_username() if row.author else ""
    return {**fields_of(row, "author", "unpublished_by"), "author": author}


def _domain(row: Any) -> dict[str, Any]:
    names = ("host", "is_platform", "is_primary", "redirects", "state", "proven_at", "live_at", "retires_at")
    return {name: getattr(row, name) for name in names}


def _member(row: Any) -> dict[str, Any]:
    user = row.user
    return {"user": user.get_username(), "email": user.email, "name": user.get_full_name(), "role": row.role}


def picture_addresses(tenant: Tenant) -> Iterator[str]:
    """Every address of a picture that the shop's pages name, wherever in them it stands."""
    landing = Landing.objects.filter(tenant=tenant).first()
    if landing is None:
        return
    yield from filter(None, (landing.logo_url, landing.favicon_url, landing.seo_image_url))
    contents = (section.content for section in landing.sections.all())
    for content in itertools.chain(contents, tenant.revisions.values_list("content", flat=True).iterator()):
        yield from _pictures_in(content)


def _pictures_in(value: Any, name: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _pictures_in(inner, str(key))
    elif isinstance(value, list):
        for inner in value:
            yield from _pictures_in(inner, name)
    elif isinstance(value, str) and value and name.endswith(("image", "image_url", "logo_url", "favicon_url", "src")):
        yield value
