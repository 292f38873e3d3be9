"""Products from Instant, read as a guest: live price and stock, this tenant's only.

Wire facts: POST {api_uri}/admin/query with `app-id` and `as-guest: true` needs no token; the reply is an object
tree by namespace, without page info (Instant server source, admin/routes.clj).
"""

import dataclasses
import json
import logging
from collections.abc import Sequence
from typing import Any

from storefront.bindings import BindingError, Env, Fetch
from storefront.documents import DocumentError, DomainRecord, Product, RealtimeCell, tag_key
from storefront.sections import ProductCard

PAGE_SIZE = 24
SITEMAP_LIMIT = 5_000

SORTS = {
    "position": ("position", "asc"),
    "newest": ("serverCreatedAt", "desc"),
    "price-ascending": ("price", "asc"),
    "price-descending": ("price", "desc"),
    "title": ("title", "asc"),
}

_CARD_FIELDS = [
    "tenantId", "slug", "title", "price", "currency", "compareAtPrice", "imageUrl", "imageAlt", "available", "stock",
    "tags", "position",
]  # fmt: skip

log = logging.getLogger("storefront")


class CatalogError(Exception):
    """Instant could not be reached or refused the query."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Listing:
    """One page of a product list and the choices that led to it."""

    products: tuple[Product, ...] = ()
    page: int = 1
    has_next: bool = False
    sort: str = "position"
    tag: str = ""
    in_stock: bool = False

    @property
    def is_filtered(self) -> bool:
        return bool(self.tag or self.in_stock)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Catalog:
    """One tenant's products. The tenant is bound here and nowhere else."""

    fetch: Fetch
    cell: RealtimeCell
    tenant_id: str

    @classmethod
    def of(cls, env: Env, record: DomainRecord) -> "Catalog":
        return cls(fetch=env.FETCH, cell=record.config.realtime, tenant_id=record.tenant.id)

    async def listing(self, *, page: int, sort: str, tag: str, in_stock: bool) -> Listing:
        """Page `page` (from 1) of PAGE_SIZE products. Raises CatalogError."""
        where: dict[str, Any] = {"available": True} if in_stock else {}
        if tag:
            where["tagKeys"] = {"$like": f"%|{tag_key(tag)}|%"}
        field, way = SORTS[sort]
        span = {"limit": PAGE_SIZE + 1, "offset": (page - 1) * PAGE_SIZE}
        found = await self._query(where, order={field: way}, fields=_CARD_FIELDS, **span)
        return Listing(
            products=tuple(found[:PAGE_SIZE]), has_next=len(found) > PAGE_SIZE, page=page, sort=sort, tag=tag,
            in_stock=in_stock,
        )  # fmt: skip

    async def with_others(self, slug: str, ids: Sequence[str]) -> tuple[Product | None, tuple[Product, ...]]:
        """The product of this address and others by their ids, in one query. Raises CatalogError."""
        where: dict[str, Any] = {"slug": slug}
        if ids:
            where = {"or": [where, {"id": {"$in": [*ids]}}]}
        found = await self._query(where, limit=1 + len(ids))
        by_id = {product.id: product for product in found if product.slug != slug}
        others = [by_id[one] for one in ids if one in by_id]
        item = next((product for product in found if product.slug == slug), None)
        return item, tuple(sorted(others, key=lambda one: not one.available))

    async def by_ids(self, ids: list[str]) -> dict[str, Product]:
        """Those of `ids` that exist, by id. Raises CatalogError."""
        if not ids:
            return {}
        found = await self._query({"id": {"$in": ids}}, limit=len(ids), fields=_CARD_FIELDS)
        return {product.id: product for product in found}

    async def for_sitemap(self) -> list[Product]:
        """Every product up to SITEMAP_LIMIT, with its slug and `updatedAt`. Raises CatalogError."""
        return await self._query(
            {}, order={"position": "asc"}, limit=SITEMAP_LIMIT, fields=[*_CARD_FIELDS, "updatedAt"]
        )

    async def _query(self, where: dict[str, Any], **options: Any) -> list[Product]:
        if not (self.cell.api_uri and self.cell.app_id):
            raise CatalogError("the record names no Instant app")
        query = {"products": {"$": {"where": where | {"tenantId": self.tenant_id}, **options}}}
        headers = {"content-type": "application/json", "app-id": self.cell.app_id, "as-guest": "true"}
        url = f"{self.cell.api_uri.rstrip('/')}/admin/query"
        try:
            reply = await self.fetch("POST", url, headers=headers, body=json.dumps({"query": query}).encode())
            if reply.status != 200:
                raise CatalogError(f"Instant answered {reply.status}")
            data = reply.json()
        except BindingError as error:
            raise CatalogError(str(error)) from error
        entities = data.get("products") if isinstance(data, dict) else None
        if not isinstance(entities, list):
            raise CatalogError("Instant's answer has no products")
        return [product for entity in entities if (product := self._read(entity))]

    def _read(self, entity: Any) -> Product | None:
        try:
            product = Product.from_entity(entity)
        except (DocumentError, AttributeError) as error:
            log.warning("an Instant product can't be read: %s", error)
            return None
        # The query asks for one tenant; a store that answered with another's must not be believed.
        return product if product.tenantId == self.tenant_id else None


def record_cards(record: DomainRecord) -> dict[str, ProductCard]:
    """The cards that the record itself carries, by id: what can be shown while Instant is away."""
    return {card.id: card for section in record.sections for card in getattr(section, "cards", ())}


def from_card(card: ProductCard, record: DomainRecord) -> Product:
    """As much of a product as a card tells."""
    return Product(
        id=card.id, tenantId=record.tenant.id, slug=card.slug, title=card.title, price=card.price,
        currency=record.config.currency, compareAtPrice=card.compare_at_price, imageUrl=card.image_url,
        imageAlt=card.image_alt, available=card.available,
    )  # fmt: skip
