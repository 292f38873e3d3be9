"""What a query finds: levels of rows of triples, and the object tree that the admin API makes of them."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from controlplane.localcloud.instant.forms import Form
from controlplane.localcloud.instant.records import Record
from controlplane.localcloud.instant.triples import Triple


@dataclasses.dataclass
class Row:
    """One matched entity: its cardinality-one triples and a level for each nested link.

    `record` has them all, `triples` those that are to be seen. `others` are triples that the client needs beside them:
    those of the nested links, and what a condition or the order reads but `fields` leaves out.
    """

    entity: str
    record: Record
    triples: list[Triple]
    children: list["Level"] = dataclasses.field(default_factory=list)
    others: list[Triple] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True, kw_only=True)
class PageInfo:
    start: Triple | None = None
    end: Triple | None = None
    has_next: bool = False
    has_previous: bool = False


@dataclasses.dataclass
class Level:
    """The rows of one form, in order. `singular` marks a link that leads to at most one entity.

    `paths` are the triples that make the rows satisfy conditions over links.
    """

    form: Form
    rows: list[Row]
    singular: bool = False
    paths: list[Triple] = dataclasses.field(default_factory=list)
    page_info: PageInfo | None = None
    count: int | None = None


def as_object(triples: Sequence[Triple]) -> dict[str, Any]:
    return {triple.attr.label: triple.value for triple in triples}


def object_tree(levels: Sequence[Level], *, inference: bool = False) -> dict[str, Any]:
    """`{"products": [{"id": …, "tenant": [{…}]}]}`; with `inference` a link to at most one entity is an object."""
    return {level.form.key: _entries(level, inference) for level in levels}


def _entries(level: Level, inference: bool) -> Any:
    entries = [{**as_object(row.triples), **object_tree(row.children, inference=inference)} for row in level.rows]
    if level.singular and inference:
        return entries[0] if entries else None
    return entries
