"""A shop leaves: its hosts first (hostname, record, quarantine), then the stores, its files, and the database last."""

import itertools
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.db import models
from django.db.models.deletion import ProtectedError, RestrictedError
from django.utils import timezone

from controlplane.adapters.errors import AdapterError
from controlplane.publishing.models import StaleDocument
from tenants.audit.entries import AuditEntry
from tenants.domains.reconciling import Run
from tenants.domains.states import State
from tenants.erasing import files as shelves
from tenants.erasing import history as log
from tenants.erasing import letters, stores
from tenants.erasing.machine import Left, NotYetError, Step, asked
from tenants.models import ClosedShop, Domain, Erasure, Tenant
from tenants.models.closing import inventory_of
from tenants.moderation import forgetting

A_STEP = 500
HOSTS_A_RUN = 100


def _id(erasure: Erasure) -> uuid.UUID:
    return uuid.UUID(erasure.subject)


def domains(erasure: Erasure) -> int:
    """Lets the shop's own hosts go as when their merchant takes them down: that keeps the order, and the quarantine."""
    own = Domain.objects.filter(tenant=_id(erasure), is_platform=False, retires_at=None)
    for row in own.exclude(state=State.REMOVING).select_related("tenant")[:HOSTS_A_RUN]:
        row.remove()
    rows = list(own.filter(state=State.REMOVING).select_related("tenant")[:HOSTS_A_RUN])
    if rows:
        Run().reconcile(rows)
    kept = own.filter(pk__in=[row.pk for row in rows]).count()
    if kept:
        raise AdapterError(f"{kept} custom hostnames could not be removed yet.", permanent=False, retry_after=30)
    if own.exists():
        raise NotYetError(1)
    return len(rows)


def kv(erasure: Erasure) -> int:
    return stores.erase_kv(_id(erasure), erasure.inventory)


def instant(erasure: Erasure) -> int:
    return stores.erase_instant(_id(erasure))


def turso(erasure: Erasure) -> int:
    return stores.erase_turso(_id(erasure), erasure.inventory)


def telemetry(erasure: Erasure) -> int:
    return stores.erase_telemetry(_id(erasure))


def files(erasure: Erasure) -> int:
    return shelves.erase(_id(erasure))


def history(erasure: Erasure) -> int:
    return forget_history(_id(erasure)) + forgetting.forget(_id(erasure))


def database(erasure: Erasure) -> int:
    """Its large tables in small transactions, then the shop itself with all the rest in one."""
    tenant = Tenant.objects.filter(pk=_id(erasure)).first()
    if tenant is None:
        return 0
    count = 0
    for rows in _of_shop(tenant.pk):
        if rows.model is Domain:
            continue  # they go with the shop, whose deletion keeps them from others
        while ids := list(rows.order_by().values_list("pk", flat=True)[:A_STEP]):
            try:
                count += rows.model._default_manager.filter(pk__in=ids).delete()[0]
            except (ProtectedError, RestrictedError):
                break  # something of the shop still needs them: it goes with it
    return count + tenant.delete()[0]


def hostnames(erasure: Erasure) -> int:
    """What a shop that was deleted at a stroke left at the vendor."""
    return stores.erase_hostnames(_id(erasure), erasure.inventory)


def outbox(erasure: Erasure) -> int:
    """The database's deletion marked everything stale; the workers make sure once more that it is gone."""
    if StaleDocument.objects.filter(tenant=_id(erasure)).exists():
        raise NotYetError(5)
    return 0


STEPS: Mapping[str, Step] = {
    step.__name__: step
    for step in (domains, kv, instant, turso, telemetry, files, history, database, hostnames, outbox)
}


def leftovers(erasure: Erasure) -> list[Left]:
    return leftovers_of(_id(erasure), erasure.inventory)


def leftovers_of(tenant_id: uuid.UUID, known: Mapping[str, Any]) -> list[Left]:
    """What is left of a shop in every store; empty only if each was asked and holds nothing."""
    return [
        *asked("Database", lambda: left_in_database(tenant_id)),
        *asked("Cloudflare KV", lambda: stores.left_in_kv(tenant_id, known)),
        *asked("Custom hostnames", lambda: stores.left_at_the_vendor(tenant_id, known)),
        *asked("Instant", lambda: stores.left_in_instant(tenant_id)),
        *asked("Turso", lambda: stores.left_in_turso(tenant_id, known)),
        *asked("Telemetry", lambda: stores.left_in_telemetry(tenant_id)),
        *asked("Files", lambda: left_in_files(tenant_id)),
    ]


def known(tenant_id: uuid.UUID) -> dict[str, Any]:
    """What an erasure under way has noted, or what the database says while the shop is there."""
    under_way = Erasure.objects.filter(kind="shop", subject=str(tenant_id), finished_at=None).first()
    if under_way is not None:
        return dict(under_way.inventory)
    shop = Tenant.objects.filter(pk=tenant_id).first()
    return inventory_of(shop) if shop else {}


def left_in_database(tenant_id: uuid.UUID) -> Sequence[Left]:
    shop = Tenant.objects.filter(pk=tenant_id)
    counts = {str(Tenant._meta.verbose_name): shop.count()}
    counts |= {str(rows.model._meta.verbose_name_plural): rows.count() for rows in _of_shop(tenant_id)}
    counts["documents to deliver"] = StaleDocument.objects.filter(tenant=tenant_id).count()
    # Entries about its products can't be told from others' once these are gone.
    counts["entries of the history"] = log.of_shop(tenant_id).count() + log.about(Tenant, tenant_id).count()
    return [Left(store="Database", what=what, count=count) for what, count in counts.items()]


def left_in_files(tenant_id: uuid.UUID) -> Sequence[Left]:
    found = [name for _, name in shelves.files_of(tenant_id)]
    return [Left(store="Files", what=f"files ({', '.join(found[:3])})", count=len(found))]


def finished(erasure: Erasure) -> None:
    """The tombstone keeps when and how much, nothing that names anybody; the former owners are told."""
    now = timezone.now()
    ClosedShop.objects.filter(pk=_id(erasure)).update(
        state=ClosedShop.State.ERASED, erased_at=now, by=None, report=erasure.report
    )
    letters.erased(erasure.inventory)


# --- the database's rows ---


def _of_shop(tenant_id: uuid.UUID) -> Iterator[models.QuerySet[Any]]:
    """The rows of every model that belongs to the shop, whatever app adds one."""
    relations: Any = Tenant._meta.get_fields(include_hidden=True)
    for relation in relations:
        model: Any = relation.related_model
        if relation.auto_created and not relation.concrete and model not in (StaleDocument, AuditEntry):
            yield model._base_manager.filter(**{relation.remote_field.name: tenant_id})


def forget_history(tenant_id: uuid.UUID) -> int:
    count = log.forget_shop(tenant_id)
    for owned in (Tenant.objects.filter(pk=tenant_id), *_of_shop(tenant_id)):
        ids = owned.order_by().values_list("pk", flat=True).iterator(chunk_size=A_STEP)
        while some := list(itertools.islice(ids, A_STEP)):
            count += log.forget_objects(owned.model, some)
    return count
