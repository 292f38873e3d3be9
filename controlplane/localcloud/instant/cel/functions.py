"""The functions that rules may call: CEL's standard ones, its string and math extensions, and the vendor's own."""

import functools
import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from controlplane.localcloud.instant.cel.evaluation import EvaluationError, no_overload, type_of
from controlplane.localcloud.instant.values import epoch_ms

Function = Callable[..., Any]


def _checked(name: str, function: Function, *kinds: Any) -> Function:
    """A call with the wrong number or types of arguments is CEL's error, not Python's."""

    @functools.wraps(function)
    def call(*arguments: Any) -> Any:
        if any(
            not isinstance(a, kind) or (isinstance(a, bool) and kind in (int, int | float))
            for a, kind in zip(arguments, kinds, strict=False)
        ):
            raise no_overload(name, *arguments)
        try:
            return function(*arguments)
        except TypeError as error:
            raise no_overload(name, *arguments) from error
        except (ValueError, OverflowError, re.error) as error:
            raise EvaluationError(str(error), "BAD_FORMAT") from error

    return call


def _size(value: Any) -> int:
    if not isinstance(value, str | bytes | list | Mapping):
        raise no_overload("size", value)
    return len(value)


def _int(value: Any) -> int:
    if isinstance(value, datetime):
        return int(value.timestamp())
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise no_overload("int", value)
    if isinstance(value, float) and not (math.isfinite(value) and abs(value) < 2**63):
        raise EvaluationError("double is out of range for int", "NUMERIC_OVERFLOW")
    return int(value)


