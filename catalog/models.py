"""Products. Variants come later: price and stock stand on the product until then."""

import json
import uuid
from collections.abc import Collection, Iterable, Sequence
from typing import Any, ClassVar, Self

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models, transaction
from django.utils.text import slugify
from uuid_utils.compat import uuid7

from controlplane.publishing.documents import INSTANT, KV, TURSO, Document
from controlplane.publishing.models import OwnedDocument, Publishable, PublishableQuerySet, take_turns
from storefront.documents import redirect_key
from tenants.flags import checking
from tenants.flags.checking import Text
from tenants.models import pages_of_tenants
from tenants.plans import Counted
from tenants.validators import sanitise, validate_handle, validate_image_url

HIGHEST_PRICE = 999_999_999_99
"""In minor units: what still is an exact number in every client."""


class ReadableJSON(json.JSONEncoder):
    """JSON with letters as they are: SQLite searches its text, in which "Wärme" must not be "W\\u00e4rme"."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "ensure_ascii": False})


class ProductQuerySet(PublishableQuerySet["Product"]):
    def live(self) -> Self:
        """What shoppers may see: active products of active shops."""
        return self.filter(status="active", tenant__status="active")


def validate_tags(value: object) -> None:
    if not isinstance(value, list) or not all(isinstance(tag, str) and 0 < len(tag) <= 60 for tag in value):
        raise ValidationError("Tags are words of at most 60 characters.")
    if len(value) > 50:
        raise ValidationError("At most 50 tags.")


class Product(Counted):
    """Something a shop sells. Prices are integer minor units of the shop's currency."""

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        ACTIVE = "active", "Active"
        ARCHIVED = "archived", "Archived"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey("tenants.Tenant", models.CASCADE, related_name="products", verbose_name="shop")
    slug = models.CharField(
        max_length=200,
        blank=True,
        validators=[validate_handle],
        help_text="The end of the product's address. Left empty, it is made from the title.",
    )
    title = models.CharField(max_length=200)
    description_html = models.TextField("description", blank=True, max_length=20_000)
    price = models.BigIntegerField(validators=[MinValueValidator(0)])
    compare_at_price = models.BigIntegerField(
        null=True, blank=True, validators=[MinValueValidator(0)], help_text="The former price, shown struck through."
    )
    image_url = models.CharField("picture", max_length=500, blank=True, validators=[validate_image_url])
    image_alt = models.CharField("picture description", max_length=300, blank=True)
    stock = models.IntegerField(null=True, blank=True, help_text="Left empty: not tracked, always available.")
    status = models.CharField(max_length=16, choices=Status, default=Status.DRAFT)
    tags = models.JSONField(default=list, blank=True, validators=[validate_tags], encoder=ReadableJSON)
    position = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[Any] = ProductQuerySet.as_manager()
    counted_as = "products"

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "slug"],
                name="one_product_per_slug_and_tenant",
                violation_error_message="Another product of this shop has this address already.",
            )
        ]
        indexes = [models.Index(fields=["tenant", "status", "position"], name="products_in_order")]

    def __str__(self) -> str:
        return self.title

    def clean(self) -> None:
        self.fill_slug()
        if self.compare_at_price is not None and self.price is not None and self.compare_at_price <= self.price:
            raise ValidationError({"compare_at_price": "The former price must be higher than the price."})
        for name in ("price", "compare_at_price"):
            if (getattr(self, name) or 0) > HIGHEST_PRICE:
                raise ValidationError({name: "This price is too high."})
        if self.status == self.Status.ACTIVE and self.tenant_id:
            checking.refuse(self.tenant, self.texts)

    @property
    def texts(self) -> list[Text]:
        """What moderation's rules read."""
        about = {"subject": "product", "subject_id": str(self.pk), "where": f"Product “{self.title}”"}
        return [
            Text(field="Title", value=self.title, **about),
            Text(field="Description", value=self.description_html, is_markup=True, **about),
            Text(field="Picture", value=self.image_url, **about),
            Text(field="Picture description", value=self.image_alt, **about),
            Text(field="Tags", value=", ".join(map(str, self.tags)), **about),
        ]

    def save(self, *args: Any, **kwargs: Any) -> None:
        texts, self.description_html = self.texts, sanitise(self.description_html)
        with transaction.atomic():
            self.fill_slug()
            FormerSlug.remember(self)
            super().save(*args, **kwargs)
            checking.flag(self.tenant_id, texts, live=self.status == self.Status.ACTIVE)

    def fill_slug(self) -> None:
        """Makes an address from the title if there is none; a number is added if another product has it."""
        if self.slug:
            return
        take_turns([self.tenant_id])  # another new product of this title may be about to be saved
        base = slugify(self.title)[:190].strip("-_").replace("_", "-") or "product"
        taken = set(
            Product.objects.filter(tenant_id=self.tenant_id, slug__startswith=base)
            .exclude(pk=self.pk)
            .values_list("slug", flat=True)
        )
        numbered = (f"{base}-{number}" for number in range(2, len(taken) + 3))
        self.slug = next(slug for slug in (base, *numbered) if slug not in taken)

    @property
    def available(self) -> bool:
        return self.stock is None or self.stock > 0

    @classmethod
    def documents_of(cls, rows: Sequence[Self], fields: Collection[str] | None) -> Iterable[OwnedDocument]:
        yield from product_documents((row.tenant_id, row.pk) for row in rows)
        yield from pages_of_tenants({row.tenant_id for row in rows})
        if fields is None or {"slug", "status"} & set(fields):
            yield from redirect_documents(FormerSlug.objects.filter(product__in=[row.pk for row in rows]))


