"""Syntax tree → closures over an environment of variables. Operators live in `Algebra`, which `symbolic` extends.

Values are Python's own. A field that a map of data lacks is null, as the vendor's CelMap says; only maps that a rule
writes out itself (`Literal`) know which keys they have. Errors travel through `&&` and `||` as CEL demands: an operand
that decides alone makes the other one's error nothing.
"""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from controlplane.localcloud.instant.cel.syntax import Node, SyntaxProblem, parse

Env = dict[str, Any]
Code = Callable[[Env], Any]


class EvaluationError(Exception):
    """A rule that could not be answered; `kind` is cel-java's error code."""

    def __init__(self, message: str, kind: str = "OVERLOAD_NOT_FOUND") -> None:
        super().__init__(message)
        self.kind = kind


class Literal(dict[Any, Any]):
    """A map that the rule writes out: the one kind that lacks what it lacks."""


class TypeName(str):
    """What `type(x)` answers."""

    __slots__ = ()


TYPE_NAMES = {"int", "uint", "double", "bool", "string", "bytes", "list", "map", "null_type", "type"}
MACROS = {"all", "exists", "exists_one", "existsOne", "filter", "map"}


def type_of(value: Any) -> TypeName:
    if value is None:
        return TypeName("null_type")
    for kind, name in (
        (bool, "bool"), (int, "int"), (float, "double"), (TypeName, "type"), (str, "string"), (bytes, "bytes"),
        (Mapping, "map"), (Sequence, "list"), (datetime, "google.protobuf.Timestamp"),
        (timedelta, "google.protobuf.Duration"),
    ):  # fmt: skip
        if isinstance(value, kind):
            return TypeName(name)
    return TypeName("dyn")


def no_overload(name: str, *values: Any) -> EvaluationError:
    return EvaluationError(f"No matching overload for function '{name}' of ({', '.join(map(type_of, values))})")


class Algebra:
    """The operators on plain values."""

    def select(self, value: Any, field: str) -> Any:
        if isinstance(value, Literal):
            if field not in value:
                raise EvaluationError(f"key '{field}' is not present in map.", "ATTRIBUTE_NOT_FOUND")
            return value[field]
        if not isinstance(value, Mapping):
            raise EvaluationError(f"Error resolving field '{field}'.", "ATTRIBUTE_NOT_FOUND")
        return value.get(field)

    def index(self, value: Any, key: Any) -> Any:
        if isinstance(value, Mapping):
            return self.select(value, key)
        if not isinstance(value, list) or not _is_int(key):
            raise no_overload("_[_]", value, key)
        if not 0 <= key < len(value):
            raise EvaluationError(f"Index out of bounds: {key}", "INDEX_OUT_OF_BOUNDS")
        return value[key]

    def equal(self, a: Any, b: Any) -> Any:
        if isinstance(a, bool) or isinstance(b, bool):
            return a is b
        if isinstance(a, list) and isinstance(b, list):
            return len(a) == len(b) and all(self.equal(x, y) for x, y in zip(a, b, strict=True))
        return a == b

    def unequal(self, a: Any, b: Any) -> Any:
        return not self.equal(a, b)

    def contains(self, item: Any, container: Any) -> Any:
        if isinstance(container, Literal):
            return item in container
        if isinstance(container, Mapping):
            return True  # CelMap.containsKey
        if not isinstance(container, list):
            raise no_overload("@in", item, container)
        return any(self.equal(item, one) for one in container)

    def compare(self, op: str, a: Any, b: Any) -> Any:
        numbers = _is_number(a) and _is_number(b)
        if not numbers and (type(a) is not type(b) or not isinstance(a, str | bool | bytes | datetime | timedelta)):
            raise no_overload(f"_{op}_", a, b)
        if op == "<":
            return a < b
        if op == "<=":
            return a <= b
        return a > b if op == ">" else a >= b

    def negate(self, value: Any) -> Any:
        if not isinstance(value, bool):
            raise no_overload("!_", value)
        return not value

    def both(self, a: Code, b: Code, env: Env) -> Any:
        return self._decide(a, b, env, False, "_&&_")

    def either(self, a: Code, b: Code, env: Env) -> Any:
        return self._decide(a, b, env, True, "_||_")

    def _decide(self, a: Code, b: Code, env: Env, decisive: bool, name: str) -> Any:
        failure: EvaluationError | None = None
        for code in (a, b):
            try:
                value = code(env)
                if value is decisive:
                    return decisive
                if not isinstance(value, bool):
                    raise no_overload(name, value)
            except EvaluationError as error:
                failure = failure or error
        if failure:
            raise failure
        return not decisive

    def choose(self, condition: Any) -> bool:
        if not isinstance(condition, bool):
            raise no_overload("_?_:_", condition)
        return condition

    def arithmetic(self, op: str, a: Any, b: Any) -> Any:
        if op == "+" and type(a) is type(b) and isinstance(a, str | bytes | list):
            return a + b
        if op in "+-" and (isinstance(a, datetime | timedelta) or isinstance(b, datetime | timedelta)):
            return _moved(op, a, b)
        if not (_is_int(a) and _is_int(b)) and not (isinstance(a, float) and isinstance(b, float)):
            raise no_overload(f"_{op}_", a, b)
        return _floats(op, a, b) if isinstance(a, float) else _integers(op, a, b)

    def minus(self, value: Any) -> Any:
        if not _is_number(value):
            raise no_overload("-_", value)
        return -value

    def call(self, name: str, arguments: Sequence[Any], *, method: bool) -> Any:
        from controlplane.localcloud.instant.cel.functions import FUNCTIONS, METHODS

        return (METHODS if method else FUNCTIONS)[name](*arguments)


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _moved(op: str, a: Any, b: Any) -> Any:
    try:
        return a + b if op == "+" else a - b
    except (TypeError, OverflowError) as error:
        raise no_overload(f"_{op}_", a, b) from error


