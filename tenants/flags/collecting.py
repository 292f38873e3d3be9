"""Brings shoppers' reports home from the edge's telemetry database and makes flags of them.

Rows are copied first and deleted afterwards; one that is copied twice stays one. What a shopper typed is data of any
shape: it is cut and cleaned, never trusted, and a shop that does not exist has no reports.
"""

import dataclasses
import logging
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from controlplane.adapters.turso import Row
from controlplane.publishing import cells
from controlplane.publishing.telemetry import delete_rows, text_of, time_of
from tenants.models import Flag, Report, Tenant

logger = logging.getLogger(__name__)

ROWS = 500
MOST_ROUNDS = 40
MOST_PAGES = 50
"""Unfinished flags of a shop by shoppers; reports of yet other pages become one of the whole shop."""
MOST_KEPT = 200
"""Reports of one flag that are kept with their words; the others are only counted."""
REASONS = frozenset({"illegal", "scam", "counterfeit", "privacy", "offensive", "other"})


@dataclasses.dataclass(frozen=True, kw_only=True)
class Collected:
    id: uuid.UUID
    tenant_id: uuid.UUID
    reason: str
    page: str
    text: str
    email: str
    lang: str
    reporter: str
    at: datetime


def collect() -> int:
    """Returns how many reports were new. Raises AdapterError; what was copied by then stays copied."""
    database = cells.telemetry()
    new = 0
    for _ in range(MOST_ROUNDS):
        rows = list(database.execute("SELECT * FROM report ORDER BY at, id LIMIT ?", [ROWS]))
        if not rows:
            break
        new += keep(rows)
        delete_rows(database, "report", "id", [row["id"] for row in rows])
    Report.forget_addresses()
    return new


@transaction.atomic
def keep(rows: Sequence[Row]) -> int:
    found = [one for row in rows if (one := read(row.asdict())) is not None]
    if len(found) < len(rows):
        logger.warning("%s reports could not be read and are dropped", len(rows) - len(found))
    shops = {shop.pk: shop for shop in Tenant.objects.filter(pk__in={one.tenant_id for one in found})}
    known = set(Report.objects.filter(pk__in=[one.id for one in found]).values_list("pk", flat=True))
    fresh = [one for one in found if one.tenant_id in shops and one.id not in known]
    # In one order, so that two of these tasks never wait for each other's flags.
    fresh.sort(key=lambda one: (one.tenant_id, one.page, one.reason, one.at))
    for one in fresh:
        put(shops[one.tenant_id], one)
    return len(fresh)


def put(tenant: Tenant, one: Collected) -> None:
    page = one.page if _has_room(tenant, one.page) else ""
    flag, created = Flag.put(
        tenant, merge=("shopper", page, one.reason), source=Flag.Source.SHOPPER, kind=one.reason, subject="page",
        path=page or "Several pages of the shop", excerpt=one.text[:1000], created_at=one.at, updated_at=one.at,
    )  # fmt: skip
    earlier = Report.objects.filter(flag=flag, reporter=one.reporter).first()
    if earlier is not None:
        _say_again(flag, earlier, one)
        return
    if flag.reports.count() < MOST_KEPT:
        words = {"text": one.text, "email": one.email, "lang": one.lang, "at": one.at}
        Report.objects.create(id=one.id, flag=flag, reporter=one.reporter, **words)
    if not created:
        flag.again(one.at)


def _say_again(flag: Flag, earlier: Report, one: Collected) -> None:
    """The same person about the same thing: one report, with what they said last; it does not weigh more."""
    if one.at <= earlier.at:
        return
    earlier.text, earlier.email, earlier.at = one.text or earlier.text, one.email or earlier.email, one.at
    earlier.save(update_fields=["text", "email", "at"])
    flag.again(one.at, counted=False)


def _has_room(tenant: Tenant, page: str) -> bool:
    """Whether a flag for this page is there or may be made: addresses can be invented without end."""
    open_ones = Flag.objects.unfinished().filter(tenant=tenant, source=Flag.Source.SHOPPER)
    return open_ones.filter(path=page).exists() or open_ones.count() < MOST_PAGES


def read(row: Mapping[str, Any]) -> Collected | None:
    """None for a row that no report can be made of."""
    try:
        reason = str(row["reason"])
        return Collected(
            id=uuid.UUID(str(row["id"])),
            tenant_id=uuid.UUID(str(row["tenant_id"])),
            reason=reason if reason in REASONS else "other",
            page=text_of(row["page"], 300),
            text=text_of(row["text"], 1000),
            email=text_of(row["email"], 254),
            lang=text_of(row["lang"], 16),
            reporter=text_of(row["reporter"], 64) or str(row["id"]),
            at=time_of(row["at"], timezone.now()),
        )
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return None
