"""Moves domains on: claim those that are due, look at the world, act, settle each row.

As in the outbox, a claim pushes `next_check_at` one lease into the future by a conditional update, so a crash means
a second look and never a lost one; what a merchant changes meanwhile wins, because it moves `next_check_at` too.
Everything done at the vendor may be repeated. No transaction is open while anybody is asked.
"""

import logging
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from controlplane.adapters.custom_hostnames import CustomHostnames
from controlplane.adapters.errors import AdapterError
from controlplane.publishing import cells
from tenants.domains import letters
from tenants.domains.looking import Answers, Budget, OverBudgetError, look_up
from tenants.domains.states import OVER, Known, Pointing, Seen, State, Step, decide, seconds_until_next
from tenants.models import Domain, ReleasedHost, keep_a_primary

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=150)
BATCH = 200
SLOW_BATCH, SLOW_AFTER = 40, 2
"""Domains that could not be asked about twice in a row are looked at after all others, and fewer at a time: name
servers that never answer cost seconds a batch, and those are nobody else's seconds."""
UNCLEAR = 900.0
"""Seconds until a live domain that could not be asked about is looked at again."""


def claim(now: datetime | None = None) -> list[Domain]:
    """Takes up to BATCH due domains; nobody else takes them before the lease ends.

    Turn by turn over the shops: everybody's first domain comes before anybody's second, so that a shop with
    thousands of them delays nobody else.
    """
    now = now or timezone.now()
    lease = now + LEASE + timedelta(microseconds=random.randrange(10_000_000))  # noqa: S311
    turn = Window(RowNumber(), partition_by=F("tenant"), order_by=[F("next_check_at"), F("pk")])
    due = Domain.objects.due(now).exclude(state=State.PROVEN).annotate(turn=turn).order_by("turn", "next_check_at")
    ids = list(due.filter(misses__lt=SLOW_AFTER).values_list("pk", flat=True)[:BATCH])
    ids = ids or list(due.values_list("pk", flat=True)[:SLOW_BATCH])
    # Past the outbox: a lease shows up in no document.
    if not ids or not Domain._base_manager.filter(pk__in=ids, next_check_at__lte=now).update(next_check_at=lease):
        return []
    order = {pk: number for number, pk in enumerate(ids)}
    taken = Domain.objects.filter(pk__in=ids, next_check_at=lease).select_related("tenant")
    return sorted(taken, key=lambda row: order[row.pk])


