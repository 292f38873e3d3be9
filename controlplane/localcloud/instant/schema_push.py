"""Changing an app's schema: what a push would do, and doing it (server: model/schema.clj, db/indexing_jobs.clj).

The vendor checks and converts what is stored in background jobs that a client polls. Here a job is done at once, each
in a transaction of its own, and the client finds it finished; what it may say of failure is the same.
"""

import dataclasses
import sqlite3
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, get_args

from controlplane.localcloud.instant.attrs import Attr, Attrs, DataType
from controlplane.localcloud.instant.errors import Refusal, invalid
from controlplane.localcloud.instant.schema import attrs_of, random_ids
from controlplane.localcloud.instant.system import EXTENSIBLE, SYSTEM_ATTRS
from controlplane.localcloud.instant.triples import Store
from controlplane.localcloud.instant.values import fits, json_type

Step = list[Any]
Job = dict[str, Any]

VISIBLE_SYSTEM = {"$users", "$files", "$streams"}
# A job's name → the change that it makes.
JOBS: dict[str, dict[str, Any]] = {
    "index": {"indexed": True},
    "remove-index": {"indexed": False},
    "unique": {"unique": True},
    "remove-unique": {"unique": False},
    "required": {"required": True},
    "remove-required": {"required": False},
    "check-data-type": {},
    "remove-data-type": {"data_type": None},
}
SAMPLE = 10


def as_api_schema(attrs: Attrs) -> dict[str, Any]:
    """`{"blobs": {etype: {label: attr}}, "refs": {"a-b-c-d": attr}}`, without what the system keeps to itself."""
    blobs: dict[str, dict[str, Any]] = {}
    refs: dict[str, Any] = {}
    for attr in attrs:
        if attr.etype.startswith("$") and attr.etype not in VISIBLE_SYSTEM:
            continue
        if attr.reverse:
            refs["-".join((*attr.forward[1:], *attr.reverse[1:]))] = attr.to_wire()
        else:
            blobs.setdefault(attr.etype, {})[attr.label] = attr.to_wire()
    return {"blobs": blobs, "refs": refs}


# Planning


def plan(attrs: Attrs, schema: Any, *, check_types: bool, background: bool) -> list[Step]:
    """The steps from the app's attributes to the schema; it never deletes. Raises validation-failed.

    `background` says that the client waits for jobs; an older one gets whole updates of attributes.
    """
    steps: list[Step] = []
    for wanted in attrs_of(schema, random_ids):
        if wanted.etype.startswith("$") and any(one.forward[1:] == wanted.forward[1:] for one in SYSTEM_ATTRS):
            continue
        known = attrs.forward(*wanted.forward[1:])
        if known is None:
            new = wanted if check_types else dataclasses.replace(wanted, data_type=None)
            steps.append(["add-attr", new.to_wire()])
        elif known.label != "id":
            steps += _changes(known, wanted, check_types=check_types, background=background)
    _refuse_clashes(attrs, steps)
    return steps


def _changes(known: Attr, wanted: Attr, *, check_types: bool, background: bool) -> Iterator[Step]:
    if known.is_ref != wanted.is_ref or (known.reverse and wanted.reverse and known.reverse[1:] != wanted.reverse[1:]):
        raise invalid("schema", "plan", {"in": ["schema"], "message": _duplicate(wanted)})
    named: dict[str, Any] = {"attr-id": known.id, "forward-identity": list(known.forward)}
    flags = ("required",) if known.is_ref else ("indexed", "unique", "required")
    changed = [flag for flag in flags if getattr(known, flag) != getattr(wanted, flag)]
    whole = dataclasses.replace(wanted, id=known.id, forward=known.forward, reverse=known.reverse)
    ends = ("cardinality", "unique", "on_delete", "on_delete_reverse")
    if known.is_ref and any(getattr(known, end) != getattr(wanted, end) for end in ends):
        yield ["update-attr", whole.to_wire()]
    elif changed and not background:
        yield ["update-attr", dataclasses.replace(whole, data_type=known.data_type).to_wire()]
    if background:
        for flag in changed:
            name = {"indexed": "index"}.get(flag, flag)
            yield [name if getattr(wanted, flag) else f"remove-{name}", dict(named)]
    if check_types and not known.is_ref and known.data_type != wanted.data_type:
        if wanted.data_type:
            yield ["check-data-type", {**named, "checked-data-type": wanted.data_type}]
        else:
            yield ["remove-data-type", dict(named)]


def _refuse_clashes(attrs: Attrs, steps: Sequence[Step]) -> None:
    for name, wire in steps:
        if name not in {"add-attr", "update-attr"}:
            continue
        attr = Attr.from_wire(wire)
        taken = [attrs.forward(*end[1:]) or attrs.reverse(*end[1:]) for end in (attr.forward, attr.reverse) if end]
        problem = _duplicate(attr) if name == "add-attr" and any(taken) else ""
        cascades = (attr.on_delete and attr.cardinality == "many", attr.on_delete_reverse and not attr.unique)
        if any(cascades):
            problem = f"{attr.etype}->{attr.label}: Cascade delete is only possible on links with `has: 'one'`."
        if problem:
            raise invalid("schema", "plan", {"in": ["schema"], "message": problem})


def _duplicate(attr: Attr) -> str:
    advice = "Check your schema file for duplicate or reversed link definitions."
    return f"{attr.etype}->{attr.label}: Duplicate entry found for attribute. {advice}"


