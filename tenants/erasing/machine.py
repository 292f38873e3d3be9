"""Erases step by step: each step may be repeated, a crash goes on after the last one, and only a look at every store
that finds nothing ends it. `Erasure.next_try_at` is the lease, as in the outbox."""

import dataclasses
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any, Protocol, cast

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from controlplane.adapters.errors import AdapterError
from controlplane.publishing.tasks import send
from tenants.models import Erasure, hashed

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=150)
LONGEST_RUN = 45.0
"""Seconds after which a run begins nothing new: well below a task's time limit, and beat brings the next."""
LONGEST_WAIT = 3600.0


class NotYetError(Exception):
    """Nothing is wrong: the step goes on after `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


@dataclasses.dataclass(frozen=True, kw_only=True)
class Left:
    """What a look at a store found; `count` is None where it could not be asked."""

    store: str
    what: str
    count: int | None

    def __str__(self) -> str:
        return f"{self.store}: {self.what}" if self.count is None else f"{self.store}: {self.count:,} {self.what}"


Step = Callable[[Erasure], int]
"""Removes something and returns how much; raises AdapterError, or NotYetError to be called again."""


class Subject(Protocol):
    """What a module in settings.ERASURES offers."""

    STEPS: Mapping[str, Step]

    def leftovers(self, erasure: Erasure) -> Sequence[Left]:
        """What the stores still hold; empty only if every one of them was asked and holds nothing."""

    def finished(self, erasure: Erasure) -> None:
        """Called in the transaction that ends it, with the inventory still there."""


def subject_of(erasure: Erasure) -> Subject:
    return cast(Subject, import_module(settings.ERASURES[erasure.kind]))


def begin(kind: str, subject: str, inventory: Mapping[str, Any], by: Any = None) -> Erasure:
    """The erasure of this subject, under way from now on; one that is under way already goes on as it is."""
    erasure, _ = Erasure.objects.get_or_create(
        kind=kind, subject=subject, finished_at=None,
        defaults={"inventory": dict(inventory), "asked_by": by if getattr(by, "pk", None) else None},
    )  # fmt: skip
    transaction.on_commit(nudge)
    return erasure


def nudge() -> None:
    from tenants import tasks

    send(tasks.erase)


def run_due() -> int:
    """Works on what is due until nothing is, or the time is up. Returns how many it worked on."""
    ends, count = time.monotonic() + LONGEST_RUN, 0
    while time.monotonic() < ends and (erasure := claim()):
        advance(erasure, ends)
        count += 1
    return count


def claim(now: datetime | None = None) -> Erasure | None:
    now = now or timezone.now()
    due = Erasure.objects.filter(finished_at=None, next_try_at__lte=now).order_by("next_try_at")
    for pk in due.values_list("pk", flat=True)[:20]:
        if Erasure.objects.filter(pk=pk, finished_at=None, next_try_at__lte=now).update(next_try_at=now + LEASE):
            return Erasure.objects.get(pk=pk)
    return None


def advance(erasure: Erasure, ends: float | None = None) -> None:
    """Takes the steps that are left, then looks whether anything is; settles the row whatever happens."""
    subject = subject_of(erasure)
    try:
        for name, step in subject.STEPS.items():
            if name in erasure.done:
                continue
            if ends is not None and time.monotonic() > ends:
                raise NotYetError(0)
            _take(erasure, name, step)
        _conclude(erasure, subject)
    except NotYetError as wait:
        _put_off(erasure, wait.seconds)
    except AdapterError as error:
        _fail(erasure, error.message, error.retry_after)
    except Exception as error:
        # A bug of ours must not hide: it is logged, shown to staff, and tried again, slower and slower.
        logger.exception("Erasing %s broke", erasure)
        _fail(erasure, f"Internal error ({type(error).__name__}); see the log.", None)


def _take(erasure: Erasure, name: str, step: Step) -> None:
    removed = step(erasure)
    erasure.done = [*erasure.done, name]
    erasure.report = {**erasure.report, name: erasure.report.get(name, 0) + removed}
    erasure.save(update_fields=["done", "report", "inventory"])


def _conclude(erasure: Erasure, subject: Subject) -> None:
    left = subject.leftovers(erasure)
    if left:
        # From the start: something was written after its step, or a store can't be asked.
        erasure.done = []
        _fail(erasure, "Still there: " + "; ".join(map(str, left)), None)
        return
    with transaction.atomic():
        subject.finished(erasure)
        erasure.finished_at, erasure.error, erasure.inventory = timezone.now(), "", {}
        if erasure.kind != Erasure.Kind.SHOP:  # a shop's id names nobody
            erasure.subject = hashed(erasure.subject)
        erasure.save()


def _put_off(erasure: Erasure, seconds: float) -> None:
    erasure.next_try_at, erasure.error = timezone.now() + timedelta(seconds=seconds), ""
    erasure.save(update_fields=["next_try_at", "error", "inventory", "report"])


def _fail(erasure: Erasure, message: str, retry_after: float | None) -> None:
    logger.warning("Erasing %s waits: %s", erasure, message)
    wait = retry_after or min(10.0 * 2.0 ** min(erasure.attempts, 10), LONGEST_WAIT)
    erasure.attempts += 1
    erasure.error = message[:2000]
    erasure.next_try_at = timezone.now() + timedelta(seconds=wait)
    erasure.save(update_fields=["attempts", "error", "next_try_at", "done", "inventory"])


def asked(store: str, look: Callable[[], Sequence[Left]]) -> list[Left]:
    """What `look` found in the store; a store that can't be asked counts as one that holds something."""
    try:
        return [one for one in look() if one.count]
    except AdapterError as error:
        return [Left(store=store, what=f"could not be asked ({error.message})", count=None)]
