"""Conditions of a `where` as SQL over triples (server: db/model/attr_pat.clj, db/datalog.clj).

A condition has two forms. `matches` asks of one entity at a time, by primary key. `entities` lists candidates from an
index, where one covers it; the most selective of these drives the query and the others only filter.
"""

import json
from collections.abc import Callable, Container, Sequence
from typing import Any, NamedTuple

from controlplane.localcloud.instant.attrs import Attr
from controlplane.localcloud.instant.errors import Refusal
from controlplane.localcloud.instant.forms import AllOf, AnyOf, Condition, Leaf, Reader, link_of
from controlplane.localcloud.instant.sql import FALSE, TRUE, Sql, join
from controlplane.localcloud.instant.values import as_uuid, dumps, fits, json_type, key_of

# S608 below: fragments are this package's own constants and numbered aliases; every value is a bound parameter.
COMPARISONS = {"$gt": ">", "$gte": ">=", "$lt": "<", "$lte": "<="}
LISTED = "(SELECT value FROM json_each(?))"
EXACT = {"=", "$in"}
SELECTIVE, NEVER = 2, 9


class Driver(NamedTuple):
    """Candidate entities; a lower `rank` promises fewer of them. `of` are the conditions that it fully decides."""

    rank: int
    sql: Sql
    of: tuple[Condition, ...] = ()

    def decides(self, condition: Condition) -> bool:
        return any(condition is one for one in self.of)


class Unknown(Exception):  # noqa: N818 - the vendor's answer is no error but an empty list
    """The condition names an attribute or a link that does not exist."""


View = bool | Sequence[Condition] | None
"""What a caller may see of a namespace: all, nothing, what satisfies conditions; None: it must be asked of each."""


