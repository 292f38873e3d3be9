"""Who may do what: the vendor's rule format, evaluated for the constants `true` and `false` only, until CEL comes.

The rest of the stand-in knows `may_see` and `allows` and nothing of rules, so that a CEL evaluator replaces the inside.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal

from controlplane.localcloud.instant.errors import denied
from controlplane.localcloud.instant.triples import Store

Action = Literal["view", "create", "update", "delete"]
Rules = Mapping[str, Mapping[str, Any]]

# `instant.perms.ts` in the vendor's JSON form. `$default` closes every namespace and attribute creation.
STOREFRONT_RULES: Rules = {
    "$default": {"allow": {"$default": "false"}},
    "attrs": {"allow": {"create": "false"}},
    "tenants": {"allow": {"view": "true", "$default": "false"}},
    "products": {"allow": {"view": "true", "$default": "false"}},
    # Open until rules about owners can be evaluated.
    "carts": {"allow": {"$default": "true"}},
    "cartItems": {"allow": {"$default": "true"}},
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Caller:
    """Who asks: the admin token (no rule applies), a signed-in user, or with `user` None a guest."""

    admin: bool = False
    user: Mapping[str, Any] | None = None


ADMIN = Caller(admin=True)
GUEST = Caller()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Check:
    """One question to the rules. `data` is the entity as it is, `new_data` as the transaction leaves it."""

    action: Action
    etype: str
    entity: str = ""
    data: Mapping[str, Any] | None = None
    new_data: Mapping[str, Any] | None = None
    rule_params: Mapping[str, Any] = dataclasses.field(default_factory=dict)


class Permissions:
    def __init__(self, rules: Rules = STOREFRONT_RULES) -> None:
        self.rules = rules
        for etype, rule in rules.items():
            for action, code in rule["allow"].items():
                if code not in {"true", "false"}:
                    raise ValueError(
                        f"{etype}.allow.{action}: only the rules true and false are understood yet: {code}"
                    )

    def may_see(self, caller: Caller, etype: str) -> bool:
        """Whether any entity of a namespace can be visible; False prunes a query before it reads."""
        return caller.admin or self._rule(etype, "view") == "true"

    def allows(self, caller: Caller, check: Check) -> bool:
        return caller.admin or self._rule(check.etype, check.action) == "true"

    def require(self, caller: Caller, check: Check) -> None:
        """Raises permission-denied as the vendor words it."""
        if not self.allows(caller, check):
            raise denied(check.etype, "attr" if check.etype == "attrs" else "object")

    def require_sign_up(self, store: Store, wanted: Mapping[str, Any], *, asks_more: bool) -> None:
        """Whether a stranger may become the user `wanted`: only the app's own rule `$users.allow.create` decides.

        Without one everybody may sign up, but not with fields of the app's own (model/app_user.clj assert-signup!).
        """
        rule = self.rules.get("$users", {}).get("allow", {}).get("create")
        if asks_more if rule is None else rule != "true":
            raise denied("$users", "create")

    def _rule(self, etype: str, action: Action) -> str:
        """The vendor's order: the namespace's own rule, its default, then the same two of `$default`; else open."""
        for name in (etype, "$default"):
            allow = self.rules.get(name, {}).get("allow", {})
            for key in (action, "$default"):
                if key in allow:
                    return str(allow[key])
        return "true"
