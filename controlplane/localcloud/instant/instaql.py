"""Runs InstaQL: forms → one SQL statement a level → rows of triples (server: db/instaql.clj, util/instaql.clj).

The websocket sends the triples (`wire`), the admin API the object tree (`levels`).
"""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from controlplane.localcloud.instant.attrs import Attr
from controlplane.localcloud.instant.conditions import Compiler, Unknown, View
from controlplane.localcloud.instant.errors import Refusal
from controlplane.localcloud.instant.forms import Condition, Form, Reader, hops, leaves, link_of
from controlplane.localcloud.instant.levels import Level, PageInfo, Row
from controlplane.localcloud.instant.listing import Listing
from controlplane.localcloud.instant.paging import Order, check_cursors
from controlplane.localcloud.instant.paths import Paths
from controlplane.localcloud.instant.permissions import Caller, Permissions
from controlplane.localcloud.instant.reads import Reads
from controlplane.localcloud.instant.sql import Sql
from controlplane.localcloud.instant.triples import Store, Triple

# S608 below: fragments are this package's own constants and numbered aliases; every value is a bound parameter.


class Query:
    """One evaluation for one caller: rows that the caller may not view are absent, and so are limits spent on them.

    The vendor does the latter only for rules that it can turn into a `where`; behind others its pages come up short.
    """

    def __init__(self, store: Store, permissions: Permissions, caller: Caller, query: Mapping[str, Any]) -> None:
        self.store = store
        self.permissions = permissions
        self.caller = caller
        self.rule_params = query.get("$$ruleParams") or {}
        self.reader = Reader(store.attrs, query)
        self.reads = Reads(store.attrs, store.no)
        self._views: dict[str, View] = {}
        self._refusal: Refusal | None = None

    def run(self) -> list[Level]:
        """Raises a Refusal for a malformed query; an unknown namespace or attribute is an empty level."""
        self.store.viewable, self.store.reads = self._viewable, self.reads
        try:
            return [self._top(form) for form in self.reader.forms()]
        except sqlite3.OperationalError as error:
            if self._refusal is None:
                raise
            raise self._refusal from error
        finally:
            self.store.reads = None

    # What may be seen

    def view(self, etype: str) -> View:
        """A rule that can be said as conditions becomes part of the query, so that a limit counts what is seen."""
        if etype not in self._views:
            said = self.permissions.view(self.caller, self.store, etype, self.rule_params)
            self._views[etype] = self._conditions(etype, said) if isinstance(said, Mapping) else said
        return self._views[etype]

    def _conditions(self, etype: str, clause: Mapping[str, Any]) -> View:
        try:
            conditions = Reader(self.store.attrs, {}).conditions(clause, etype)
            self._views[etype] = conditions
            self.compiler().visible(etype, "e.entity")  # refuses wrong types and unknown paths
        except (Refusal, Unknown):
            return None
        return conditions

    def _ruled(self, etype: str) -> list[str]:
        return self.permissions.field_labels(self.caller, etype)

    def _viewable(self, etype: str, label: str, entity: str) -> bool:
        """Asked by SQLite, for an entity on a path or an attribute in a condition."""
        found = {one: record.data for one, record in self.store.records.get(etype, [entity]).items()}
        try:
            return bool(self.permissions.viewable(self.caller, self.store, etype, found, self.rule_params, label=label))
        except Refusal as refusal:  # SQLite lets no exception through
            self._refusal = refusal
            raise

    def _judged(self, etype: str) -> Sequence[Condition]:
        """The conditions that the caller's view of a namespace adds to a query, all of which it therefore reads."""
        view = self.view(etype)
        if view is None or self._ruled(etype):
            self.reads.opaque.add(etype)
        return view if isinstance(view, Sequence) else ()

    def _read(self, etype: str, where: Sequence[Condition]) -> None:
        """Notes what conditions read, and what the rules read of the namespaces that their paths lead through."""
        self.reads.conditions(etype, [*where, *self._judged(etype)])
        for target in {hop for leaf in leaves(where) for hop in hops(self.store.attrs, etype, leaf)}:
            if self.view(target) is not True or self._ruled(target):
                self.reads.topics.namespaces.add(target)
                self.reads.conditions(target, self._judged(target))

    def compiler(self) -> Compiler:
        return Compiler(self.reader, self.store.no, self.view, self._ruled)

    # The top level

    def _top(self, form: Form) -> Level:
        assert form.etype is not None
        order = self.order(form, form.etype)
        level = Level(form, [], page_info=PageInfo() if form.paged else None, count=0 if form.aggregate else None)
        if form.aggregate and not self.caller.admin:
            message = "Aggregates are currently only available for admin queries."
            raise self.reader.refuse(message, [form.key, "$", "aggregate"], "admin?")
        if order is None:
            return level
        self.reads.namespace(form.etype, [*form.where, *self._judged(form.etype)], order.attr)
        self._read(form.etype, form.where)
        listing = Listing(self, form, form.etype, order)
        try:
            listing.fill(level)
        except Unknown:
            return level
        if form.aggregate:
            level.count, level.rows = len(level.rows), []
        self.complete(level, form.etype)
        return level

    def order(self, form: Form, etype: str) -> Order | None:
        label = "id" if form.order == "serverCreatedAt" else form.order
        attr = self.store.attrs.forward(etype, label)
        if attr is None:
            return None
        order = Order(attr=attr, descending=form.descending)
        check_cursors(form.page, order, [form.key, "$"], self.reader.refuse, self._label)
        return order

    def _label(self, attr_id: str) -> str | None:
        attr = self.store.attrs.get(attr_id)
        return attr.label if attr else None

    # Rows

    def rows(self, form: Form, etype: str, entities: Sequence[str]) -> list[Row]:
        """Those of the entities that exist and that the caller may view, with their triples."""
        found = self.store.records.get(etype, entities)
        rows = [Row(entity, found[entity], found[entity].triples) for entity in entities if entity in found]
        if etype in self.reads.opaque:
            self.reads.shown.update(found)  # also what the rule hides, as it read it
        if not self.caller.admin:
            rows = self._permitted(etype, rows)
        if form.fields is not None:
            self._leave_out(form, rows)
        return rows

    def _leave_out(self, form: Form, rows: Sequence[Row]) -> None:
        fields = form.fields or frozenset()
        needed = {leaf.path[0] for leaf in leaves(form.where)} | {form.order}
        for row in rows:
            row.others += [t for t in row.triples if t.attr.label in needed and t.attr.label not in fields]
            row.triples = [t for t in row.triples if t.attr.label in fields]

    def seen(self, compiler: Compiler, etype: str) -> list[Sql]:
        """The view rule as conditions on `e.entity`; one that can't be said so is asked of the rows."""
        return [compiler.visible(etype, "e.entity")] if isinstance(self.view(etype), Sequence) else []

    def _permitted(self, etype: str, rows: list[Row]) -> list[Row]:
        data = {row.entity: row.record.data for row in rows}
        if self.view(etype) is None:
            seen = self.permissions.viewable(self.caller, self.store, etype, data, self.rule_params)
            rows = [row for row in rows if row.entity in seen]
        for label in self._ruled(etype):
            seen = self.permissions.viewable(self.caller, self.store, etype, data, self.rule_params, label=label)
            for row in rows:
                row.triples = [t for t in row.triples if t.attr.label != label or row.entity in seen]
        return rows

    # What goes with the rows

    def complete(self, level: Level, etype: str) -> None:
        """Adds the nested levels, and the triples of conditions over links."""
        self.reads.shown.update(row.entity for row in level.rows)
        for child in level.form.children:
            self._nest(child, etype, level.rows)
        paths = Paths(self.store, self.compiler(), etype, level.form.where)
        found = paths.collect([row.entity for row in level.rows])
        level.paths = found.triples
        self.reads.entities(found.entities)

    def _nest(self, form: Form, etype: str, parents: Sequence[Row]) -> None:
        """Gives every parent its level of this form: one statement for the links of all parents together."""
        link = link_of(self.store.attrs, etype, form.key)
        if link is None or form.etype is None or not link[0].is_ref:
            for parent in parents:
                parent.children.append(Level(form, []))
            return
        attr, forward = link
        pairs = self._pairs(form, form.etype, attr, forward, [parent.entity for parent in parents])
        self.reads.links(attr, forward, [parent.entity for parent in parents], self._linked(attr, forward, parents))
        self._read(form.etype, form.where)
        every = Level(form, self.rows(form, form.etype, list(dict.fromkeys(child for _, child, _ in pairs))))
        self.complete(every, form.etype)
        rows = {row.entity: row for row in every.rows}
        singular = attr.cardinality == "one" if forward else attr.unique
        levels = {parent.entity: Level(form, [], singular, every.paths) for parent in parents}
        owners = {parent.entity: parent for parent in parents}
        for parent_id, child, created_at in pairs:
            if child in rows:
                levels[parent_id].rows.append(rows[child])
                ends = (parent_id, child) if forward else (child, parent_id)
                owners[parent_id].others.append(Triple(ends[0], attr, ends[1], created_at))
        for parent in parents:
            parent.children.append(levels[parent.entity])

    def _linked(self, attr: Attr, forward: bool, parents: Sequence[Row]) -> list[str]:
        """All that the parents link to, also what does not satisfy the form's conditions, or may not be seen, yet."""
        if not forward:
            return []
        sql = "SELECT key FROM triple WHERE attr = ? AND entity IN (SELECT value FROM json_each(?))"
        listed = json.dumps([parent.entity for parent in parents])
        return [row[0] for row in self.store.rows(sql, (self.store.no[attr.id], listed))]

    def _pairs(
        self, form: Form, etype: str, attr: Attr, forward: bool, parents: Sequence[str]
    ) -> list[tuple[str, str, int]]:
        """(parent, child, created at) of links in the form's order, for children that satisfy its conditions."""
        order, id_attr = self.order(form, etype), self.store.attrs.forward(etype, "id")
        if order is None or id_attr is None or self.view(etype) is False:
            return []
        compiler = self.compiler()
        try:
            filters = [compiler.matches(condition, etype, "e.entity") for condition in form.where]
            filters += self.seen(compiler, etype)
        except Unknown:
            return []
        parent, child = ("l.entity", "l.key") if forward else ("l.key", "l.entity")
        text = (
            f"SELECT {parent}, {child}, l.created_at FROM triple l JOIN triple i ON i.entity = {child} AND i.attr = ?"  # noqa: S608
        )
        text += " LEFT JOIN triple e ON e.entity = i.entity AND e.attr = ?"
        text += f" WHERE l.is_ref AND l.attr = ? AND {parent} IN (SELECT value FROM json_each(?))"  # noqa: S608
        parameters: list[Any] = [self.store.no[id_attr.id], self.store.no[order.attr.id]]
        parameters += [self.store.no[attr.id], json.dumps(parents)]
        for sql in filters:
            text += f" AND {sql.text}"
            parameters += sql.parameters
        return [(row[0], row[1], row[2]) for row in self.store.rows(f"{text} ORDER BY {order.sql()}", parameters)]
