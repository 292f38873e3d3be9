"""Checks a section's content against the field declarations of its kind (storefront.sections)."""

import dataclasses
import typing
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from storefront.documents import SECTIONS
from tenants.validators import sanitise, validate_image_url, validate_link

FieldMetadata = Mapping[str, Any]


def clean_content(kind: str, content: object) -> dict[str, Any]:
    """The content with unknown fields dropped, texts stripped, HTML sanitised.

    Raises ValidationError keyed by field name (`heading`, `items`), each message saying what to do.
    """
    if kind not in SECTIONS:
        raise ValidationError({"kind": "Choose a kind of section."})
    if not isinstance(content, dict):
        raise ValidationError({"content": "A section's content is a set of named fields."})
    return _clean_fields(SECTIONS[kind], content)


def _clean_fields(cls: type, content: Mapping[str, Any]) -> dict[str, Any]:
    cleaned: dict[str, Any] = {}
    errors: dict[str, list[str]] = {}
    for field in editable_fields(cls):
        value = content.get(field.name, field.default)
        try:
            cleaned[field.name] = _clean_value(cls, field, value)
        except ValidationError as error:
            errors[field.name] = [f"{field.metadata['label']}: {message}" for message in error.messages]
    if errors:
        raise ValidationError(errors)
    return cleaned


def _clean_value(cls: type, field: dataclasses.Field[Any], value: object) -> Any:
    if field.metadata["input"] == "items":
        return _items(item_type(cls, field), field, value)
    return _CLEANERS[field.metadata["input"]](field, value)


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


def _items(cls: type, field: dataclasses.Field[Any], value: object) -> list[dict[str, Any]]:
    limit = field.metadata["maximum"]
    if not isinstance(value, (list, tuple)) or not all(isinstance(one, dict) for one in value):
        raise ValidationError("This must be a list.")
    if len(value) > limit:
        raise ValidationError(f"At most {limit}.")
    cleaned, errors = [], []
    for number, one in enumerate(value, 1):
        try:
            cleaned.append(_clean_fields(cls, one))
        except ValidationError as error:
            errors += [f"{number}. {message}" for message in error.messages]
    if errors:
        raise ValidationError(errors)
    return cleaned


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
}
