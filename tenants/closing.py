"""The end of a shop: closed at once, whole for thirty days, then erased everywhere.

`begin` is the one way to close a shop, for its owner and for the platform's staff.
"""

from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from controlplane.publishing.models import take_turns
from tenants.erasing import letters, machine
from tenants.models import ClosedShop, Erasure, Tenant, hashed
from tenants.models.closing import inventory_of

GRACE = timedelta(days=30)
REMINDERS = (7, 1)
"""Days before the end at which the owners are told once more."""

State = ClosedShop.State


@transaction.atomic
def begin(tenant: Tenant, by: Any = None, *, by_staff: bool = False) -> ClosedShop:
    """Takes the shop off the web and starts its grace period. A shop that closed already stays as it is, but one that
    the platform closes too can no longer be restored by its owner."""
    take_turns([tenant.pk])
    shop = Tenant.objects.get(pk=tenant.pk)
    row = ClosedShop.objects.filter(pk=shop.pk).first()
    if row is not None and shop.status == Tenant.Status.CLOSED:
        if by_staff and not row.by_staff:
            row.by_staff = True
            row.save(update_fields=["by_staff"])
        return row
    now = timezone.now()
    before = shop.status if shop.status != Tenant.Status.CLOSED else Tenant.Status.ACTIVE
    row, _ = ClosedShop.objects.update_or_create(
        pk=shop.pk,
        defaults={
            "slug_hash": hashed(shop.slug), "state": State.GRACE, "status_before": before, "by_staff": by_staff,
            "by": by if getattr(by, "pk", None) else None, "closed_at": now, "erase_at": now + GRACE, "reminders": 0,
        },
    )  # fmt: skip
    shop.status = tenant.status = Tenant.Status.CLOSED
    shop.save()
    letters.closed(shop, row)
    return row


@transaction.atomic
def restore(tenant: Tenant, *, by_staff: bool = False) -> Tenant:
    """Brings a closed shop back as it was, suspended if it was. Raises ValidationError where that is over, or not
    the owner's to do."""
    take_turns([tenant.pk])
    row = ClosedShop.objects.filter(pk=tenant.pk).first()
    if row is None or not row.can_be_restored:
        raise ValidationError("This shop can no longer be restored.")
    if row.by_staff and not by_staff:
        raise ValidationError("The platform closed this shop. Only its support can restore it.")
    shop: Tenant = Tenant.objects.get(pk=tenant.pk)
    shop.status = tenant.status = row.status_before
    shop.save()
    row.delete()
    letters.restored(shop)
    return shop


@transaction.atomic
def erase(tenant: Tenant, by: Any = None) -> Erasure:
    """Ends the grace period now. From here on there is no way back."""
    take_turns([tenant.pk])  # a restore at the same moment comes before or is refused
    row = begin(tenant, by, by_staff=True) if tenant.status != Tenant.Status.CLOSED else None
    row = row or ClosedShop.objects.filter(pk=tenant.pk).first() or begin(tenant, by, by_staff=True)
    ClosedShop.objects.filter(pk=row.pk).update(state=State.ERASING)
    return machine.begin("shop", str(tenant.pk), inventory_of(tenant), by)


def run_due(now: datetime | None = None) -> int:
    """Sends the reminders and begins the erasures that are due. Returns how many erasures it began."""
    now = now or timezone.now()
    remind(now)
    begun = 0
    for row in ClosedShop.objects.filter(state=State.GRACE, erase_at__lte=now):
        begun += _end(row)
    return begun


def _end(row: ClosedShop) -> bool:
    with transaction.atomic():
        take_turns([row.pk])
        if not ClosedShop.objects.filter(pk=row.pk, state=State.GRACE).exists():
            return False  # restored, or begun by another worker, meanwhile
        shop = Tenant.objects.filter(pk=row.pk).first()
        if shop is None or shop.status != Tenant.Status.CLOSED:
            # Opened again by another way than `restore`: a shop that is on the web is never erased.
            ClosedShop.objects.filter(pk=row.pk).delete()
            return False
        erase(shop)
    return True


def remind(now: datetime | None = None) -> int:
    """Returns how many shops were written about."""
    now = now or timezone.now()
    sent = 0
    for number, days in enumerate(REMINDERS):
        due = ClosedShop.objects.filter(
            state=State.GRACE, reminders__lte=number, erase_at__lte=now + timedelta(days=days), erase_at__gt=now
        )
        for row in due:
            # Counted first, in one statement: two beats at once must not write twice.
            counted = ClosedShop.objects.filter(pk=row.pk, reminders__lte=number).update(reminders=number + 1)
            shop = Tenant.objects.filter(pk=row.pk, status=Tenant.Status.CLOSED).first()
            later = number + 1 < len(REMINDERS) and row.erase_at <= now + timedelta(days=REMINDERS[number + 1])
            if counted and shop and not later:  # after a pause of ours the last word is enough
                letters.reminder(shop, row, days)
                sent += 1
    return sent


def follow_deletion(tenant: Tenant) -> None:
    """Called when a shop is deleted at a stroke, in that transaction: the other stores are cleaned all the same."""
    if Erasure.objects.filter(kind="shop", subject=str(tenant.pk), finished_at=None).exists():
        return  # it is the machine that deletes
    now = timezone.now()
    ClosedShop.objects.update_or_create(
        pk=tenant.pk,
        defaults={"slug_hash": hashed(tenant.slug), "state": State.ERASING, "erase_at": now, "by_staff": True,
                  "status_before": tenant.status},
    )  # fmt: skip
    machine.begin("shop", str(tenant.pk), inventory_of(tenant))