class FormerSlug(Publishable):
    """An address that a product had: the edge leads from it to the product's present one."""

    tenant = models.ForeignKey("tenants.Tenant", models.CASCADE, related_name="former_slugs")
    product = models.ForeignKey(Product, models.CASCADE, related_name="former_slugs")
    slug = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "slug"], name="one_product_per_former_slug")]

    def __str__(self) -> str:
        return self.slug

    @classmethod
    def remember(cls, product: Product) -> None:
        """Called before a product is saved: keeps the address it leaves, and frees the one it takes."""
        before = Product.objects.filter(pk=product.pk).values_list("slug", flat=True).first()
        if before == product.slug:
            return
        cls.free(product.tenant_id, [product.slug])
        if before is not None:
            former, created = cls.objects.get_or_create(
                tenant_id=product.tenant_id, slug=before, defaults={"product": product}
            )
            if not created:
                former.product = product
                former.save()

    @classmethod
    def free(cls, tenant_id: uuid.UUID, slugs: Collection[str]) -> None:
        """Forgets that other products had these addresses: they are a product's own again."""
        cls.objects.filter(tenant=tenant_id, slug__in=slugs).delete()

    @classmethod
    def documents_of(cls, rows: Sequence[Self], fields: Collection[str] | None) -> Iterable[OwnedDocument]:
        return [(row.tenant_id, redirect_document(row.tenant_id, row.slug)) for row in rows]


def redirect_document(tenant_id: uuid.UUID, slug: str) -> Document:
    return Document(KV, redirect_key(str(tenant_id), f"/products/{slug}"))


def redirect_documents(formers: models.QuerySet[FormerSlug]) -> Iterable[OwnedDocument]:
    return [(tenant, redirect_document(tenant, slug)) for tenant, slug in formers.values_list("tenant_id", "slug")]


def product_documents(products: Iterable[tuple[uuid.UUID, uuid.UUID]]) -> Iterable[OwnedDocument]:
    for tenant_id, product_id in products:
        yield tenant_id, Document(INSTANT, f"products:{product_id}")
        yield tenant_id, Document(TURSO, f"product:{product_id}")
