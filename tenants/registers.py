"""Two registers beside the shops: hosts that were given up, and what was taken of the vendor's allowances."""

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import models, transaction
from django.utils import timezone

if TYPE_CHECKING:
    from tenants.models import Domain

QUARANTINE, FOR_GOOD = timedelta(days=2), timedelta(days=3650)
"""How long a host is kept from other shops: a merchant's own longer than any cache of ours or of DNS, whose owner must
be proven anew then; an address on the platform practically for ever, for nobody could prove who is meant by it."""


class ReleasedHost(models.Model):
    """A host that a shop gave up: until `until` no other shop gets it. Kept without the shop, which may be gone too."""

    host = models.CharField(max_length=253)
    tenant_id = models.UUIDField()
    released_at = models.DateTimeField(default=timezone.now)
    until = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["host"], name="released_by_host")]

    def __str__(self) -> str:
        return self.host

    @classmethod
    def keep(cls, domains: "Iterable[Domain]") -> None:
        """Keeps the proven ones of these hosts, which are about to go, from other shops."""
        now = timezone.now()
        ReleasedHost.objects.bulk_create(
            ReleasedHost(host=row.host, tenant_id=row.tenant_id, until=now + (QUARANTINE if row.is_own else FOR_GOOD))
            for row in domains
            if row.proven_at is not None
        )

    @classmethod
    def blocks(cls, host: str, tenant_id: uuid.UUID, now: datetime) -> bool:
        """Whether another shop than `tenant_id` gave the host up so lately that this one must wait."""
        others: models.QuerySet[ReleasedHost] = cls.objects.filter(host=host, until__gt=now)
        return others.exclude(tenant_id=tenant_id).exists()


class Allowance(models.Model):
    """How much of something the vendor allows has been taken lately, over all workers."""

    name = models.CharField(max_length=40, primary_key=True)
    taken = models.JSONField(default=list)

    def __str__(self) -> str:
        return self.name

    @classmethod
    def take(cls, name: str, wanted: int, *, limit: int, window: timedelta, now: datetime | None = None) -> bool:
        """Takes `wanted` of the `limit` in any `window`, if that many are left."""
        at = (now or timezone.now()).timestamp()
        with transaction.atomic():
            cls.objects.get_or_create(name=name)
            row = cls.objects.select_for_update().get(name=name)
            kept = [[when, count] for when, count in row.taken if at - when < window.total_seconds()]
            fits: bool = sum(count for _, count in kept) + wanted <= limit
            row.taken = [*kept, [at, wanted]] if fits else kept
            row.save()
        return fits

    @classmethod
    def left(cls, name: str, *, limit: int, window: timedelta, now: datetime | None = None) -> int:
        """How many could be taken now; only `take` makes sure of them."""
        at = (now or timezone.now()).timestamp()
        row = cls.objects.filter(name=name).first()
        return limit - sum(count for when, count in (row.taken if row else []) if at - when < window.total_seconds())
