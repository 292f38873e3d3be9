"""A publish followed to the end: queued, stored in KV, seen at the edge, with the time each took."""

import dataclasses
import json
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from controlplane.adapters.errors import AdapterError
from controlplane.publishing import cells
from controlplane.publishing.documents import KV
from controlplane.publishing.models import StaleDocument, StaleDocumentQuerySet
from storefront.documents import ACTIVE, domain_key
from tenants.documents import domain_records
from tenants.models import Landing, Revision
from tenants.slugs import host_of

STUCK = timedelta(seconds=90)
"""KV may take 60 seconds until every place in the world reads a new value, and the edge keeps one for 30."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Receipt:
    """Seconds are counted from the moment of publishing; None: not yet."""

    number: int
    stored_after: float | None
    seen_after: float | None
    problem: str = ""
    can_retry: bool = False

    @property
    def done(self) -> bool:
        return self.seen_after is not None

    def to_json(self) -> dict[str, Any]:
        return {**dataclasses.asdict(self), "done": self.done}


def receipt_of(landing: Landing) -> Receipt | None:
    """Looks where what is live has got to, and notes what is new. None where nothing is live."""
    revision = landing.live
    if revision is None or revision.published_at is None:
        return None
    problem, can_retry = _look(landing, revision) if revision.seen_at is None else ("", False)
    return Receipt(
        number=revision.number, problem=problem, can_retry=can_retry,
        stored_after=_seconds(revision.published_at, revision.stored_at),
        seen_after=_seconds(revision.published_at, revision.seen_at),
    )  # fmt: skip


def _seconds(since: datetime, then: datetime | None) -> float | None:
    return None if then is None else round((then - since).total_seconds(), 2)


def _look(landing: Landing, revision: Revision) -> tuple[str, bool]:
    """What keeps the page from being seen, in a sentence or "", and whether a retry by hand can help."""
    if landing.tenant.status != ACTIVE:
        return f"The shop is {landing.tenant.get_status_display().lower()}: shoppers see no page.", False
    waiting = waiting_of(landing).first()
    if waiting is not None:
        if waiting.parked_at is not None:
            return waiting.error, True
        return (f"Trying again: {waiting.error}", True) if waiting.error else ("", False)
    if revision.stored_at is None:
        _note(revision, "stored_at")
    return _look_at_edge(host_of(landing.tenant.slug), revision), False


def _look_at_edge(host: str, revision: Revision) -> str:
    try:
        shown = cells.edge().revision(host)
    except AdapterError as error:
        return error.message
    if shown == json.loads(domain_records([host])[host])["revision"]:
        _note(revision, "seen_at")
        return ""
    if revision.stored_at is not None and timezone.now() - revision.stored_at > STUCK:
        return "The edge still shows the page before. It asks again by itself; if it stays so, tell us."
    return ""


def _note(revision: Revision, field: str) -> None:
    now = timezone.now()
    Revision.objects.filter(pk=revision.pk, **{field: None}).update(**{field: now})
    setattr(revision, field, now)


def waiting_of(landing: Landing) -> StaleDocumentQuerySet:
    return StaleDocument.objects.filter(destination=KV, key=domain_key(host_of(landing.tenant.slug)))
