"""A colleague of the platform who sees the admin as one shop's merchant does: for how long, how, and why."""

import functools
from datetime import timedelta
from typing import Any, Self

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models, transaction
from django.utils import timezone
from uuid_utils.compat import uuid7

from tenants.models.moderation import words
from tenants.models.shops import Membership, Tenant

LASTS = timedelta(minutes=30)


class ActingSession(models.Model):
    """One span in one mode: another mode, or another half hour, is another row. Rows are never changed once ended."""

    class Mode(models.TextChoices):
        READ = "read", "Look only"
        WRITE = "write", "Change"

    class End(models.TextChoices):
        STOPPED = "stopped", "Stopped"
        SWITCHED = "switched", "Changed over"
        TIMED_OUT = "timed_out", "Time was up"
        LOGGED_OUT = "logged_out", "Logged out"
        REFUSED = "refused", "Not allowed any more"

    NEEDS = {Mode.READ: "tenants.support_tenant", Mode.WRITE: "tenants.moderate_tenant"}

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # The log outlives both, so their names are kept.
    staff = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    staff_name = models.CharField(max_length=150)
    tenant = models.ForeignKey(Tenant, models.SET_NULL, null=True, related_name="+")
    shop = models.CharField(max_length=120)
    mode = models.CharField(max_length=8, choices=Mode)
    reason = words(500, blank=True)
    started_at = models.DateTimeField(default=timezone.now)
    ends_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, editable=False)
    ended_how = models.CharField(max_length=16, choices=End, blank=True)

    class Meta:
        ordering = ["-started_at"]
        verbose_name = "view as merchant"
        verbose_name_plural = "views as merchant"

    def __str__(self) -> str:
        return f"{self.staff_name} as merchant of {self.shop}"

    @classmethod
    @transaction.atomic
    def start(cls, staff: User, tenant: Tenant, mode: str = Mode.READ, reason: str = "") -> Self:
        """Raises PermissionDenied, or ValidationError where changes are wanted without a reason."""
        if not cls.allows(staff, mode):
            raise PermissionDenied
        if mode == cls.Mode.WRITE and not reason.strip():
            raise ValidationError("Say why you need to change something in this shop.")
        made = cls(
            staff=staff, staff_name=staff.get_username(), tenant=tenant, shop=f"{tenant.name} ({tenant.slug})",
            mode=mode, reason=reason.strip(), ends_at=timezone.now() + LASTS,
        )  # fmt: skip
        made.full_clean()
        made.save(force_insert=True)
        return made

    @classmethod
    def allows(cls, staff: User, mode: str) -> bool:
        return all(staff.has_perm(cls.NEEDS[one]) for one in {cls.Mode.READ, cls.Mode(mode)})

    @functools.cached_property
    def role(self) -> Membership.Role:
        return Membership.Role.OWNER if self.mode == self.Mode.WRITE else Membership.Role.VIEWER

    def end(self, how: str) -> None:
        """Once: an end that is written stays."""
        at = min(timezone.now(), self.ends_at)
        type(self).objects.filter(pk=self.pk, ended_at=None).update(ended_at=at, ended_how=how)

    @classmethod
    def end_of(cls, pk: Any, how: str) -> None:
        for row in cls.objects.filter(pk=pk, ended_at=None):
            row.end(how)
