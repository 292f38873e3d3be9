"""Which addresses from a record may become links or pictures: an allow-list, since CSP does not stop a click."""

import re

_SCHEME = re.compile(r"(?:https?://[^/?#]|mailto:[^?]|tel:[+0-9(])", re.IGNORECASE)
_PICTURE = re.compile(r"https?://[^/?#]", re.IGNORECASE)
# Browsers drop control characters and read "\" as "/", so that "/\t/host" would leave the site.
_TRICKS = re.compile(r"[\x00-\x20\x7f\\]")


def _is_local(address: str) -> bool:
    return address.startswith(("/", "#", "?")) and not address.startswith("//")


def is_path(address: str) -> bool:
    """Whether it is a path of this very site, however a browser reads it."""
    return address.startswith("/") and not address.startswith("//") and "\\" not in address


def safe_url(value: str) -> str:
    """The address if it is http(s), mailto, tel or within the site, else ""."""
    address = value.strip()
    if address.lower().startswith("tel:"):
        address = address.replace(" ", "")
    if _TRICKS.search(address):
        return ""
    return address if _is_local(address) or _SCHEME.match(address) else ""


def safe_image(value: str) -> str:
    """The address of a picture if it is http(s) or within the site, else ""."""
    address = value.strip()
    if _TRICKS.search(address):
        return ""
    return address if _is_local(address) or _PICTURE.match(address) else ""


def absolute(origin: str, address: str) -> str:
    """A site-relative address with its origin (Open Graph and JSON-LD want whole ones)."""
    return origin + address if address.startswith("/") else address


# Where tenants.models.pictures keeps a picture: its own width last, smaller ones beside it.
_LIBRARY = re.compile(r"(https?://[^\s,?#]+/pictures/[0-9a-f-]{36}/[0-9a-f-]{36}/)([0-9]{1,4})\.webp")
_SMALLER = (400, 800)


def srcset(address: str) -> str:
    """What a browser may choose from where a picture is of the platform's library, else ""."""
    if not (found := _LIBRARY.fullmatch(address)):
        return ""
    base, own = found[1], int(found[2])
    widths = [*(width for width in _SMALLER if width < own), own]
    return ", ".join(f"{base}{width}.webp {width}w" for width in widths) if len(widths) > 1 else ""
