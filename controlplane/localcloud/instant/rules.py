"""An app's rules as the vendor stores them: which expression decides what, compiled (server: model/rule.clj)."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from controlplane.localcloud.instant.cel.evaluation import Algebra, Code, Compilation
from controlplane.localcloud.instant.cel.symbolic import Symbolic
from controlplane.localcloud.instant.cel.syntax import Node, SyntaxProblem, parse
from controlplane.localcloud.instant.rate_limits import Bucket

Rules = Mapping[str, Mapping[str, Any]]
Error = dict[str, Any]

ALWAYS = ("data", "auth", "ruleParams", "request", "rateLimit")
VARIABLES = {
    "view": ALWAYS,
    "delete": ALWAYS,
    "create": (*ALWAYS, "newData"),
    "update": (*ALWAYS, "newData"),
    "link": (*ALWAYS, "newData", "linkedData", "actions"),
    "unlink": (*ALWAYS, "newData", "linkedData"),
}
OPEN_SYSTEM = {"$users", "$files", "$default", "$streams", "$rateLimits"}
SELF = "auth.id == data.id || (data.linkedPrimaryUser != null && auth.id == data.linkedPrimaryUser)"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rule:
    """`symbolic` is there for view rules only; `refs` are the paths of its `data.ref('…')`, to be read ahead."""

    etype: str
    action: str
    expression: str
    code: Code
    symbolic: Code | None = None
    refs: frozenset[str] = frozenset()


class RuleBook:
    """Rules by namespace and action. Compiled on first use; `errors` says beforehand what would not compile."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self._compiled: dict[tuple[str, ...], Rule | None] = {}
        limits = rules.get("$rateLimits", {})
        self.buckets = {name: Bucket(name, config) for name, config in limits.items()}

    def rule(self, etype: str, action: str) -> Rule | None:
        """The vendor's order: the namespace's own rule, its default, the same two of `$default`, then the fallback.

        None means that nothing forbids it.
        """
        key = ("allow", etype, action)
        if key not in self._compiled:
            expression = self._expression(etype, action)
            self._compiled[key] = None if expression is None else self._compile(etype, action, expression)
        return self._compiled[key]

    def own(self, etype: str, action: str) -> Rule | None:
        """The namespace's own rule of that very action, without any default."""
        expression = self._allow(etype).get(action)
        return None if expression is None else self._compile(etype, action, expression)

    def link(self, etype: str, action: str, label: str | None) -> Rule | None:
        """The rule `allow.link.{label}` (or unlink), or its `$default`; None where there is neither."""
        rules = self._allow(etype).get(action)
        if not isinstance(rules, Mapping) or label is None:
            return None
        key = (action, etype, label)
        if key not in self._compiled:
            expression = rules.get(label, rules.get("$default"))
            self._compiled[key] = None if expression is None else self._compile(etype, action, expression)
        return self._compiled[key]

    def fields(self, etype: str) -> dict[str, Rule]:
        """The rules that some attributes of the namespace have beside its view rule, by label."""
        wanted = self.rules.get(etype, {}).get("fields") or {}
        for label, expression in wanted.items():
            key = ("fields", etype, label)
            if key not in self._compiled:
                self._compiled[key] = self._compile(etype, "view", expression)
        return {label: rule for label in wanted if (rule := self._compiled["fields", etype, label])}

    def _allow(self, etype: str) -> Mapping[str, Any]:
        allow: Mapping[str, Any] = self.rules.get(etype, {}).get("allow") or {}
        return allow

    def _expression(self, etype: str, action: str) -> Any:
        for name in (etype, "$default"):
            allow = self._allow(name)
            for key in (action, "$default"):
                if allow.get(key) is not None:
                    return allow[key]
        return _fallback(etype, action)

    def _binds(self, etype: str) -> dict[str, str]:
        flat = [*_flat(self.rules.get("$default", {}).get("bind")), *_flat(self.rules.get(etype, {}).get("bind"))]
        if len(flat) % 2:
            raise SyntaxProblem("bind should have an even number of elements")
        return {name: _text(code) for name, code in zip(flat[::2], flat[1::2], strict=True)}

    def _compile(self, etype: str, action: str, expression: Any) -> Rule:
        """Raises SyntaxProblem."""
        text, binds, variables = _text(expression), self._binds(etype), VARIABLES[action]
        code = Compilation(Algebra(), variables, binds).compile(text)
        symbolic = Compilation(Symbolic(), variables, binds).compile(text) if action == "view" else None
        nodes = [*parse(text).walk(), *(node for name in _used(text, binds) for node in parse(binds[name]).walk())]
        self._check(nodes)
        refs = frozenset(path for owner, path in _refs(nodes) if owner == "data" and path)
        return Rule(etype=etype, action=action, expression=text, code=code, symbolic=symbolic, refs=refs)

    def _check(self, nodes: list[Node]) -> None:
        for owner, path in _refs(nodes):
            if owner == "auth" and not (path and path.startswith("$user.")):
                raise SyntaxProblem("auth.ref arg must start with `$user.`")
        for node in nodes:
            named = node.parts[1] if node.kind == "select" and node.parts[0] == Node("name", ("rateLimit",)) else None
            if named is not None and named not in self.buckets:
                advice = "It should be defined in the `$rateLimits` key."
                raise SyntaxProblem(f"`{named}` is not a valid rate limit config. {advice}")


