"""Which permission checks a transaction of a non-admin needs (server: db/permissioned_transaction.clj).

Updates and deletions, cascaded ones included, are judged on the state before the write, creations on the state after;
a link needs `update` on its forward entity and `view` on the other one, whichever exists at the time.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from controlplane.localcloud.instant.permissions import Check
from controlplane.localcloud.instant.steps import Lookup, Step
from controlplane.localcloud.instant.triples import Store

Entities = Mapping[tuple[str, str], dict[str, Any]]  # by (namespace, id); only those that exist


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


def before(entities: Entities, steps: Sequence[Step]) -> Iterator[Check]:
    changed = _changed(entities, steps)
    params = {_own(step): step.value for step in steps if step.op == "rule-params"}
    for step in steps:
        if step.op == "delete-attr":
            yield Check(action="delete", etype="attrs")
        elif (own := _own(step)) and step.op == "delete-entity":
            yield _check("delete", own, entities, changed, params)
        elif own and step.attr and step.op != "rule-params":
            if own in entities:
                yield _check("update", own, entities, changed, params)
            if (linked := _linked(step)) in entities and linked:
                yield _check("view", linked, entities, changed, params)


def after(entities: Entities, now: Entities, steps: Sequence[Step]) -> Iterator[Check]:
    params = {_own(step): step.value for step in steps if step.op == "rule-params"}
    for step in steps:
        if step.op == "add-attr":
            yield Check(action="create", etype="attrs")
        elif step.op in {"add-triple", "deep-merge-triple"}:
            if (own := _own(step)) and own not in entities:
                yield _check("create", own, now, now, params)
            if (linked := _linked(step)) and linked in now and linked not in entities:
                yield _check("view", linked, now, now, params)


def _own(step: Step) -> tuple[str, str] | None:
    return (step.etype, step.entity) if isinstance(step.entity, str) and step.entity else None


def _linked(step: Step) -> tuple[str, str] | None:
    if step.attr is None or step.attr.reverse_etype is None or isinstance(step.value, Lookup):
        return None
    return (step.attr.reverse_etype, str(step.value))


def _check(action: Any, own: tuple[str, str], old: Entities, new: Entities, params: Mapping[Any, Any]) -> Check:
    etype, entity = own
    data, rule_params = old.get(own), params.get(own, {})
    return Check(action=action, etype=etype, entity=entity, data=data, new_data=new.get(own), rule_params=rule_params)


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