def _floats(op: str, a: float, b: float) -> float:
    if op == "/":
        return a / b if b else math.nan if a == 0 or math.isnan(a) else math.copysign(math.inf, a)
    if op == "%":
        raise no_overload("_%_", a, b)
    return a + b if op == "+" else a - b if op == "-" else a * b


def _integers(op: str, a: int, b: int) -> int:
    if op in "/%":
        if b == 0:
            raise EvaluationError("/ by zero", "DIVIDE_BY_ZERO")
        quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)  # towards zero, unlike Python's
        result = quotient if op == "/" else a - b * quotient
    else:
        result = a + b if op == "+" else a - b if op == "-" else a * b
    if not -(2**63) <= result < 2**63:
        raise EvaluationError("long overflow", "NUMERIC_OVERFLOW")
    return result


class Compilation:
    """Compiles one rule. `variables` are the names it may use; `binds` its named sub-expressions, read on demand."""

    def __init__(self, algebra: Algebra, variables: Collection[str], binds: Mapping[str, str] | None = None) -> None:
        self.algebra = algebra
        self.variables = variables
        self.binds = binds or {}
        self._bound: dict[str, Code] = {}
        self._open: list[str] = []

    def compile(self, text: str) -> Code:
        """Raises SyntaxProblem."""
        return self._node(parse(text), frozenset())

    def _node(self, node: Node, scope: frozenset[str]) -> Code:
        code: Code = getattr(self, "_" + node.kind.rstrip("_"))(node, scope)
        return code

    def _constant(self, node: Node, _: frozenset[str]) -> Code:
        value = node.parts[0]
        return lambda env: value

    def _name(self, node: Node, scope: frozenset[str]) -> Code:
        name: str = node.parts[0]
        if name in scope or (name in self.variables and name not in self.binds):
            return lambda env: env[name]
        if name in self.binds:
            return self._bind(name)
        if name in TYPE_NAMES:
            value = TypeName(name)
            return lambda env: value
        raise SyntaxProblem(f"undeclared reference to '{name}' (in container '')")

    def _bind(self, name: str) -> Code:
        if name in self._open:
            raise SyntaxProblem(f"The binds have a cyclic dependency {' -> '.join([*self._open, name])}")
        if name not in self._bound:
            self._open.append(name)
            self._bound[name] = self._node(parse(self.binds[name]), frozenset())
            self._open.pop()
        code, key = self._bound[name], f"bind {name}"

        def once(env: Env) -> Any:
            if key not in env:
                env[key] = code(env)
            return env[key]

        return once

    def _select(self, node: Node, scope: frozenset[str]) -> Code:
        operand, field = self._node(node.parts[0], scope), node.parts[1]
        select = self.algebra.select
        return lambda env: select(operand(env), field)

    def _index(self, node: Node, scope: frozenset[str]) -> Code:
        operand, key = self._node(node.parts[0], scope), self._node(node.parts[1], scope)
        return lambda env: self.algebra.index(operand(env), key(env))

    def _elements(self, node: Node, scope: frozenset[str]) -> Code:
        items = [self._node(part, scope) for part in node.parts]
        return lambda env: [item(env) for item in items]

    def _entries(self, node: Node, scope: frozenset[str]) -> Code:
        pairs = [(self._node(key, scope), self._node(value, scope)) for key, value in node.parts]
        return lambda env: Literal({key(env): value(env) for key, value in pairs})

    def _or(self, node: Node, scope: frozenset[str]) -> Code:
        a, b = (self._node(part, scope) for part in node.parts)
        return lambda env: self.algebra.either(a, b, env)

    def _and(self, node: Node, scope: frozenset[str]) -> Code:
        a, b = (self._node(part, scope) for part in node.parts)
        return lambda env: self.algebra.both(a, b, env)

    def _not(self, node: Node, scope: frozenset[str]) -> Code:
        operand = self._node(node.parts[0], scope)
        return lambda env: self.algebra.negate(operand(env))

    def _negative(self, node: Node, scope: frozenset[str]) -> Code:
        operand = self._node(node.parts[0], scope)
        return lambda env: self.algebra.minus(operand(env))

    def _conditional(self, node: Node, scope: frozenset[str]) -> Code:
        condition, yes, no = (self._node(part, scope) for part in node.parts)
        return lambda env: yes(env) if self.algebra.choose(condition(env)) else no(env)

    def _binary(self, node: Node, scope: frozenset[str]) -> Code:
        a, b = self._node(node.parts[0], scope), self._node(node.parts[2], scope)
        op, algebra = node.parts[1], self.algebra
        simple = {"==": algebra.equal, "!=": algebra.unequal, "in": algebra.contains}.get(op)
        if simple:
            return lambda env: simple(a(env), b(env))
        of = algebra.compare if op[0] in "<>" else algebra.arithmetic
        return lambda env: of(op, a(env), b(env))

    # Calls and macros

    def _function(self, node: Node, scope: frozenset[str]) -> Code:
        from controlplane.localcloud.instant.cel.functions import FUNCTIONS

        name, arguments = node.parts
        if name == "has" and len(arguments) == 1 and arguments[0].kind == "select":
            return self._has(arguments[0], scope)
        if name not in FUNCTIONS:
            raise SyntaxProblem(f"undeclared reference to '{name}' (in container '')")
        codes = [self._node(argument, scope) for argument in arguments]
        return lambda env: self.algebra.call(name, [code(env) for code in codes], method=False)

    def _has(self, selected: Node, scope: frozenset[str]) -> Code:
        operand, field = self._node(selected.parts[0], scope), selected.parts[1]
        return lambda env: self.algebra.contains(field, operand(env))

    def _method(self, node: Node, scope: frozenset[str]) -> Code:
        from controlplane.localcloud.instant.cel.functions import METHODS, QUALIFIED

        target, name, arguments = node.parts
        if target == Node("name", ("cel",)) and name == "bind":
            return self._local(arguments, scope)
        if target.kind == "name" and (qualified := f"{target.parts[0]}.{name}") in QUALIFIED:
            codes = [self._node(argument, scope) for argument in arguments]
            return lambda env: QUALIFIED[qualified](*(code(env) for code in codes))
        if name in MACROS and len(arguments) >= 2 and arguments[0].kind == "name":
            return self._macro(node, scope)
        if name not in METHODS:
            raise SyntaxProblem(f"undeclared reference to '{name}' (in container '')")
        codes = [self._node(part, scope) for part in (target, *arguments)]
        return lambda env: self.algebra.call(name, [code(env) for code in codes], method=True)

    def _local(self, arguments: Sequence[Node], scope: frozenset[str]) -> Code:
        name = arguments[0].parts[0]
        value, body = self._node(arguments[1], scope), self._node(arguments[2], scope | {name})
        return lambda env: body({**env, name: value(env)})

    def _macro(self, node: Node, scope: frozenset[str]) -> Code:
        target, name, (variable, *steps) = node.parts
        items, named = self._node(target, scope), variable.parts[0]
        codes = [self._node(step, scope | {named}) for step in steps]

        def run(env: Env) -> Any:
            found = items(env)
            if not isinstance(found, list | Mapping):
                raise no_overload(name, found)
            return _comprehend(name, [{**env, named: item} for item in found], codes, named)

        return run


def _comprehend(name: str, scopes: list[Env], codes: list[Code], named: str) -> Any:
    if name == "map":
        kept = [scope for scope in scopes if len(codes) == 1 or codes[0](scope) is True]
        return [codes[-1](scope) for scope in kept]
    if name == "filter":
        return [scope[named] for scope in scopes if codes[0](scope) is True]
    if name in {"exists_one", "existsOne"}:
        return sum(codes[0](scope) is True for scope in scopes) == 1
    decisive, failure = name == "exists", None
    for scope in scopes:
        try:
            if codes[0](scope) is decisive:
                return decisive
        except EvaluationError as error:
            failure = error
    if failure:
        raise failure
    return not decisive
