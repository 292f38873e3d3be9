"""What an answer was read from, and whether a write may change it (server: reactive/invalidator.clj, topics.clj).

A write touches entities. An answer is looked up by what it reads: by entity; by *bucket*, an attribute and one of its
values (all products with this `tenantId`); or, where no equality narrows it, by namespace. A touched entity in a bucket
still changes nothing unless the answer shows it or the write changed an attribute that decides what the answer holds.
"""

import dataclasses
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from controlplane.localcloud.instant.attrs import Attr, Attrs
from controlplane.localcloud.instant.forms import AllOf, Condition, Leaf, leaves, link_of
from controlplane.localcloud.instant.values import Key, as_uuid, fits, key_of

Bucket = tuple[int, Key]  # an attribute's number and a value's key


@dataclasses.dataclass
class Touch:
    """What a transaction did to one entity: `buckets` are those that it was in before or is in now."""

    entity: str
    attrs: set[int] = dataclasses.field(default_factory=set)
    namespaces: set[str] = dataclasses.field(default_factory=set)
    buckets: set[Bucket] = dataclasses.field(default_factory=set)


class Topics(NamedTuple):
    entities: set[str]
    buckets: set[Bucket]
    namespaces: set[str]

    def width(self) -> tuple[bool, int]:
        """How much lies under these topics: half of everything, where it is a flag, else by their number."""
        return any(isinstance(key, bool) for _, key in self.buckets), len(self.entities) + len(self.buckets)


class Reads:
    """Filled while a query runs. `no` numbers the attributes.

    `shown` are the entities whose triples the answer holds. `decisive` are the attributes that say which entities those
    are; `opaque` the namespaces of which any attribute may.
    """

    def __init__(self, attrs: Attrs, no: dict[str, int]) -> None:
        self._attrs = attrs
        self._no = no
        self.topics = Topics(set(), set(), set())
        self.shown: set[str] = set()
        self.decisive: set[int] = set()
        self.opaque: set[str] = set()

    def concerns(self, touch: Touch) -> bool:
        """Whether a touch that was found by topic may change the answer."""
        if touch.entity in self.shown or touch.entity in self.topics.entities:
            return True
        return not self.decisive.isdisjoint(touch.attrs) or not self.opaque.isdisjoint(touch.namespaces)

    # What a query reads

    def namespace(self, etype: str, conditions: Sequence[Condition], order: Attr) -> None:
        """The entities of a namespace that satisfy the conditions, in an order."""
        self.decisive.add(self._no[order.id])
        if id_attr := self._attrs.forward(etype, "id"):
            self.decisive.add(self._no[id_attr.id])
        found = self._narrow(AllOf(tuple(conditions)), etype)
        self._add(found or Topics(set(), set(), {etype}))
        self.conditions(etype, conditions)

    def _add(self, topics: Topics) -> None:
        self.topics.entities.update(topics.entities)
        self.topics.buckets.update(topics.buckets)
        self.topics.namespaces.update(topics.namespaces)

    def conditions(self, etype: str, conditions: Iterable[Condition]) -> None:
        for leaf in leaves(conditions):
            self._path(leaf, etype)

    def links(self, attr: Attr, forward: bool, parents: Iterable[str], children: Iterable[str]) -> None:
        """Links between parents that are shown anyway and children; those that point to a parent are a bucket."""
        number = self._no[attr.id]
        self.decisive.add(number)
        if forward:
            self.topics.entities.update(children)
        else:
            self.topics.buckets.update((number, parent) for parent in parents)

    def entities(self, entities: Iterable[str]) -> None:
        """Whatever is written to these matters."""
        self.topics.entities.update(entities)

    # Conditions

    def _path(self, leaf: Leaf, etype: str) -> None:
        """What a condition reads: of each link on its way which triples, and of the attribute at its end."""
        at = etype
        for depth, label in enumerate(leaf.path):
            found = link_of(self._attrs, at, label)
            if found is None:
                return
            attr, forward = found
            self.decisive.add(self._no[attr.id])
            if depth or not forward:  # else the triple belongs to an entity that `namespace` covers
                last = depth == len(leaf.path) - 1
                self._add((self._narrow_leaf(leaf.last, at) if last else None) or Topics(set(), set(), {attr.etype}))
            at = (attr.reverse_etype if forward else attr.etype) or ""

    def _bucket(self, leaf: Leaf, attr: Attr) -> set[Bucket] | None:
        """The buckets of an equality, or None."""
        if leaf.op not in {"=", "$in"} or not attr.keyed:
            return None
        values = leaf.value if leaf.op == "$in" else [leaf.value]
        if any(value is None or not fits(attr, value) for value in values):
            return None
        return {
            (self._no[attr.id], key_of(attr, (as_uuid(value) or value) if attr.is_ref else value)) for value in values
        }

    def _narrow(self, condition: Condition, etype: str) -> Topics | None:
        """The fewest topics under which every entity lies that satisfies the condition now or later, or None."""
        if isinstance(condition, Leaf):
            return self._narrow_leaf(condition, etype)
        parts = [self._narrow(part, etype) for part in condition.conditions]
        if isinstance(condition, AllOf):
            known = [part for part in parts if part]
            return min(known, key=Topics.width, default=None)
        united = Topics(set(), set(), set())
        for part in parts:
            if part is None:
                return None
            united.entities.update(part.entities)
            united.buckets.update(part.buckets)
        return united

    def _narrow_leaf(self, leaf: Leaf, etype: str) -> Topics | None:
        path = leaf.path[:-1] if len(leaf.path) == 2 and leaf.path[1] == "id" else leaf.path
        found = link_of(self._attrs, etype, path[0])
        if len(path) > 1 or found is None or leaf.op not in {"=", "$in"}:
            return None
        attr, forward = found
        values = leaf.value if leaf.op == "$in" else [leaf.value]
        if attr.label == "id" or not forward:  # the entity itself, or the one whose triple the link is
            return Topics({as_uuid(value) or str(value) for value in values}, set(), set())
        buckets = self._bucket(leaf, attr)
        return None if buckets is None else Topics(set(), buckets, set())


