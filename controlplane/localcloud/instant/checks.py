"""Which permission checks a transaction of a non-admin needs (server: db/permissioned_transaction.clj).

Updates and deletions, cascaded ones included, are judged on the state before the write, creations on the state after;
a link needs `update` on its forward entity and `view` on the other one, whichever exists at the time.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from controlplane.localcloud.instant.errors import Refusal, invalid
from controlplane.localcloud.instant.permissions import Check
from controlplane.localcloud.instant.rules import Rule, RuleBook
from controlplane.localcloud.instant.steps import Lookup, Step
from controlplane.localcloud.instant.triples import Store
from controlplane.localcloud.instant.values import dumps

Named = tuple[str, str]  # (namespace, id)
Entities = Mapping[Named, dict[str, Any]]  # only those that exist

EDITABLE = {"$users.id", "$files.id", "$files.path", "$streams.id"}


def load(store: Store, steps: Iterable[Step]) -> Entities:
    """Every entity that the steps touch, as `{label: value}` of its cardinality-one attributes."""
    wanted: dict[str, set[str]] = {}
    for step in steps:
        for etype, entity in filter(None, (_own(step), _linked(step))):
            wanted.setdefault(etype, set()).add(entity)
    found = {}
    for etype, entities in wanted.items():
        attrs = [attr for attr in store.attrs.of(etype) if attr.cardinality == "one"]
        for entity, triples in store.triples(sorted(entities), attrs).items():
            found[etype, entity] = {triple.attr.label: triple.value for triple in triples}
    return found


class Questions:
    """The checks of one transaction. `entities` are those that exist before it."""

    def __init__(self, book: RuleBook, entities: Entities, steps: Sequence[Step]) -> None:
        self.book = book
        self.entities = entities
        self.steps = steps
        self._params: dict[Named, dict[str, Any]] = {}
        self._modified: dict[Named, dict[str, None]] = {}
        for step in steps:
            own = _own(step)
            if own and step.op == "rule-params":
                self._params.setdefault(own, {}).update(step.value)
            elif own and step.op in {"add-triple", "deep-merge-triple"} and step.attr and step.attr.label != "id":
                self._modified.setdefault(own, {})[step.attr.label] = None

    def before(self) -> Iterator[Check]:
        changed = _changed(self.entities, self.steps)
        yield from _distinct(check for step in self.steps for check in self._before(step, changed))

    def _before(self, step: Step, changed: Entities) -> Iterator[Check]:
        own, linked = _own(step), _linked(step)
        if step.op == "delete-attr":
            yield Check(action="delete", etype="attrs")
        elif own and step.op == "delete-entity":
            yield self._check("delete", own, self.entities, changed)
        elif own and linked and step.op in {"add-triple", "retract-triple"}:
            yield from self._link(step, own, linked, changed)
        elif own and own in self.entities and step.op in {"add-triple", "deep-merge-triple"}:
            yield self._check("update", own, self.entities, changed)

    def _link(self, step: Step, own: Named, linked: Named, changed: Entities) -> Iterator[Check]:
        """The rules for this link from either end; without any `update` on the one end and `view` on the other."""
        action: Literal["link", "unlink"] = "link" if step.op == "add-triple" else "unlink"
        ends = self._link_rules(action, step, own, linked)
        if not any(rule for _, _, rule in ends):
            if own in self.entities:
                yield self._check("update", own, self.entities, changed, linked)
            if linked in self.entities:
                yield self._check("view", linked, self.entities, changed, own)
        for end, other, rule in ends:
            if rule and end in self.entities:
                check = self._check(action, end, self.entities, changed, other)
                seen = self.entities.get(other) if action == "unlink" or end == own else changed.get(other)
                there = "update" if other in self.entities else "create"
                yield dataclasses.replace(
                    check,
                    rule=rule,
                    linked=seen,
                    linked_etype=other[0],
                    actions={"data": "update", "linkedData": there},
                )

    def _link_rules(self, action: str, step: Step, own: Named, linked: Named) -> list[tuple[Named, Named, Rule | None]]:
        assert step.attr is not None
        reverse = step.attr.reverse
        return [
            (own, linked, self.book.link(own[0], action, step.attr.label)),
            (linked, own, self.book.link(linked[0], action, reverse[2] if reverse else None)),
        ]

    def after(self, now: Entities, steps: Sequence[Step]) -> Iterator[Check]:
        """`steps` are the transaction's with all lookups resolved, `now` what they name as it is after the write."""
        yield from _distinct(check for step in steps for check in self._after(step, now))

    def _after(self, step: Step, now: Entities) -> Iterator[Check]:
        own, linked = _own(step), _linked(step)
        new = own is not None and own not in self.entities
        if step.op == "add-attr":
            yield Check(action="create", etype="attrs")
        elif step.op == "add-triple" and own and linked:
            yield from self._link_after(step, own, linked, now)
        elif step.op in {"add-triple", "deep-merge-triple"} and own and new:
            if own[0] == "$users":
                raise _system(step, "$users is a system entity. You aren't allowed to create this directly.")
            yield self._check("create", own, now, now)

    def _link_after(self, step: Step, own: Named, linked: Named, now: Entities) -> Iterator[Check]:
        ends = self._link_rules("link", step, own, linked)
        if not any(rule for _, _, rule in ends):
            if own not in self.entities:
                yield self._check("create", own, now, now, linked)
            if linked in now and linked not in self.entities:
                yield self._check("view", linked, now, now, own)
        for end, other, rule in ends:
            if rule and end not in self.entities and end in now:
                there = "update" if other in self.entities else "create"
                yield dataclasses.replace(
                    self._check("link", end, now, now, other),
                    rule=rule,
                    linked=now.get(other),
                    linked_etype=other[0],
                    actions={"data": "create", "linkedData": there},
                )

    def _check(self, action: Any, own: Named, old: Entities, new: Entities, other: Named | None = None) -> Check:
        """Rule parameters given for either end of a link count for both, its own first."""
        params = {**self._params.get(other, {}), **self._params.get(own, {})} if other else self._params.get(own, {})
        return Check(
            action=action,
            etype=own[0],
            entity=own[1],
            data=old.get(own),
            new_data=new.get(own),
            rule_params=params,
            modified=tuple(self._modified.get(own, ())),
        )


