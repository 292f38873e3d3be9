"""Forms of sections, generated from the dataclasses' field declarations (storefront): no kind is named here.

Each input has one small template, `tenants/admin/editor/inputs/{input}.html`. The browser clones a kind's form and
fills it; what it sends back is checked by tenants.content against the same declarations.
"""

import dataclasses
from typing import Any

from storefront.documents import SECTIONS, Link, Section, Seo, Theme
from tenants.content import editable_fields, item_type


@dataclasses.dataclass(frozen=True, kw_only=True)
class Field:
    """One declared field as its template shows it; `fields` are those of a repeatable group's rows."""

    name: str
    input: str
    label: str
    help: str = ""
    required: bool = False
    max_length: int | None = None
    minimum: int | None = None
    maximum: int | None = None
    choices: tuple[tuple[str, str], ...] = ()
    fields: tuple["Field", ...] = ()
    default: str = ""

    @property
    def template(self) -> str:
        return f"tenants/admin/editor/inputs/{self.input}.html"

    @property
    def one(self) -> str:
        """What a single row of a group is called: "Questions" → "question"."""
        return self.label.lower().removesuffix("s")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Form:
    """A kind of section in the picker, and its form."""

    kind: str
    label: str
    description: str
    fields: tuple[Field, ...]

    @property
    def picture(self) -> str:
        return f"tenants/kinds/{self.kind}.svg"


def fields_of(cls: type) -> tuple[Field, ...]:
    """The fields of a section, an item, Seo, Theme or Link, in order."""
    return tuple(_field(cls, field) for field in editable_fields(cls))


def _field(cls: type, field: dataclasses.Field[Any]) -> Field:
    declared = field.metadata
    names = ("help", "required", "max_length", "minimum", "maximum")
    return Field(
        name=field.name,
        input=declared["input"],
        label=declared["label"],
        choices=tuple(declared.get("choices", {}).items()),
        fields=fields_of(item_type(cls, field)) if declared["input"] == "items" else (),
        default=str(field.default),
        **{name: declared[name] for name in names if name in declared},
    )


def forms() -> list[Form]:
    """Every kind of section, in the picker's order."""
    return [form_of(cls) for cls in SECTIONS.values()]


def form_of(cls: type[Section]) -> Form:
    return Form(kind=cls.kind, label=cls.label, description=cls.description, fields=fields_of(cls))


def page_fields() -> dict[str, tuple[Field, ...]]:
    """What is edited beside the sections: `seo`, `theme`, and a menu's `link`."""
    return {"seo": fields_of(Seo), "theme": fields_of(Theme), "link": fields_of(Link)}
