"""Entities as they are read most: all their cardinality-one triples, parsed and as JSON, kept until they are written.

A page of products is read again after each change of one of them: all the others are here.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from controlplane.localcloud.instant.triples import Store, Triple

CAPACITY = 20_000  # entities, some kilobytes each


class Record:
    def __init__(self, triples: "list[Triple]") -> None:
        self.triples = triples

    @cached_property
    def json(self) -> list[str]:
        """The triples as the wire has them."""
        return [triple.json for triple in self.triples]

    @cached_property
    def data(self) -> dict[str, Any]:
        return {triple.attr.label: triple.value for triple in self.triples}


class Records:
    def __init__(self, store: "Store") -> None:
        self._store = store
        self._kept: dict[str, dict[str, Record]] = defaultdict(dict)

    def get(self, etype: str, entities: Sequence[str]) -> dict[str, Record]:
        """By entity; one that does not exist is not in it."""
        found = {entity: kept[etype] for entity in entities if (kept := self._kept.get(entity)) and etype in kept}
        missing = [entity for entity in entities if entity not in found]
        if missing:
            attrs = [attr for attr in self._store.attrs.of(etype) if attr.cardinality == "one"]
            read = {entity: Record(triples) for entity, triples in self._store.triples(missing, attrs).items()}
            found.update(read)
            self._keep(etype, read)
        return found

    def _keep(self, etype: str, records: dict[str, Record]) -> None:
        if self._store.db.in_transaction:
            return  # what a transaction sees may never come to be
        if len(self._kept) > CAPACITY:
            self._kept.clear()
        for entity, record in records.items():
            self._kept[entity][etype] = record

    def forget(self, entities: Iterable[str]) -> None:
        for entity in entities:
            self._kept.pop(entity, None)

    def clear(self) -> None:
        self._kept.clear()