T = TypeVar("T", bound=Hashable)


class Index(Generic[T]):
    """Answers by topic."""

    def __init__(self) -> None:
        self._reads: dict[T, Reads] = {}
        self._by_entity: dict[str, set[T]] = defaultdict(set)
        self._by_bucket: dict[Bucket, set[T]] = defaultdict(set)
        self._by_namespace: dict[str, set[T]] = defaultdict(set)

    def __len__(self) -> int:
        return len(self._reads)

    def put(self, answer: T, reads: Reads) -> None:
        self.remove(answer)
        self._reads[answer] = reads
        for shelf, topic in self._shelves(reads.topics):
            shelf[topic].add(answer)

    def remove(self, answer: T) -> None:
        reads = self._reads.pop(answer, None)
        for shelf, topic in self._shelves(reads.topics) if reads else ():
            shelf[topic].discard(answer)
            if not shelf[topic]:
                del shelf[topic]

    def _shelves(self, topics: Topics) -> Iterator[tuple[dict[Any, set[T]], Any]]:
        for entity in topics.entities:
            yield self._by_entity, entity
        for bucket in topics.buckets:
            yield self._by_bucket, bucket
        for namespace in topics.namespaces:
            yield self._by_namespace, namespace

    def concerned(self, touches: Iterable[Touch]) -> Iterator[T]:
        """The answers that the touches may change; some of them more than once."""
        for touch in touches:
            yield from self._by_entity.get(touch.entity, ())
            found = [self._by_bucket.get(bucket, ()) for bucket in touch.buckets]
            found += [self._by_namespace.get(namespace, ()) for namespace in touch.namespaces]
            for answer in (one for many in found for one in many):
                if self._reads[answer].concerns(touch):
                    yield answer