# Applying


def apply(store: Store, steps: Any) -> tuple[list[Step], list[Job]]:
    """Attributes first, all or none; then the jobs, each by itself. Raises validation-failed for malformed steps."""
    if not isinstance(steps, list) or not all(_is_step(step) for step in steps):
        raise invalid("steps", steps, {"message": "Each step is a pair of an action and what it is about."})
    with store.transaction():
        for name, about in steps:
            _apply(store, name, about)
    done, jobs, group = [], [], str(uuid.uuid4())
    for name, about in steps:
        if name in JOBS:
            job = _run(store, name, about, group)
            jobs.append(job)
            done.append([name, {**about, "job-id": job["id"]}])
        else:
            done.append([name, about])
    return done, jobs


def _is_step(step: Any) -> bool:
    if not isinstance(step, list) or len(step) != 2:
        return False
    if step[0] in {"delete-attr", "restore-attr"}:
        return isinstance(step[1], str)
    return step[0] in {"add-attr", "update-attr", *JOBS} and isinstance(step[1], dict)


def _apply(store: Store, name: str, about: Any) -> None:
    if name == "add-attr":
        attr = Attr.from_wire(about)
        if attr.etype.startswith("$") and attr.etype not in EXTENSIBLE:
            raise invalid("attributes", about, {"message": f"{attr.etype} is a reserved internal namespace."})
        store.add_attr(attr)
    elif name == "update-attr":
        known = _known(store, about.get("id"))
        wire = {**known.to_wire(), **{key: value for key, value in about.items() if value is not None}}
        _redefine(store, Attr.from_wire(wire))
    elif name == "delete-attr":
        _known(store, about)
        store.delete_attr(about)
    elif name == "restore-attr":
        raise invalid(
            "steps", about, {"message": "This stand-in deletes for good; a real server keeps it for a while."}
        )


def _known(store: Store, attr_id: Any) -> Attr:
    attr = store.attrs.get(attr_id) if isinstance(attr_id, str) else None
    if attr is None:
        raise Refusal("record-not-found", "Record not found: attr", {"attr-id": attr_id, "record-type": "attr"})
    if attr.catalog == "system":
        raise invalid("attributes", attr_id, {"message": f"{attr.name} is a system column."})
    return attr


def _redefine(store: Store, attr: Attr) -> None:
    try:
        store.declare([attr])
    except sqlite3.IntegrityError as error:
        message = f"`{attr.label}` can't be unique on `{attr.etype}`: there are entities with the same value."
        raise Refusal("record-not-unique", message, {"record-type": "attr", "attr-id": attr.id}) from error


# Jobs


def _run(store: Store, name: str, about: Mapping[str, Any], group: str) -> Job:
    attr = _known(store, about.get("attr-id"))
    change = JOBS[name] or {"data_type": about.get("checked-data-type")}
    if change.get("data_type") not in {*get_args(DataType), None}:
        raise invalid("steps", dict(about), {"message": f"Unknown data type {change['data_type']}."})
    now = datetime.now(UTC).isoformat()
    job: Job = {
        "id": str(uuid.uuid4()),
        "group_id": group,
        "attr_id": attr.id,
        "attr_name": attr.name,
        "job_type": name,
        "job_status": "completed",
        "checked_data_type": about.get("checked-data-type"),
        "created_at": now,
        "updated_at": now,
        "done_at": now,
    }
    wanted = dataclasses.replace(attr, **change)
    problem = _problem(store, name, wanted)
    if problem is None:
        try:
            with store.transaction():
                store.declare([wanted])
        except Refusal:
            problem = {"error": "triple-too-large-error"}
        except sqlite3.IntegrityError:
            problem = _twice(store, attr)
    return {**job, **({"job_status": "errored", **problem} if problem else {})}


def _problem(store: Store, name: str, wanted: Attr) -> Job | None:
    """What is stored and does not fit, found before anything is changed."""
    if name == "check-data-type":
        wrong = [_sample(t.entity, t.value) for t in _stored(store, wanted) if not fits(wanted, t.value)]
        return {"error": "invalid-triple-error", "invalid_triples_sample": wrong[:SAMPLE]} if wrong else None
    if name == "required":
        present = {triple.entity for triple in _stored(store, wanted) if triple.value is not None}
        missing = sorted(set(store.entities(wanted.etype)) - present)
        error_data = {"count": len(missing), "entity-ids": missing[:SAMPLE]}
        return {"error": "missing-required-error", "error_data": error_data} if missing else None
    return None


def _twice(store: Store, attr: Attr) -> Job:
    seen: dict[str, Any] = {}
    for triple in _stored(store, attr):
        value, first = triple.value, seen.setdefault(repr(triple.value), triple)
        if value is not None and first is not triple:
            sample = [_sample(first.entity, value), _sample(triple.entity, value)]
            return {"error": "triple-not-unique-error", "invalid_unique_value": value, "invalid_triples_sample": sample}
    return {"error": "triple-not-unique-error"}


def _stored(store: Store, attr: Attr) -> Iterator[Any]:
    for triples in store.triples(store.entities(attr.etype), [attr]).values():
        yield from triples


def _sample(entity: str, value: Any) -> dict[str, Any]:
    return {"entity_id": entity, "value": value, "json_type": json_type(value)}
