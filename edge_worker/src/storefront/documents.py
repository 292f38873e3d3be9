"""The contract between Django and the edge: what is stored under which key, and how it is read back.

Both sides import this module under this name. Tolerant reader: unknown fields and unknown section kinds are
ignored, new fields have defaults, so the Worker is deployed first and the publisher second.
Money is integer minor units plus an ISO 4217 code; times are UTC; ids are UUID strings.
"""

import dataclasses
import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable
from typing import Any

from storefront.codec import DocumentError, decode, encode
from storefront.money import decimal_string, decimals, format_money
from storefront.sections import (
    SECTIONS,
    ProductCard,
    Section,
    choice,
    colour,
    flag,
    image,
    integer,
    line,
    link,
    paragraph,
)

__all__ = [
    "ACTIVE", "CLOSED", "MAX_RECORD_BYTES", "SECTIONS", "SUSPENDED", "UNCONNECTED", "VERSION", "ChatSettings", "Config",
    "DocumentError", "DomainRecord", "Link", "Product", "ProductCard", "RealtimeCell", "Section", "Seo", "TenantRef",
    "Theme", "decimal_string", "decimals", "domain_key", "draft_key", "format_money", "normalise_host", "redirect_key",
    "tag_key", "tag_keys",
]  # fmt: skip

VERSION = 1
"""Raised only when an old reader would misread a new record; the Worker reads N and N-1."""

MAX_RECORD_BYTES = 20_480

ACTIVE, SUSPENDED, CLOSED = "active", "suspended", "closed"
UNCONNECTED = "unconnected"
"""The status in the record of a host that somebody claims and nobody has proven: it names no shop."""

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")


