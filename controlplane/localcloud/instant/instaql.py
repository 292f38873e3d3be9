"""Runs InstaQL: forms → one SQL statement a level → rows of triples → the object tree of the admin API.

Rows keep their triples: the websocket sends those, the admin API the tree (server: db/instaql.clj, util/instaql.clj).
"""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any

from controlplane.localcloud.instant.attrs import Attr
from controlplane.localcloud.instant.conditions import Compiler, Driver, Sql, Unknown, best
from controlplane.localcloud.instant.forms import Condition, Form, Reader, link_of
from controlplane.localcloud.instant.permissions import Caller, Check, Permissions
from controlplane.localcloud.instant.triples import Store, Triple

# S608 below: fragments are this package's own constants and numbered aliases; every value is a bound parameter.


@dataclasses.dataclass
class Row:
    """One matched entity: its cardinality-one triples, a level for each nested link, and those links' triples."""

    entity: str
    triples: list[Triple]
    children: list["Level"] = dataclasses.field(default_factory=list)
    links: list[Triple] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Level:
    """The rows of one form, in order. `singular` marks a link that leads to at most one entity."""

    form: Form
    rows: list[Row]
    singular: bool = False


class Query:
    """One evaluation for one caller: rows that the caller may not view are absent, and so are limits spent on them."""

    def __init__(self, store: Store, permissions: Permissions, caller: Caller, query: Mapping[str, Any]) -> None:
        self.store = store
        self.permissions = permissions
        self.caller = caller
        self.rule_params = query.get("$$ruleParams") or {}
        self.reader = Reader(store.attrs, query)

    def run(self) -> list[Level]:
        """Raises a Refusal for a malformed query; an unknown namespace or attribute is an empty level."""
        return [self._top(form) for form in self.reader.forms()]

    def _visible(self, etype: str) -> bool:
        return self.permissions.may_see(self.caller, etype)

    # SQL

    def _top(self, form: Form) -> Level:
        assert form.etype is not None
        try:
            sql = self._top_sql(form, form.etype)
        except Unknown:
            sql = None
        if sql is None or not self._visible(form.etype):
            return Level(form, [])
        entities = [row[0] for row in self.store.rows(*sql)]
        return Level(form, self._rows(form, form.etype, entities))

    def _top_sql(self, form: Form, etype: str) -> Sql | None:
        """The matching entities, walked along the triples that hold the order: without a driver a limit stops early."""
        ordering = self._order_attr(form, etype)
        along = ordering or self.store.attrs.forward(etype, "id")
        if along is None:
            return None
        compiler = self._compiler()
        driver = best([compiler.driver(condition, etype) for condition in form.where])
        text, parameters = "SELECT e.entity FROM triple e WHERE e.attr = ?", [self.store.no[along.id]]
        if driver:
            text += f" AND e.entity IN ({driver.sql.text})"
            parameters += driver.sql.parameters
        else:
            text += " AND e.is_indexed" if ordering else " AND e.is_id"
        for sql in self._filters(compiler, form.where, etype, driver):
            text += f" AND {sql.text}"
            parameters += sql.parameters
        direction = "DESC" if form.descending else "ASC"
        text += (
            f" ORDER BY {'e.key' if ordering else 'e.created_at'} {direction}, e.entity {direction} LIMIT ? OFFSET ?"
        )
        return Sql(text, (*parameters, form.limit or -1, form.offset))

    def _compiler(self) -> Compiler:
        return Compiler(self.reader, self.store.no, self._visible)

    def _filters(self, compiler: Compiler, where: Sequence[Condition], etype: str, driver: Driver | None) -> list[Sql]:
        """The conditions that the driver leaves open. Compiled all the same, so that a bad value is always refused."""
        compiled = [(condition, compiler.matches(condition, etype, "e.entity")) for condition in where]
        return [sql for condition, sql in compiled if driver is None or not driver.decides(condition)]

    def _order_attr(self, form: Form, etype: str) -> Attr | None:
        return None if form.order == "serverCreatedAt" else self.store.attrs.forward(etype, form.order)

    # Rows

    def _rows(self, form: Form, etype: str, entities: Sequence[str]) -> list[Row]:
        """The entities that exist and that the caller may view, with their triples and nested levels."""
        attrs = [attr for attr in self.store.attrs.of(etype) if attr.cardinality == "one"]
        if form.fields is not None and self.caller.admin:  # a rule may read what the query does not ask for
            attrs = [attr for attr in attrs if attr.label in form.fields]
        found = self.store.triples(entities, attrs)
        rows = [Row(entity, found[entity]) for entity in entities if entity in found]
        rows = [row for row in rows if self._may_view(etype, row)]
        if form.fields is not None:
            for row in rows:
                row.triples = [triple for triple in row.triples if triple.attr.label in form.fields]
        for child in form.children:
            self._nest(child, etype, rows)
        return rows

    def _may_view(self, etype: str, row: Row) -> bool:
        if self.caller.admin:
            return True
        check = Check(
            action="view", etype=etype, entity=row.entity, data=as_object(row.triples), rule_params=self.rule_params
        )
        return self.permissions.allows(self.caller, check)

    def _nest(self, form: Form, etype: str, parents: Sequence[Row]) -> None:
        """Gives every parent its level of this form: one statement for the links of all parents together."""
        link = link_of(self.store.attrs, etype, form.key)
        if link is None or form.etype is None or not link[0].is_ref:
            for parent in parents:
                parent.children.append(Level(form, []))
            return
        attr, forward = link
        pairs = self._pairs(form, form.etype, attr, forward, [parent.entity for parent in parents])
        children = list(dict.fromkeys(child for _, child, _ in pairs))
        rows = {row.entity: row for row in self._rows(form, form.etype, children)}
        singular = attr.cardinality == "one" if forward else attr.unique
        levels = {parent.entity: Level(form, [], singular) for parent in parents}
        owners = {parent.entity: parent for parent in parents}
        for parent_id, child, created_at in pairs:
            if child in rows:
                levels[parent_id].rows.append(rows[child])
                ends = (parent_id, child) if forward else (child, parent_id)
                owners[parent_id].links.append(Triple(ends[0], attr, ends[1], created_at))
        for parent in parents:
            parent.children.append(levels[parent.entity])

    def _pairs(
        self, form: Form, etype: str, attr: Attr, forward: bool, parents: Sequence[str]
    ) -> list[tuple[str, str, int]]:
        """(parent, child, created at) of links in the form's order, for children that satisfy its conditions."""
        id_attr = self.store.attrs.forward(etype, "id")
        if id_attr is None or not self._visible(etype):
            return []
        compiler = self._compiler()
        try:
            filters = [compiler.matches(condition, etype, "e.entity") for condition in form.where]
        except Unknown:
            return []
        parent, child = ("l.entity", "l.key") if forward else ("l.key", "l.entity")
        order = self._order_attr(form, etype)
        direction = "DESC" if form.descending else "ASC"
        text = (
            f"SELECT {parent}, {child}, l.created_at FROM triple l JOIN triple e ON e.entity = {child} AND e.attr = ?"  # noqa: S608
        )
        parameters: list[Any] = [self.store.no[id_attr.id]]
        if order:
            text += " LEFT JOIN triple o ON o.entity = e.entity AND o.attr = ?"
            parameters.append(self.store.no[order.id])
        text += f" WHERE l.is_ref AND l.attr = ? AND {parent} IN (SELECT value FROM json_each(?))"  # noqa: S608
        parameters += [self.store.no[attr.id], json.dumps(parents)]
        for sql in filters:
            text += f" AND {sql.text}"
            parameters += sql.parameters
        text += f" ORDER BY {'o.key' if order else 'e.created_at'} {direction}, e.entity {direction}"
        return [(row[0], row[1], row[2]) for row in self.store.rows(text, parameters)]


def as_object(triples: Sequence[Triple]) -> dict[str, Any]:
    return {triple.attr.label: triple.value for triple in triples}


def object_tree(levels: Sequence[Level], *, inference: bool = False) -> dict[str, Any]:
    """`{"products": [{"id": …, "tenant": [{…}]}]}`; with `inference` a link to at most one entity is an object."""
    return {level.form.key: _entries(level, inference) for level in levels}


def _entries(level: Level, inference: bool) -> Any:
    entries = [{**as_object(row.triples), **object_tree(row.children, inference=inference)} for row in level.rows]
    if level.singular and inference:
        return entries[0] if entries else None
    return entries
