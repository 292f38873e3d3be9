"""Shops and their people."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, ClassVar, Self

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone
from uuid_utils.compat import uuid7

from controlplane.publishing.models import OwnedDocument, Publishable, PublishableQuerySet
from tenants import validators
from tenants.models.hosts import Domain
from tenants.registers import ReleasedHost

Person = AbstractBaseUser | AnonymousUser | None
"""Who did something; None for the platform itself."""


class TenantQuerySet(PublishableQuerySet["Tenant"]):
    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> Self:
        """The shops a user may see: those of their memberships; all of them for a superuser."""
        if (acting_in := getattr(user, "acting_in", None)) is not None:  # see tenants.moderation.acting
            return self.filter(pk=acting_in)
        if getattr(user, "is_superuser", False):
            return self.all()
        return self.filter(memberships__user=user.pk).distinct() if user.pk else self.none()

    def delete(self) -> tuple[int, dict[str, int]]:
        with transaction.atomic():
            ReleasedHost.keep(Domain.objects.filter(tenant__in=list(self.values_list("pk", flat=True))))
            return super().delete()


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
        permissions = (
            ("support_tenant", "Can look into every shop"),
            ("moderate_tenant", "Can moderate shops"),
            ("close_tenant", "Can close shops, together with a second person"),
        )
        indexes = [models.Index(fields=["status", "slug"], name="tenants_by_status")]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Raises ValidationError for a slug whose host another shop has, had, or claims by whatever way."""
        host = f"{self.slug}.{settings.PLATFORM_DOMAIN}"
        taken = Domain.objects.filter(host=host).exclude(tenant=self.pk).exclude(proven_at=None).exists()
        if self.slug and (taken or ReleasedHost.blocks(host, self.pk, timezone.now())):
            raise ValidationError({"slug": "This name is taken. Choose another one."})

    def save(self, *args: Any, **kwargs: Any) -> None:
        with transaction.atomic():
            super().save(*args, **kwargs)
            Domain.follow_slug(self)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        with transaction.atomic():
            ReleasedHost.keep(Domain.objects.filter(tenant=self.pk))
            return super().delete(*args, **kwargs)

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