def normalise_host(host: str) -> str:
    """A Host header or typed host as it is stored: lower case, punycode, no port, no trailing dot.

    Raises ValueError with a sentence that says what is wrong.
    """
    bare = host.strip().lower()
    bare = re.sub(r":\d{1,5}$", "", bare).removesuffix(".")
    try:
        ascii_host = bare if bare.isascii() else bare.encode("idna").decode("ascii")
    except UnicodeError:
        raise ValueError("This is not a valid host name.") from None
    labels = ascii_host.split(".")
    if len(ascii_host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError("This is not a valid host name.")
    return ascii_host


def domain_key(host: str) -> str:
    """The KV key of a normalised host's record."""
    return f"domain:{host}"


def draft_key(token: str) -> str:
    """The KV key of a shared draft: a DomainRecord that ends by itself. Who has the token may look."""
    return f"draft:{token}"


def redirect_key(tenant_id: str, path: str) -> str:
    """The KV key of a former address of a shop. Its value is the path where the page is now."""
    return f"redirect:{tenant_id}:{path}"


@dataclasses.dataclass(frozen=True, kw_only=True)
class TenantRef:
    id: str
    status: str
    name: str = ""
    slug: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Seo:
    title: str = line("Title", max_length=120, help="Empty: the shop's name.")
    description: str = paragraph("Description", max_length=320, help="What people read below the title.")
    image_url: str = image("Sharing picture", help="Shown where somebody shares the page; 1200 × 630 pixels suit best.")
    noindex: bool = flag("Hide this page from search engines")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Theme:
    """Colour tokens (#rrggbb) for light and dark, a pair of fonts by name, a corner radius in CSS pixels."""

    accent: str = colour("Accent", "#1f5f4a")
    background: str = colour("Background", "#ffffff")
    text: str = colour("Text", "#1b1f23")
    accent_dark: str = colour("Accent, dark", "#7fd1b0")
    background_dark: str = colour("Background, dark", "#14171a")
    text_dark: str = colour("Text, dark", "#eceff1")
    font: str = choice(
        "Fonts", "sans", sans="Modern: sans serif throughout", serif="Editorial: serif headings",
        classic="Classic: serif throughout", humanist="Warm: humanist sans serif",
        mono="Technical: monospaced headings",
    )  # fmt: skip
    radius: int = integer("Corner radius in pixels", 8, minimum=0, maximum=32)
    logo_url: str = image("Logo", help="Shown instead of the shop's name at the top of every page.")
    favicon_url: str = image("Icon in the browser's tab", help="A square picture. Empty: the shop's initial.")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Link:
    label: str = line("Text", max_length=40, required=True)
    url: str = link("Link", required=True)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ChatSettings:
    """How a shop's chat speaks and what it may cost. `tone` is one of friendly, formal, brief; `model` a Workers AI
    text model ("" for the Worker's own default); the budgets count one UTC day, 0 for none at all."""

    enabled: bool = False
    greeting: str = ""
    tone: str = "friendly"
    suggested_questions: tuple[str, ...] = ()
    refused_topics: tuple[str, ...] = ()
    contact_email: str = ""
    contact_phone: str = ""
    contact_url: str = ""
    model: str = ""
    daily_messages: int = 500
    daily_tokens: int = 500_000


@dataclasses.dataclass(frozen=True, kw_only=True)
class RealtimeCell:
    """Which Instant app holds this tenant's products and carts: public facts, no token."""

    name: str = "default"
    app_id: str = ""
    api_uri: str = ""
    websocket_uri: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """`vectors` names the Turso database that holds this tenant's chunks; its token is a Worker secret."""

    currency: str = "EUR"
    locale: str = "en"
    chat: ChatSettings = ChatSettings()
    realtime: RealtimeCell = RealtimeCell()
    vectors: str = "default"
    embedding_model: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class DomainRecord:
    """Everything that a host's landing page needs: one KV value, at most MAX_RECORD_BYTES of UTF-8.

    `revision` is a digest of the content, so equal content has an equal revision. A tenant that is not active
    has only `tenant.id` and `tenant.status`. `redirect_to` is the host that this one's visitors are sent to,
    with path and query; such a record carries nothing else of the shop. `catalog` changes with every product:
    milliseconds of the last change, a hyphen and a digest, of constant length, so that no product makes a record
    grow. The edge keeps pages with products under the revision that this is part of.
    """

    tenant: TenantRef
    version: int = VERSION
    revision: str = ""
    canonical_host: str = ""
    redirect_to: str = ""
    seo: Seo = Seo()
    theme: Theme = Theme()
    navigation: tuple[Link, ...] = ()
    sections: tuple[Section, ...] = ()
    config: Config = Config()
    catalog: str = ""

    @property
    def catalog_changed_at(self) -> float:
        """Seconds since 1970; 0 where the record does not say."""
        stamp = self.catalog.partition("-")[0]
        return int(stamp) / 1000 if stamp.isascii() and stamp.isdigit() else 0.0

    def to_json(self) -> str:
        """The value as it is stored, `revision` filled in."""
        body = encode(dataclasses.replace(self, revision=""))
        body["version"] = self.version  # written even where it equals the default: readers decide by it
        digest = hashlib.sha256(_dump(body).encode()).hexdigest()[:16]
        return _dump({"version": self.version, "revision": digest, **body})

    @classmethod
    def from_json(cls, value: str) -> "DomainRecord":
        """Raises DocumentError where the value is not JSON, is from a newer version or does not fit."""
        try:
            data = json.loads(value)
        except (ValueError, RecursionError) as error:
            raise DocumentError(f"not JSON: {error}") from None
        version = data.get("version") if isinstance(data, dict) else None
        if not isinstance(version, int) or version > VERSION:
            raise DocumentError(f"version {version!r} is newer than this reader's {VERSION}, or is no version")
        record: DomainRecord = decode(cls, data)
        return record


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def tag_key(tag: str) -> str:
    """Ten hex digits that stand for a tag, whatever its case, spaces and composition of letters."""
    plain = " ".join(unicodedata.normalize("NFKC", tag).casefold().split())
    return hashlib.sha256(plain.encode()).hexdigest()[:10]


def tag_keys(tags: Iterable[str]) -> str:
    """`|key|key|` for the attribute `tagKeys`, empty without tags: what `$like: "%|key|%"` finds.

    Instant can't look inside the JSON list `tags`, and an indexed string has at most 1,024 bytes there: 50 tags make
    551 of these, and none of a tag's own characters (%, _, |, a backslash) can get into a pattern.
    """
    keys = dict.fromkeys(tag_key(tag) for tag in tags)
    return f"|{'|'.join(keys)}|" if keys else ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Product:
    """A product as Instant holds it (namespace `products`, linked to its `tenant`). Prices in minor units.

    `stock` None means untracked; `available` is what a shopper may buy now.
    """

    id: str
    tenantId: str  # noqa: N815 - Instant's attribute names are the contract
    slug: str
    title: str
    price: int
    currency: str
    descriptionHtml: str = ""  # noqa: N815
    compareAtPrice: int | None = None  # noqa: N815
    imageUrl: str = ""  # noqa: N815
    imageAlt: str = ""  # noqa: N815
    stock: int | None = None
    available: bool = True
    tags: tuple[str, ...] = ()
    position: int = 0
    updatedAt: int = 0  # noqa: N815

    def to_entity(self) -> dict[str, Any]:
        """All attributes but `id`, as an Instant transaction writes them."""
        entity = dataclasses.asdict(self) | {"tags": list(self.tags), "tagKeys": tag_keys(self.tags)}
        del entity["id"]
        return entity

    @classmethod
    def from_entity(cls, entity: dict[str, Any]) -> "Product":
        """Raises DocumentError where an attribute is missing or of the wrong type."""
        integers = ("price", "compareAtPrice", "stock", "position", "updatedAt")
        present = {
            key: value for key, value in entity.items() if value is not None or key in ("compareAtPrice", "stock")
        }
        for name in integers:  # JSON numbers may come back as 12.0
            if isinstance(present.get(name), float) and present[name].is_integer():
                present[name] = int(present[name])
        product: Product = decode(cls, present, "product")
        return product

    @property
    def card(self) -> ProductCard:
        return ProductCard(
            id=self.id, slug=self.slug, title=self.title, price=self.price, compare_at_price=self.compareAtPrice,
            image_url=self.imageUrl, image_alt=self.imageAlt, available=self.available,
        )  # fmt: skip
