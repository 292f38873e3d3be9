"""What the stores beside the database hold of a shop: how it goes, and what is left of it."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.conf import settings

from controlplane.adapters.errors import AdapterError
from controlplane.adapters.turso import TursoDatabase
from controlplane.publishing import cells
from controlplane.publishing.telemetry import TABLES, TelemetryStore
from storefront.documents import DocumentError, DomainRecord, domain_key, draft_key
from tenants.domains.looking import Budget
from tenants.erasing.machine import Left, NotYetError
from tenants.models import Domain, ReleasedHost

Inventory = Mapping[str, Any]
FEW = 40
"""Hosts that are looked up at Cloudflare one by one; of more the whole list is read."""

# --- KV ---


def _hosts(tenant_id: uuid.UUID, known: Inventory) -> set[str]:
    """Every host that was the shop's: what was noted, what is in the register, what is still here."""
    hosts = {host for host, _ in known.get("hosts", ())}
    hosts |= set(Domain.objects.filter(tenant=tenant_id).values_list("host", flat=True))
    return hosts | set(ReleasedHost.objects.filter(tenant_id=tenant_id).values_list("host", flat=True))


def keys_of(tenant_id: uuid.UUID, known: Inventory) -> dict[str, str]:
    """The keys in KV that carry the shop, with their values."""
    kv = cells.kv()
    wanted = {domain_key(host) for host in _hosts(tenant_id, known)}
    wanted |= {draft_key(token) for token in known.get("drafts", ())}
    found = {key: value for key, value in kv.get(sorted(wanted)).items() if _is_of(value, tenant_id)}
    return found | dict.fromkeys(kv.keys(f"redirect:{tenant_id}:"), "")


def _is_of(value: str, tenant_id: uuid.UUID) -> bool:
    """Whether a record is this shop's. Another shop may have taken the host; one that nobody reads counts as ours."""
    try:
        return DomainRecord.from_json(value).tenant.id == str(tenant_id)
    except DocumentError:
        return True


def erase_kv(tenant_id: uuid.UUID, known: Inventory) -> int:
    keys = keys_of(tenant_id, known)
    failed = cells.kv().delete(keys) if keys else {}
    for error in failed.values():
        raise error
    return len(keys)


def left_in_kv(tenant_id: uuid.UUID, known: Inventory) -> Sequence[Left]:
    keys = sorted(keys_of(tenant_id, known))
    shown = ", ".join(keys[:3])
    return [Left(store="Cloudflare KV", what=f"keys ({shown})", count=len(keys))]


# --- Instant ---

OWNED: Mapping[str, str] = {"cartItems": "cart.tenantId", "carts": "tenantId", "products": "tenantId", "tenants": "id"}
"""What belongs to a shop, and the attribute that says so; lines before their carts, products before their shop."""


def erase_instant(id_: uuid.UUID | str, owned: Mapping[str, str] = OWNED) -> int:
    count = 0
    for cell in settings.REALTIME_CELLS:
        app = cells.realtime(cell)
        for namespace, attribute in owned.items():
            ids = app.ids(namespace, {attribute: str(id_)})
            app.delete(namespace, ids)
            count += len(ids)
    return count


def left_in_instant(id_: uuid.UUID | str, owned: Mapping[str, str] = OWNED) -> Sequence[Left]:
    return [
        Left(store=f"Instant ({cell})", what=namespace, count=len(ids))
        for cell in settings.REALTIME_CELLS
        for namespace, attribute in owned.items()
        if (ids := cells.realtime(cell).ids(namespace, {attribute: str(id_)}))
    ]


# --- Turso: passages, their vectors and words; the chat's telemetry ---


def erase_turso(tenant_id: uuid.UUID, known: dict[str, Any]) -> int:
    """Notes the shop's number in each cell first: by it the words of passages are found, which know no shop."""
    count = 0
    for cell in settings.VECTOR_CELLS:
        store = cells.vectors(cell)
        numbers = known.setdefault("numbers", {}).setdefault(cell, [])
        found = _numbers(cells.vector_database(cell), tenant_id)
        known["numbers"][cell] = sorted({*numbers, *found})
        count += store.count(str(tenant_id))
        store.delete_tenant(str(tenant_id))
    return count


