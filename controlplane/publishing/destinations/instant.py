"""Instant: one entity a key (`products:{id}`, `tenants:{id}`), by our own ids."""

from collections.abc import Collection, Iterable
from functools import partial

from django.conf import settings

from controlplane.publishing import cells
from controlplane.publishing.delivery import Later, Outcome
from controlplane.publishing.destinations import isolate
from controlplane.publishing.documents import INSTANT, Entity, build

CLEAN_AGAIN = 60.0
"""Seconds until a cell that could not be cleaned of what has moved is tried again."""


def deliver(keys: list[str]) -> dict[str, Outcome]:
    built: dict[str, Entity] = build(INSTANT, keys)
    outcomes: dict[str, Outcome] = {}
    cleaned: dict[str, Outcome] = {}
    # Tenants first: a product's link needs its tenant, and a transaction with a dangling link is refused.
    for namespace in ("tenants", "products"):
        ours = [key for key in keys if key.startswith(f"{namespace}:")]
        for cell in settings.REALTIME_CELLS:
            here = [key for key in ours if key in built and built[key].cell == cell]
            gone = [key for key in ours if key not in built]
            elsewhere = [key for key in ours if key in built and built[key].cell != cell]
            outcomes |= isolate(partial(_put, cell, namespace, built), here) if here else {}
            outcomes |= isolate(partial(_delete, cell, namespace), gone) if gone else {}
            # A tenant may have moved: nothing of it stays behind.
            cleaned |= isolate(partial(_delete, cell, namespace), elsewhere) if elsewhere else {}
    # Another cell that is down fails nobody's document; it is only looked after again later.
    return {**dict.fromkeys(cleaned, Later(CLEAN_AGAIN)), **outcomes}


def _put(cell: str, namespace: str, built: dict[str, Entity], keys: Collection[str]) -> None:
    entities = {_id(key): built[key].attributes for key in keys}
    links = {_id(key): built[key].links for key in keys if built[key].links}
    cells.realtime(cell).put(namespace, entities, links)


def _delete(cell: str, namespace: str, keys: Iterable[str]) -> None:
    cells.realtime(cell).delete(namespace, [_id(key) for key in keys])


def _id(key: str) -> str:
    return key.partition(":")[2]


def stored_keys() -> set[str]:
    return {
        f"{namespace}:{id_}"
        for cell in settings.REALTIME_CELLS
        for namespace in ("tenants", "products")
        for id_ in cells.realtime(cell).ids(namespace, {})
    }