class Run:
    """One run of the reconciler: its clients, its budget, and the vendor's list if that was worth reading."""

    def __init__(self, now: datetime | None = None) -> None:
        self.api: CustomHostnames = cells.hostnames()
        self.now = now or timezone.now()
        self.budget = Budget()
        due = Domain.objects.filter(next_check_at__lte=self.now).exclude(hostname_id="").count()
        self.answers = Answers(self.api, self.budget, due)

    def reconcile(self, rows: Sequence[Domain]) -> None:
        looked = look_up(cells.resolver(), [row for row in rows if row.state not in OVER | {State.REMOVING}])
        for row in rows:
            has_token, pointing, shown = looked.get(row.token, (None, Pointing.UNKNOWN, ()))
            asks = row.state in (State.ISSUING, State.LIVE, State.STRAYING)
            try:
                vendor = self.answers.of(row) if asks else None
                self.step(row, Seen(has_token=has_token, pointing=pointing, vendor=vendor), shown)
            except OverBudgetError:
                self.settle(row, row.state, row.reason, wait=30.0)
            except AdapterError as error:
                self.put_off(row, error)
            except Exception:
                # A bug of ours in one domain must not stop the others: its lease ends and it is tried again.
                logger.exception("Looking at %s broke", row.host)

    def step(self, row: Domain, seen: Seen, shown: tuple[str, ...]) -> None:
        known = Known(
            state=row.state,
            waiting_since=row.waiting_since,
            was_live=row.live_at is not None,
            away_since=row.away_since,
        )
        step = decide(known, seen, self.now)
        noted = {
            "seen": {"has_token": seen.has_token, "pointing": seen.pointing.value, "dns": list(shown)}
            | ({"status": seen.vendor.status, "ssl": seen.vendor.ssl_status, "errors": list(seen.vendor.errors)[:5]}
               if seen.vendor else {}),
            "checked_at": self.now,
            "misses": row.misses + 1 if step.reason == "cant_ask" else 0,
        }  # fmt: skip
        match step.action:
            case "prove":
                self.prove(row, step, noted)
            case "refresh":
                self.refresh(row, step, noted)
            case "release":
                self.release(row, step, noted)
            case _:
                self.settle(row, step.state, step.reason, wait=self._wait(row, seen), **noted)

    def _wait(self, row: Domain, seen: Seen) -> float | None:
        """Seconds until the next look at a domain that works, if this one was not whole; None: as usual."""
        whole = seen.vendor is not None and seen.has_token is not None and seen.pointing is not Pointing.UNKNOWN
        return None if whole or row.state not in (State.LIVE, State.STRAYING) else UNCLEAR

    def prove(self, row: Domain, step: Step, noted: dict[str, Any]) -> None:
        """Locks the host for this shop; the database's constraint decides between two at the same moment."""
        if ReleasedHost.blocks(row.host, row.tenant_id, self.now):
            self.settle(row, State.UNPROVEN, "quarantined", **noted)
            return
        try:
            self.settle(row, step.state, step.reason, proven_at=self.now, next_check_at=self.now, **noted)
        except IntegrityError:
            self.settle(row, State.UNPROVEN, "taken", **noted)

    def refresh(self, row: Domain, step: Step, noted: dict[str, Any]) -> None:
        if self.budget.take() and self.api.refresh(row.hostname_id) is None:
            self.settle(row, State.PROVEN, "queued", hostname_id="", **noted)
            return
        self.settle(row, step.state, step.reason, **noted)

    def release(self, row: Domain, step: Step, noted: dict[str, Any]) -> None:
        """Hostname first, record second, quarantine last: at no moment does the vendor route to a missing record."""
        if not self.budget.take(2):
            self.settle(row, row.state, row.reason, wait=30.0)
            return
        if row.hostname_id:
            self.api.delete(row.hostname_id)
        elif row.proven_at is not None and (left := self.api.find(row.host)):
            self.api.delete(left.id)  # asked for before a crash that lost its id
        with transaction.atomic():
            if row.state == State.REMOVING:
                removed = Domain.objects.filter(pk=row.pk, state=State.REMOVING).delete()[0]
            else:
                removed = self.settle(
                    row, step.state, step.reason, proven_at=None, live_at=None, away_since=None, hostname_id="", **noted
                )
            if removed:
                ReleasedHost.keep([row])
            keep_a_primary([row.tenant_id])

    def put_off(self, row: Domain, error: AdapterError) -> None:
        """The vendor could not be asked: no word about the domain changes."""
        logger.warning("%s waits: %s", row.host, error.message)
        wait = error.retry_after or min(20.0 * 2.0 ** min(row.misses, 6), 900.0)
        self.settle(row, row.state, row.reason, wait=wait, misses=row.misses + 1)

    def settle(self, row: Domain, state: str, reason: str, *, wait: float | None = None, **changes: Any) -> bool:
        """Writes what was found, unless somebody else has moved the domain meanwhile. Returns whether it did."""
        changes |= {"state": state, "reason": reason}
        if state != row.state:
            changes |= {"state_since": self.now} | _entering(row, state, self.now)
        if "next_check_at" not in changes:
            age = self.now - (row.state_since if state == row.state else self.now)
            seconds = seconds_until_next(state, reason, age) if wait is None else wait
            if reason == "cant_ask":
                seconds = min(20.0 * 2.0 ** min(row.misses, 6), 900.0)
            changes["next_check_at"] = timezone.now() + timedelta(seconds=seconds * random.uniform(0.9, 1.15))  # noqa: S311
        mine = {"pk": row.pk, "next_check_at": row.next_check_at, "state": row.state}
        shown = any(getattr(row, name) != changes[name] for name in Domain.SHOWN.intersection(changes))
        with transaction.atomic():
            rows = Domain.objects.filter(**mine) if shown else Domain._base_manager.filter(**mine)
            if not rows.update(**changes):
                return False
            if state == State.LIVE and row.live_at is None:
                _went_live(row)
            if state != row.state:
                transaction.on_commit(lambda: letters.on_change(row, state))
        return True


def _entering(row: Domain, state: str, now: datetime) -> dict[str, Any]:
    if state == State.LIVE:
        return {"live_at": row.live_at or now, "away_since": None}
    if state == State.STRAYING:
        return {"away_since": row.away_since or now}
    if state == State.PROVEN:
        return {"hostname_id": "", "waiting_since": now if row.live_at else row.waiting_since}
    return {}


def _went_live(row: Domain) -> None:
    if row.primary_when_live:
        Domain.objects.filter(tenant=row.tenant_id, is_primary=True).exclude(pk=row.pk).update(is_primary=False)
        Domain.objects.filter(pk=row.pk).update(is_primary=True)
