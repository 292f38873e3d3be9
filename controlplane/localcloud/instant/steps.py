"""Admin steps (`["update", "products", id, {…}]`) into transaction steps on attributes (server: admin/model.clj)."""

import dataclasses
import json
import uuid
from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple

from controlplane.localcloud.instant.attrs import Attr, Attrs
from controlplane.localcloud.instant.errors import invalid
from controlplane.localcloud.instant.values import as_uuid, loads

Op = Literal[
    "add-triple", "deep-merge-triple", "retract-triple", "delete-entity", "rule-params", "add-attr", "delete-attr"
]
Mode = Literal["create", "update", "upsert"]

WRITES = {"create", "update", "merge"}
LINKS = {"link", "unlink"}
ON_ENTITIES = WRITES | LINKS | {"delete", "ruleParams"}
OPTIONS = {None: "upsert", True: "upsert", False: "update"}


class Lookup(NamedTuple):
    """An entity named by a unique attribute's value instead of its id."""

    attr: Attr
    value: Any


@dataclasses.dataclass(frozen=True, kw_only=True)
class Step:
    """What a transaction executes, from the admin API and from the browser alike. `value` is rule params for those."""

    op: Op
    entity: str | Lookup = ""
    etype: str = ""
    attr: Attr | None = None
    value: Any = None
    mode: Mode = "upsert"


def to_steps(attrs: Attrs, wire: Any, *, create_attrs: bool) -> list[Step]:
    """The steps of `POST /admin/transact`, preceded by an `add-attr` for each attribute that is missing.

    Raises validation-failed for malformed steps, and for missing attributes unless `create_attrs`.
    """
    _check_shapes(wire)
    added = _missing_attrs(attrs, wire)
    if added and not create_attrs:
        message = {"message": "Attributes are missing in your schema", "hint": {"attributes": [a.name for a in added]}}
        raise invalid("steps", wire, message)
    for attr in added:
        attrs = attrs.with_attr(attr)
    return [Step(op="add-attr", attr=attr) for attr in added] + [s for step in wire for s in _expand(attrs, step)]


def _check_shapes(wire: Any) -> None:
    if not isinstance(wire, list):
        raise invalid("steps", wire, {"expected": "coll?", "in": []})
    for index, step in enumerate(wire):
        if not isinstance(step, list) or not step:
            raise invalid("steps", wire, {"expected": "coll?", "in": [index]})
        if problem := _problem(step):
            at, error = problem
            raise invalid("steps", wire, {**error, "in": [index, *at]})


def _problem(step: list[Any]) -> tuple[list[int], dict[str, str]] | None:
    action, *rest = step
    if action == "add-attr":
        return None if len(rest) == 1 and isinstance(rest[0], dict) else ([1], {"expected": "map?"})
    if action == "delete-attr":
        return None if len(rest) == 1 and as_uuid(rest[0]) else ([1], {"expected": "coercible-uuid?"})
    if not isinstance(action, str) or action not in ON_ENTITIES:
        return [0], {"message": f"Unsupported action {action}", "expected": "action?"}
    if len(rest) < 2 or not isinstance(rest[0], str):
        return [1], {"expected": "string?"}
    if not (as_uuid(rest[1]) or _is_lookup(rest[1])):
        message = f"Invalid entity ID '{rest[1]}'. Entity IDs must be UUIDs or lookup references."
        return [2], {"message": message}
    return None if action == "delete" else _arguments_problem(action, rest)


def _arguments_problem(action: str, rest: list[Any]) -> tuple[list[int], dict[str, str]] | None:
    if len(rest) < 3 or not isinstance(rest[2], dict):
        return [3], {"expected": "map?"}
    if len(rest) > 3 and not (action in {"update", "merge"} and isinstance(rest[3], dict | None) and len(rest) == 4):
        return [4], {"expected": "update-opts?"}
    if action in LINKS:
        for value in (one for many in rest[2].values() for one in _linked(many)):
            if not (as_uuid(value) or _is_lookup(value)):
                return [3], {"message": f"Invalid entity ID '{value}'. Entity IDs must be UUIDs or lookup references."}
    return None


def _is_lookup(value: Any) -> bool:
    if isinstance(value, list):
        return len(value) == 2 and isinstance(value[0], str)
    return isinstance(value, dict) or (isinstance(value, str) and value.startswith("lookup__"))


def _linked(value: Any) -> list[Any]:
    """The entities on the other side of a link step: one, or a list. A bare pair is a list, as with the vendor."""
    return value if isinstance(value, list) else [value]


def _pair(eid: Any) -> tuple[str, Any] | None:
    """(label, value) of a lookup in any of its three forms, None for an id."""
    if isinstance(eid, str):
        return _parse_lookup(eid) if eid.startswith("lookup__") else None
    if isinstance(eid, list):
        return eid[0], eid[1]
    if len(eid) != 1:
        raise invalid("lookup", eid, {"message": "lookup must be an object with a single unique attr and value."})
    ((label, value),) = eid.items()
    return label, value


