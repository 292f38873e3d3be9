"""Certificates in turn: fifteen new hostnames a minute over all shops, the shop that waited longest first."""

import logging
import random
import time
import uuid
from collections import defaultdict
from datetime import datetime, timedelta

from django.db.models import F, Max, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from controlplane.adapters.custom_hostnames import BadHostnameError, DuplicateHostnameError, Hostname, QuotaError
from controlplane.adapters.errors import AdapterError
from tenants.domains.reconciling import LEASE, Run, claim
from tenants.domains.states import State
from tenants.models import Allowance, Domain

logger = logging.getLogger(__name__)

CERTIFICATES, WINDOW = 15, timedelta(seconds=65)
"""The vendor's fifteen a minute, and a few seconds for requests that are under way when the minute begins."""


LONGEST_RUN = 45.0
"""Seconds after which a run begins no further batch: well below the task's time limit, and beat brings the next."""


def reconcile_all() -> int:
    """Looks at everything that is due, batch by batch, then asks for certificates. Returns how many it looked at."""
    run = Run()
    issue(run)
    began, total = time.monotonic(), 0
    while time.monotonic() - began < LONGEST_RUN and (rows := claim()):
        run.reconcile(rows)
        total += len(rows)
    issue(run)
    return total


def issue(run: Run) -> int:
    """Asks for as many hostnames as the pace allows now. Returns how many it asked for."""
    asked = 0
    left = Allowance.left("certificates", limit=CERTIFICATES, window=WINDOW)
    if left <= 0:
        return 0  # most runs of beat: the order of thousands need not be worked out
    for pk in in_turn(timezone.now(), most=CERTIFICATES):
        if not Allowance.take("certificates", 1, limit=CERTIFICATES, window=WINDOW):
            break
        if not run.budget.take(2):
            break
        if row := _claim(pk):
            asked += 1
            if not _ask(run, row):
                break
    return asked


def in_turn(now: datetime, most: int | None = None) -> list[uuid.UUID]:
    """The proven domains that wait, turn by turn over the shops.

    In each turn a shop has one domain; who got a certificate last, or never, comes first. So neither a shop with
    hundreds of domains nor many shops with dozens make a newcomer wait for all of theirs. With `most` no more than
    that many of one shop are looked at.
    """
    waiting = Domain.objects.due(now).filter(state=State.PROVEN)
    if most is not None:
        turn = Window(RowNumber(), partition_by=F("tenant"), order_by=[F("state_since"), F("pk")])
        waiting = waiting.annotate(turn=turn).filter(turn__lte=most)
    waiting = waiting.order_by("state_since", "pk")
    queues: dict[uuid.UUID, list[uuid.UUID]] = defaultdict(list)
    for pk, tenant in waiting.values_list("pk", "tenant_id"):
        queues[tenant].append(pk)
    if not queues:
        return []
    last = Domain.objects.exclude(requested_at=None).values("tenant").annotate(at=Max("requested_at"))
    served: dict[uuid.UUID, datetime] = dict(last.order_by().values_list("tenant", "at"))
    never = datetime.min.replace(tzinfo=now.tzinfo)
    turns = [
        (turn, served.get(tenant, never), number, pk)
        for number, (tenant, queue) in enumerate(queues.items())
        for turn, pk in enumerate(queue)
    ]
    return [pk for *_, pk in sorted(turns)]


def _claim(pk: uuid.UUID) -> Domain | None:
    now = timezone.now()
    lease = now + LEASE + timedelta(microseconds=random.randrange(10_000_000))  # noqa: S311
    mine = Domain._base_manager.filter(pk=pk, state=State.PROVEN, next_check_at__lte=now)
    if not mine.update(next_check_at=lease):
        return None
    row: Domain | None = Domain.objects.filter(pk=pk, next_check_at=lease).select_related("tenant").first()
    return row


def _ask(run: Run, row: Domain) -> bool:
    """Asks for one hostname and settles the row. False where asking for more makes no sense now."""
    try:
        made = create(run, row.host)
    except QuotaError:
        logger.error("Cloudflare takes no more custom hostnames: the quota is used up (%s waits)", row.host)
        run.settle(row, State.PROVEN, "no_room", wait=600.0)
        return False
    except BadHostnameError as error:
        run.settle(row, State.PROVEN, "refused", wait=86_400.0, seen=row.seen | {"errors": [error.message]})
    except AdapterError as error:
        run.put_off(row, error)
        return False
    else:
        run.settle(row, State.ISSUING, "validating", wait=5.0, hostname_id=made.id, requested_at=timezone.now())
    return True


def create(run: Run, host: str) -> Hostname:
    """The hostname at the vendor, asked for now or before. Raises AdapterError."""
    try:
        return run.api.create(host)
    except DuplicateHostnameError:
        # Asked for before a crash, or left over from a shop that is gone; the proof is this shop's.
        found = run.api.find(host)
        if found is None:
            raise AdapterError("Cloudflare says two things about this name; trying again.", permanent=False) from None
        return found
