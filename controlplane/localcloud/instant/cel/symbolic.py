"""A view rule as a where-clause: `data` is unknown, all else is known (server: db/cel.clj, get-all-where-clauses).

`data.ownerId == auth.id` becomes `{"ownerId": "…"}`, `'x' in data.ref('cart.secret')` becomes `{"cart.secret": "x"}`.
What has no such form raises Unwritable, and the rule is then answered entity by entity.
"""

import dataclasses
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from controlplane.localcloud.instant.attrs import Attr
from controlplane.localcloud.instant.cel.evaluation import Algebra, Code, Env

Clause = dict[str, Any]

TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
NAMES = {"<": "$lt", "<=": "$lte", ">": "$gt", ">=": "$gte"}


class Unwritable(Exception):  # noqa: N818 - no failure: the rule is asked of each entity instead
    """The rule says something of `data` that no where-clause can say."""


class Symbol:
    """Something that depends on the entity."""


@dataclasses.dataclass(frozen=True)
class Field(Symbol):
    attr: Attr


@dataclasses.dataclass(frozen=True)
class Path(Symbol):
    """`data.ref('a.b')`"""

    path: str


@dataclasses.dataclass(frozen=True)
class PathSize(Symbol):
    """`size(data.ref('a.id'))`, comparable with 0 only."""

    path: Path


@dataclasses.dataclass(frozen=True)
class Where(Symbol):
    clause: Clause


@dataclasses.dataclass(frozen=True)
class Entity(Symbol):
    """`data` itself. `attr_of` finds an attribute of the namespace by label."""

    attr_of: Callable[[str], Attr | None]

    def ref(self, path: str) -> Path:
        return Path(path)


class Symbolic(Algebra):
    def select(self, value: Any, field: str) -> Any:
        if not isinstance(value, Entity):
            return super().select(self._known(value), field)
        attr = value.attr_of(field)
        if attr is not None and attr.cardinality == "many":
            raise Unwritable
        return Field(attr) if attr else None

    def index(self, value: Any, key: Any) -> Any:
        if isinstance(value, Entity) and isinstance(key, str):
            return self.select(value, key)
        return super().index(self._known(value), self._known(key))

    def equal(self, a: Any, b: Any) -> Any:
        return self._equality(a, b, negated=False)

    def unequal(self, a: Any, b: Any) -> Any:
        return self._equality(a, b, negated=True)

    def _equality(self, a: Any, b: Any, *, negated: bool) -> Any:
        symbol, other = (a, b) if isinstance(a, Symbol) else (b, a)
        if not isinstance(symbol, Symbol):
            return super().unequal(a, b) if negated else super().equal(a, b)
        if isinstance(symbol, Field):
            return Where({symbol.attr.label: _value(other, negated)})
        empty = symbol.path if isinstance(symbol, PathSize) and other == 0 else symbol
        if isinstance(empty, Path) and (empty is not symbol or other == []):
            return Where({_link_of_ids(empty): {"$isNull": not negated}})
        raise Unwritable

    def contains(self, item: Any, container: Any) -> Any:
        if isinstance(item, Field) and isinstance(container, list):
            return Where({item.attr.label: {"$in": [_scalar(one) for one in container]}})
        if isinstance(container, Path):
            return False if item is None else Where({container.path: _scalar(item)})
        return super().contains(self._known(item), self._known(container))

    def compare(self, op: str, a: Any, b: Any) -> Any:
        if isinstance(b, Field) and not isinstance(a, Field):
            return self.compare(TURNED[op], b, a)
        if not isinstance(a, Field):
            return super().compare(op, self._known(a), self._known(b))
        attr, types = a.attr, {"number": (int, float), "string": str, "boolean": bool, "date": datetime}
        fits = attr.data_type and isinstance(b, types[attr.data_type])  # type: ignore[arg-type]
        if not (attr.indexed and fits) or (isinstance(b, bool) and attr.data_type == "number"):
            raise Unwritable
        return Where({attr.label: {NAMES[op]: b.isoformat() if isinstance(b, datetime) else b}})

    def negate(self, value: Any) -> Any:
        clause = _clause(value)
        return super().negate(self._known(value)) if clause is None else Where(_negated(clause))

    def both(self, a: Code, b: Code, env: Env) -> Any:
        return self._combine(a, b, env, "and", decisive=False)

    def either(self, a: Code, b: Code, env: Env) -> Any:
        return self._combine(a, b, env, "or", decisive=True)

    def _combine(self, a: Code, b: Code, env: Env, word: str, *, decisive: bool) -> Any:
        clauses, failure = [], None
        for code in (a, b):
            try:
                value = code(env)
            except Exception as error:  # an unknown or an error: the other side may decide alone
                failure = error
                continue
            if value is decisive:
                return decisive
            if (clause := _clause(value)) is not None:
                clauses.append(clause)
            elif value is not (not decisive):
                raise Unwritable
        if failure:
            raise failure
        if not clauses:
            return not decisive
        return Where(clauses[0] if len(clauses) == 1 else {word: clauses})

    def choose(self, condition: Any) -> bool:
        return super().choose(self._known(condition))

    def arithmetic(self, op: str, a: Any, b: Any) -> Any:
        return super().arithmetic(op, self._known(a), self._known(b))

    def minus(self, value: Any) -> Any:
        return super().minus(self._known(value))

    def call(self, name: str, arguments: Sequence[Any], *, method: bool) -> Any:
        first = arguments[0] if arguments else None
        if not any(isinstance(argument, Symbol) for argument in arguments):
            return super().call(name, arguments, method=method)
        if isinstance(first, Entity) and name == "ref" and isinstance(arguments[1], str):
            return first.ref(arguments[1])
        if isinstance(first, Path) and name == "size":
            return PathSize(first)
        if isinstance(first, Field) and name == "timestamp" and first.attr.data_type == "date":
            return first
        pattern = {"startsWith": "{}%", "endsWith": "%{}", "contains": "%{}%"}.get(name)
        if not (isinstance(first, Field) and pattern and isinstance(arguments[1], str)):
            raise Unwritable
        if not first.attr.indexed or first.attr.data_type != "string":
            raise Unwritable
        return Where({first.attr.label: {"$like": pattern.format(_escaped(arguments[1]))}})

    def _known(self, value: Any) -> Any:
        if isinstance(value, Symbol):
            raise Unwritable
        return value