class Compiler:
    """`no` numbers the attributes in SQLite; `view` says what the caller may see of a namespace on the path.

    None from `view` asks the SQL function `viewable(namespace, '', entity)` of each entity, as do the attributes that
    `ruled` names, which have rules of their own: `viewable(namespace, label, entity)`.
    """

    def __init__(
        self, reader: Reader, no: dict[str, int], view: Callable[[str], View], ruled: Callable[[str], Container[str]]
    ) -> None:
        self.reader = reader
        self.attrs = reader.attrs
        self.no = no
        self.view = view
        self.ruled = ruled
        self._aliases = 0
        self._trusting = False

    # One entity at a time

    def visible(self, etype: str, entity: str, label: str = "") -> Sql:
        """Whether the caller may see the entity, or its attribute `label`, as a boolean expression."""
        view = None if label else self.view(etype)
        if view is None:
            return Sql(f"viewable(?, ?, {entity})", (etype, label))
        if isinstance(view, bool):
            return TRUE if view else FALSE
        # What a rule reads, the rule may read: no other rule stands between.
        before, self._trusting = self._trusting, True
        parts = [self.matches(condition, etype, entity) for condition in view]
        self._trusting = before
        return join(" AND ", parts)

    def matches(self, condition: Condition, etype: str, entity: str) -> Sql:
        """A boolean expression; `entity` is the SQL of the entity's id. Raises Unknown, or a Refusal."""
        if isinstance(condition, Leaf):
            return self._matches_leaf(condition, etype, entity)
        parts = [self.matches(part, etype, entity) for part in condition.conditions]
        return join(" OR " if isinstance(condition, AnyOf) else " AND ", parts)

    def _matches_leaf(self, leaf: Leaf, etype: str, entity: str) -> Sql:
        attr, forward = self._link_or_attr(etype, leaf.path[0])
        t = self._alias()
        source = f"SELECT 1 FROM triple {t} WHERE {t}.{'entity' if forward else 'key'} = {entity} AND {t}.attr = ?"  # noqa: S608
        source += "" if forward else f" AND {t}.is_ref"
        rest = self._rest(leaf, attr, forward, t)
        word = "NOT EXISTS" if leaf.op == "$isNull" and leaf.value and len(leaf.path) == 1 else "EXISTS"
        found = Sql(f"{word} ({source} AND {rest.text})", (self.no[attr.id], *rest.parameters))
        if self._trusting or len(leaf.path) > 1 or not forward or attr.label not in self.ruled(etype):
            return found
        # No answer may depend on an attribute that can't be read.
        return join(" AND ", [self.visible(etype, entity, attr.label), found])

    def _rest(self, leaf: Leaf, attr: Attr, forward: bool, t: str) -> Sql:
        """What must hold of the triple `t`, one of the leaf's first label, and beyond it."""
        other = f"{t}.key" if forward else f"{t}.entity"
        if len(leaf.path) > 1:
            target = self._hop(attr, forward)
            rest = self.matches(leaf.beyond, target, other)
            return rest if self._trusting else join(" AND ", [self.visible(target, other), rest])
        if leaf.op == "$isNull":
            return Sql(f"{t}.value <> 'null'")
        return self._test(attr, leaf, other if attr.is_ref else f"{t}.key", f"{t}.value")

    def step(self, leaf: Leaf, etype: str, entities: Sequence[str]) -> tuple[Attr, bool, Sql]:
        """The triples of a leaf's first label by which these entities satisfy it: entity, value, created at."""
        attr, forward = self._link_or_attr(etype, leaf.path[0])
        mine, rest = "t.entity" if forward else "t.key", self._rest(leaf, attr, forward, "t")
        text = f"SELECT t.entity, t.value, t.created_at FROM triple t WHERE {mine} IN {LISTED} AND t.attr = ?"  # noqa: S608
        text += f"{'' if forward else ' AND t.is_ref'} AND {rest.text}"
        return attr, forward, Sql(text, (json.dumps(entities), self.no[attr.id], *rest.parameters))

    # Candidates from an index

    def driver(self, condition: Condition, etype: str) -> Driver | None:
        """The best index lookup whose result contains every entity that satisfies the condition."""
        if isinstance(condition, Leaf):
            found = self._entities(condition, etype)
            if found is None:
                return None
            return Driver(*found, (condition,) if self._is_open(condition, etype) else ())
        drivers = [self.driver(part, etype) for part in condition.conditions]
        if isinstance(condition, AllOf):
            driver = best(drivers)
            return driver and driver._replace(of=())
        known = [driver for driver in drivers if driver]
        if not known or len(known) < len(drivers):
            return None
        return Driver(max(driver.rank for driver in known), _compound(" UNION ALL ", known))

    def rule_driver(self, etype: str) -> Driver | None:
        """The best index lookup for the view rule of a namespace, if it is made of conditions."""
        view = self.view(etype)
        if not isinstance(view, Sequence):
            return None
        before, self._trusting = self._trusting, True
        driver = best([self.driver(condition, etype) for condition in view])
        self._trusting = before
        return driver

    def _entities(self, leaf: Leaf, etype: str) -> tuple[int, Sql] | None:
        attr, forward = self._link_or_attr(etype, leaf.path[0])
        mine, other = ("entity", "key") if forward else ("key", "entity")
        if len(leaf.path) > 1:
            target = self._hop(attr, forward)
            inner = self._entities(leaf.beyond, target)
            if inner is None or (not self._trusting and self.view(target) is False):
                return None
            rank, sql = inner
            text = f"SELECT {mine} FROM triple WHERE is_ref AND attr = ? AND {other} IN ({sql.text})"  # noqa: S608
            return rank, Sql(text, (self.no[attr.id], *sql.parameters))
        rank, index = _rank(attr, leaf.op)
        if rank == NEVER:
            return None
        test = self._test(attr, leaf, other if attr.is_ref else "key", "value")
        text = f"SELECT {mine} FROM triple WHERE {index} AND attr = ? AND {test.text}"  # noqa: S608
        return rank, Sql(text, (self.no[attr.id], *test.parameters))

    def _is_open(self, leaf: Leaf, etype: str) -> bool:
        """Whether no rule stands on the way, so that an index alone decides."""
        at = etype
        for label in leaf.path[:-1]:
            at = self._hop(*self._link_or_attr(at, label))
            if self.view(at) is not True:
                return False
        return leaf.path[-1] not in self.ruled(at)

    # The parts of a leaf

    def _link_or_attr(self, etype: str, label: str) -> tuple[Attr, bool]:
        found = link_of(self.attrs, etype, label)
        if found is None:
            raise Unknown(f"{etype}.{label}")
        return found

    def _hop(self, attr: Attr, forward: bool) -> str:
        if not attr.is_ref or attr.reverse_etype is None:
            raise self.reader.refuse(f"{attr.name} needs to be a link", [], "link?")
        return attr.reverse_etype if forward else attr.etype

    def _alias(self) -> str:
        self._aliases += 1
        return f"t{self._aliases}"

    def _test(self, attr: Attr, leaf: Leaf, key: str, value: str) -> Sql:
        """The comparison of one triple: by key where the attribute has one, else by the value's JSON text."""
        self._check_types(attr, leaf)
        if leaf.op in COMPARISONS:
            return Sql(f"{key} {COMPARISONS[leaf.op]} ?", (key_of(attr, leaf.value),))
        if leaf.op in {"$like", "$ilike"}:
            pattern = _glob(leaf.value)
            if leaf.op == "$like":
                return Sql(f"{key} GLOB ?", (pattern,))
            return Sql(f"lower_unicode({key}) GLOB ?", (pattern.lower(),))
        column = key if attr.keyed else value
        if leaf.op == "$in":
            return self._one_of(attr, leaf.value, column)
        return Sql(f"{column} {'IS NOT' if leaf.op == '$not' else '='} ?", (self._comparable(attr, leaf.value),))

    def _one_of(self, attr: Attr, values: Sequence[Any], column: str) -> Sql:
        known = [self._comparable(attr, value) for value in values if value is not None]
        listed = Sql(f"{column} IN (SELECT value FROM json_each(?))", (json.dumps(known),))  # noqa: S608
        return Sql(f"({listed.text} OR {column} IS NULL)", listed.parameters) if None in values else listed

    def _comparable(self, attr: Attr, value: Any) -> Any:
        return key_of(attr, as_uuid(value) if attr.is_ref else value) if attr.keyed else dumps(value)

    def _check_types(self, attr: Attr, leaf: Leaf) -> None:
        values = leaf.value if leaf.op == "$in" else [leaf.value]
        at = [leaf.path[-1], leaf.op]
        if leaf.op in COMPARISONS or leaf.op in {"$like", "$ilike"}:
            self._check_comparable(attr, leaf, at)
        for value in values:
            if attr.is_ref and not as_uuid(value):
                raise self.reader.refuse(f"Expected {leaf.path[-1]} to be a uuid, got {dumps(value)}", at, "uuid?")
            if not fits(attr, value):
                raise self._wrong_type(attr, value, at)
        if leaf.op == "$in" and None in values and not attr.indexed:
            message = f"Only indexed attrs can check for `nil` in `$in`. {attr.name} is not indexed."
            raise self.reader.refuse(message, at, "indexed?")

    def _check_comparable(self, attr: Attr, leaf: Leaf, at: list[Any]) -> None:
        if not attr.indexed:
            message = f"The `{attr.name}` attribute must be indexed to use comparison operators."
            raise self.reader.refuse(message, at, "indexed?")
        if not attr.data_type:
            message = f"The `{attr.name}` attribute must have an enforced type to use comparison operators."
            raise self.reader.refuse(message, at, "checked-data-type?")
        if "like" in leaf.op and not (isinstance(leaf.value, str) and attr.data_type == "string"):
            message = f"The $like value for `{attr.name}` must be a string, but the query got the value"
            got = f"`{dumps(leaf.value)}` of type `{json_type(leaf.value)}`."
            raise self.reader.refuse(f"{message} {got}", at, "string?")

    def _wrong_type(self, attr: Attr, value: Any, at: list[Any]) -> Refusal:
        message = f"The data type of `{attr.name}` is `{attr.data_type}`, but the query got the value"
        got = f"`{dumps(value)}` of type `{json_type(value)}`."
        return self.reader.refuse(f"{message} {got}", at, f"{attr.data_type}?")


