"""Shops, their people, hosts and landing pages."""

import uuid
from collections.abc import Collection, Iterable, Sequence
from typing import Any, ClassVar, Self

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.core.validators import MaxValueValidator
from django.db import models, transaction
from uuid_utils.compat import uuid7

from controlplane.publishing.documents import KV, Document
from controlplane.publishing.models import OwnedDocument, Publishable, PublishableQuerySet
from storefront.documents import SECTIONS, Theme, domain_key
from storefront.documents import Section as SectionDocument
from tenants import validators
from tenants.content import clean_content


class TenantQuerySet(PublishableQuerySet["Tenant"]):
    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> Self:
        """The shops a user may see: those of their memberships; all of them for a superuser."""
        if getattr(user, "is_superuser", False):
            return self.all()
        return self.filter(memberships__user=user.pk).distinct() if user.pk else self.none()


class Tenant(Publishable):
    """A merchant's shop. Its slug is its name on the platform's domain."""

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        SUSPENDED = "suspended", "Suspended"
        CLOSED = "closed", "Closed"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    slug = models.CharField(
        max_length=40,
        unique=True,
        validators=[validators.validate_slug, validators.validate_not_reserved],
        help_text="The shop's address on this platform. Changing it changes the address.",
    )
    name = models.CharField(max_length=80)
    status = models.CharField(max_length=16, choices=Status, default=Status.ACTIVE)
    currency = models.CharField(max_length=3, default="EUR", validators=[validators.validate_currency])
    locale = models.CharField(max_length=6, default="en", validators=[validators.validate_locale])
    realtime_cell = models.CharField(max_length=40, default="default", editable=False)
    vector_cell = models.CharField(max_length=40, default="default", editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[Any] = TenantQuerySet.as_manager()

    class Meta:
        verbose_name = "shop"
        indexes = [models.Index(fields=["status", "slug"], name="tenants_by_status")]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        with transaction.atomic():
            super().save(*args, **kwargs)
            Domain.follow_slug(self)

    @classmethod
    def documents_of(cls, rows: Sequence[Self], fields: Collection[str] | None) -> Iterable[OwnedDocument]:
        from tenants.documents import documents_of_tenants

        everything = fields is None or any(
            field in fields for field in ("status", "currency", "realtime_cell", "vector_cell")
        )
        return documents_of_tenants([row.pk for row in rows], everything=everything)


class Membership(models.Model):
    """What a user may do in a shop."""

    class Role(models.TextChoices):
        OWNER = "owner", "Owner"
        EDITOR = "editor", "Editor"
        VIEWER = "viewer", "Viewer"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role, default=Role.OWNER)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "tenant"], name="one_membership_per_user_and_tenant")]

    def __str__(self) -> str:
        return f"{self.user} ({self.get_role_display()})"


class Domain(Publishable):
    """A host that serves a shop. The one on the platform's own domain follows the shop's slug."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="domains")
    host = models.CharField(max_length=253, unique=True, validators=[validators.validate_host])
    is_primary = models.BooleanField(default=False)
    is_platform = models.BooleanField(default=False, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint("tenant", condition=models.Q(is_primary=True), name="one_primary_domain"),
            models.UniqueConstraint("tenant", condition=models.Q(is_platform=True), name="one_platform_domain"),
        ]

    def __str__(self) -> str:
        return self.host

    @classmethod
    def documents_of(cls, rows: Sequence[Self], fields: Collection[str] | None) -> Iterable[OwnedDocument]:
        # Its own key (which may just have gone) and its siblings', whose canonical host it may be.
        yield from ((row.tenant_id, Document(KV, domain_key(row.host))) for row in rows)
        yield from pages_of_tenants({row.tenant_id for row in rows})

    @classmethod
    def follow_slug(cls, tenant: Tenant) -> None:
        """Gives the shop its host on the platform's domain, or renames that host after a slug change."""
        host = f"{tenant.slug}.{settings.PLATFORM_DOMAIN}"
        domain = cls.objects.filter(tenant=tenant, is_platform=True).first()
        if domain is None:
            primary = not cls.objects.filter(tenant=tenant, is_primary=True).exists()
            cls.objects.create(tenant=tenant, host=host, is_platform=True, is_primary=primary)
        elif domain.host != host:
            domain.host = host
            domain.save()


