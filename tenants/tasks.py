"""Celery's side of shops: schedules and domains swept by beat, publications followed to the edge."""

import logging
import time
from typing import Any

from celery import shared_task
from django.core.cache import cache
from redis.exceptions import RedisError

from controlplane.adapters.errors import AdapterError
from controlplane.publishing.tasks import send
from tenants import closing, exporting
from tenants.domains import issuing, letters, orphans
from tenants.erasing import machine
from tenants.flags import collecting
from tenants.models import Landing, Suspension
from tenants.moderation import darkness
from tenants.moderation import letters as owners
from tenants.receipts import receipt_of
from tenants.schedules import run_due
from tenants.signup import sweeping

logger = logging.getLogger(__name__)

LOOKS = (0.5, 0.5, 1, 1, 2, 3, 5, 10, 15, 20, 30, 30, 60)
"""Seconds between two looks at the edge; about three minutes in all, three times what KV needs at worst."""


@shared_task
def reconcile_domains() -> int:
    """One run at a time, so that slow name servers never fill the pool that publishes. Leases make two harmless."""
    try:
        alone = cache.add("reconcile-domains", 1, 110)  # the task's own time limit
    except (RedisError, OSError):
        return issuing.reconcile_all()
    if not alone:
        return 0
    try:
        return issuing.reconcile_all()
    finally:
        cache.delete("reconcile-domains")


@shared_task
def remind_of_domains() -> int:
    return letters.remind()


@shared_task(autoretry_for=(AdapterError,), retry_backoff=60, max_retries=5)
def sweep_hostnames() -> int:
    orphans.retire()
    return orphans.sweep(pause=time.sleep)


@shared_task
def collect_reports() -> None:
    """Makes flags of what shoppers reported at the edge."""
    try:
        collecting.collect()
    except AdapterError as error:
        logger.warning("Reports are collected later: %s", error.message)


@shared_task
def run_schedule() -> None:
    run_due()


@shared_task
def sweep_sign_ups() -> int:
    return sweeping.sweep()


@shared_task
def close_shops() -> int:
    """Reminds of grace periods that end, and begins the erasures whose time has come."""
    exporting.forget_old()
    return closing.run_due()


@shared_task
def erase() -> int:
    return machine.run_due()


@shared_task(soft_time_limit=exporting.LONGEST, time_limit=exporting.LONGEST + 60)
def build_exports() -> int:
    return exporting.run_due()


@shared_task
def follow_publication(landing_id: str, look: int = 0) -> None:
    """Looks once where the page has got to, and comes back until the edge shows it."""
    landing = Landing.objects.select_related("tenant", "live").filter(pk=landing_id).first()
    receipt = receipt_of(landing) if landing else None
    if receipt and not receipt.done and look < len(LOOKS):
        send(follow_publication, landing_id, look + 1, countdown=LOOKS[look])


@shared_task
def follow_suspension(suspension_id: str, look: int = 0) -> None:
    """Looks once whether the shop is dark, and comes back until it is or is put back on the web."""
    found = Suspension.objects.select_related("tenant").filter(pk=suspension_id, lifted_at=None).first()
    if found and darkness.waiting(found) and not darkness.look(found) and look < len(LOOKS):
        send(follow_suspension, suspension_id, look + 1, countdown=LOOKS[look])


@shared_task(bind=True, max_retries=5)
def write_to_owners(self: Any, news: str, pk: str, only: list[str] | None = None) -> None:
    """Tries again, later and later, with those whom no mail reached."""
    if left := owners.write(news, pk, only or ()):
        raise self.retry(args=(news, pk, left), countdown=60 * 2**self.request.retries)