def best(drivers: Sequence[Driver | None]) -> Driver | None:
    """The lowest-ranked one; several selective ones are intersected, as which of them is smaller can't be known."""
    known = sorted((driver for driver in drivers if driver), key=lambda driver: driver.rank)
    if not known:
        return None
    chosen = [driver for driver in known if driver.rank <= SELECTIVE and driver.of] or known[:1]
    if len(chosen) == 1:
        return chosen[0]
    return Driver(
        rank=known[0].rank,
        sql=_compound(" INTERSECT ", chosen),
        of=tuple(condition for driver in chosen for condition in driver.of),
    )


def _compound(word: str, drivers: Sequence[Driver]) -> Sql:
    """Each part in brackets of its own: SQLite would read a mixture of UNION and INTERSECT from left to right."""
    parameters = tuple(p for driver in drivers for p in driver.sql.parameters)
    return Sql(word.join(f"SELECT * FROM ({driver.sql.text})" for driver in drivers), parameters)  # noqa: S608


def _rank(attr: Attr, op: str) -> tuple[int, str]:
    """How selective an index lookup tends to be, and the term that lets SQLite use its partial index."""
    if op in EXACT and attr.unique:
        return 0, "is_unique AND key IS NOT NULL"
    if op in EXACT and attr.is_ref:
        return 1, "is_ref"
    if op in EXACT and attr.indexed:
        return {"boolean": 5, "string": 2}.get(attr.data_type or "string", 3), "is_indexed"
    if op in COMPARISONS and attr.indexed:
        return 4, "is_indexed"
    return NEVER, ""


def _glob(like: str) -> str:
    """A LIKE pattern as SQLite's case-sensitive GLOB: % and _ become * and ?, a backslash escapes."""
    out, escaped = [], False
    for char in like:
        if escaped or char not in "%_\\":
            out.append(f"[{char}]" if char in "*?[" else char)
            escaped = False
        elif char == "\\":
            escaped = True
        else:
            out.append("*" if char == "%" else "?")
    return "".join(out)
