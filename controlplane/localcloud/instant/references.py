"""`data.ref('cart.ownerId')`: the values at the end of a path of links, for many entities in one go."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from controlplane.localcloud.instant.cel.evaluation import EvaluationError
from controlplane.localcloud.instant.forms import link_of
from controlplane.localcloud.instant.triples import Store


class References:
    """Reads as of now and remembers: use one for each state of the data."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._known: dict[tuple[str, str, str], list[Any]] = {}

    def get(self, etype: str, entity: str, path: str) -> list[Any]:
        """Raises an EvaluationError for a path that does not exist."""
        if (etype, entity, path) not in self._known:
            self.load(etype, [entity], path)
        return self._known[etype, entity, path]

    def load(self, etype: str, entities: Iterable[str], path: str) -> None:
        """Reads one path for all these entities, so that `get` needs no query for any of them."""
        ends = {entity: [entity] for entity in entities if (etype, entity, path) not in self._known}
        *links, label = path.split(".")
        at = etype
        for link in links:
            at, found = self._follow(at, link, {one for many in ends.values() for one in many}, path)
            ends = {entity: [end for one in many for end in found.get(one, ())] for entity, many in ends.items()}
        values = self._values(at, label, {one for many in ends.values() for one in many}, path)
        for entity, many in ends.items():
            self._known[etype, entity, path] = [value for one in many for value in values.get(one, ())]

    def _follow(self, etype: str, link: str, entities: set[str], path: str) -> tuple[str, Mapping[str, list[str]]]:
        found = link_of(self.store.attrs, etype, link)
        if found is None or not found[0].is_ref or found[0].reverse_etype is None:
            raise _unknown(etype, link, path)
        attr, forward = found
        mine, other = ("entity", "key") if forward else ("key", "entity")
        ends: dict[str, list[str]] = {}
        sql = (
            f"SELECT {mine}, {other} FROM triple WHERE is_ref AND attr = ?"  # noqa: S608 - constants
            f" AND {mine} IN (SELECT value FROM json_each(?))"
        )
        for here, there in self.store.rows(sql, (self.store.no[attr.id], json.dumps(sorted(entities)))):
            ends.setdefault(here, []).append(there)
        return (attr.reverse_etype or "") if forward else attr.etype, ends

    def _values(self, etype: str, label: str, entities: set[str], path: str) -> Mapping[str, list[Any]]:
        if label == "id" and self.store.attrs.forward(etype, "id"):
            existing = self.store.existing(etype, entities)
            return {entity: [entity] for entity in existing}
        found = link_of(self.store.attrs, etype, label)
        if found is None:
            raise _unknown(etype, label, path)
        attr, forward = found
        if attr.is_ref:
            return self._follow(etype, label, entities, path)[1]
        assert forward
        triples = self.store.triples(sorted(entities), [attr])
        return {entity: [t.value for t in found if t.value is not None] for entity, found in triples.items()}


def _unknown(etype: str, label: str, path: str) -> EvaluationError:
    return EvaluationError(f"ref('{path}'): there is no `{label}` on `{etype}`", "ATTRIBUTE_NOT_FOUND")
