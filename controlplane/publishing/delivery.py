"""Claim due rows, build their documents from the database now, write them, settle each row.

A claim pushes `due_at` one lease into the future, so a crash means a second delivery and never a lost one. The
database is not in a transaction while a store is being written.
"""

import dataclasses
import logging
import random
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any, Protocol, cast

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from controlplane.adapters.errors import AdapterError
from controlplane.publishing.models import StaleDocument, StaleDocumentQuerySet

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=120)
BATCH = 500
LONGEST_WAIT = 300.0


@dataclasses.dataclass(frozen=True)
class Later:
    """Not a failure: the store's pace asks to wait `seconds` (KV takes one write a second per key)."""

    seconds: float


Outcome = AdapterError | Later | None


class Destination(Protocol):
    """What a module in `destinations` offers."""

    def deliver(self, keys: list[str]) -> dict[str, Outcome]:
        """Writes or removes the documents behind `keys` so that the store equals the database now.

        Returns what went wrong by key (absent or None: done); raises AdapterError if nothing could be done.
        """

    def stored_keys(self) -> set[str]:
        """The keys of all our documents that the store holds now, whoever they belong to."""


def destination_of(name: str) -> Destination:
    return cast(Destination, import_module(settings.PUBLISHING_DESTINATIONS[name]))


def deliver_all(name: str) -> int:
    """Delivers due rows in batches until none is left. Returns how many rows it took."""
    total = 0
    while taken := deliver_batch(name):
        total += taken
    return total


def deliver_batch(name: str) -> int:
    """Delivers the rows that are due longest, at most BATCH. Returns how many it took: 0 when nothing is due."""
    rows = claim(name)
    if rows:
        deliver(name, rows)
    return len(rows)


def claim(name: str) -> list[StaleDocument]:
    """Takes up to BATCH due rows by a conditional update; nobody else takes them before the lease ends."""
    now = timezone.now()
    # The odd microseconds tell this claim's rows from those of a worker that claims at the same moment.
    lease = now + LEASE + timedelta(microseconds=random.randrange(10_000_000))  # noqa: S311
    with transaction.atomic():
        # What a save is marking right now is skipped, not waited for: that save nudges when it commits.
        due = StaleDocument.objects.due(name, now).select_for_update(skip_locked=True).order_by("due_at")
        ids = list(due.values_list("pk", flat=True)[:BATCH])
        if not ids or not StaleDocument.objects.due(name, now).filter(pk__in=ids).update(due_at=lease):
            return []
    return list(StaleDocument.objects.filter(pk__in=ids, due_at=lease))


def deliver(name: str, rows: list[StaleDocument]) -> None:
    outcomes: dict[str, Outcome]
    try:
        outcomes = destination_of(name).deliver([row.key for row in rows])
    except AdapterError as error:
        outcomes = dict.fromkeys((row.key for row in rows), error)
    except Exception as error:
        # A bug of ours in one document must not stop the outbox: it is retried, slower and slower, and logged.
        logger.exception("Delivery to %s broke", name)
        failure = AdapterError(f"Internal error ({type(error).__name__}); we have been told.", permanent=False)
        outcomes = dict.fromkeys((row.key for row in rows), failure)
    settle(rows, outcomes)


def settle(rows: list[StaleDocument], outcomes: dict[str, Outcome]) -> None:
    """Deletes what was delivered and is unchanged since; the rest stays: due now, later, or parked."""
    by_outcome: dict[Outcome, list[StaleDocument]] = defaultdict(list)
    for row in rows:
        by_outcome[outcomes.get(row.key)].append(row)
    lease = rows[0].due_at
    for outcome, group in by_outcome.items():
        if outcome is None:
            _delete(group)
        elif isinstance(outcome, Later):
            _reschedule(group, lease, timezone.now() + timedelta(seconds=outcome.seconds))
        else:
            _fail(outcome, group, lease)
    # What is still under this lease was edited while it was delivered: due again at once.
    left = list(StaleDocument.objects.filter(pk__in=[row.pk for row in rows], due_at=lease))
    _reschedule(left, lease, timezone.now())


def _delete(rows: list[StaleDocument]) -> None:
    _each(rows, lambda records: _unchanged(records, rows).delete())


def _unchanged(records: StaleDocumentQuerySet, rows: Iterable[StaleDocument]) -> StaleDocumentQuerySet:
    return records.filter(revision__in=[row.revision for row in rows])


def _each(rows: Iterable[StaleDocument], change: Callable[[StaleDocumentQuerySet], object]) -> None:
    """Applies `change` to the rows' records: to all that are free at once, then to those that a save holds, one by one.

    So this never holds one row while it waits for another, and can't deadlock with a save that marks many.
    """
    ids = {row.pk for row in rows}
    with transaction.atomic():
        records = StaleDocument.objects.filter(pk__in=ids).select_for_update(skip_locked=True)
        free = set(records.values_list("pk", flat=True))
        change(StaleDocument.objects.filter(pk__in=free))
    for pk in ids - free:
        change(StaleDocument.objects.filter(pk=pk))


def _fail(error: AdapterError, rows: list[StaleDocument], lease: datetime) -> None:
    logger.warning("%s documents not delivered to %s: %s", len(rows), rows[0].destination, error.message)
    if error.permanent:
        now = timezone.now()
        parked = {"parked_at": now, "due_at": now, "error": error.message, "attempts": F("attempts") + 1}
        _each(rows, lambda records: _unchanged(records, rows).update(**parked))
        return
    by_attempts: dict[int, list[StaleDocument]] = defaultdict(list)
    for row in rows:
        by_attempts[row.attempts].append(row)
    for attempts, group in by_attempts.items():
        wait = error.retry_after if error.retry_after is not None else backoff(attempts)
        _reschedule(group, lease, timezone.now() + timedelta(seconds=wait), error.message)


def _reschedule(rows: Iterable[StaleDocument], lease: datetime, due_at: datetime, error: str | None = None) -> None:
    values: dict[str, Any] = {"due_at": due_at}
    if error is not None:
        values |= {"error": error, "attempts": F("attempts") + 1}
    _each(rows, lambda records: records.filter(due_at=lease).update(**values))


def backoff(attempts: int) -> float:
    """Seconds until the next try: 1, 2, 4 … 300, each with up to half of it as jitter."""
    wait = min(2.0 ** min(attempts, 10), LONGEST_WAIT)
    return wait * (1 + random.random() / 2)  # noqa: S311


def seconds_until_due(name: str) -> float | None:
    """Seconds until the next row falls due (0 if one is due), None if the outbox of `name` is empty."""
    rows = StaleDocument.objects.filter(destination=name, parked_at=None)
    due_at = rows.order_by("due_at").values_list("due_at", flat=True).first()
    return None if due_at is None else max(0.0, (due_at - timezone.now()).total_seconds())