def errors(rules: Any) -> list[Error]:
    """Everything that the vendor refuses in pushed rules, as `{"message": …, "in": […]}`."""
    if not isinstance(rules, Mapping) or not all(isinstance(rule, Mapping) for rule in rules.values()):
        return [{"message": "Rules must be an object of objects", "in": []}]
    found = [*_bind_errors(rules), *_limit_errors(rules)]
    if found:
        return found
    book = RuleBook(rules)
    return [error for etype in rules if etype != "$rateLimits" for error in _errors_of(book, etype)]


def _errors_of(book: RuleBook, etype: str) -> Iterator[Error]:
    allow = book.rules[etype].get("allow") or {}
    if etype.startswith("$") and etype not in OPEN_SYSTEM:
        message = f"The {etype} namespace is a reserved internal namespace that does not yet support rules."
        yield {"message": message, "in": [etype, "allow"]}
        return
    if etype == "$users" and allow.get("delete") not in (None, "false", False):
        message = (
            'The $users namespace doesn\'t support permissions for delete. Set `$users.allow.delete` to `"false"`.'
        )
        yield {"message": message, "in": [etype, "allow", "delete"]}
    if "id" in (book.rules[etype].get("fields") or {}):
        message = f"You cannot set field rules for `id`. Use {etype} -> allow -> view instead"
        yield {"message": message, "in": [etype, "fields"]}
    for path, action, expression in _expressions(book.rules[etype]):
        try:
            book._compile(etype, action, expression)
        except SyntaxProblem as error:
            yield {"message": str(error), "in": [etype, *path]}


def _expressions(rule: Mapping[str, Any]) -> Iterator[tuple[list[str], str, Any]]:
    """(path, action, expression) of everything in a namespace's rule that is an expression."""
    for action, expression in (rule.get("allow") or {}).items():
        if action in {"link", "unlink"} and isinstance(expression, Mapping):
            yield from ((["allow", action, label], action, one) for label, one in expression.items())
        elif action in VARIABLES or action == "$default":
            # A default stands for every action, and may say only what all of them understand.
            yield ["allow", action], action if action in VARIABLES else "view", expression
    for label, expression in (rule.get("fields") or {}).items():
        yield ["fields", label], "view", expression


def _bind_errors(rules: Rules) -> Iterator[Error]:
    for etype, rule in rules.items():
        flat = _flat(rule.get("bind"))
        if len(flat) % 2:
            yield {"message": "bind should have an even number of elements", "in": [etype, "bind"]}
        for name in {name for name in flat[::2] if flat[::2].count(name) > 1}:
            message = "bind should only contain a given variable name once"
            yield {"message": message, "in": [etype, "bind", name]}


def _limit_errors(rules: Rules) -> Iterator[Error]:
    for name, config in rules.get("$rateLimits", {}).items():
        try:
            Bucket(name, config)
        except ValueError as error:
            yield {"message": str(error), "in": ["$rateLimits", name]}


def _flat(bind: Any) -> list[Any]:
    """`bind` as an object or as a flat list of names and expressions."""
    return [part for pair in bind.items() for part in pair] if isinstance(bind, Mapping) else list(bind or ())


def _text(expression: Any) -> str:
    """A rule may also be a plain boolean."""
    if isinstance(expression, bool):
        return "true" if expression else "false"
    if not isinstance(expression, str):
        raise SyntaxProblem("a rule must be a string")
    return expression


def _fallback(etype: str, action: str) -> str | None:
    """What holds for the system's namespaces where no rule says anything: strangers see themselves, and sign up."""
    if not etype.startswith("$"):
        return None
    if etype == "$users":
        return {"create": "true", "view": SELF, "update": SELF}.get(action, "false")
    return "false"


def _used(text: str, binds: Mapping[str, str]) -> set[str]:
    """The binds that an expression reads, through other binds too."""
    used: set[str] = set()
    waiting = [text]
    while waiting:
        for node in parse(waiting.pop()).walk():
            if node.kind == "name" and node.parts[0] in binds and node.parts[0] not in used:
                used.add(node.parts[0])
                waiting.append(binds[node.parts[0]])
    return used


def _refs(nodes: list[Node]) -> Iterator[tuple[str, str | None]]:
    """(variable, path) of every `variable.ref('path')`; None for a path that is no constant."""
    for node in nodes:
        if node.kind == "method" and node.parts[1] == "ref" and node.parts[0].kind == "name":
            argument = node.parts[2][0] if node.parts[2] else None
            constant = argument is not None and argument.kind == "constant"
            yield node.parts[0].parts[0], argument.parts[0] if argument is not None and constant else None
