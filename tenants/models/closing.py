"""Shops that have closed, the erasures under way, and the copies that owners take with them."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.files.storage import Storage, storages
from django.db import models
from django.utils import timezone
from django.utils.crypto import salted_hmac
from uuid_utils.compat import uuid7

from tenants.models.shops import owners_addresses

LINK_LASTS = timedelta(days=7)


def hashed(value: str) -> str:
    """So that "was there a shop, or a person, of this name?" can be answered without keeping the name."""
    return salted_hmac("tenants.closing", value.strip().lower(), algorithm="sha256").hexdigest()


class ClosedShop(models.Model):
    """A shop from the day it closed. While it can be restored the shop itself is whole; afterwards this is all that is
    left of it, and names nobody."""

    class State(models.TextChoices):
        GRACE = "grace", "Can be restored"
        ERASING = "erasing", "Being erased"
        ERASED = "erased", "Erased"

    id = models.UUIDField(primary_key=True)  # the shop's
    slug_hash = models.CharField(max_length=64, editable=False)
    state = models.CharField(max_length=8, choices=State, default=State.GRACE)
    status_before = models.CharField(max_length=16, editable=False)
    by_staff = models.BooleanField("closed by the platform", default=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", editable=False)
    closed_at = models.DateTimeField("closed", default=timezone.now)
    erase_at = models.DateTimeField("to be erased")
    reminders = models.PositiveSmallIntegerField(default=0, editable=False)
    erased_at = models.DateTimeField("erased", null=True)
    report = models.JSONField(default=dict, editable=False)

    class Meta:
        ordering = ["-closed_at"]
        indexes = [models.Index(fields=["state", "erase_at"], name="closed_shops_due")]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def can_be_restored(self) -> bool:
        return self.state == self.State.GRACE


class Erasure(models.Model):
    """Something that has to leave every store, step by step, until a look at each of them finds nothing.

    `done` names the steps that have been taken, so a crash in the middle goes on after them. `next_try_at` is also
    the lease of whoever works on it. What it knows of its subject (`inventory`) goes when it is finished.
    """

    class Kind(models.TextChoices):
        SHOP = "shop", "Shop"
        PERSON = "person", "Person with an account"
        SHOPPER = "shopper", "Shopper"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=8, choices=Kind)
    subject = models.CharField(max_length=200)
    inventory = models.JSONField(default=dict, editable=False)
    done = models.JSONField(default=list, editable=False)
    attempts = models.PositiveIntegerField("tries", default=0, editable=False)
    next_try_at = models.DateTimeField("next try", default=timezone.now)
    error = models.TextField(blank=True)
    report = models.JSONField(default=dict, editable=False)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    asked_at = models.DateTimeField("asked for", default=timezone.now)
    finished_at = models.DateTimeField("finished", null=True)

    class Meta:
        ordering = ["-asked_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject"], condition=models.Q(finished_at=None), name="one_erasure_under_way"
            )
        ]
        indexes = [models.Index(fields=["next_try_at"], condition=models.Q(finished_at=None), name="erasures_due")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.subject[:40]}"

    @property
    def state(self) -> str:
        if self.finished_at:
            return "done"
        return "trouble" if self.error else "running"


def shelf() -> Storage:
    return storages["exports"]


def place_of(export: "Export", name: str = "") -> str:
    return f"{export.tenant_id}/{export.pk}.zip"


class Export(models.Model):
    """A copy of everything of a shop in one ZIP, for its owners, for LINK_LASTS."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Being put together"
        READY = "ready", "Ready"
        FAILED = "failed", "Failed"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey("tenants.Tenant", models.CASCADE, related_name="exports")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    asked_at = models.DateTimeField(default=timezone.now)
    next_try_at = models.DateTimeField(default=timezone.now)  # also the lease of whoever builds it
    attempts = models.PositiveSmallIntegerField(default=0)
    file = models.FileField(storage=shelf, upload_to=place_of, max_length=200, blank=True)
    size = models.PositiveBigIntegerField(default=0)
    ready_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-asked_at"]
        indexes = [
            models.Index(
                fields=["next_try_at"], condition=models.Q(state__in=["waiting", "running"]), name="exports_due"
            )
        ]

    def __str__(self) -> str:
        return f"Copy of {self.asked_at:%d %B %Y, %H:%M}"

    def is_open(self, now: datetime | None = None) -> bool:
        """Whether its link works."""
        return bool(self.state == self.State.READY and self.expires_at and self.expires_at > (now or timezone.now()))

    @property
    def is_under_way(self) -> bool:
        return self.state in (self.State.WAITING, self.State.RUNNING)


def inventory_of(tenant: Any) -> dict[str, Any]:
    """What the stores beside the database are asked for once the shop's own rows are gone."""
    return {
        "name": tenant.name,
        "hosts": [[row.host, row.hostname_id] for row in tenant.domains.all()],
        "drafts": list(tenant.share_links.values_list("token", flat=True)),
        "mail_to": owners_addresses(tenant.pk),
    }
