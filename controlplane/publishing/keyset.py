"""Lists that stay fast whatever their length: pages begin after a row, not at a number, and nobody counts to the end.

`?p=after-…` or `before-…` holds the ordering values of the row at the page's edge, so that rows which come or go
meanwhile neither repeat nor hide others, and the database finds a deep page as fast as the first by its index.
"""

import base64
import dataclasses
import functools
import json
from typing import Any

from django.contrib.admin.utils import get_fields_from_path
from django.contrib.admin.views.main import PAGE_VAR, ChangeList
from django.core.exceptions import ValidationError
from django.core.paginator import Page, Paginator
from django.db import models
from django.db.models import F, OrderBy, Q
from django.http import HttpRequest

COUNTED = 1000
"""Rows that a list counts; beyond them it says "more than"."""

LONGEST_CURSOR = 2000


@dataclasses.dataclass(frozen=True, kw_only=True)
class Key:
    """One column of an ordering. Rows without a value come last, whatever the direction."""

    path: str
    field: Any
    descending: bool

    @classmethod
    def of(cls, model: type[models.Model], ordering: str | OrderBy) -> "Key":
        if isinstance(ordering, OrderBy):
            if not isinstance(ordering.expression, F):
                raise TypeError(f"A keyset list orders by columns only, not by {ordering!r}.")
            expression: Any = ordering.expression
            name, descending = expression.name, ordering.descending
        else:
            name, descending = ordering.removeprefix("-"), ordering.startswith("-")
        path = name if name != "pk" else model._meta.pk.name
        return cls(path=path, field=get_fields_from_path(model, path)[-1], descending=descending)

    @property
    def is_unique(self) -> bool:
        return bool(self.field.unique and not self.field.null and "__" not in self.path)

    @property
    def may_be_empty(self) -> bool:
        return bool(self.field.null) or "__" in self.path

    def order(self, *, backward: bool) -> OrderBy:
        descending = self.descending != backward
        if not self.may_be_empty:  # where empty ones go is said only if it matters: it keeps an index from being used
            return OrderBy(F(self.path), descending=descending)
        first, last = (True, None) if backward else (None, True)
        return OrderBy(F(self.path), descending=descending, nulls_first=first, nulls_last=last)

    def beyond(self, value: Any, *, backward: bool) -> Q | None:
        """Rows strictly beyond the value; None: there are none."""
        if value is None:
            return Q(**{f"{self.path}__isnull": False}) if backward else None
        found = Q(**{f"{self.path}__{'lt' if self.descending != backward else 'gt'}": value})
        return found | Q(**{f"{self.path}__isnull": True}) if self.may_be_empty and not backward else found

    def same(self, value: Any) -> Q:
        return Q(**{f"{self.path}__isnull": True}) if value is None else Q(**{self.path: value})

    def value_of(self, row: Any) -> Any:
        return functools.reduce(lambda obj, step: getattr(obj, step, None), self.path.split("__"), row)


def keys_of(model: type[models.Model], ordering: list[Any]) -> list[Key]:
    """The ordering's columns, up to the first that is unique by itself."""
    keys: list[Key] = []
    for one in ordering:
        keys.append(Key.of(model, one))
        if keys[-1].is_unique:
            break
    return keys


def beyond(keys: list[Key], values: list[Any], *, backward: bool) -> Q:
    """The rows after (or before) the row with these values."""
    found, equal = Q(pk__in=[]), Q()
    for key, value in zip(keys, values, strict=True):
        further = key.beyond(value, backward=backward)
        if further is not None:
            found |= equal & further
        equal &= key.same(value)
    first, value = keys[0], values[0]
    if len(keys) > 1 and value is not None and not first.may_be_empty:
        # Says nothing new, but lets PostgreSQL begin in the index here instead of filtering all rows before.
        found &= Q(**{f"{first.path}__{'lte' if first.descending != backward else 'gte'}": value})
    return found


def encoded(keys: list[Key], row: models.Model) -> str:
    values = [key.value_of(row) for key in keys]
    plain = [
        v if v is None or isinstance(v, str | int | bool) else getattr(v, "isoformat", v.__str__)() for v in values
    ]
    return base64.urlsafe_b64encode(json.dumps(plain).encode()).decode().rstrip("=")


def decoded(keys: list[Key], cursor: str) -> list[Any] | None:
    """The values of a cursor; None if it is not one of this ordering (an old address, or made up)."""
    try:
        if len(cursor) > LONGEST_CURSOR:
            return None
        plain = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(plain, list) or len(plain) != len(keys):
            return None
        values = [key.field.to_python(value) for key, value in zip(keys, plain, strict=True)]
        # PostgreSQL takes no NUL in a text.
        fit = all(isinstance(v, str | int | None) and "\0" not in str(v) for v in plain)
        return values if fit else None
    except (ValueError, TypeError, OverflowError, ValidationError):
        return None


