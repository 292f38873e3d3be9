"""Writes read products into a shop: all or nothing, by address, only what differs."""

import dataclasses
from collections.abc import Iterator, Sequence

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from catalog.models import FormerSlug, Product
from catalog.shopify import Reading, ReadProduct, Remark
from controlplane.publishing.models import take_turns
from tenants.flags import checking
from tenants.models import Tenant
from tenants.plans import Use, use_of

FIELDS = (
    "title", "description_html", "price", "compare_at_price", "image_url", "image_alt", "stock", "status", "tags",
)  # fmt: skip
NO_ROOM = "no room: the shop's plan includes no more products"
BATCH = 500
"""Products a statement: SQLite takes 32,766 parameters."""


@dataclasses.dataclass
class Outcome:
    """What became of a reading's products. `skipped` adds those that the shop's rules refused."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: list[Remark] = dataclasses.field(default_factory=list)
    use: Use | None = None
    """What the shop has of its plan's products afterwards."""


def store(tenant: Tenant, reading: Reading, *, dry_run: bool = False) -> Outcome:
    """Creates and updates the shop's products in one transaction; a dry run does the same and rolls back.

    New products come behind the existing ones, active unless the file says otherwise. Products that the file
    doesn't name stay. New ones that the shop's plan has no room for are skipped, the file's last ones first.
    """
    outcome = Outcome()
    with transaction.atomic():
        take_turns([tenant.pk])  # nobody takes one of the file's addresses, or the plan's room, meanwhile
        room = use_of(tenant.pk, Product.counted_as).room
        last = Product.objects.filter(tenant=tenant).aggregate(last=Max("position"))["last"]
        position = 0 if last is None else last + 1
        for batch in _batches(reading.products):
            left = None if room is None else room - outcome.created
            _store_batch(tenant, batch, position + outcome.created, outcome, left)
        outcome.use = use_of(tenant.pk, Product.counted_as)
        if dry_run:
            transaction.set_rollback(True)
    return outcome


def _batches(products: Sequence[ReadProduct]) -> Iterator[Sequence[ReadProduct]]:
    for start in range(0, len(products), BATCH):
        yield products[start : start + BATCH]


def _store_batch(
    tenant: Tenant, batch: Sequence[ReadProduct], position: int, outcome: Outcome, room: int | None
) -> None:
    slugs = [read.slug for read in batch]
    stored = {p.slug: p for p in Product.objects.select_for_update().filter(tenant=tenant, slug__in=slugs)}
    for product in stored.values():
        product.tenant = tenant  # which rules ask for its language
    created: list[Product] = []
    updated: list[Product] = []
    for read in batch:
        product = stored.get(read.slug) or Product(
            tenant=tenant, slug=read.slug, status=Product.Status.ACTIVE, position=position + len(created)
        )
        changed = _change(product, read)
        if message := _complaint(product):
            outcome.skipped.append(Remark(read.line, message, read.slug))
        elif product._state.adding and room is not None and len(created) >= room:
            outcome.skipped.append(Remark(read.line, NO_ROOM, read.slug))
        elif product._state.adding:
            created.append(product)
        elif changed:
            updated.append(product)
        else:
            outcome.unchanged += 1
    Product.objects.bulk_create(created)
    FormerSlug.free(tenant.pk, [product.slug for product in created])
    live = [product for product in (*created, *updated) if product.status == Product.Status.ACTIVE]
    checking.flag(tenant.pk, [text for product in live for text in product.texts])
    Product.objects.bulk_update(updated, [*FIELDS, "updated_at"], batch_size=BATCH)
    outcome.created += len(created)
    outcome.updated += len(updated)


def _change(product: Product, read: ReadProduct) -> bool:
    """Sets what the file says; True if that differs from before."""
    before = [getattr(product, name) for name in FIELDS]
    for name, value in read.values.items():
        setattr(product, name, value)
    # A file without former prices may raise a price above the stored former one.
    if product.compare_at_price is not None and product.compare_at_price <= product.price:
        product.compare_at_price = None
    product.updated_at = timezone.now()  # bulk_update() does not: no auto_now
    return before != [getattr(product, name) for name in FIELDS]


def _complaint(product: Product) -> str:
    try:
        product.clean_fields(exclude=["tenant"])
        product.clean()
    except ValidationError as error:
        return " ".join(error.messages)
    return ""
