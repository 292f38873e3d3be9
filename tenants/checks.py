"""What must be put right before a page can go live: fields, contrast, size."""

from collections.abc import Iterable

from django.core.exceptions import ValidationError

from storefront import theme as colours
from storefront.documents import MAX_RECORD_BYTES, DomainRecord, Link, Seo, Theme
from tenants.content import Problems, check_fields
from tenants.documents import largest_sections, record_of, size_of
from tenants.flags.checking import refusals_of_page
from tenants.models import Tenant
from tenants.page import Page

LEAST_CONTRAST = 4.5
"""WCAG 2.2, success criterion 1.4.3, level AA, text of normal size."""

PAIRS = (("text", "background"), ("accent", "background"))


def problems_of(page: Page, record: DomainRecord) -> Problems:
    """What keeps `page` from going live, by path: `seo.title`, `theme.text`, `sections.{id}.heading`, `size`."""
    json = page.to_json()
    found = _prefixed("seo.", check_fields(Seo, json["seo"])[1])
    found |= _prefixed("theme.", check_fields(Theme, json["theme"])[1] | contrast_problems(page.theme))
    for number, link in enumerate(json["navigation"]):
        found |= _prefixed(f"navigation.{number}.", check_fields(Link, link)[1])
    for block, content in zip(page.blocks, json["sections"], strict=True):
        if not block.hidden:
            found |= _prefixed(f"sections.{block.id}.", check_fields(type(block.section), content)[1])
    return found | refusals_of_page(page, record.config.locale) | size_problems(record)


def _prefixed(prefix: str, problems: Problems) -> Problems:
    return {prefix + path: message for path, message in problems.items()}


def contrast_problems(theme: Theme) -> Problems:
    """By token: the pairs, light and dark, that people with weak eyes could not read."""
    found: Problems = {}
    for scheme, suffix in (("light", ""), ("dark", "_dark")):
        for ink, ground in PAIRS:
            ratio = _contrast(theme, ink + suffix, ground + suffix)
            if ratio < LEAST_CONTRAST:
                found[ink + suffix] = (
                    f"{ink.capitalize()} on {ground} in the {scheme} look has a contrast of {ratio:.1f} to 1; "
                    f"at least {LEAST_CONTRAST} to 1 is needed to be read easily. Choose a darker or lighter colour."
                )
    return found


def _contrast(theme: Theme, ink: str, ground: str) -> float:
    plain = Theme()
    one, other = (colours.parse(getattr(theme, name), getattr(plain, name)) for name in (ink, ground))
    return colours.contrast(one, other)


def size_problems(record: DomainRecord) -> Problems:
    """`size`, naming the largest sections, where the record would not fit KV's value."""
    size = size_of(record)
    if size <= MAX_RECORD_BYTES:
        return {}
    named = ", ".join(f"{label} “{name}” ({size:,} bytes)" for label, name, size in largest_sections(record)[:3])
    return {
        "size": f"The landing page would take {size:,} bytes; at most {MAX_RECORD_BYTES:,} fit. "
        f"Shorten or remove something. The largest sections: {named}."
    }


def check_size(tenant: Tenant, page: Page) -> None:
    """Raises ValidationError with the size and the largest sections if the page would not fit KV's record."""
    refuse(size_problems(record_of(tenant, page)).values())


def require_publishable(tenant: Tenant, page: Page) -> None:
    """Raises ValidationError with every problem."""
    refuse(problems_of(page, record_of(tenant, page)).values())


def refuse(messages: Iterable[str]) -> None:
    if found := list(messages):
        raise ValidationError(found)
