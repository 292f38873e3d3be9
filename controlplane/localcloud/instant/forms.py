"""An InstaQL query, checked and taken apart (server: db/instaql.clj coerce-forms!). Knows no SQL and no data."""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from controlplane.localcloud.instant import paging
from controlplane.localcloud.instant.attrs import Attr, Attrs
from controlplane.localcloud.instant.errors import Refusal, invalid
from controlplane.localcloud.instant.paging import EVERYTHING, Page
from controlplane.localcloud.instant.values import compact

OPERATORS = {"$in", "in", "$not", "$ne", "$isNull", "$gt", "$gte", "$lt", "$lte", "$like", "$ilike"}
OPTIONS = {"where", "order", "fields", "aggregate", *paging.OPTIONS}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Leaf:
    """`path` leads over links to an attribute; `op` is `=` or one of OPERATORS without its alias."""

    path: tuple[str, ...]
    op: str
    value: Any

    @property
    def beyond(self) -> "Leaf":
        """The same condition, asked of what the first label leads to."""
        return Leaf(path=self.path[1:], op=self.op, value=self.value)

    @property
    def last(self) -> "Leaf":
        """The same condition, asked of what all but the last label lead to."""
        return Leaf(path=self.path[-1:], op=self.op, value=self.value)


@dataclasses.dataclass(frozen=True)
class AnyOf:
    conditions: tuple["Condition", ...]


@dataclasses.dataclass(frozen=True)
class AllOf:
    conditions: tuple["Condition", ...]


Condition = Leaf | AnyOf | AllOf


def leaves(conditions: Iterable[Condition]) -> Iterator[Leaf]:
    for condition in conditions:
        if isinstance(condition, Leaf):
            yield condition
        else:
            yield from leaves(condition.conditions)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Form:
    """One level of a query: the namespace or link `key`, its options, and the links nested in it.

    `etype` is None where no such link exists: the vendor answers that with an empty list. A `paged` form's answer says
    where its page starts and ends; of an `aggregate` only the number of entities is wanted.
    """

    key: str
    etype: str | None
    where: tuple[Condition, ...] = ()
    order: str = "serverCreatedAt"
    descending: bool = False
    page: Page = EVERYTHING
    paged: bool = False
    aggregate: bool = False
    fields: frozenset[str] | None = None
    children: tuple["Form", ...] = ()


