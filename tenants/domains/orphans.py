"""Custom hostnames at the vendor that no shop has any more: a deleted shop's, or one that a crash left behind."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from controlplane.publishing import cells
from tenants.domains.looking import Budget
from tenants.models import Domain, ReleasedHost

logger = logging.getLogger(__name__)

PAUSE = 1.0
"""Seconds between two deletions: this never hurries."""


def sweep(pause: Callable[[float], None]) -> int:
    """Deletes them. Returns how many. Raises AdapterError.

    Read the list first, then the database: a hostname that is asked for meanwhile is not in the list yet.
    """
    budget = Budget()
    listed = {one.host: one.id for page in cells.hostnames().pages() if budget.take() for one in page}
    kept = set(Domain.objects.exclude(proven_at=None).filter(host__in=listed).values_list("host", flat=True))
    just_now = timezone.now() - timedelta(minutes=10)
    kept |= set(Domain.objects.filter(state_since__gte=just_now).values_list("host", flat=True))
    left = [host for host in listed if host not in kept]
    for host in left:
        logger.warning("Removing the custom hostname %s, which no shop has", host)
        cells.hostnames().delete(listed[host])
        pause(PAUSE)
    return len(left)


def retire(now: datetime | None = None) -> int:
    """Takes former addresses on the platform down when their time is over; nobody else gets them. Returns how many."""
    over = Domain.objects.filter(retires_at__lte=now or timezone.now())
    with transaction.atomic():
        ReleasedHost.keep(over)
        return over.delete()[0]
