"""The triples that make a row satisfy its conditions, where they are not the row's own.

The client runs the query again on what it is sent: without these no condition over a link would hold there.
"""

import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from controlplane.localcloud.instant.conditions import Compiler
from controlplane.localcloud.instant.forms import Condition, Leaf, leaves
from controlplane.localcloud.instant.triples import Store, Triple


class Found(NamedTuple):
    """`entities` are those that the paths lead through."""

    triples: list[Triple]
    entities: set[str]


class Paths:
    def __init__(self, store: Store, compiler: Compiler, etype: str, where: Iterable[Condition]) -> None:
        self.store = store
        self.compiler = compiler
        self.etype = etype
        self.leaves = [leaf for leaf in leaves(where) if not self._own(leaf)]

    def _own(self, leaf: Leaf) -> bool:
        attr = self.store.attrs.forward(self.etype, leaf.path[0])
        return len(leaf.path) == 1 and attr is not None and attr.cardinality == "one"

    def collect(self, rows: Sequence[str]) -> Found:
        """`rows` are the entities that satisfy the conditions."""
        found = Found([], set())
        for leaf in self.leaves:
            self._follow(leaf, self.etype, rows, found)
        return found

    def _follow(self, leaf: Leaf, etype: str, entities: Sequence[str], found: Found) -> None:
        if not entities or (leaf.op == "$isNull" and leaf.value and len(leaf.path) == 1):
            return  # what is not there has no triple
        attr, forward, sql = self.compiler.step(leaf, etype, entities)
        triples = [Triple(row[0], attr, json.loads(row[1]), row[2]) for row in self.store.rows(*sql)]
        found.triples.extend(triples)
        found.entities.update(triple.entity for triple in triples)
        target = attr.reverse_etype if forward else attr.etype
        if len(leaf.path) > 1 and target:
            there = {triple.value if forward else triple.entity for triple in triples}
            self._follow(leaf.beyond, target, sorted(there), found)