def _numbers(database: TursoDatabase, tenant_id: uuid.UUID) -> list[int]:
    rows = database.execute("SELECT number FROM tenant_number WHERE tenant_id = ?", [str(tenant_id)])
    return [int(row[0] or 0) for row in rows]


def left_in_turso(tenant_id: uuid.UUID, known: Inventory) -> Sequence[Left]:
    left = []
    for cell in settings.VECTOR_CELLS:
        cells.vectors(cell)  # its schema
        database = cells.vector_database(cell)
        counts = {
            table: count_of(database, f"SELECT count(*) FROM {table} WHERE tenant_id = ?", [str(tenant_id)])  # noqa: S608
            for table in ("chunk", "chunk_vec", "tenant_number")
        }
        numbers = {*known.get("numbers", {}).get(cell, ()), *_numbers(database, tenant_id)}
        words = "SELECT count(*) FROM chunk_fts WHERE rowid BETWEEN ? AND ?"
        counts["chunk_fts"] = sum(count_of(database, words, [one << 32, one << 32 | 0xFFFFFFFF]) for one in numbers)
        left += [Left(store=f"Turso ({cell})", what=f"rows of {table}", count=n) for table, n in counts.items()]
    return left


def count_of(database: TursoDatabase, sql: str, values: list[Any]) -> int:
    return int(database.execute(sql, values)[0][0] or 0)


def erase_telemetry(tenant_id: uuid.UUID) -> int:
    count = sum(one.count or 0 for one in left_in_telemetry(tenant_id))
    TelemetryStore(cells.telemetry()).delete_tenant(str(tenant_id))
    return count


def left_in_telemetry(tenant_id: uuid.UUID) -> Sequence[Left]:
    database = cells.telemetry()
    return [
        Left(
            store="Telemetry", what=f"rows of {table}",
            count=count_of(database, f"SELECT count(*) FROM {table} WHERE tenant_id = ?", [str(tenant_id)]),  # noqa: S608
        )
        for table in TABLES
    ]  # fmt: skip


# --- custom hostnames ---


def own_hosts(tenant_id: uuid.UUID, known: Inventory) -> dict[str, str]:
    """The shop's own hosts, with the vendor's id where it is known; not those that another shop has proven since."""
    platform = f".{settings.PLATFORM_DOMAIN}"
    ids = {host: id_ for host, id_ in known.get("hosts", ()) if id_}
    hosts = {host: ids.get(host, "") for host in _hosts(tenant_id, known) if not host.endswith(platform)}
    others = Domain.objects.filter(host__in=hosts).exclude(tenant=tenant_id).exclude(proven_at=None)
    for host in others.values_list("host", flat=True):
        hosts.pop(host)
    return hosts


def at_the_vendor(hosts: Iterable[str]) -> dict[str, str]:
    """Of these hosts those that Cloudflare has, with their ids; within the budget of requests."""
    wanted, budget = set(hosts), Budget()
    if len(wanted) > FEW:
        pages = (page for page in cells.hostnames().pages() if _granted(budget))  # a request each
        return {one.host: one.id for page in pages for one in page if one.host in wanted}
    found = {}
    for host in sorted(wanted):
        if _granted(budget) and (one := cells.hostnames().find(host)):
            found[host] = one.id
    return found


def _granted(budget: Budget) -> bool:
    if not budget.take():
        raise NotYetError(30)
    return True


def erase_hostnames(tenant_id: uuid.UUID, known: Inventory) -> int:
    found, budget = at_the_vendor(own_hosts(tenant_id, known)), Budget()
    for id_ in found.values():
        if _granted(budget):
            cells.hostnames().delete(id_)
    return len(found)


def left_at_the_vendor(tenant_id: uuid.UUID, known: Inventory) -> Sequence[Left]:
    try:
        found = sorted(at_the_vendor(own_hosts(tenant_id, known)))
    except NotYetError:
        raise AdapterError("the requests of these five minutes are used up", permanent=False) from None
    return [Left(store="Custom hostnames", what=f"hostnames ({', '.join(found[:3])})", count=len(found))]