def _distinct(checks: Iterable[Check]) -> Iterator[Check]:
    """Each question once: an update of ten attributes asks the same one ten times."""
    asked = set()
    for check in checks:
        rule, linked = check.rule.expression if check.rule else "", (check.linked or {}).get("id")
        question = (check.action, check.etype, check.entity, rule, linked, dumps(check.rule_params))
        if question not in asked:
            asked.add(question)
            yield check


def refuse_system_writes(steps: Iterable[Step], *, admin: bool) -> None:
    """Nobody writes what only the server knows, such as a file's size; strangers nothing of the system's at all.

    Every update carries the id, so that one is let through: to be judged by the rules.
    """
    for step in steps:
        if not step.etype.startswith("$"):
            continue
        if step.op == "delete-entity" and not (admin or step.etype == "$files"):
            raise _system(step, f"{step.etype} is a system entity. You aren't allowed to delete this directly.")
        attr = step.attr
        if attr is None or attr.catalog != "system" or attr.name in EDITABLE:
            continue
        if not admin or step.etype in {"$files", "$streams"}:
            raise _system(step, f"{attr.name} is a system column. You aren't allowed to change this directly.")


def _system(step: Step, message: str) -> Refusal:
    said = [step.op, step.entity if isinstance(step.entity, str) else "", step.attr.name if step.attr else step.etype]
    return invalid("tx-step", said, {"message": message})


def _own(step: Step) -> Named | None:
    return (step.etype, step.entity) if isinstance(step.entity, str) and step.entity else None


def _linked(step: Step) -> Named | None:
    if step.attr is None or step.attr.reverse_etype is None or isinstance(step.value, Lookup):
        return None
    return (step.attr.reverse_etype, str(step.value))


def _changed(entities: Entities, steps: Sequence[Step]) -> Entities:
    """The entities as the steps will leave them, near enough for a rule's `newData`, as the vendor does it."""
    changed = {key: dict(data) for key, data in entities.items()}
    for step in steps:
        if step.attr is None or (own := _own(step)) is None:
            continue
        data = changed.setdefault(own, {})
        if step.op == "retract-triple":
            data.pop(step.attr.label, None)
        elif step.op == "deep-merge-triple":
            data[step.attr.label] = deep_merge(data.get(step.attr.label), step.value)
        elif step.op == "add-triple":
            data[step.attr.label] = step.value
    return changed


def deep_merge(old: Any, patch: Any) -> Any:
    """The vendor's merge: objects merge key by key, null removes a key, anything else replaces."""
    if not (isinstance(old, dict) and isinstance(patch, dict)):
        return patch
    merged = {key: value for key, value in old.items() if key not in patch or patch[key] is not None}
    for key, value in patch.items():
        if value is not None:
            merged[key] = deep_merge(merged[key], value) if key in merged else value
    return merged
