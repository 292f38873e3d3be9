"""Shops, their people and hosts."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, ClassVar, Self

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import models, transaction
from uuid_utils.compat import uuid7

from controlplane.publishing.documents import KV, Document
from controlplane.publishing.models import OwnedDocument, Publishable, PublishableQuerySet
from storefront.documents import domain_key
from tenants import validators

Person = AbstractBaseUser | AnonymousUser | None
"""Who did something; None for the platform itself."""


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
    timezone = models.CharField(
        "time zone", max_length=64, default="UTC", validators=[validators.validate_timezone],
        help_text="Such as Europe/Berlin: schedules are kept in it.",
    )  # fmt: skip
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
        from tenants.models.landings import pages_of_tenants

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
