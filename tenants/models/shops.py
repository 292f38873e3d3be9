"""Shops and their people."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, ClassVar, Self

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, PermissionsMixin
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone
from uuid_utils.compat import uuid7

from controlplane.publishing.models import OwnedDocument, Publishable, PublishableQuerySet
from tenants import validators
from tenants.audit.entries import AuditedQuerySet
from tenants.models.hosts import Domain
from tenants.models.plans import Plan
from tenants.registers import ReleasedHost
from tenants.slugs import host_of

Person = AbstractBaseUser | AnonymousUser | None
"""Who did something; None for the platform itself."""


class TenantQuerySet(PublishableQuerySet["Tenant"]):
    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> Self:
        """The shops a user may see: those of their memberships; all of them for platform staff."""
        if (acting_in := getattr(user, "acting_in", None)) is not None:  # see tenants.moderation.acting
            return self.filter(pk=acting_in)
        if isinstance(user, PermissionsMixin) and user.has_perm("tenants.support_tenant"):
            return self.all()
        return self.filter(memberships__user=user.pk).distinct() if user.pk else self.none()

    def flagged(self) -> Self:
        """Shops with a flag that nobody has closed yet."""
        from tenants.models.flags import Flag

        return self.filter(models.Exists(Flag.objects.unfinished().filter(tenant=models.OuterRef("pk"))))

    def delete(self) -> tuple[int, dict[str, int]]:
        with transaction.atomic():
            _leaving(list(self))
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
    # Null only in rows of processes that knew no plans yet: save() fills it in, and `limits` reads it so.
    plan = models.ForeignKey(Plan, models.PROTECT, related_name="tenants", null=True, blank=True)
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
        host = host_of(self.slug)
        taken = Domain.objects.filter(host=host).exclude(tenant=self.pk).exclude(proven_at=None).exists()
        if self.slug and (taken or ReleasedHost.blocks(host, self.pk, timezone.now())):
            raise ValidationError({"slug": "This name is taken. Choose another one."})

    def save(self, *args: Any, **kwargs: Any) -> None:
        with transaction.atomic():
            if self.plan_id is None:
                self.plan = Plan.default()
            super().save(*args, **kwargs)
            Domain.follow_slug(self)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        with transaction.atomic():
            _leaving([self])
            return super().delete(*args, **kwargs)

    @property
    def limits(self) -> Plan:
        """The plan that counts."""
        return self.plan or Plan.default()

    @classmethod
    def documents_of(cls, rows: Sequence[Self], fields: Collection[str] | None) -> Iterable[OwnedDocument]:
        from tenants.documents import documents_of_tenants

        everything = fields is None or any(
            field in fields for field in ("status", "currency", "realtime_cell", "vector_cell")
        )
        return documents_of_tenants([row.pk for row in rows], everything=everything)


def _leaving(shops: "Sequence[Tenant]") -> None:
    """Before shops are deleted: their hosts are kept from others, and the other stores will be cleaned of them."""
    from tenants.closing import follow_deletion

    ReleasedHost.keep(Domain.objects.filter(tenant__in=[shop.pk for shop in shops]))
    for shop in shops:
        follow_deletion(shop)


class Membership(models.Model):
    """What a user may do in a shop."""

    class Role(models.TextChoices):
        OWNER = "owner", "Owner"
        EDITOR = "editor", "Editor"
        VIEWER = "viewer", "Viewer"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role, default=Role.OWNER)

    objects: ClassVar[Any] = AuditedQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "tenant"], name="one_membership_per_user_and_tenant")]

    def __str__(self) -> str:
        return f"{self.user} ({self.get_role_display()})"

    def save(self, *args: Any, **kwargs: Any) -> None:
        super().save(*args, **kwargs)
        if self.role != self.Role.OWNER:
            self._take_back_invitations()

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        self._take_back_invitations()
        return super().delete(*args, **kwargs)

    def _take_back_invitations(self) -> None:
        """Whoever may no longer invite leaves no open door behind."""
        self.tenant.invitations.filter(invited_by=self.user_id).revoke()


RANK = {Membership.Role.VIEWER: 0, Membership.Role.EDITOR: 1, Membership.Role.OWNER: 2}


def owners_addresses(tenant_id: Any) -> list[str]:
    """Where a shop's owners are written to, each address once."""
    owners = Membership.objects.filter(tenant=tenant_id, role=Membership.Role.OWNER, user__is_active=True)
    return sorted({address for address in owners.values_list("user__email", flat=True) if address})


def let_in(user: Any) -> None:
    """Into the admin, which lets nobody else in; what they may do there, memberships say."""
    if not user.is_staff:
        user.is_staff = True
        user.save(update_fields=["is_staff"])