def counted(rows: models.QuerySet[Any], most: int = COUNTED) -> tuple[int, bool]:
    """How many rows there are, but at most `most`; and whether there are more."""
    count = rows.order_by()[: most + 1].count()
    return min(count, most), count > most


def badge(rows: models.QuerySet[Any], most: int = 99) -> str:
    """How many rows there are, for a sidebar: "" for none, "99+" for more."""
    count, more = counted(rows, most)
    return f"{count}+" if more else str(count or "")


class UncountedPaginator(Paginator[Any]):
    """Numbered pages for choosers that load on: as many as one asks for, and the last one looks one row ahead."""

    @functools.cached_property
    def count(self) -> int:
        return len(self.object_list) if isinstance(self.object_list, list) else COUNTED * self.per_page

    def page(self, number: int | str) -> Page[Any]:
        number = min(self.validate_number(number), COUNTED)
        start = (number - 1) * self.per_page
        rows = list(self.object_list[start : start + self.per_page + 1])
        return _KnownPage(rows[: self.per_page], number, self, more=len(rows) > self.per_page)


class _KnownPage(Page[Any]):
    def __init__(self, rows: list[Any], number: int, paginator: Paginator[Any], *, more: bool) -> None:
        super().__init__(rows, number, paginator)
        self.more = more

    def has_next(self) -> bool:
        return self.more


class KeysetPaginator(UncountedPaginator):
    template_name = "publishing/keyset_pagination.html"


class KeysetChangeList(ChangeList):
    """The admin's list with "previous" and "next" instead of numbered pages."""

    previous_link = next_link = ""
    count_label = ""

    def get_results(self, request: HttpRequest) -> None:
        keys = keys_of(self.model, [*self.get_ordering(request, self.queryset)])
        side, _, cursor = request.GET.get(PAGE_VAR, "").partition("-")
        values = decoded(keys, cursor) if side in ("after", "before") else None
        backward = side == "before" and values is not None
        rows, more = self._rows(keys, values, backward=backward)
        if backward and not more:  # too near the top to be a page: the first one
            values, backward = None, False
            rows, more = self._rows(keys, None, backward=False)
        self._link(keys, rows, before=values is not None, after=more or backward)
        self.result_list = self._as_queryset(keys, rows)
        self.paginator = KeysetPaginator(rows, self.list_per_page)
        self._count(rows, whole=values is None and not more)

    def _rows(self, keys: list[Key], values: list[Any] | None, *, backward: bool) -> tuple[list[Any], bool]:
        found = self.queryset.order_by(*(key.order(backward=backward) for key in keys))
        if values is not None:
            found = found.filter(beyond(keys, values, backward=backward))
        rows = list(found[: self.list_per_page + 1])
        page = rows[: self.list_per_page]
        return page[::-1] if backward else page, len(rows) > self.list_per_page

    def _as_queryset(self, keys: list[Key], rows: list[Any]) -> models.QuerySet[Any]:
        """What the list's formset and templates expect, holding rows that are read already."""
        held: Any = self.queryset.order_by(*(key.order(backward=False) for key in keys))
        held._result_cache, held._prefetch_done = rows, True  # as Django's own prefetching does
        found: models.QuerySet[Any] = held
        return found

    def _link(self, keys: list[Key], rows: list[Any], *, before: bool, after: bool) -> None:
        if before:
            start = f"before-{encoded(keys, rows[0])}" if rows else None
            self.previous_link = self.get_query_string({PAGE_VAR: start})
        if after and rows:
            self.next_link = self.get_query_string({PAGE_VAR: f"after-{encoded(keys, rows[-1])}"})

    def _count(self, rows: list[Any], *, whole: bool) -> None:
        count, more = (len(rows), False) if whole else counted(self.queryset)
        self.count_label = f"More than {count:,}" if more else f"{count:,}"
        # "Select all … over all pages" is offered only for as many as were counted.
        self.result_count = self.full_result_count = len(rows) if more else count
        self.show_full_result_count = self.can_show_all = self.multi_page = False
        self.show_admin_actions = True


class KeysetAdmin:
    """Mixed into an admin whose list may be long. Only what an index orders should be sortable there."""

    paginator: Any = UncountedPaginator
    show_full_result_count = False

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return KeysetChangeList
