"""A landing page as a value: what a draft holds, what a revision freezes, what a record is built from."""

import dataclasses
import uuid
from collections.abc import Mapping
from typing import Any

from storefront.codec import decode
from storefront.documents import SECTIONS, Link, Section, Seo, Theme
from tenants.content import draft_fields, editable_fields

MOST_SECTIONS = 60
MOST_LINKS = 12


@dataclasses.dataclass(frozen=True, kw_only=True)
class Block:
    """A section in its place. A hidden one is kept with the page and shown to nobody."""

    id: str
    section: Section
    hidden: bool = False

    @property
    def content(self) -> dict[str, Any]:
        """What a merchant edits: no product cards, those are filled when the record is built."""
        return {field.name: _plain(getattr(self.section, field.name)) for field in editable_fields(type(self.section))}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Page:
    """`seo`, `theme` and `navigation` as in the record; the sections with their ids, hidden ones included."""

    seo: Seo = dataclasses.field(default_factory=Seo)
    theme: Theme = dataclasses.field(default_factory=Theme)
    navigation: tuple[Link, ...] = ()
    blocks: tuple[Block, ...] = ()

    @property
    def sections(self) -> list[Section]:
        """What shoppers see, in order."""
        return [block.section for block in self.blocks if not block.hidden]

    def to_json(self) -> dict[str, Any]:
        """Whole, defaults included: a revision must not change when a default does."""
        return {
            "seo": _plain(self.seo),
            "theme": _plain(self.theme),
            "navigation": _plain(self.navigation),
            "sections": [
                {"id": block.id, "kind": block.section.kind, "hidden": block.hidden, **block.content}
                for block in self.blocks
            ],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Page":
        """A revision's content read back; sections of kinds that are no more are left out."""
        return cls(
            seo=decode(Seo, data.get("seo", {})),
            theme=decode(Theme, data.get("theme", {})),
            navigation=tuple(decode(Link, link) for link in data.get("navigation", [])),
            blocks=tuple(block for one in data.get("sections", []) if (block := _block(one))),
        )

    @classmethod
    def from_editor(cls, data: Mapping[str, Any]) -> "Page":
        """Whatever a browser sent, brought into shape: rich text sanitised, wrong types dropped, unfinished kept."""
        links = [one for one in _list(data.get("navigation"))[:MOST_LINKS] if isinstance(one, dict)]
        sections = [one for one in _list(data.get("sections"))[:MOST_SECTIONS] if isinstance(one, dict)]
        seen: set[str] = set()
        return cls(
            seo=decode(Seo, draft_fields(Seo, _dict(data.get("seo")))),
            theme=decode(Theme, draft_fields(Theme, _dict(data.get("theme")))),
            navigation=tuple(decode(Link, draft_fields(Link, link)) for link in links),
            blocks=tuple(_edited_block(one, seen) for one in sections if one.get("kind") in SECTIONS),
        )


def _block(value: Mapping[str, Any]) -> Block | None:
    section = Section.decode(value)
    return (
        section
        if section is None
        else Block(id=str(value.get("id", "")), section=section, hidden=bool(value.get("hidden")))
    )


def _edited_block(value: Mapping[str, Any], seen: set[str]) -> Block:
    cls = SECTIONS[str(value["kind"])]
    id_ = _uuid(value.get("id"))
    if not id_ or id_ in seen:
        id_ = str(uuid.uuid4())
    seen.add(id_)
    return Block(id=id_, section=decode(cls, draft_fields(cls, value)), hidden=value.get("hidden") is True)


def _uuid(value: object) -> str:
    try:
        return str(uuid.UUID(str(value)))
    except ValueError:
        return ""


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _plain(value: Any) -> Any:
    """Dataclasses and tuples as JSON values."""
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    return value