def pages_of_tenants(tenant_ids: Iterable[uuid.UUID]) -> Iterable[OwnedDocument]:
    """The KV records of all hosts of these tenants."""
    hosts = Domain.objects.filter(tenant__in=set(tenant_ids)).values_list("tenant_id", "host")
    return [(tenant_id, Document(KV, domain_key(host))) for tenant_id, host in hosts]


def theme_colour(name: str) -> "models.CharField[str, str]":
    return models.CharField(max_length=7, default=getattr(Theme(), name), validators=[validators.validate_colour])


class Landing(Publishable):
    """A shop's landing page: what search engines see, its looks, its sections."""

    class Font(models.TextChoices):
        SANS = "sans", "Sans serif"
        SERIF = "serif", "Serif"
        HUMANIST = "humanist", "Humanist"
        MONO = "mono", "Monospaced"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.OneToOneField(Tenant, models.CASCADE, related_name="landing")
    seo_title = models.CharField(
        "title", max_length=120, blank=True, help_text="Up to 60 characters show in search results."
    )
    seo_description = models.CharField(
        "description", max_length=320, blank=True, help_text="Up to 160 characters show."
    )
    seo_image_url = models.CharField(
        "sharing picture", max_length=500, blank=True, validators=[validators.validate_image_url]
    )
    accent = theme_colour("accent")
    accent_dark = theme_colour("accent_dark")
    background = theme_colour("background")
    background_dark = theme_colour("background_dark")
    text = theme_colour("text")
    text_dark = theme_colour("text_dark")
    font = models.CharField(max_length=16, choices=Font, default=Font.SANS)
    radius = models.PositiveSmallIntegerField(
        "corner radius", default=8, validators=[MaxValueValidator(32)], help_text="In pixels, 0 to 32."
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "landing page"

    def __str__(self) -> str:
        return f"Landing page of {self.tenant}"

    @classmethod
    def documents_of(cls, rows: Sequence[Self], fields: Collection[str] | None) -> Iterable[OwnedDocument]:
        return pages_of_tenants(row.tenant_id for row in rows)

    @property
    def theme(self) -> Theme:
        return Theme(
            accent=self.accent, accent_dark=self.accent_dark, background=self.background,
            background_dark=self.background_dark, text=self.text, text_dark=self.text_dark,
            font=self.font, radius=self.radius,
        )  # fmt: skip


class Section(Publishable):
    """One block of a landing page; `content` holds the fields of its kind (storefront.sections)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    landing = models.ForeignKey(Landing, models.CASCADE, related_name="sections")
    kind = models.CharField(max_length=32, choices=[(kind, cls.label) for kind, cls in SECTIONS.items()])
    position = models.PositiveIntegerField(default=0)
    content = models.JSONField(default=dict)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["position", "id"]

    def __str__(self) -> str:
        words = self.content.get("heading") or self.content.get("text") or "" if isinstance(self.content, dict) else ""
        return f"{self.get_kind_display()}: {words[:60]}" if words else str(self.get_kind_display())

    def clean(self) -> None:
        """Raises ValidationError naming the field that does not fit; leaves `content` clean and sanitised."""
        self.content = clean_content(self.kind, self.content)

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.clean()  # also for writers that skip full_clean(): what is stored is always valid
        super().save(*args, **kwargs)

    @classmethod
    def documents_of(cls, rows: Sequence[Self], fields: Collection[str] | None) -> Iterable[OwnedDocument]:
        tenants = Landing.objects.filter(pk__in={row.landing_id for row in rows}).values_list("tenant_id", flat=True)
        return pages_of_tenants(tenants)

    @property
    def document(self) -> SectionDocument:
        document = SectionDocument.decode({**self.content, "kind": self.kind})
        assert document is not None  # `kind` is one of SECTIONS: the field's choices and clean() say so
        return document
