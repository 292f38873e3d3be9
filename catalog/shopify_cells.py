"""What single cells of a Shopify product CSV mean here: amounts, addresses, stock, status, tags, rich text."""

import contextlib
import hashlib
import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.utils.html import linebreaks

from catalog.models import HIGHEST_PRICE, Product
from storefront.documents import decimals
from tenants.validators import sanitise, validate_handle

Cells = Mapping[str, str]
"""A row's stripped cells by our name for the column (shopify.COLUMNS); columns that the file lacks are missing."""

HIGHEST_STOCK = 2_147_483_647
"""PostgreSQL's integer."""

_AMOUNT = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,9})?")  # at most 24 digits: exact in Decimal's default context
_WHOLE = re.compile(r"(-?[0-9]{1,15})(?:\.0+)?")
_UNDECOMPOSED = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "ł": "l", "ı": "i", "þ": "th"}
)
# Block elements that our rich text lacks become the nearest that it has, so that words don't run together.
_NEAREST = {"b": "strong", "i": "em", "h1": "h3", "h2": "h3", "h5": "h4", "h6": "h4"} | dict.fromkeys(
    ("div", "section", "article", "tr", "dt", "dd", "pre"), "p"
)
_TAG = re.compile(rf"<(/?)({'|'.join(_NEAREST)})(?=[\s/>])", re.IGNORECASE)
_TABLE = re.compile(r"</?(?:table|thead|tbody|tfoot)\b[^<>]*>", re.IGNORECASE)  # parsers move a paragraph in it out
_CELL_END = re.compile(r"</t[dh]\s*>", re.IGNORECASE)
_EMPTY_PARAGRAPH = re.compile(r"<p>(?:\s|&nbsp;|<br>)*</p>\s*")


class CellError(ValueError):
    """Why a product can't be taken: `reason` is equal for equal cases, `value` is what the cell holds."""

    def __init__(self, reason: str, value: str = "") -> None:
        super().__init__(reason)
        self.reason, self.value = reason, value
        self.line = 0


def minor_units(text: str, currency: str) -> int:
    """A price such as "12.50" in minor units of `currency`, never rounded. Raises CellError."""
    if not _AMOUNT.fullmatch(text):
        raise CellError("unreadable price (write it like 1234.50)", text)
    amount = Decimal(text).scaleb(decimals(currency))
    if amount < 0:
        raise CellError("negative price", text)
    if amount != amount.to_integral_value():
        raise CellError(f"price with more decimals than {currency} has", text)
    if amount > HIGHEST_PRICE:
        raise CellError("price too high", text)
    return int(amount)


def slug_of(handle: str) -> str:
    """The address that a handle stands for: itself where it fits, else the nearest that does.

    The same handle always gets the same address, so that a second import finds the product again. Where letters
    had to go (Cyrillic, Chinese, more than 200), a digest of the handle keeps different handles apart.
    """
    with contextlib.suppress(ValidationError):
        validate_handle(handle)
        return handle
    plain = unicodedata.normalize("NFKD", handle.lower().translate(_UNDECOMPOSED))
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    lost = any(char.isalnum() and not char.isascii() for char in plain) or not slug or len(slug) > 200
    if not lost:
        return slug
    digest = hashlib.sha256(handle.encode()).hexdigest()[:8]
    return f"{slug[:180].strip('-') or 'product'}-{digest}"


def description_of(html: str) -> str:
    """Sanitised rich text. Plain text becomes paragraphs; tags that we lack become the nearest that we have."""
    if "<" not in html:
        html = linebreaks(html)
    html = _TABLE.sub("", _CELL_END.sub(" ", html))
    html = _TAG.sub(lambda tag: f"<{tag[1]}{_NEAREST[tag[2].lower()]}", html)
    return _EMPTY_PARAGRAPH.sub("", sanitise(html)).strip()


def tags_of(text: str) -> tuple[list[str], list[str]]:
    """The tags that fit our limits and those that don't. Shopify compares tags without case, so the first stays."""
    firsts: dict[str, str] = {}
    for tag in filter(None, map(str.strip, text.split(","))):
        firsts.setdefault(tag.casefold(), tag)
    tags = list(firsts.values())
    short = [tag for tag in tags if len(tag) <= 60]
    return short[:50], [tag for tag in tags if len(tag) > 60] + short[50:]


def status_of(cells: Cells) -> str | None:
    """The product's status; None where the file has no column about it. Raises CellError.

    Empty cells mean active and published, as in Shopify. What the online store hides (unpublished, or unlisted:
    reachable by link only) is a draft here, because an active product shows everywhere.
    """
    if "status" not in cells and "published" not in cells:
        return None
    status = cells.get("status", "").lower() or "active"
    if status not in (*Product.Status.values, "unlisted"):
        raise CellError("unknown status", status)
    if status == "archived":
        return status
    hidden = status == "unlisted" or not _is_true(cells.get("published", ""))
    return Product.Status.DRAFT.value if hidden else status


def _is_true(text: str) -> bool:
    if text.lower() in ("", "true", "yes", "1"):
        return True
    if text.lower() in ("false", "no", "0"):
        return False
    raise CellError("neither TRUE nor FALSE in Published", text)


def stock_of(cells: Cells) -> dict[str, int | None]:
    """`{"stock": n}`, `{"stock": None}` for untracked, `{}` where the file doesn't say. Raises CellError.

    Sold on when out of stock (policy "continue") is untracked here. Below zero is kept: it is oversold.
    """
    if cells.get("policy", "").lower() in ("continue", "true", "yes") or cells.get("tracker") == "":
        return {"stock": None}
    if "quantity" not in cells:  # Shopify's exports leave the column out where a shop has several locations
        return {}
    if not cells["quantity"]:
        return {"stock": 0 if cells.get("tracker") else None}
    found = _WHOLE.fullmatch(cells["quantity"])
    if not found or abs(int(found[1])) > HIGHEST_STOCK:
        raise CellError("unreadable inventory quantity", cells["quantity"])
    return {"stock": int(found[1])}
