"""Values of triples: their JSON text, the comparable key that indexes hold, and the checks that the vendor makes."""

import json
import math
import re
from datetime import UTC, datetime
from typing import Any, cast

from controlplane.localcloud.instant.attrs import Attr
from controlplane.localcloud.instant.errors import Refusal

UUID = re.compile("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

Key = str | float | int | None

# pg_column_size(value) <= 1024 in the vendor's `triples` table; a jsonb string has 12 bytes of its own.
MAX_INDEXED_BYTES = 1024
JSONB_STRING_OVERHEAD = 12

PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "boolean": (bool,),
    "date": (str, int, float),
}


_canonical = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode
_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def dumps(value: Any) -> str:
    """One text per value, so that equal values are equal texts (jsonb: 1.0 = 1, key order is nothing)."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return _canonical(value)


def compact(message: Any) -> str:
    """A message's JSON, in the order in which it was built."""
    return _compact(message)


def loads(body: bytes | str) -> Any:
    """JSON as a server reads it: no NaN, no Infinity, no 1e999. Raises ValueError."""
    return json.loads(body, parse_constant=_finite, parse_float=_finite)


def _finite(text: str) -> float:
    if math.isfinite(number := float(text)):
        return number
    raise ValueError(f"{text} is not a JSON number")


def json_type(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    names = {str: "string", int: "number", float: "number", list: "array"}
    return names.get(type(value), "object")


def is_uuid(value: Any) -> bool:
    return as_uuid(value) is not None


def as_uuid(value: Any) -> str | None:
    """The canonical form of a UUID string, or None. Only the 36-character form counts, as in Java."""
    return value.lower() if isinstance(value, str) and UUID.fullmatch(value) else None


def fits(attr: Attr, value: Any) -> bool:
    """Whether `value` is of the attribute's checked type. Null fits every type."""
    if value is None or attr.data_type is None:
        return True
    if isinstance(value, bool) and attr.data_type != "boolean":
        return False
    if not isinstance(value, PYTHON_TYPES[attr.data_type]):
        return False
    return attr.data_type != "date" or epoch_ms(value) is not None


def epoch_ms(value: Any) -> float | None:
    """A `date` value as epoch milliseconds: a number, or ISO 8601 text (UTC without offset); None if neither.

    The vendor also reads a dozen other notations (db/model/triple.clj date-parsers); this stand-in refuses them.
    """
    if isinstance(value, int | float):
        return value if math.isfinite(value) else None
    try:
        parsed = datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp() * 1000


def key_of(attr: Attr, value: Any) -> Key:
    """What indexes compare: the plain value of a typed attribute, milliseconds of a date, else the JSON text."""
    if value is None or not attr.keyed:
        return None
    if attr.is_ref or attr.label == "id":
        return str(value)
    if attr.data_type == "date":
        return epoch_ms(value)
    if attr.data_type == "number" and abs(value) >= 2**63:
        return float(value)  # past SQLite's integers
    return dumps(value) if attr.data_type is None else cast(Key, value)


def check(attr: Attr, entity: str, value: Any, text: str) -> None:
    """Raises the vendor's validation-failed for a wrong type, an oversized indexed value or a null byte."""
    if "\\u0000" in text.replace("\\\\", ""):
        raise Refusal("validation-failed", "A value in the transaction contains null bytes, which cannot be stored.")
    try:
        size = len(text.encode()) - 2
    except UnicodeEncodeError as error:  # half a surrogate pair
        message = "A value in the transaction contains characters that cannot be stored."
        raise Refusal("validation-failed", message) from error
    if attr.is_ref:
        if not is_uuid(value):
            raise _violation(attr, entity, value, "Linked value must be a valid uuid.")
    elif not fits(attr, value):
        message = f"Invalid value type for {attr.name}. Value must be a {attr.data_type}"
        raise _violation(attr, entity, value, f"{message} but the provided value type is {json_type(value)}.")
    elif attr.keyed and size + JSONB_STRING_OVERHEAD > MAX_INDEXED_BYTES:
        kind = "a unique" if attr.unique else "an indexed"
        raise _violation(attr, entity, value, f"Value is too large for {kind} attribute.", too_large=True)


def _violation(attr: Attr, entity: str, value: Any, message: str, *, too_large: bool = False) -> Refusal:
    hint = {
        "namespace": attr.etype,
        "attribute": attr.label,
        "value": value,
        "checked-data-type": attr.data_type,
        "attr-id": attr.id,
        "entity-id": entity,
        **({"value-too-large?": True} if too_large else {}),
    }
    return Refusal("validation-failed", message, hint)
