"""Pages of a query's top level: `first`, `last`, `limit`, `offset`, cursors (server: db/instaql.clj, db/datalog.clj).

A cursor is the triple that a row is ordered by, `[entity, attribute, value, created at]`; of `serverCreatedAt` that is
the id's. Rows are ordered by that value and then by entity, nulls come first.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from controlplane.localcloud.instant.attrs import Attr
from controlplane.localcloud.instant.errors import Refusal
from controlplane.localcloud.instant.sql import FALSE, Sql
from controlplane.localcloud.instant.values import Key, as_uuid, compact, fits, key_of

if TYPE_CHECKING:
    from controlplane.localcloud.instant.triples import Triple

Refuse = Callable[[str | None, list[Any], str], Refusal]
OPTIONS = {"limit", "first", "last", "offset", "after", "before", "afterInclusive", "beforeInclusive"}


class Cursor(NamedTuple):
    entity: str
    attr_id: str
    value: Any
    created_at: int | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Page:
    """Which rows of an ordered list are wanted. `last` counts `limit` from the end."""

    limit: int | None = None
    last: bool = False
    offset: int | None = None
    after: Cursor | None = None
    before: Cursor | None = None
    after_inclusive: bool = False
    before_inclusive: bool = False

    @property
    def given(self) -> bool:
        return any(value is not None for value in (self.limit, self.offset, self.after, self.before))


EVERYTHING = Page()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Order:
    """`attr` is the namespace's id for the order by `serverCreatedAt`."""

    attr: Attr
    descending: bool = False

    @property
    def column(self) -> str:
        return "e.created_at" if self.attr.label == "id" else "e.key"

    def sql(self, *, backwards: bool = False) -> str:
        direction = "DESC" if self.descending != backwards else "ASC"
        return f"{self.column} {direction}, e.entity {direction}"

    def key(self, cursor: "Cursor | Triple") -> Key:
        return cursor.created_at if self.attr.label == "id" else key_of(self.attr, cursor.value)

    def beyond(self, cursor: "Cursor | Triple", side: Literal["after", "before"], *, inclusive: bool = False) -> Sql:
        """The rows on one side of a cursor."""
        key, column, upwards = self.key(cursor), self.column, (side == "after") != self.descending
        tie = f"{column} IS ? AND e.entity {'>' if upwards else '<'}{'=' * inclusive} ?"
        if key is None:
            strictly = Sql(f"{column} IS NOT NULL") if upwards else FALSE
        else:
            strictly = Sql(f"{column} > ?" if upwards else f"({column} < ? OR {column} IS NULL)", (key,))
        return Sql(f"({strictly.text} OR ({tie}))", (*strictly.parameters, key, cursor.entity))


def read_page(options: Mapping[str, Any], at: list[Any], refuse: Refuse, *, top: bool) -> Page:
    """`at` is the path of the options in the query. Limits below the top are left to the client."""
    counts = {name: _count(options, name, at, refuse) for name in ("limit", "first", "last")}
    offset = _offset(options, at, refuse)
    after, before = (_cursor(options.get(name), [*at, name], refuse) for name in ("after", "before"))
    inclusive = [_flag(options, name, at, refuse) for name in ("afterInclusive", "beforeInclusive")]
    if not top and (offset is not None or after or before):
        message = "We currently only support `offset`, `before`, and `after` clauses on the top-level field."
        raise refuse(f"{message} Limit fields will be ignored", at, "supported-options?")
    given = [f"`{name}`" for name, count in counts.items() if count]
    if len(given) > 1:
        raise refuse(f"Only provide one of {' or '.join(given)}.", at, "supported-options?")
    if not top:
        return EVERYTHING
    return Page(
        limit=counts["limit"] or counts["first"] or counts["last"],
        last=bool(counts["last"]),
        offset=offset,
        after=after,
        before=before,
        after_inclusive=inclusive[0],
        before_inclusive=inclusive[1],
    )


def check_cursors(
    page: Page, order: Order, at: list[Any], refuse: Refuse, name_of: Callable[[str], str | None]
) -> None:
    """A cursor belongs to the order that it came from; `name_of` an attribute's id is its label."""
    for side, cursor in (("after", page.after), ("before", page.before)):
        if cursor is None:
            continue
        if cursor.attr_id != order.attr.id:
            came = name_of(cursor.attr_id)
            other = f"`{_ordered_by(came)}`" if came else "a missing attribute"
            said = f"The query orders by `{_ordered_by(order.attr.label)}`, but the query that returned the cursor"
            raise refuse(f"Invalid {side} cursor. {said} orders by {other}.", [*at, side], "valid-cursor?")
        if (order.attr.label == "id" and cursor.created_at is None) or not fits(order.attr, cursor.value):
            raise refuse(f"Invalid {side} cursor.", [*at, side], "valid-cursor?")


def _ordered_by(label: str) -> str:
    return "serverCreatedAt" if label == "id" else label


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _count(options: Mapping[str, Any], name: str, at: list[Any], refuse: Refuse) -> int | None:
    value: int | None = options.get(name)
    if value is not None and not (_is_int(value) and value > 0):
        message = f"The {name} field must be a positive integer. Got {compact(value)}."
        raise refuse(message, [*at, name], "supported-options?")
    return value


def _offset(options: Mapping[str, Any], at: list[Any], refuse: Refuse) -> int | None:
    value: int | None = options.get("offset")
    if value is not None and not (_is_int(value) and value >= 0):
        message = f"The offset field must be a non-negative integer. Got {compact(value)}."
        raise refuse(message, [*at, "offset"], "supported-options?")
    return value


def _flag(options: Mapping[str, Any], name: str, at: list[Any], refuse: Refuse) -> bool:
    value = options.get(name)
    if value is not None and not isinstance(value, bool):
        raise refuse(None, [*at, name], "boolean?")
    return bool(value)


def _cursor(value: Any, at: list[Any], refuse: Refuse) -> Cursor | None:
    if value is None:
        return None
    if not isinstance(value, list):
        raise refuse(f"Expected a join row for the cursor, got {compact(value)}.", at, "join-row?")
    if len(value) not in {3, 4}:
        message = f"Expected a join row with 4 items for the cursor, got {compact(value)}."
        raise refuse(message, at, "join-row?")
    entity, attr_id, at_value, created_at = (*value, None)[:4]
    if not as_uuid(attr_id):
        message = "Expected a join row with a uuid attribute id in the second position"
        raise refuse(f"{message}, got {compact(attr_id)}.", at, "join-row?")
    if created_at is not None and not _is_int(created_at):
        message = "Expected a join row with an integer created_at in the last position"
        raise refuse(f"{message}, got {compact(created_at)}.", at, "join-row?")
    return Cursor(as_uuid(entity) or str(entity), as_uuid(attr_id) or "", at_value, created_at)
