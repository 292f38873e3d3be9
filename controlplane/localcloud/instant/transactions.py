"""Executes transaction steps, all or nothing (server: db/transaction.clj, db/permissioned_transaction.clj)."""

import dataclasses
import json
import uuid
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from controlplane.localcloud.instant import checks
from controlplane.localcloud.instant.attrs import Attr
from controlplane.localcloud.instant.errors import Refusal, invalid
from controlplane.localcloud.instant.permissions import Caller, Permissions
from controlplane.localcloud.instant.steps import Lookup, Mode, Step
from controlplane.localcloud.instant.triples import Store
from controlplane.localcloud.instant.values import as_uuid, dumps, fits, key_of

# Postgres takes 65,535 parameters a statement and the vendor binds five for each triple it inserts.
MAX_TRIPLES = 65_535 // 5


class Transaction:
    """One use: `run` commits everything and returns the transaction id, or raises a Refusal and nothing happened."""

    def __init__(self, store: Store, permissions: Permissions, caller: Caller) -> None:
        self.store = store
        self.permissions = permissions
        self.caller = caller
        self._resolved: dict[tuple[str, str], str] = {}
        self._touched: dict[str, set[str]] = defaultdict(set)

    def run(self, steps: Sequence[Step]) -> int:
        if sum(step.op == "add-triple" for step in steps) > MAX_TRIPLES:
            message = "There are too many parameters in the transaction or query."
            advice = "Consider batching transactions to reduce the number of writes in a single transaction."
            raise Refusal("parameter-limit-exceeded", message, {"message": advice})
        with self.store.transaction():
            steps = self._with_cascades([resolved for step in steps if (resolved := self._resolve(step))])
            checks.refuse_system_writes(steps, admin=self.caller.admin)
            questions = self._questions(steps)
            if questions:
                self.permissions.require(self.caller, self.store, questions.before())
            self._check_modes(steps)
            tx_id = self.store.next_tx_id()
            self._execute(steps)
            self._check_required()
            if questions:
                steps = [resolved for step in steps if (resolved := self._resolve(step))]
                now = checks.load(self.store, steps)
                self.permissions.require(self.caller, self.store, questions.after(now, steps))
        return tx_id

    def _questions(self, steps: Sequence[Step]) -> checks.Questions | None:
        if self.caller.admin:
            return None
        return checks.Questions(self.permissions.book, checks.load(self.store, steps), steps)

    # Lookups

    def _resolve(self, step: Step) -> Step | None:
        """The step with every lookup that is known by now replaced; None for the deletion of nothing."""
        if not isinstance(step.entity, Lookup) and not isinstance(step.value, Lookup):
            return step
        entity = self._find(step.entity)
        if step.op == "delete-entity" and isinstance(entity, Lookup):
            return None
        return dataclasses.replace(step, entity=entity, value=self._find(step.value))

    def _find(self, named: Any) -> Any:
        if not isinstance(named, Lookup):
            return named
        known = self._resolved.get(_name(named))
        if known is None and self.store.attrs.get(named.attr.id) and fits(named.attr, named.value):
            known = self.store.find(named.attr, key_of(named.attr, named.value))
        return known or named

    def _found_or_created(self, named: str | Lookup) -> str:
        entity = self._find(named)
        if isinstance(entity, str):
            return entity
        new = as_uuid(entity.value) if entity.attr.label == "id" else str(uuid.uuid4())
        assert new is not None, "steps refuses an id lookup without a UUID"
        self.store.put([(new, entity.attr, new if entity.attr.label == "id" else entity.value)])
        self._resolved[_name(entity)] = new
        return new

    # Checks

    def _check_modes(self, steps: Sequence[Step]) -> None:
        wanted: dict[tuple[Mode, str], set[str]] = defaultdict(set)
        for step in steps:
            if step.mode != "upsert":
                named = step.entity  # a lookup that is still unresolved names nothing that exists
                wanted[step.mode, step.etype].add(named if isinstance(named, str) else dumps(named.value))
        for (mode, etype), entities in wanted.items():
            there = self.store.existing(etype, entities)
            wrong = sorted(entities & there if mode == "create" else entities - there)
            if wrong:
                said = "Creating entities that exist" if mode == "create" else "Updating entities that don't exist"
                raise invalid("tx-step", wrong, {"message": f"{said}: {', '.join(wrong)}"})

    def _check_required(self) -> None:
        missing: dict[tuple[str, str], list[str]] = defaultdict(list)
        for etype, entities in self._touched.items():
            attrs = self.store.attrs.of(etype)
            if not any(attr.required for attr in attrs):
                continue
            needed = {attr.label for attr in attrs if attr.required or attr.label == "id"}
            for entity, triples in self.store.triples(sorted(entities), attrs).items():
                present = {triple.attr.label for triple in triples if triple.value is not None}
                for label in needed - present if present else ():
                    missing[etype, label].append(entity)
        if missing:
            sentences = (
                f"Missing required attribute{'s' * (len(entities) > 1)} `{etype}/{label}`: {', '.join(entities)}"
                for (etype, label), entities in sorted(missing.items())
            )
            records = [{"etype": e, "label": label, "entity_id": i} for (e, label), ids in missing.items() for i in ids]
            raise Refusal("validation-failed", ". ".join(sentences), {"records": records})

    # Cascades

    def _with_cascades(self, steps: Sequence[Step]) -> list[Step]:
        """The steps, followed by the deletion of everything that goes with a deleted entity."""
        gone = {(s.etype, s.entity) for s in steps if s.op == "delete-entity" and isinstance(s.entity, str)}
        added: list[Step] = []
        frontier = gone
        while frontier:
            frontier = self._attached(frontier) - gone
            gone |= frontier
            added += [Step(op="delete-entity", entity=entity, etype=etype) for etype, entity in sorted(frontier)]
        return [*steps, *added]

    def _attached(self, gone: set[tuple[str, str]]) -> set[tuple[str, str]]:
        found: set[tuple[str, str]] = set()
        for attr in self.store.attrs:
            no = self.store.no[attr.id]
            if attr.on_delete == "cascade":
                sql = "SELECT entity FROM triple WHERE is_ref AND attr = ? AND key IN (SELECT value FROM json_each(?))"
                ids = json.dumps([entity for etype, entity in gone if etype == attr.reverse_etype])
                found |= {(attr.etype, row[0]) for row in self.store.rows(sql, (no, ids))}
            if attr.on_delete_reverse == "cascade" and attr.reverse_etype:
                sql = "SELECT key FROM triple WHERE attr = ? AND entity IN (SELECT value FROM json_each(?))"
                ids = json.dumps([entity for etype, entity in gone if etype == attr.etype])
                found |= {(attr.reverse_etype, row[0]) for row in self.store.rows(sql, (no, ids))}
        return found

    # Writing

    def _execute(self, steps: Sequence[Step]) -> None:
        """As the vendor does: steps grouped by kind, the kinds in the order in which they first appear."""
        groups: dict[str, list[Step]] = defaultdict(list)
        for step in steps:
            groups[step.op].append(step)
        for op, group in groups.items():
            getattr(self, "_" + op.replace("-", "_"))(group)

    def _rule_params(self, _: list[Step]) -> None:
        """Only the permission checks read them."""

    def _add_attr(self, steps: list[Step]) -> None:
        for step in steps:
            assert step.attr is not None
            self.store.add_attr(step.attr)

    def _delete_attr(self, steps: list[Step]) -> None:
        for step in steps:
            self.store.delete_attr(step.value)

    def _add_triple(self, steps: list[Step]) -> None:
        self._refuse_moved_lookups(steps)
        for step in steps:
            self._found_or_created(step.entity)
        triples = self._last_writes(steps)
        self.store.put((entity, attr, value) for (entity, _, _), (attr, value) in triples.items())
        new: dict[str, set[str]] = defaultdict(set)
        for (entity, _, _), (attr, _) in triples.items():
            self._touched[attr.etype].add(entity)
            if attr.label == "id":
                new[attr.etype].add(entity)
        for etype, entities in new.items():
            self.store.backfill(etype, entities)

    def _last_writes(self, steps: list[Step]) -> dict[tuple[str, str, str], tuple[Attr, Any]]:
        """Each triple's last value: what Postgres sees, so that a value set twice cannot clash with itself."""
        writes: dict[tuple[str, str, str], tuple[Attr, Any]] = {}
        for step in steps:
            assert step.attr is not None
            value = self._value(step.value)
            many = dumps(value) if step.attr.cardinality == "many" else ""
            writes[self._found_or_created(step.entity), step.attr.id, many] = (step.attr, value)
        return writes

    def _value(self, value: Any) -> Any:
        found = self._find(value)
        if isinstance(found, Lookup):
            named = {"attribute-id": found.attr.id, "namespace": found.attr.etype, "label": found.attr.label}
            message = {"message": "The entity for the lookup does not exist."}
            raise invalid("lookup", {**named, "value": found.value}, message)
        return found

    def _refuse_moved_lookups(self, steps: list[Step]) -> None:
        for step in steps:
            if isinstance(step.entity, Lookup) and step.attr == step.entity.attr and step.attr.label != "id":
                message = (
                    "Updates with lookups can only update the lookup attribute if an entity with the unique attribute"
                    " value already exists."
                )
                raise invalid("lookup", [step.entity.attr.id, step.entity.value], {"message": message})

    def _deep_merge_triple(self, steps: list[Step]) -> None:
        for step in steps:
            assert step.attr is not None
            if step.attr.is_ref:
                raise Refusal("sql-raise", "Raised Exception: merge operation is not supported for links")
            entity = self._found_or_created(step.entity)
            old = self.store.triples([entity], [step.attr]).get(entity)
            self.store.put([(entity, step.attr, checks.deep_merge(old[0].value if old else None, step.value))])
            self._touched[step.attr.etype].add(entity)

    def _retract_triple(self, steps: list[Step]) -> None:
        for step in steps:
            entity, value = self._find(step.entity), self._find(step.value)
            if step.attr and isinstance(entity, str) and not isinstance(value, Lookup):
                self.store.retract(entity, step.attr, value)
                self._touched[step.attr.etype].add(entity)

    def _delete_entity(self, steps: list[Step]) -> None:
        gone: dict[str, set[str]] = defaultdict(set)
        for step in steps:
            assert isinstance(step.entity, str), "lookups were resolved or dropped"
            gone[step.etype].add(step.entity)
        for etype, entities in gone.items():
            self.store.delete_entities(etype, entities)
            self._touched[etype] |= entities


def _name(lookup: Lookup) -> tuple[str, str]:
    return (lookup.attr.id, dumps(lookup.value))
