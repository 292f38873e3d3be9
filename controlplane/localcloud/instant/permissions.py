"""Who may do what. The rest of the stand-in asks here and knows nothing of rules.

`view` says it for a whole namespace if it can: nobody, everybody, or those that match a where-clause. Where it can't,
`viewable` is asked for the entities at hand. `require` judges the checks of a transaction.
"""

import dataclasses
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from controlplane.localcloud.instant.cel.evaluation import Env, EvaluationError
from controlplane.localcloud.instant.cel.symbolic import Clause, Entity, clause_of
from controlplane.localcloud.instant.errors import Refusal, denied
from controlplane.localcloud.instant.references import References
from controlplane.localcloud.instant.rules import Rule, RuleBook, Rules
from controlplane.localcloud.instant.triples import Store

Action = Literal["view", "create", "update", "delete", "link", "unlink"]
Data = Mapping[str, Any]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Caller:
    """Who asks: the admin token (no rule applies), a signed-in user, or with `user` None a guest."""

    admin: bool = False
    user: Mapping[str, Any] | None = None
    origin: str = ""
    ip: str = ""


ADMIN = Caller(admin=True)
GUEST = Caller()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Check:
    """One question to the rules. `data` is the entity as it is, `new_data` as the transaction leaves it.

    `rule` is given for links, which have rules of their own; else the one for namespace and action is looked up.
    """

    action: Action
    etype: str
    entity: str = ""
    data: Data | None = None
    new_data: Data | None = None
    rule_params: Data = dataclasses.field(default_factory=dict)
    rule: Rule | None = None
    linked: Data | None = None
    linked_etype: str = ""
    actions: Mapping[str, str] = dataclasses.field(default_factory=dict)
    modified: tuple[str, ...] = ()


class _Data(dict[str, Any]):
    """An entity as rules see it."""

    __slots__ = ("etype", "references")

    def __init__(self, data: Data | None, etype: str, references: References) -> None:
        super().__init__(data or {})
        self.etype = etype
        self.references = references

    def ref(self, path: str) -> list[Any]:
        if (entity := self.get("id")) is None:
            return []
        return self.references.get(self.etype, entity, path)


class _Auth(_Data):
    """Who asks, as rules see them: an empty map for a stranger."""

    __slots__ = ()

    def ref(self, path: str) -> list[Any]:
        return super().ref(path.removeprefix("$user."))


class Permissions:
    def __init__(self, rules: Rules) -> None:
        """Raises SyntaxProblem or ValueError only when a rule is used: `rules.errors` checks them all before."""
        self.book = RuleBook(rules)

    # Reading

    def view(self, caller: Caller, store: Store, etype: str, params: Any) -> bool | Clause | None:
        """Which entities of a namespace the caller may see: all, none, those of a where-clause; None: ask of each."""
        rule = None if caller.admin else self.book.rule(etype, "view")
        if rule is None:
            return True
        assert rule.symbolic is not None
        env = self._env(caller, References(store), params)
        env["data"] = Entity(lambda label: store.attrs.forward(etype, label))
        try:
            return clause_of(rule.symbolic(env))
        except Exception:  # as the vendor does: whatever can't be said in general is asked of each entity
            return None

    def viewable(
        self, caller: Caller, store: Store, etype: str, entities: Mapping[str, Data], params: Any, *, label: str = ""
    ) -> set[str]:
        """Which of the entities (by id, complete) the caller may see, or of which the attribute `label`."""
        rule = self.book.fields(etype).get(label) if label else self.book.rule(etype, "view")
        if caller.admin or rule is None:
            return set(entities)
        references = References(store)
        self._load(rule, references, entities)
        base = self._env(caller, references, params)
        return {
            entity
            for entity, data in entities.items()
            if _answer(rule, {**base, "data": _Data(data, etype, references)})
        }

    def refs(self, etype: str) -> frozenset[str]:
        """The paths over links that the view rule of a namespace reads."""
        rule = self.book.rule(etype, "view")
        return rule.refs if rule else frozenset()

    def field_labels(self, caller: Caller, etype: str) -> list[str]:
        """The attributes of a namespace that have rules of their own for this caller."""
        return [] if caller.admin else list(self.book.fields(etype))

    # Writing

    def require(self, caller: Caller, store: Store, checks: Iterable[Check]) -> None:
        """Raises permission-denied as the vendor words it, or permission-evaluation-failed."""
        if caller.admin:
            return
        references = References(store)  # one state of the data
        for check in checks:
            if not self._allows(caller, references, check):
                raise denied(check.etype, "attr" if check.etype == "attrs" else "object")

    def _allows(self, caller: Caller, references: References, check: Check) -> bool:
        if check.etype == "attrs" and check.action != "create":
            return False  # only the admin changes and deletes attributes
        rule = check.rule or self.book.rule(check.etype, check.action)
        if rule is None:
            return True
        env = self._env(caller, references, check.rule_params, check.modified)
        env["data"] = _Data(check.data, check.etype, references)
        env["newData"] = dict(check.new_data or {})
        env["linkedData"] = _Data(check.linked, check.linked_etype, references)
        env["actions"] = dict(check.actions)
        return _answer(rule, env)

    def require_sign_up(self, store: Store, wanted: Data, *, asks_more: bool) -> None:
        """Whether a stranger may become the user `wanted`: only the app's own rule `$users.allow.create` decides.

        Without one everybody may sign up, but not with fields of the app's own (model/app_user.clj assert-signup!).
        """
        rule, references = self.book.own("$users", "create"), References(store)
        if rule is None:
            allowed = not asks_more
        else:
            env = self._env(Caller(user=wanted), references, {})
            env |= {"data": _Data(wanted, "$users", references), "newData": dict(wanted)}
            allowed = _answer(rule, env)
        if not allowed:
            raise denied("$users", "create")

    # Variables

    def _env(self, caller: Caller, references: References, params: Any, modified: Iterable[str] = ()) -> Env:
        request = {
            "time": datetime.now(UTC),
            "ip": caller.ip,
            "origin": caller.origin,
            "modifiedFields": list(modified),
        }
        return {
            "auth": _Auth(caller.user, "$users", references),
            "ruleParams": params if isinstance(params, Mapping) else {},
            "request": request,
            "rateLimit": self.book.buckets,
        }

    def _load(self, rule: Rule, references: References, entities: Iterable[str]) -> None:
        if rule.refs:
            listed = list(entities)
            for path in rule.refs:
                try:
                    references.load(rule.etype, listed, path)
                except EvaluationError:
                    return  # the rule itself will say so, unless it never gets that far


def _answer(rule: Rule, env: Env) -> bool:
    """Null and false forbid, everything else allows, as the vendor reads it."""
    try:
        result = rule.code(env)
    except (EvaluationError, RecursionError) as error:
        raise _failed(rule, error) from error
    return result is not None and result is not False


def _failed(rule: Rule, error: Exception) -> Refusal:
    """What a rule's author must know says nothing of the data: the caller may be anybody."""
    advice = "Debug this in the sandbox and then update your permission rules."
    where = f"`{rule.etype}.{rule.action}`"
    message = f"Could not evaluate permission rule for {where}. You may have a typo. {advice}"
    kind = error.kind if isinstance(error, EvaluationError) else "INTERNAL_ERROR"
    hint = {"type": kind, "message": message, "hint": "You may have a typo"}
    return Refusal("permission-evaluation-failed", message, {"rule": [rule.etype, rule.action], "error": hint})
