"""Reading a merchant's files and pages into knowledge.

`due_at` says when a source wants attention, and is the lease of whoever reads it: a worker that dies leaves a row that
falls due again. A source changes once, at the end, or not at all.
"""

import uuid
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from chat.models import KnowledgeSource, Upload
from chat.reading import MAX_BYTES, Text, UnreadableError
from chat.reading.apart import read_apart
from controlplane.adapters.public_addresses import is_public, resolve
from controlplane.adapters.web_pages import Page, PageError, Web
from controlplane.localcloud import defaults
from tenants.flags import checking
from tenants.models import Tenant
from tenants.plans import make_room

LEASE = timedelta(minutes=5)
Kind, Reading = KnowledgeSource.Kind, KnowledgeSource.Reading


@transaction.atomic
def accept_file(tenant: Tenant, name: str, data: bytes) -> KnowledgeSource:
    """Takes a file to be read soon. A file of the same name is replaced: its text stays until the new one is read.

    Raises PlanLimitError where the shop's plan has no room for another one.
    """
    assert len(data) <= MAX_BYTES  # the form says so
    now = timezone.now()
    source = KnowledgeSource.objects.filter(tenant=tenant, kind=Kind.FILE, file_name=name).first()
    if source is None:
        source = KnowledgeSource(tenant=tenant, kind=Kind.FILE, file_name=name, title=_title_of(name))
    source.reading, source.error, source.due_at = Reading.QUEUED, "", now
    source.save()
    Upload.objects.update_or_create(source=source, defaults={"data": data})
    _read_soon([source.pk])
    return source


def _title_of(name: str) -> str:
    return " ".join((name.rpartition(".")[0] or name).replace("_", " ").split())[:200] or name[:200]


@transaction.atomic
def accept_pages(tenant: Tenant, urls: Sequence[str], refresh: str) -> list[KnowledgeSource]:
    """Takes pages to be read soon; a page that is known already is read again, on the new schedule.

    Raises PlanLimitError where the shop's plan has no room for all of them; then none is taken.
    """
    known = {one.url: one for one in KnowledgeSource.objects.filter(tenant=tenant, kind=Kind.PAGE, url__in=urls)}
    if new := set(urls) - set(known):
        make_room(tenant.pk, KnowledgeSource.counted_as, len(new))
    sources = []
    for url in dict.fromkeys(urls):
        source = known.get(url) or KnowledgeSource(tenant=tenant, kind=Kind.PAGE, url=url, title=url[:200])
        source.refresh, source.reading, source.error, source.due_at = refresh, Reading.QUEUED, "", timezone.now()
        source.save()
        sources.append(source)
    _read_soon([source.pk for source in sources])
    return sources


def read_again(sources: Iterable[KnowledgeSource]) -> int:
    """Pages only: a file's bytes are gone once it was read. Returns how many."""
    ids = [source.pk for source in sources if source.kind == Kind.PAGE]
    KnowledgeSource.objects.filter(pk__in=ids).update(reading=Reading.QUEUED, due_at=timezone.now())
    transaction.on_commit(lambda: _send(ids))
    return len(ids)


def due() -> list[uuid.UUID]:
    rows = KnowledgeSource.objects.filter(due_at__lte=timezone.now()).order_by("due_at")
    return list(rows.values_list("pk", flat=True)[:50])


def read_source(pk: uuid.UUID) -> None:
    """Reads one source if it is due and nobody else does."""
    now = timezone.now()
    claimed = KnowledgeSource.objects.filter(pk=pk, due_at__lte=now)
    if not claimed.update(due_at=now + LEASE, reading=Reading.RUNNING):
        return
    source = KnowledgeSource.objects.get(pk=pk)
    try:
        found = _read_page(source) if source.kind == Kind.PAGE else _read_file(source)
        texts = _checked(source, found)
    except (UnreadableError, PageError) as error:
        _settle(source, {"reading": Reading.FAILED, "error": str(error)[:300]})
    else:
        _settle(source, {"reading": Reading.DONE, "error": "", "read_at": timezone.now(), **found})
        checking.flag(source.tenant_id, texts)


def _checked(source: KnowledgeSource, found: dict[str, Any]) -> list[checking.Text]:
    """The texts that go live. Raises UnreadableError for words that are not allowed: the last good text stays."""
    if source.status != KnowledgeSource.Status.ACTIVE or not found:
        return []
    read = KnowledgeSource(pk=source.pk, title=found.get("title", source.title), body=found["body"], url=source.url)
    if complaint := checking.complaint(source.tenant, read.texts):
        raise UnreadableError(complaint)
    return read.texts


def _read_file(source: KnowledgeSource) -> dict[str, Any]:
    upload = Upload.objects.filter(source=source).first()
    if upload is None:
        raise UnreadableError("The file is no longer here. Upload it again.")
    return {"body": read_apart(source.file_name, bytes(upload.data)).body}


def _read_page(source: KnowledgeSource) -> dict[str, Any]:
    known = {"etag": source.etag, "last_modified": source.last_modified} if source.body else {}
    page: Page | None = web().fetch(source.url, **known)
    if page is None:
        return {}
    text: Text = read_apart(f"page{page.kind}", page.data)
    named = source.title != source.url[:200] or text.title == "page"
    return {
        "body": text.body,
        "title": source.title if named else text.title,
        "etag": page.etag,
        "last_modified": page.last_modified,
    }


def _settle(source: KnowledgeSource, found: dict[str, Any]) -> None:
    """Writes what differs, so that an unchanged page marks nothing stale; the uploaded bytes have done their duty."""
    found["due_at"] = source.next_reading(timezone.now())
    changed = {name: value for name, value in found.items() if getattr(source, name) != value}
    with transaction.atomic():
        # Not if its lease is no longer ours: the merchant has brought a newer file meanwhile.
        if KnowledgeSource.objects.filter(pk=source.pk, due_at=source.due_at).update(**changed):
            Upload.objects.filter(source=source).delete()


def web() -> Web:
    """The public web; on a developer's machine also the demo's own shops."""
    if not settings.LOCAL:
        return Web()
    return Web(
        allows=lambda address: is_public(address) or address.is_loopback,
        resolver=_resolve_locally,
        ports=frozenset({80, 443, defaults.EDGE_PORT}),
    )


async def _resolve_locally(host: str, port: int) -> list[str]:
    return ["127.0.0.1"] if host.endswith(".localhost") else await resolve(host, port)


def _read_soon(ids: Sequence[uuid.UUID]) -> None:
    transaction.on_commit(lambda: _send(ids))


def _send(ids: Sequence[uuid.UUID]) -> None:
    from chat import tasks

    tasks.send_readings(ids)
