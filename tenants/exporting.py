"""Puts everything of a shop into one ZIP for its owners: written piece by piece, so that no shop is too large.

`Export.next_try_at` is the lease of whoever builds it. The apps add their parts by settings.EXPORT_PARTS.
"""

import dataclasses
import json
import logging
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.files import File
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models, transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from controlplane.publishing.tasks import send
from tenants.erasing import letters
from tenants.models import Export, Tenant
from tenants.models.closing import LINK_LASTS

logger = logging.getLogger(__name__)

LONGEST = 1_800
"""Seconds that one copy may take."""
LEASE = timedelta(seconds=LONGEST + 120)
MOST_TRIES = 3
OPEN = (Export.State.WAITING, Export.State.RUNNING)


@dataclasses.dataclass(frozen=True)
class Part:
    """One file in the ZIP; its bytes are asked for one piece after another."""

    path: str
    pieces: Iterable[bytes]


def ask(tenant: Tenant, by: Any) -> Export:
    """A copy, soon. One that is under way already is not begun twice."""
    with transaction.atomic():
        under_way: Export | None = Export.objects.filter(tenant=tenant, state__in=OPEN).first()
        if under_way:
            return under_way
        made = Export.objects.create(tenant=tenant, by=by if getattr(by, "pk", None) else None)
        transaction.on_commit(nudge)
    return made


def nudge() -> None:
    from tenants import tasks

    send(tasks.build_exports)


def run_due() -> int:
    """Builds every copy that is asked for. Returns how many are ready."""
    ready = 0
    while export := claim():
        ready += build(export)
    return ready


def claim(now: datetime | None = None) -> Export | None:
    now = now or timezone.now()
    due = Export.objects.filter(state__in=OPEN, next_try_at__lte=now).order_by("next_try_at")
    for pk in due.values_list("pk", flat=True)[:20]:
        mine = Export.objects.filter(pk=pk, state__in=OPEN, next_try_at__lte=now)
        if mine.update(next_try_at=now + LEASE, state=Export.State.RUNNING, attempts=models.F("attempts") + 1):
            return Export.objects.select_related("tenant", "by").get(pk=pk)
    return None


def build(export: Export) -> bool:
    try:
        with tempfile.NamedTemporaryFile(prefix="export-", suffix=".zip") as file:
            write(export.tenant, file)
            export.size = file.tell()
            file.seek(0)
            export.file.save("", File(file), save=False)
    except Exception:  # a full disk, a bug of ours: tried again, then shown as failed
        logger.exception("The copy %s could not be made", export.pk)
        _put_off(export)
        return False
    now = timezone.now()
    export.state, export.ready_at, export.expires_at = Export.State.READY, now, now + LINK_LASTS
    with transaction.atomic():
        export.save()
        letters.export_ready(export.tenant, export.by.email if export.by else "", export.expires_at)
    return True


def _put_off(export: Export) -> None:
    over = export.attempts >= MOST_TRIES
    Export.objects.filter(pk=export.pk).update(
        state=Export.State.FAILED if over else Export.State.WAITING,
        next_try_at=timezone.now() + timedelta(minutes=export.attempts),
    )


def write(tenant: Tenant, file: Any) -> None:
    """The ZIP of the shop into `file`."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as archive:
        for path in settings.EXPORT_PARTS:
            for part in import_string(path)(tenant):
                with archive.open(part.path, "w", force_zip64=True) as entry:
                    for piece in part.pieces:
                        entry.write(piece)


def forget_old(now: datetime | None = None) -> int:
    """Removes copies whose link has ended, file first. Returns how many."""
    old = Export.objects.filter(expires_at__lte=now or timezone.now())
    count = 0
    for export in old:
        export.file.delete(save=False)
        export.delete()
        count += 1
    failed = Export.objects.filter(state=Export.State.FAILED, asked_at__lte=(now or timezone.now()) - LINK_LASTS)
    return count + failed.delete()[0]


# --- what parts are made of ---


def rows_as_json(rows: models.QuerySet[Any], shape: Any = None) -> Iterator[bytes]:
    """A JSON array, a row a line, each shaped by `shape` (all its fields by default)."""
    separator = b"[\n"
    for row in rows.iterator(chunk_size=500):
        yield separator + as_json((shape or fields_of)(row))
        separator = b",\n"
    yield b"[]\n" if separator == b"[\n" else b"\n]\n"


def as_json(value: Any) -> bytes:
    return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False).encode()


HIDDEN = {"tenant", "tenant_id", "token", "vector"}
"""What is the same everywhere in a copy, or nobody's but ours."""


def fields_of(row: models.Model, *without: str) -> dict[str, Any]:
    return {
        field.name: field.value_from_object(row)
        for field in row._meta.concrete_fields
        if field.name not in HIDDEN.union(without) and not isinstance(field, models.BinaryField)
    }
