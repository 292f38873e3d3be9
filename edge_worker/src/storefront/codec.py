"""Frozen dataclasses ↔ JSON values: a tolerant reader and a compact writer; standard library only.

The reader ignores unknown fields and fills missing ones with their defaults, so that the Worker can be
deployed before or after the publisher. It refuses a value of the wrong type: a record that does not fit its
contract must become a clear error page, never a half-rendered one.
"""

import dataclasses
import functools
import types
import typing
from typing import Any


class DocumentError(ValueError):
    """A stored document can't be read: not JSON, of a newer major version, or of the wrong shape."""


def encode(value: Any) -> Any:
    """A dataclass as a JSON value; fields that equal their default are left out, to save bytes."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        out: dict[str, Any] = {}
        if kind := getattr(value, "kind", None):
            out["kind"] = kind
        for field in dataclasses.fields(value):
            item = getattr(value, field.name)
            if field.default is dataclasses.MISSING or item != field.default:
                out[field.name] = encode(item)
        return out
    if isinstance(value, (tuple, list)):
        return [encode(item) for item in value]
    return value


@functools.cache
def _fields(cls: type) -> tuple[tuple[str, Any, bool], ...]:
    hints = typing.get_type_hints(cls)
    return tuple((f.name, hints[f.name], f.default is dataclasses.MISSING) for f in dataclasses.fields(cls))


def decode(cls: type, value: Any, where: str = "") -> Any:
    """An instance of the dataclass `cls` from a JSON object. Raises DocumentError naming the bad field."""
    if not isinstance(value, dict):
        raise DocumentError(f"{where or cls.__name__}: expected an object")
    arguments = {}
    for name, hint, required in _fields(cls):
        if name in value:
            arguments[name] = _decode_value(hint, value[name], f"{where}.{name}" if where else name)
        elif required:
            raise DocumentError(f"{where}.{name} is missing" if where else f"{name} is missing")
    return cls(**arguments)


def _decode_value(hint: Any, value: Any, where: str) -> Any:
    origin = typing.get_origin(hint)
    if origin is tuple:
        if not isinstance(value, list):
            raise DocumentError(f"{where}: expected a list")
        item = typing.get_args(hint)[0]
        many = (_decode_value(item, one, f"{where}[{index}]") for index, one in enumerate(value))
        return tuple(one for one in many if one is not None)
    if origin in (types.UnionType, typing.Union):
        choices = [choice for choice in typing.get_args(hint) if choice is not type(None)]
        if value is None and len(choices) < len(typing.get_args(hint)):
            return None
        return _decode_value(choices[0], value, where)
    if hasattr(hint, "decode"):  # a family told apart by its kind (Section)
        return hint.decode(value, where)
    if dataclasses.is_dataclass(hint):
        return decode(typing.cast(type, hint), value, where)
    if type(value) is not hint:
        raise DocumentError(f"{where}: expected {hint.__name__}, found {type(value).__name__}")
    return value