def _parse_lookup(text: str) -> tuple[str, Any]:
    _, label, *rest = text.split("__")
    try:
        return label, loads("__".join(rest))
    except ValueError as error:
        hint = {"attribute": label, "value": "__".join(rest)}
        raise invalid("lookup", text, {"message": "lookup value is invalid", "hint": hint}) from error


# Attributes that a step names and the schema lacks


def _missing_attrs(attrs: Attrs, wire: Sequence[list[Any]]) -> list[Attr]:
    added: list[Attr] = []
    for step in wire:
        for etype, label, kind in _named(step):
            known = attrs.forward(etype, label) or (kind == "link" and attrs.reverse(etype, label))
            if not known:
                added.append(_new_attr(etype, label, kind))
                attrs = attrs.with_attr(added[-1])
    return added


def _named(step: list[Any]) -> Iterator[tuple[str, str, str]]:
    """(namespace, label, kind) of every attribute a step needs."""
    action, etype = step[0], step[1]
    if action in ON_ENTITIES and action != "ruleParams" and (pair := _pair(step[2])):
        yield etype, pair[0].removesuffix(".id"), "lookup"
    if action in WRITES | LINKS:
        yield etype, "id", "value"
        for label in step[3]:
            yield etype, label, "link" if action in LINKS else "value"


def _new_attr(etype: str, label: str, kind: str) -> Attr:
    """As the vendor creates it: a link many to many, a looked-up attribute unique and indexed."""
    forward = (_new_id(), etype, label)
    if kind == "link":
        reverse = (_new_id(), label, etype)
        return Attr(id=_new_id(), forward=forward, reverse=reverse, value_type="ref", cardinality="many")
    looked_up = kind == "lookup"
    return Attr(id=_new_id(), forward=forward, unique=looked_up or label == "id", indexed=looked_up)


def _new_id() -> str:
    return str(uuid.uuid4())


# Expansion


def _expand(attrs: Attrs, wire: list[Any]) -> Iterator[Step]:
    action = wire[0]
    if action == "add-attr":
        yield Step(op="add-attr", attr=Attr.from_wire(wire[1]))
    elif action == "delete-attr":
        yield Step(op="delete-attr", value=wire[1])
    elif action in LINKS:
        yield from _expand_links(attrs, wire)
    elif action in WRITES:
        yield from _expand_write(attrs, wire)
    elif action == "delete":
        yield Step(op="delete-entity", entity=_entity(attrs, wire[1], wire[2]), etype=wire[1])
    else:
        yield Step(op="rule-params", entity=_entity(attrs, wire[1], wire[2]), etype=wire[1], value=wire[3])


def _expand_write(attrs: Attrs, wire: list[Any]) -> Iterator[Step]:
    action, etype, eid, values = wire[:4]
    entity = _entity(attrs, etype, eid)
    options = wire[4] if len(wire) > 4 and wire[4] else {}
    mode: Any = "create" if action == "create" else OPTIONS.get(options.get("upsert"), "upsert")
    # The id goes first, so that a write to the looked-up attribute does not create a second entity.
    for label, value in [("id", entity), *((k, v) for k, v in values.items() if k != "id")]:
        op: Op = "deep-merge-triple" if action == "merge" and label != "id" else "add-triple"
        yield _triple(op, entity, _known(attrs, etype, label), value, mode)


def _expand_links(attrs: Attrs, wire: list[Any]) -> Iterator[Step]:
    action, etype, eid, values = wire[:4]
    op: Op = "add-triple" if action == "link" else "retract-triple"
    entity = _entity(attrs, etype, eid)
    if isinstance(entity, Lookup):
        yield _triple("add-triple", entity, _known(attrs, etype, "id"), entity)
    for label, many in values.items():
        for one in _linked(many):
            if forward := attrs.forward(etype, label):
                if not forward.is_ref:
                    raise invalid("steps", wire, {"message": f"{forward.name} needs to be a link"})
                yield _triple(op, entity, forward, _entity(attrs, forward.reverse_etype or "", one))
            elif reverse := attrs.reverse(etype, label):
                yield _triple(op, _entity(attrs, reverse.etype, one), reverse, entity)


def _triple(op: Op, entity: str | Lookup, attr: Attr, value: Any, mode: Mode = "upsert") -> Step:
    return Step(op=op, entity=entity, etype=attr.etype, attr=attr, value=value, mode=mode)


def _known(attrs: Attrs, etype: str, label: str) -> Attr:
    attr = attrs.forward(etype, label)
    assert attr is not None, "missing attributes were added or refused before"
    return attr


def _entity(attrs: Attrs, etype: str, eid: Any) -> str | Lookup:
    pair = _pair(eid)
    if pair is None:
        return as_uuid(eid) or ""
    label, value = pair
    attr = attrs.forward(etype, label.removesuffix(".id")) if "." in label else attrs.forward(etype, label)
    if attr is None or not attr.unique:
        raise invalid("lookup", eid, {"message": f"{label} is not a unique attribute on {etype}"})
    if attr.label == "id" and not as_uuid(value):
        message = f"Invalid lookup '{json.dumps(value)}'. The lookup attribute is '{attr.name}',"
        raise invalid("tx-steps", eid, {"message": f"{message} but the lookup value is not a valid UUID."})
    return Lookup(attr, value)
