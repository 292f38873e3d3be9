"""Builds what products look like in Instant, in Turso and on the landing page's cards."""

import dataclasses
import hashlib
import itertools
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from html import unescape

from django.db.models import Count, Max, Q, Sum
from django.utils.html import strip_tags

from catalog.models import FormerSlug, Product, product_documents, redirect_documents
from controlplane.publishing.documents import Chunks, Entity
from controlplane.publishing.models import OwnedDocument
from controlplane.publishing.vectors import Chunk
from storefront.documents import ACTIVE, ProductCard, Section, decimals
from storefront.documents import Product as ProductEntity
from storefront.sections import FeaturedProducts, ProductGrid
from tenants.models import Tenant

BODY_LENGTH = 1200
"""Characters of a product's description that are embedded: about the 256 tokens that MiniLM reads."""

BANDS = (10, 25, 50, 100, 250, 500, 1_000)
"""Where one band of prices ends and the next begins, in whole units of a currency that has cents."""

SORTS = {
    "position": ("position", "id"),
    "newest": ("-created_at", "id"),
    "price_asc": ("price", "id"),
    "price_desc": ("-price", "id"),
}


def documents_of_tenant(tenant_ids: Collection[uuid.UUID]) -> Iterable[OwnedDocument]:
    yield from product_documents(Product.objects.filter(tenant__in=tenant_ids).values_list("tenant_id", "pk"))
    yield from redirect_documents(FormerSlug.objects.filter(tenant__in=tenant_ids))


def redirects(ids: Collection[str]) -> Mapping[str, str]:
    """Where a product's former address leads now, by `{tenant id}:/products/{former slug}`; absent while hidden."""
    wanted = {id_.partition(":")[2].removeprefix("/products/") for id_ in ids}
    tenants = {id_.partition(":")[0] for id_ in ids}
    formers = FormerSlug.objects.filter(tenant_id__in=tenants, slug__in=wanted).select_related("product__tenant")
    found = {
        f"{former.tenant_id}:/products/{former.slug}": f"/products/{former.product.slug}"
        for former in formers
        if former.product.status == Product.Status.ACTIVE and former.product.tenant.status == ACTIVE
    }
    return {id_: path for id_, path in found.items() if id_ in ids}


def entity_of(product: Product) -> ProductEntity:
    return ProductEntity(
        id=str(product.pk),
        tenantId=str(product.tenant_id),
        slug=product.slug,
        title=product.title,
        price=product.price,
        currency=product.tenant.currency,
        descriptionHtml=product.description_html,
        compareAtPrice=product.compare_at_price,
        imageUrl=product.image_url,
        imageAlt=product.image_alt,
        stock=product.stock,
        available=product.available,
        tags=tuple(product.tags),
        position=product.position,
        updatedAt=int(product.updated_at.timestamp() * 1000) if product.updated_at else 0,
    )


def product_entities(ids: Collection[str]) -> Mapping[str, Entity]:
    products = Product.objects.live().filter(pk__in=ids).select_related("tenant")
    return {
        str(product.pk): Entity(
            cell=product.tenant.realtime_cell,
            attributes=entity_of(product).to_entity(),
            links={"tenant": str(product.tenant_id)},
        )
        for product in products
    }


def product_chunks(ids: Collection[str]) -> Mapping[str, Chunks]:
    products = Product.objects.live().filter(pk__in=ids).select_related("tenant")
    return {
        str(product.pk): Chunks(
            cell=product.tenant.vector_cell, tenant_id=str(product.tenant_id), chunks=(chunk_of(product),)
        )
        for product in products
    }


def chunk_of(product: Product) -> Chunk:
    """One chunk a product: what it is called, what it is, its tags, about what it costs.

    A band of prices, never the price: prices come from live data only, and an ordinary change of price embeds nothing.
    """
    words = " ".join(unescape(strip_tags(product.description_html.replace("<", " <"))).split())
    band = price_band(product.price, product.tenant.currency)
    body = "\n".join(filter(None, (words[:BODY_LENGTH], ", ".join(product.tags), band)))
    return Chunk(
        source_kind="product",
        source_id=str(product.pk),
        chunk_no=0,
        lang=product.tenant.locale.partition("-")[0],
        title=product.title,
        body=body,
        url=f"/products/{product.slug}",
    )


def price_band(price: int, currency: str) -> str:
    """About what it costs: "25–50 EUR". `price` in minor units; a currency without them has greater figures."""
    unit = 10 ** decimals(currency) if decimals(currency) else 100
    scale = 1 if decimals(currency) else 100
    bounds = [0, *(bound for bound in BANDS if bound * unit <= price)]
    above = next((bound for bound in BANDS if bound * unit > price), None)
    return f"{bounds[-1] * scale}–{above * scale} {currency}" if above else f"> {bounds[-1] * scale} {currency}"


def state_of(tenant: Tenant) -> str:
    """`DomainRecord.catalog`: when this shop's products last changed, and a digest that changes with them.

    The sums are for the ways to write that leave `updated_at` as it was, deleting among them.
    """
    products = Product.objects.filter(tenant=tenant)
    state = products.aggregate(
        changed=Max("updated_at"), rows=Count("pk"), live=Count("pk", filter=Q(status=Product.Status.ACTIVE)),
        prices=Sum("price"), compared=Sum("compare_at_price"), stocks=Sum("stock"), tracked=Count("stock"),
        places=Sum("position"),
    )  # fmt: skip
    changed = state.pop("changed")
    milliseconds = int(changed.timestamp() * 1000) if changed else 0
    text = ",".join(str(state[name]) for name in sorted(state)) + f",{changed}"
    return f"{milliseconds:013d}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def cards(tenant: Tenant, sections: Sequence[Section]) -> Sequence[Section]:
    """The sections with the cards that they show now; products that left the shop are left out."""
    return [_filled(tenant, section) for section in sections]


def _filled(tenant: Tenant, section: Section) -> Section:
    live = Product.objects.live().filter(tenant=tenant)
    if isinstance(section, FeaturedProducts):
        found = {
            str(product.pk): product for product in live.filter(pk__in=section.product_ids).select_related("tenant")
        }
        chosen = [found[id_] for id_ in section.product_ids if id_ in found]
        return dataclasses.replace(section, product_ids=(), cards=_cards(chosen))
    if isinstance(section, ProductGrid):
        ordered = live.select_related("tenant").order_by(*SORTS[section.sort])
        if not section.tag:
            return dataclasses.replace(section, cards=_cards(ordered[: section.limit]))
        # Tags are a JSON list: SQLite has no containment look-up, so the few that fit are picked here.
        tagged = (product for product in ordered.iterator() if section.tag in product.tags)
        return dataclasses.replace(section, cards=_cards(itertools.islice(tagged, section.limit)))
    return section


def _cards(products: Iterable[Product]) -> tuple[ProductCard, ...]:
    return tuple(entity_of(product).card for product in products)
