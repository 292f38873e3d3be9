"""A schema as the vendor's clients send it (`entities`, `links`), as attributes (server: model/schema.clj).

What a new app of this stand-in begins with is storefront.json, written by `make instant-json` from the two TypeScript
files in edge_worker/, which are the only place where the storefront's schema and rules are decided.
"""

import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, cast, get_args

from controlplane.localcloud.instant.attrs import Attr, DataType, Identity
from controlplane.localcloud.instant.errors import invalid
from controlplane.localcloud.instant.rules import Rules

Schema = Mapping[str, Any]
"""`{"entities": {name: {"attrs": {label: …}}}, "links": {name: {"forward": …, "reverse": …}}}`"""

NewId = Callable[..., str]
EMPTY: Schema = {"entities": {}, "links": {}}


@cache
def _storefront() -> Mapping[str, Any]:
    content: Mapping[str, Any] = json.loads((Path(__file__).parent / "storefront.json").read_text())
    return content


def storefront() -> Schema:
    schema: Schema = _storefront()["schema"]
    return schema


def storefront_rules() -> Rules:
    rules: Rules = _storefront()["rules"]
    return rules


def derived_ids(app_id: str) -> NewId:
    """Ids from app and name, so that every new start of an app has the same ones."""
    return lambda *names: str(uuid.uuid5(uuid.UUID(app_id), "/".join(names)))


def random_ids(*_: str) -> str:
    return str(uuid.uuid4())


def attrs_of(schema: Any, new_id: NewId) -> Iterator[Attr]:
    """Every attribute of a schema, an `id` for each namespace included. Raises validation-failed for malformed ones."""
    try:
        for etype, entity in (schema.get("entities") or {}).items():
            yield Attr(id=new_id(etype, "id"), forward=_identity(new_id, etype, "id"), unique=True)
            for label, attribute in entity["attrs"].items():
                if label != "id":
                    yield _blob(new_id, etype, label, attribute)
        for link in (schema.get("links") or {}).values():
            yield _ref(new_id, link["forward"], link["reverse"])
    except (AttributeError, KeyError, TypeError) as error:
        raise invalid("schema", schema, {"message": f"The schema is malformed: {error}"}) from error


def _identity(new_id: NewId, etype: str, label: str) -> Identity:
    return (new_id(etype, label, "ident"), etype, label)


def _blob(new_id: NewId, etype: str, label: str, attribute: Mapping[str, Any]) -> Attr:
    named, config = attribute.get("valueType"), attribute.get("config") or {}
    return Attr(
        id=new_id(etype, label),
        forward=_identity(new_id, etype, label),
        data_type=cast(DataType, named) if named in get_args(DataType) else None,
        indexed=bool(config.get("indexed")),
        unique=bool(config.get("unique")),
        required=attribute.get("required") is True,
    )


def _ref(new_id: NewId, forward: Mapping[str, Any], reverse: Mapping[str, Any]) -> Attr:
    return Attr(
        id=new_id(forward["on"], forward["label"]),
        forward=_identity(new_id, forward["on"], forward["label"]),
        reverse=_identity(new_id, reverse["on"], reverse["label"]),
        value_type="ref",
        cardinality="one" if forward["has"] == "one" else "many",
        unique=reverse["has"] == "one",
        required=forward.get("required") is True,
        on_delete=_cascade(forward),
        on_delete_reverse=_cascade(reverse),
    )


def _cascade(end: Mapping[str, Any]) -> Literal["cascade"] | None:
    return "cascade" if end.get("onDelete") == "cascade" else None
