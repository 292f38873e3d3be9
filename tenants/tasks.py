"""Celery's side of the domains: swept by beat, idempotent, told nothing."""

import time

from celery import shared_task
from django.core.cache import cache
from redis.exceptions import RedisError

from controlplane.adapters.errors import AdapterError
from tenants.domains import issuing, letters, orphans


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