def _double(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise no_overload("double", value)
    return float(value)


def _string(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, timedelta):
        return f"{value.total_seconds():g}s"
    if isinstance(value, bytes):
        return value.decode()
    if value is None or not isinstance(value, str | int | float):
        raise no_overload("string", value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _bool(value: Any) -> bool:
    known = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}
    if isinstance(value, bool):
        return value
    if not isinstance(value, str) or value.lower() not in known:
        raise no_overload("bool", value)
    return known[value.lower()]


def _timestamp(value: Any) -> datetime:
    """Whatever a `date` attribute may hold: ISO 8601 text or epoch milliseconds."""
    if isinstance(value, datetime):
        return value
    at = epoch_ms(value) if isinstance(value, str | int) and not isinstance(value, bool) else None
    if at is None:
        raise EvaluationError(f"Failed to parse timestamp: {value}", "BAD_FORMAT")
    return datetime.fromtimestamp(at / 1000, UTC)


UNITS = {"h": 3600, "m": 60, "s": 1, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}


def _duration(value: Any) -> timedelta:
    if isinstance(value, timedelta):
        return value
    parts = re.findall(r"(\d+(?:\.\d+)?)(h|ms|us|ns|m|s)", value) if isinstance(value, str) else []
    if not parts or "".join(n + u for n, u in parts) != value.lstrip("-+"):
        raise EvaluationError(f"Failed to parse duration: {value}", "BAD_FORMAT")
    seconds = sum(float(number) * UNITS[unit] for number, unit in parts)
    return timedelta(seconds=-seconds if value.startswith("-") else seconds)


PLAIN: dict[str, Function] = {
        "size": _size, "type": type_of, "int": _int, "uint": _int, "double": _double, "string": _string,
        "bool": _bool, "dyn": lambda value: value, "timestamp": _timestamp, "duration": _duration,
        "matches": lambda text, pattern: re.search(pattern, text) is not None,
        "bytes": lambda text: text if isinstance(text, bytes) else text.encode(),
}  # fmt: skip
FUNCTIONS = {name: _checked(name, function) for name, function in PLAIN.items()}


def _ref(data: Any, path: str) -> Any:
    if not hasattr(data, "ref"):
        raise no_overload("ref", data, path)
    return data.ref(path)


def _limit(bucket: Any, key: Any, tokens: int = 1) -> Any:
    if not hasattr(bucket, "limit"):
        raise no_overload("limit", bucket, key)
    return bucket.limit(key, tokens)


def _index_of(text: str, part: str, start: int = 0) -> int:
    return text.find(part, start)


def _substring(text: str, start: int, end: int | None = None) -> str:
    stop = len(text) if end is None else end
    if not 0 <= start <= stop <= len(text):
        raise EvaluationError(f"substring failure: Range [{start}, {stop}) out of bounds", "INDEX_OUT_OF_BOUNDS")
    return text[start:stop]


def _part(of: Callable[[datetime], int]) -> Function:
    def get(time: datetime, zone: str = "UTC") -> int:
        return of(time.astimezone(ZoneInfo(zone)))

    return get


def _duration_or(of: Callable[[timedelta], float], part: Callable[[datetime], int]) -> Function:
    def get(value: datetime | timedelta, *zone: str) -> int:
        return int(of(value)) if isinstance(value, timedelta) else int(_part(part)(value, *zone))

    return get


TEXT: dict[str, Function] = {
    "startsWith": str.startswith, "endsWith": str.endswith, "contains": str.__contains__,
    "matches": lambda text, pattern: re.search(pattern, text) is not None,
    "charAt": lambda text, at: _substring(text, at, min(at + 1, len(text))),
    "indexOf": _index_of, "lastIndexOf": lambda text, part: text.rfind(part),
    "lowerAscii": str.lower, "upperAscii": str.upper, "trim": str.strip, "reverse": lambda text: text[::-1],
    "replace": lambda text, old, new, count=-1: text.replace(old, new, count),
    "split": lambda text, by, limit=-1: text.split(by, limit - 1 if limit > 0 else -1),
    "substring": _substring,
}  # fmt: skip
TIMES: dict[str, Function] = {
    "getFullYear": _part(lambda t: t.year), "getMonth": _part(lambda t: t.month - 1),
    "getDate": _part(lambda t: t.day), "getDayOfMonth": _part(lambda t: t.day - 1),
    "getDayOfYear": _part(lambda t: t.timetuple().tm_yday - 1), "getDayOfWeek": _part(lambda t: t.isoweekday() % 7),
    "getHours": _duration_or(lambda d: d.total_seconds() // 3600, lambda t: t.hour),
    "getMinutes": _duration_or(lambda d: d.total_seconds() // 60, lambda t: t.minute),
    "getSeconds": _duration_or(lambda d: d.total_seconds(), lambda t: t.second),
    "getMilliseconds": _duration_or(lambda d: d.total_seconds() * 1000, lambda t: t.microsecond // 1000),
    "getTime": lambda time: int(time.timestamp() * 1000),
}  # fmt: skip

METHODS: dict[str, Function] = {
    **{name: _checked(name, function, str) for name, function in TEXT.items()},
    **{name: _checked(name, function, datetime | timedelta) for name, function in TIMES.items()},
    "size": _size,
    "join": _checked("join", lambda items, by="": by.join(items), list),
    "ref": _checked("ref", _ref, object, str),
    "limit": _limit,
}

Number = int | float


def _rounded(value: float) -> float:
    return math.copysign(math.floor(abs(value) + 0.5), value)


MATH: dict[str, tuple[Function, Any]] = {
        "greatest": (lambda *n: max(n[0] if len(n) == 1 and isinstance(n[0], list) else n), object),
        "least": (lambda *n: min(n[0] if len(n) == 1 and isinstance(n[0], list) else n), object),
        "ceil": (lambda n: float(math.ceil(n)), float), "floor": (lambda n: float(math.floor(n)), float),
        "round": (_rounded, float), "trunc": (lambda n: float(math.trunc(n)), float), "abs": (abs, Number),
        "sign": (lambda n: (n > 0) - (n < 0), Number), "sqrt": (math.sqrt, Number),
        "isNaN": (math.isnan, float), "isInf": (math.isinf, float), "isFinite": (math.isfinite, float),
}  # fmt: skip
QUALIFIED = {f"math.{name}": _checked(f"math.{name}", function, kind) for name, (function, kind) in MATH.items()}
