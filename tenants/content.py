"""Checks a section's content against the field declarations of its kind (storefront.sections)."""

import dataclasses
import typing
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from storefront.documents import SECTIONS
from tenants.validators import sanitise, validate_colour, validate_image_url, validate_link

Problems = dict[str, str]
"""What to put right, by path (`heading`, `items.0.question`)."""


def clean_content(kind: str, content: object) -> dict[str, Any]:
    """The content with unknown fields dropped, texts stripped, HTML sanitised.

    Raises ValidationError keyed by path (`heading`, `items.0.answer`), each message saying what to do.
    """
    if kind not in SECTIONS:
        raise ValidationError({"kind": "Choose a kind of section."})
    if not isinstance(content, dict):
        raise ValidationError({"content": "A section's content is a set of named fields."})
    cleaned, problems = check_fields(SECTIONS[kind], content)
    if problems:
        raise ValidationError({path: [message] for path, message in problems.items()})
    return cleaned


def draft_content(kind: str, content: object) -> dict[str, Any]:
    """The same for a draft: what is unfinished or does not fit yet is kept, sanitised and of the right type.

    Raises ValidationError for an unknown kind only.
    """
    if kind not in SECTIONS:
        raise ValidationError({"kind": "Choose a kind of section."})
    return draft_fields(SECTIONS[kind], content if isinstance(content, dict) else {})


def draft_fields(cls: type, content: Mapping[str, Any]) -> dict[str, Any]:
    return check_fields(cls, content)[0]


def check_fields(cls: type, content: Mapping[str, Any], path: str = "") -> tuple[dict[str, Any], Problems]:
    """The fields of a section, an item, Seo, Theme or Link: what to keep, and what to put right."""
    kept: dict[str, Any] = {}
    problems: Problems = {}
    for field in editable_fields(cls):
        value = content.get(field.name, field.default)
        here = f"{path}{field.name}"
        if field.metadata["input"] == "items":
            kept[field.name], more = _items(item_type(cls, field), field, value, here)
            problems |= more
            continue
        try:
            kept[field.name] = _CLEANERS[field.metadata["input"]](field, value)
        except ValidationError as error:
            problems[here] = f"{field.metadata['label']}: {' '.join(error.messages)}"
            kept[field.name] = _kept(field, value)
    return kept, problems


def _kept(field: dataclasses.Field[Any], value: object) -> Any:
    """A value that does not fit, as a draft may keep it: of the right type, harmless."""
    kind = field.metadata["input"]
    if kind == "products":
        listed = [str(one) for one in value] if isinstance(value, (list, tuple)) else []
        return [one for one in listed if _is_uuid(one)][: field.metadata["maximum"]]
    if kind in ("integer", "choice", "flag", "colour"):
        return field.default
    text = value.replace("\x00", "") if isinstance(value, str) else ""
    return sanitise(text) if kind == "rich" else text


def _is_uuid(value: str) -> bool:
    try:
        uuid.UUID(value)
    except ValueError:
        return False
    return True


def editable_fields(cls: type) -> list[dataclasses.Field[Any]]:
    """The fields of a section or item that a merchant edits, in order."""
    return [field for field in dataclasses.fields(cls) if "input" in field.metadata]


def item_type(cls: type, field: dataclasses.Field[Any]) -> type:
    """The dataclass of a repeatable group's items."""
    found: type = typing.get_args(typing.get_type_hints(cls)[field.name])[0]
    return found


def _text(field: dataclasses.Field[Any], value: object) -> str:
    if not isinstance(value, str):
        raise ValidationError("This must be text.")
    stripped = value.replace("\r\n", "\n").replace("\x00", "").strip()
    if field.metadata.get("required") and not stripped:
        raise ValidationError("Please fill this in.")
    limit = field.metadata["max_length"]
    if len(stripped) > limit:
        raise ValidationError(f"At most {limit} characters; this has {len(stripped)}.")
    return stripped


def _with(check: Callable[[str], None]) -> Callable[[dataclasses.Field[Any], object], str]:
    def clean(field: dataclasses.Field[Any], value: object) -> str:
        if stripped := _text(field, value):
            check(stripped)
        return stripped

    return clean


def _rich(field: dataclasses.Field[Any], value: object) -> str:
    return sanitise(_text(field, value))


def _choice(field: dataclasses.Field[Any], value: object) -> str:
    if value not in field.metadata["choices"]:
        raise ValidationError("Choose one of the options.")
    return str(value)


def _integer(field: dataclasses.Field[Any], value: object) -> int:
    low, high = field.metadata["minimum"], field.metadata["maximum"]
    if type(value) is not int or not low <= value <= high:
        raise ValidationError(f"A whole number from {low} to {high}.")
    return value


def _products(field: dataclasses.Field[Any], value: object) -> list[str]:
    if not isinstance(value, (list, tuple)) or len(value) > field.metadata["maximum"]:
        raise ValidationError(f"Choose at most {field.metadata['maximum']} products.")
    try:
        return [str(uuid.UUID(str(one))) for one in dict.fromkeys(value)]
    except ValueError:
        raise ValidationError("Choose products from the list.") from None


def _flag(field: dataclasses.Field[Any], value: object) -> bool:
    if type(value) is not bool:
        raise ValidationError("Yes or no.")
    return value


def _items(cls: type, field: dataclasses.Field[Any], value: object, path: str) -> tuple[list[dict[str, Any]], Problems]:
    rows = [one for one in value if isinstance(one, dict)] if isinstance(value, (list, tuple)) else []
    limit, label = field.metadata["maximum"], field.metadata["label"]
    problems: Problems = {}
    if not isinstance(value, (list, tuple)) or len(rows) != len(value):
        problems[path] = f"{label}: This must be a list."
    if len(rows) > limit:
        problems[path] = f"{label}: At most {limit}."
    kept = []
    for number, row in enumerate(rows):
        fields, more = check_fields(cls, row, f"{path}.{number}.")
        kept.append(fields)
        problems |= {where: f"{label} {number + 1}, {message}" for where, message in more.items()}
    return kept, problems


_CLEANERS: dict[str, Callable[[dataclasses.Field[Any], object], Any]] = {
    "text": _text,
    "paragraph": _text,
    "email": _with(validate_email),
    "link": _with(validate_link),
    "image": _with(validate_image_url),
    "rich": _rich,
    "choice": _choice,
    "integer": _integer,
    "products": _products,
    "colour": _with(validate_colour),
    "flag": _flag,
}
