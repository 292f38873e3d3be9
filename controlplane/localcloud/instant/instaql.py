"""Runs InstaQL: forms → one SQL statement a level → rows of triples (server: db/instaql.clj, util/instaql.clj).

The websocket sends the triples (`wire`), the admin API the object tree (`levels`).
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from controlplane.localcloud.instant.attrs import Attr
from controlplane.localcloud.instant.conditions import Compiler, Unknown
from controlplane.localcloud.instant.forms import Form, Reader, leaves, link_of
from controlplane.localcloud.instant.levels import Level, PageInfo, Row, as_object
from controlplane.localcloud.instant.listing import Listing
from controlplane.localcloud.instant.paging import Order, check_cursors
from controlplane.localcloud.instant.paths import Paths
from controlplane.localcloud.instant.permissions import Caller, Check, Permissions
from controlplane.localcloud.instant.reads import Reads
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

    def run(self) -> list[Level]:
        """Raises a Refusal for a malformed query; an unknown namespace or attribute is an empty level."""
        return [self._top(form) for form in self.reader.forms()]

    def visible(self, etype: str) -> bool:
        return self.permissions.may_see(self.caller, etype)

    def compiler(self, hidden: Iterable[str] = ()) -> Compiler:
        return Compiler(self.reader, self.store.no, self.visible, list(hidden))

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
        self.reads.namespace(form.etype, form.where, order.attr)
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

    def rows(self, form: Form, etype: str, entities: Sequence[str], order: Attr | None = None) -> list[Row]:
        """Those of the entities that exist and that the caller may view, with their triples."""
        attrs = [attr for attr in self.store.attrs.of(etype) if attr.cardinality == "one"]
        found = self.store.triples(entities, attrs)
        rows = [Row(entity, found[entity]) for entity in entities if entity in found]
        self.reads.shown.update(found)
        if not self.caller.admin:
            rows = [row for row in rows if self._may_view(etype, row.entity, row.triples)]
            rows = self._reached(form, etype, rows)
        for row in rows:
            row.order = next((triple for triple in row.triples if triple.attr == order), None)
        if form.fields is not None:
            self._leave_out(form, rows)
        return rows

    def _leave_out(self, form: Form, rows: Sequence[Row]) -> None:
        fields = form.fields or frozenset()
        needed = {leaf.path[0] for leaf in leaves(form.where)} | {form.order}
        for row in rows:
            row.others += [t for t in row.triples if t.attr.label in needed and t.attr.label not in fields]
            row.triples = [t for t in row.triples if t.attr.label in fields]

    def _may_view(self, etype: str, entity: str, triples: Sequence[Triple]) -> bool:
        params = self.rule_params
        check = Check(action="view", etype=etype, entity=entity, data=as_object(triples), rule_params=params)
        return self.permissions.allows(self.caller, check)

    def _reached(self, form: Form, etype: str, rows: list[Row]) -> list[Row]:
        """Without the rows that satisfy a condition only by way of an entity that the caller may not view."""
        paths = Paths(self.store, self.compiler(), etype, form.where)
        if not (rows and paths.leaves):
            return rows
        hidden = self._hidden(paths.collect([row.entity for row in rows]).entities)
        if not hidden:
            return rows
        compiler = self.compiler(hidden)
        filters = [compiler.matches(condition, etype, "e.value") for condition in form.where]
        text = " AND ".join(["SELECT value FROM json_each(?) e WHERE 1", *(sql.text for sql in filters)])
        parameters = [p for sql in filters for p in sql.parameters]
        kept = {row[0] for row in self.store.rows(text, [json.dumps([row.entity for row in rows]), *parameters])}
        return [row for row in rows if row.entity in kept]

    def _hidden(self, entities: Mapping[str, Iterable[str]]) -> set[str]:
        hidden: set[str] = set()
        for etype, ids in entities.items():
            attrs = [attr for attr in self.store.attrs.of(etype) if attr.cardinality == "one"]
            found = self.store.triples(list(ids), attrs)
            hidden |= {entity for entity in ids if not self._may_view(etype, entity, found.get(entity, []))}
        return hidden

    # What goes with the rows

    def complete(self, level: Level, etype: str) -> None:
        """Adds the nested levels, and the triples of conditions over links."""
        for child in level.form.children:
            self._nest(child, etype, level.rows)
        paths, entities = (
            Paths(self.store, self.compiler(), etype, level.form.where),
            [row.entity for row in level.rows],
        )
        if not (entities and paths.leaves):
            return
        found = paths.collect(entities)
        if not self.caller.admin and (hidden := self._hidden(found.entities)):
            found = Paths(self.store, self.compiler(hidden), etype, level.form.where).collect(entities)
        level.paths = found.triples
        for through in found.entities.values():
            self.reads.entities(through)

    def _nest(self, form: Form, etype: str, parents: Sequence[Row]) -> None:
        """Gives every parent its level of this form: one statement for the links of all parents together."""
        link = link_of(self.store.attrs, etype, form.key)
        if link is None or form.etype is None or not link[0].is_ref:
            for parent in parents:
                parent.children.append(Level(form, []))
            return
        attr, forward = link
        pairs = self._pairs(form, form.etype, attr, forward, [parent.entity for parent in parents])
        self.reads.links(attr, forward, (parent.entity for parent in parents), (child for _, child, _ in pairs))
        self.reads.conditions(form.etype, form.where)
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

    def _pairs(
        self, form: Form, etype: str, attr: Attr, forward: bool, parents: Sequence[str]
    ) -> list[tuple[str, str, int]]:
        """(parent, child, created at) of links in the form's order, for children that satisfy its conditions."""
        order, id_attr = self.order(form, etype), self.store.attrs.forward(etype, "id")
        if order is None or id_attr is None or not self.visible(etype):
            return []
        compiler = self.compiler()
        try:
            filters = [compiler.matches(condition, etype, "e.entity") for condition in form.where]
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
