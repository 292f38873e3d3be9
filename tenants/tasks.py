"""Celery's side of the domains: swept by beat, idempotent, told nothing."""

import time

from celery import shared_task

from controlplane.adapters.errors import AdapterError
from tenants.domains import issuing, letters, orphans


@shared_task
def reconcile_domains() -> int:
    return issuing.reconcile_all()


@shared_task
def remind_of_domains() -> int:
    return letters.remind()


@shared_task(autoretry_for=(AdapterError,), retry_backoff=60, max_retries=5)
def sweep_hostnames() -> int:
    return orphans.sweep(pause=time.sleep)
