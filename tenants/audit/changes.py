"""What a change says: before and after by field, long texts cut down to where they differ."""

import json
from typing import Any

LONGEST = 400
"""Characters of a value that are kept; around the first difference where there is one."""

CONTEXT = 40
HIDDEN = "\0hidden"
EMPTY = (None, "", "None", "[]", "{}")


def hidden(value: str) -> str:
    """Stands for any secret."""
    return HIDDEN


def readable(changes: dict[str, Any], *, action: int) -> dict[str, list[str]]:
    """`{field: [before, after]}` in words; an object that appears or goes is told by what it has."""
    told: dict[str, list[str]] = {}
    for name, (before, after) in sorted(_flat(changes)):
        old, new = _text(before), _text(after)
        if HIDDEN in (old, new):
            told |= {name: ["", "(changed)"]} if action == 1 else {}
            continue
        if old == new or (action != 1 and old in EMPTY and new in EMPTY):
            continue
        told[name] = list(_cut(old, new))
    return told


def _flat(changes: dict[str, Any]) -> list[tuple[str, tuple[Any, Any]]]:
    """A field that holds JSON objects is told by their keys."""
    found: list[tuple[str, tuple[Any, Any]]] = []
    for name, (before, after) in changes.items():
        if isinstance(before, dict) or isinstance(after, dict):
            old, new = (value if isinstance(value, dict) else {} for value in (before, after))
            found += [(f"{name}.{key}", (old.get(key), new.get(key))) for key in {**old, **new}]
        else:
            found.append((name, (before, after)))
    return found


def _text(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple | dict):
        return json.dumps(value, ensure_ascii=False, default=str) if value else ""
    return str(value)


def _cut(old: str, new: str) -> tuple[str, str]:
    if max(len(old), len(new)) <= LONGEST:
        return old, new
    same = 0
    if old and new:
        same = next((at for at, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    start = max(0, same - CONTEXT)
    return _piece(old, start), _piece(new, start)


def _piece(text: str, start: int) -> str:
    if start == 0 and len(text) <= LONGEST:
        return text
    piece = f"{'…' if start else ''}{text[start : start + LONGEST]}"
    return f"{piece}{'…' if start + LONGEST < len(text) else ''} ({len(text):,} characters)"