class Reader:
    """Reads one query against a catalogue of attributes; every refusal carries the whole query as `input`."""

    def __init__(self, attrs: Attrs, query: Mapping[str, Any]) -> None:
        self.attrs = attrs
        self.query = query

    def forms(self) -> list[Form]:
        named = {key: value for key, value in self.query.items() if key != "$$ruleParams"}
        return [self._form(key, value, key, [key]) for key, value in named.items()]

    def refuse(self, message: str | None, path: list[Any], expected: str) -> Refusal:
        return invalid(
            "query", self.query, {"expected": expected, "in": path, **({"message": message} if message else {})}
        )

    def _map(self, value: Any, path: list[Any]) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            raise self.refuse(None, path, "map?")
        return value

    def _form(self, key: str, body: Any, etype: str | None, path: list[Any]) -> Form:
        body = self._map(body, path)
        options = self._map(body.get("$", {}), [*path, "$"])
        self._check_options(options, path)
        order, descending = self._order(options, etype, path)
        fields = options.get("fields")
        page = paging.read_page(options, [*path, "$"], self.refuse, top=len(path) == 1)
        return Form(
            key=key,
            etype=etype,
            where=tuple(self._conditions(_given(options, "where"), etype, [*path, "$", "where"])),
            order=order,
            descending=descending,
            page=page,
            paged=len(path) == 1 and (page.given or bool(options.get("order"))),
            aggregate=self._aggregate(options, body, path),
            fields=None if fields is None else frozenset([*fields, "id"]),
            children=tuple(
                self._form(child, inner, link_target(self.attrs, etype, child), [*path, child])
                for child, inner in body.items()
                if child != "$"
            ),
        )

    def _check_options(self, options: Mapping[str, Any], path: list[Any]) -> None:
        at = [*path, "$"]
        if options.keys() - OPTIONS:
            message = "We only support `where`, `order`, `limit`, `offset`, `before`, and `after` clauses."
            raise self.refuse(message, at, "supported-options?")
        if not isinstance(options.get("fields", []), list):
            raise self.refuse("The `fields` property should be an array of field names.", [*at, "fields"], "array?")

    def _aggregate(self, options: Mapping[str, Any], body: Mapping[str, Any], path: list[Any]) -> bool:
        aggregate, at = options.get("aggregate"), [*path, "$", "aggregate"]
        if aggregate is None:
            return False
        if aggregate != "count":
            message = f'The aggregate field only accepts "count", got {compact(aggregate)}.'
            raise self.refuse(message, at, "supported-options?")
        if body.keys() - {"$"}:
            message = "You can not combine aggregates with child queries at this time."
            raise self.refuse(message, at, "valid-query?")
        return True

    # Order

    def _order(self, options: Mapping[str, Any], etype: str | None, path: list[Any]) -> tuple[str, bool]:
        at = [*path, "$", "order"]
        order = self._map(_given(options, "order"), at)
        if not order:
            return "serverCreatedAt", False
        if len(order) > 1:
            message = f"We only support a single key in the `order` clause. Got {','.join(order)}."
            raise self.refuse(message, at, "single-key?")
        key, direction = next(iter(order.items()))
        if direction not in {"asc", "desc"}:
            message = f'We only support "asc" or "desc" in the `order` clause. Got {direction}.'
            raise self.refuse(message, [*at, key], "valid-direction?")
        if key != "serverCreatedAt" and etype is not None and self.attrs.forward(etype, "id"):
            self._check_orderable(etype, key, at)
        return key, direction == "desc"

    def _check_orderable(self, etype: str, key: str, at: list[Any]) -> None:
        attr = self.attrs.forward(etype, key)
        if attr is None:
            raise self.refuse(f"There is no `{key}` attribute for {etype}.", at, "supported-order?")
        for wrong, message in (
            (not attr.indexed, "is not indexed. Only indexed and typed attributes can be used to order by."),
            (not attr.data_type, "is not typed. Only typed and indexed attributes can be used to order by."),
            (attr.cardinality != "one", "has cardinality `many`. Only attributes with cardinality `one` can be used."),
        ):
            if wrong:
                raise self.refuse(f"The `{attr.name}` attribute {message}", at, "supported-order?")

    # Where

    def conditions(self, where: Mapping[str, Any], etype: str) -> tuple[Condition, ...]:
        """A where-clause by itself."""
        return tuple(self._conditions(where, etype, []))

    def _conditions(self, where: Any, etype: str | None, path: list[Any]) -> Iterator[Condition]:
        for key, value in self._map(where, path).items():
            if key in {"or", "and"} and isinstance(value, list):
                if not value:
                    message = f"The list of `{key}` conditions can't be empty."
                    raise self.refuse(message, [*path, key], "non-empty-list?")
                parts = tuple(AllOf(tuple(self._conditions(part, etype, [*path, key]))) for part in value)
                yield AnyOf(parts) if key == "or" else AllOf(parts)
            else:
                yield self._condition(tuple(key.split(".")), value, [*path, key])

    def _condition(self, names: tuple[str, ...], value: Any, path: list[Any]) -> Condition:
        if isinstance(value, str | int | float):
            return Leaf(path=names, op="=", value=value)
        if not isinstance(value, dict) or len(value) != 1 or not value.keys() <= OPERATORS:
            # The vendor takes the first of several operators and silently drops the others.
            message = f"Expected a string, number, boolean or one operator for `{'.'.join(names)}`."
            raise self.refuse(message, path, "where-v?")
        op, operand = next(iter(value.items()))
        self._check_operand(op, operand, [*path, op])
        if op in {"$not", "$ne"}:
            # Also what has no value: the attribute, or any link on the way, may be missing.
            return AnyOf((Leaf(path=names, op="$not", value=operand), *_missing(names)))
        if op == "$isNull" and operand:
            return AnyOf(tuple(_missing(names)))
        return Leaf(path=names, op="$in" if op == "in" else op, value=operand)

    def _check_operand(self, op: str, operand: Any, path: list[Any]) -> None:
        scalar = isinstance(operand, str | int | float)
        if op in {"$in", "in"}:
            fine = isinstance(operand, list) and all(isinstance(v, str | int | float | None) for v in operand)
        else:
            fine = isinstance(operand, bool) if op == "$isNull" else scalar
        if not fine:
            raise self.refuse(None, path, f"{op.lstrip('$')}-value?")


def _given(options: Mapping[str, Any], name: str) -> Any:
    """An option's value; null is as if it were not there."""
    value = options.get(name)
    return {} if value is None else value


def _missing(names: tuple[str, ...]) -> list[Condition]:
    return [Leaf(path=names[: i + 1], op="$isNull", value=True) for i in range(len(names))]


def link_of(attrs: Attrs, etype: str, label: str) -> tuple[Attr, bool] | None:
    """The link attribute behind a label of a namespace, and whether it is seen from its forward side."""
    if attr := attrs.forward(etype, label):
        return attr, True
    attr = attrs.reverse(etype, label)
    return (attr, False) if attr else None


def link_target(attrs: Attrs, etype: str | None, label: str) -> str | None:
    found = link_of(attrs, etype, label) if etype else None
    if found is None:
        return None
    attr, forward = found
    return attr.reverse_etype if forward else attr.etype
