"""The browser's `tx-steps` (`["add-triple", entity, attr, value]`) into steps (server: db/transaction.clj)."""

from collections.abc import Sequence
from typing import Any

from controlplane.localcloud.instant.attrs import Attr, Attrs
from controlplane.localcloud.instant.errors import Refusal, invalid
from controlplane.localcloud.instant.steps import Lookup, Mode, Op, Step
from controlplane.localcloud.instant.values import as_uuid

TRIPLES: dict[str, Op] = {
    "add-triple": "add-triple",
    "deep-merge-triple": "deep-merge-triple",
    "retract-triple": "retract-triple",
}
MODES: dict[Any, Mode] = {None: "upsert", "upsert": "upsert", "create": "create", "update": "update"}
# The vendor has these for admins; the stand-in changes attributes by schema push instead.
UNSPOKEN = {"update-attr", "restore-attr"}


def from_browser(attrs: Attrs, wire: Any) -> list[Step]:
    """Raises validation-failed for a malformed step; attributes that earlier steps add are known to later ones."""
    if not isinstance(wire, list):
        raise invalid("tx-steps", wire, {"expected": "coll?", "in": []})
    steps = []
    for index, step in enumerate(wire):
        if not isinstance(step, list) or not step:
            raise invalid("tx-steps", wire, {"expected": "coll?", "in": [index]})
        steps.append(_Reader(attrs, wire, index).read(step))
        if steps[-1].op == "add-attr" and (added := steps[-1].attr):
            attrs = attrs.with_attr(added)
    return steps


class _Reader:
    """Reads the step at `index` of `wire`, the whole list, which every refusal carries."""

    def __init__(self, attrs: Attrs, wire: Sequence[Any], index: int) -> None:
        self.attrs = attrs
        self.wire = wire
        self.index = index

    def read(self, step: list[Any]) -> Step:
        op, *rest = step
        if op in TRIPLES and len(rest) in {3, 4}:
            return self._triple(TRIPLES[op], *rest)
        if op == "delete-entity" and len(rest) == 2 and isinstance(rest[1], str):
            return Step(op="delete-entity", entity=self._entity(rest[0]), etype=rest[1])
        if op == "rule-params" and len(rest) == 3 and isinstance(rest[1], str) and isinstance(rest[2], dict):
            return Step(op="rule-params", entity=self._entity(rest[0]), etype=rest[1], value=rest[2])
        if op == "add-attr" and len(rest) == 1 and isinstance(rest[0], dict):
            return Step(op="add-attr", attr=Attr.from_wire(rest[0]))
        if op == "delete-attr" and len(rest) == 1 and (attr_id := as_uuid(rest[0])):
            return Step(op="delete-attr", value=attr_id)
        if op in UNSPOKEN:
            raise self._refuse(0, message=f"This stand-in does not speak {op}; a real Instant server does, to admins.")
        raise self._refuse(0, expected="tx-step")

    def _refuse(self, at: int, **error: str) -> Refusal:
        return invalid("tx-steps", self.wire, {**error, "in": [self.index, at]})

    def _triple(self, op: Op, entity: Any, attr_id: Any, value: Any, options: Any = None) -> Step:
        attr = self.attrs.get(as_uuid(attr_id) or "")
        if attr is None:
            raise self._refuse(2, message=f"There is no attribute with id {attr_id}.")
        mode = options.get("mode") if isinstance(options, dict) else options
        if mode not in MODES:
            raise self._refuse(4, expected="mode")
        named, value = self._entity(entity), self._value(attr, value)
        if attr.label == "id" and value != named:
            raise self._refuse(3, message=f"The id of {named} can't be {value}.")
        return Step(op=op, entity=named, etype=attr.etype, attr=attr, value=value, mode=MODES[mode])

    def _value(self, attr: Attr, value: Any) -> Any:
        """A link's value may be a lookup; so may the id's, in the write that creates what a lookup names."""
        if not (attr.is_ref or attr.label == "id"):
            return value
        if isinstance(value, list):
            return self._lookup(value, 3)
        return as_uuid(value) or value

    def _entity(self, value: Any) -> str | Lookup:
        if isinstance(value, list):
            return self._lookup(value, 1)
        if entity := as_uuid(value):
            return entity
        advice = "Entity IDs must be UUIDs. Use id() or lookup() to generate a valid UUID."
        raise self._refuse(1, message=f"Invalid entity ID '{value}'. {advice}")

    def _lookup(self, pair: Sequence[Any], at: int) -> Lookup:
        attr = self.attrs.get(as_uuid(pair[0]) or "") if len(pair) == 2 else None
        if attr is None or not attr.unique:
            raise self._refuse(at, message="A lookup is a unique attribute's id and a value.")
        if attr.label == "id" and not as_uuid(pair[1]):
            said = f"Invalid lookup '{list(pair)}'. The lookup attribute is '{attr.name}', but"
            raise self._refuse(at, message=f"{said} the lookup value is not a valid UUID.")
        return Lookup(attr, as_uuid(pair[1]) if attr.label == "id" else pair[1])
