"""What changed between two pages, field by field, in words that a merchant reads."""

import dataclasses
import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from django.utils.html import strip_tags

from storefront.documents import Link, Seo, Theme
from tenants.content import editable_fields, item_type
from tenants.page import Block, Page

Piece = tuple[Literal["same", "gone", "new"], str]


@dataclasses.dataclass(frozen=True)
class Change:
    """`where` names the section or panel, `what` the field; `pieces` are the words that stayed, went and came."""

    where: str
    what: str
    pieces: tuple[Piece, ...] = ()


def changes(before: Page, after: Page) -> list[Change]:
    """In the order of the page; empty where both are equal."""
    return [
        *_fields("Search and sharing", Seo, before.seo, after.seo),
        *_fields("Looks", Theme, before.theme, after.theme),
        *_navigation(before.navigation, after.navigation),
        *_sections(before.blocks, after.blocks),
    ]


def _navigation(before: Sequence[Link], after: Sequence[Link]) -> Iterator[Change]:
    old, new = (", ".join(f"{link.label} ({link.url})" for link in links) for links in (before, after))
    if old != new:
        yield Change("Menu", "Links", words(old, new))


def _sections(before: Sequence[Block], after: Sequence[Block]) -> Iterator[Change]:
    old = {block.id: block for block in before}
    new = {block.id: block for block in after}
    for block in after:
        former = old.get(block.id)
        if former is None or former.section.kind != block.section.kind:
            yield Change(name_of(block), "Added", words("", _text(block.content)))
            continue
        yield from _fields(name_of(block), type(block.section), former.section, block.section)
        if former.hidden != block.hidden:
            yield Change(name_of(block), "Hidden" if block.hidden else "Shown again")
    for block in before:
        if block.id not in new or new[block.id].section.kind != block.section.kind:
            yield Change(name_of(block), "Removed", words(_text(block.content), ""))
    kept_before, kept_after = [b.id for b in before if b.id in new], [b.id for b in after if b.id in old]
    if kept_before != kept_after:
        yield Change("Sections", "Order", words(_order(kept_before, old), _order(kept_after, new)))


def _order(ids: Iterable[str], blocks: Mapping[str, Block]) -> str:
    return " · ".join(name_of(blocks[id_]) for id_ in ids)


def name_of(block: Block) -> str:
    """The kind, and the heading where there is one."""
    said = str(getattr(block.section, "heading", "") or getattr(block.section, "text", ""))[:40]
    return f"{block.section.label} “{said}”" if said else block.section.label


def _fields(where: str, cls: type, before: Any, after: Any) -> Iterator[Change]:
    for field in editable_fields(cls):
        old, new = getattr(before, field.name), getattr(after, field.name)
        if old == new:
            continue
        if field.metadata["input"] == "items":
            yield from _items(where, field, item_type(cls, field), old, new)
        else:
            yield Change(where, field.metadata["label"], words(_shown(field, old), _shown(field, new)))


def _items(where: str, group: dataclasses.Field[Any], item: type, old: Sequence[Any], new: Sequence[Any]) -> Any:
    label = group.metadata["label"]
    if len(old) != len(new):
        yield Change(where, label, words(_rows(old), _rows(new)))
        return
    for number, (one, other) in enumerate(zip(old, new, strict=True), 1):
        for change in _fields(where, item, one, other):
            yield dataclasses.replace(change, what=f"{label} {number}, {change.what}")


def _rows(rows: Sequence[Any]) -> str:
    return " · ".join(_text(dataclasses.asdict(row)) for row in rows)


def _text(content: Mapping[str, Any]) -> str:
    texts = (value for value in content.values() if isinstance(value, str) and value)
    return " – ".join(_plain(text) for text in texts)


def _shown(field: dataclasses.Field[Any], value: Any) -> str:
    kind = field.metadata["input"]
    if kind == "choice":
        return str(field.metadata["choices"].get(value, value))
    if kind == "flag":
        return "Yes" if value else "No"
    if kind == "products":
        return f"{len(value)} chosen" if value else ""
    return _plain(str(value)) if kind == "rich" else str(value)


def _plain(html: str) -> str:
    return " ".join(strip_tags(re.sub(r"<(/p|/li|/h\d|br)\b", r" <\1", html)).split())


def words(before: str, after: str) -> tuple[Piece, ...]:
    """Word by word: what stayed, went and came."""
    old, new = re.findall(r"\S+\s*", before), re.findall(r"\S+\s*", after)
    pieces: list[Piece] = []
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            pieces.append(("same", "".join(old[i1:i2])))
            continue
        if i1 < i2:
            pieces.append(("gone", "".join(old[i1:i2])))
        if j1 < j2:
            pieces.append(("new", "".join(new[j1:j2])))
    return tuple(pieces)