def clause_of(result: Any) -> Clause | bool:
    """What a whole rule came to: a where-clause, or whether it holds for every entity. Raises Unwritable."""
    if isinstance(result, Where):
        return result.clause
    if isinstance(result, Symbol):
        raise Unwritable
    return result is not None and result is not False


def _clause(value: Any) -> Clause | None:
    if isinstance(value, Where):
        return value.clause
    return {value.attr.label: True} if isinstance(value, Field) and value.attr.data_type == "boolean" else None


def _scalar(value: Any) -> Any:
    if not isinstance(value, str | int | float | bool):
        raise Unwritable
    return value


def _value(value: Any, negated: bool) -> Any:
    if value is None:
        return {"$isNull": not negated}
    return {"$not": _scalar(value)} if negated else _scalar(value)


def _link_of_ids(path: Path) -> str:
    """The link in `link.id`: only an id can't be null, so only it tells that there is nothing there."""
    link, _, rest = path.path.partition(".")
    if rest != "id":
        raise Unwritable
    return link


def _negated(clause: Clause) -> Clause:
    """De Morgan's laws. Not of comparisons: CEL errs where a value is missing, a where-clause doesn't."""
    ((key, value),) = clause.items()
    if key in {"and", "or"}:
        return {"or" if key == "and" else "and": [_negated(part) for part in value]}
    if "." in key:
        raise Unwritable  # "no tag is x" is not "some tag is not x"
    if not isinstance(value, dict):
        return {key: {"$not": value}}
    ((op, operand),) = value.items()
    if op == "$not":
        return {key: operand}
    if op == "$isNull":
        return {key: {"$isNull": not operand}}
    raise Unwritable


def _escaped(text: str) -> str:
    return "".join("\\" + char if char in "%_\\" else char for char in text)
