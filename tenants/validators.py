"""What merchants may type: slugs, hosts, links, colours, locales, currencies, rich text."""

import re
import zoneinfo
from urllib.parse import urlsplit

import nh3
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator

from storefront.documents import normalise_host
from tenants import slugs

validate_slug = RegexValidator(
    r"\A[a-z0-9](?:[a-z0-9-]{1,38}[a-z0-9])\Z",
    "3 to 40 lower-case letters, digits and hyphens; no hyphen at the start or end.",
)
validate_handle = RegexValidator(
    r"\A[a-z0-9](?:[a-z0-9-]{0,198}[a-z0-9])?\Z",
    "Lower-case letters, digits and hyphens; no hyphen at the start or end.",
)
validate_colour = RegexValidator(r"\A#[0-9a-fA-F]{6}\Z", "A colour such as #1f5f4a.")
validate_locale = RegexValidator(r"\A[a-z]{2,3}(?:-[A-Z]{2})?\Z", "A locale such as en-GB or de.")
validate_currency = RegexValidator(r"\A[A-Z]{3}\Z", "A three-letter currency code such as EUR (ISO 4217).")

RICH_TAGS = {"p", "h3", "h4", "ul", "ol", "li", "strong", "em", "a", "blockquote", "br"}
LINK_SCHEMES = {"http", "https", "mailto", "tel"}


def validate_not_reserved(slug: str) -> None:
    slugs.validate_choice(slug)


def validate_timezone(name: str) -> None:
    try:
        zoneinfo.ZoneInfo(name)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        raise ValidationError("This is no time zone. Type one such as Europe/Berlin.") from None


def validate_host(host: str) -> None:
    try:
        normal = normalise_host(host)
    except ValueError as error:
        raise ValidationError(str(error)) from None
    if normal != host:
        raise ValidationError(f"Write it as {normal}.")


def validate_link(value: str) -> None:
    """A site-relative path or an address with an allowed scheme; nothing a browser would run."""
    if re.search(r"[\x00-\x20\x7f\\]", value):
        raise ValidationError("A link can't contain spaces, control characters or backslashes.")
    if value.startswith(("#", "?")) or (value.startswith("/") and not value.startswith("//")):
        return
    try:
        parts = urlsplit(value)
    except ValueError:
        raise ValidationError("This is not a valid link.") from None
    if parts.scheme not in LINK_SCHEMES or (parts.scheme in ("http", "https") and not parts.hostname):
        raise ValidationError("Begin a link with / for a page of your shop, or with https://, mailto: or tel:.")


def validate_image_url(value: str) -> None:
    validate_link(value)
    if not value.startswith(("/", "https://", "http://")):
        raise ValidationError("Begin the address of a picture with https:// or /.")


def sanitise(html: str) -> str:
    """Merchants' HTML without anything that runs or loads; links keep http(s), mailto and tel only."""
    return nh3.clean(
        # The page's own headings are h1 and h2; editors offer those first.
        re.sub(r"(?i)(</?)h[12]\b", r"\1h3", html),
        tags=RICH_TAGS,
        attributes={"a": {"href", "title"}},
        url_schemes=LINK_SCHEMES,
        link_rel="noopener nofollow",
        strip_comments=True,
    )
