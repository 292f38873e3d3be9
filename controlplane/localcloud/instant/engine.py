"""One Instant app: its data, schema and rules, and the two things one can do with it. Knows nothing of HTTP."""

import dataclasses
import hmac
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from controlplane.localcloud import defaults
from controlplane.localcloud.instant import schema_push
from controlplane.localcloud.instant.browser_steps import from_browser
from controlplane.localcloud.instant.errors import invalid
from controlplane.localcloud.instant.instaql import Query
from controlplane.localcloud.instant.levels import Level, object_tree
from controlplane.localcloud.instant.permissions import Caller, Permissions
from controlplane.localcloud.instant.reads import Reads
from controlplane.localcloud.instant.rooms import Rooms
from controlplane.localcloud.instant.rules import Rules, errors
from controlplane.localcloud.instant.schema import Schema, attrs_of, derived_ids, storefront, storefront_rules
from controlplane.localcloud.instant.steps import Step, to_steps
from controlplane.localcloud.instant.subscriptions import Answer, Shape, Subscriptions
from controlplane.localcloud.instant.system import SYSTEM_ATTRS
from controlplane.localcloud.instant.transactions import Transaction
from controlplane.localcloud.instant.triples import Store
from controlplane.localcloud.instant.users import User, Users
from controlplane.localcloud.instant.values import compact
from controlplane.localcloud.instant.wire import meta, node


@dataclasses.dataclass(frozen=True, kw_only=True)
class App:
    """What a stand-in is told about an app. Its schema and rules are those it begins with: later, pushed ones stay.

    The vendor lets the admin token create attributes on the fly, whatever the rules say, unless a transaction asks for
    `throw-on-missing-attrs?`. That hides misspelt names, so here it takes `creates_attrs=True`.
    """

    id: str = defaults.INSTANT_APP_ID
    admin_token: str = defaults.INSTANT_ADMIN_TOKEN
    title: str = "storefront"
    schema: Schema = dataclasses.field(default_factory=storefront)
    rules: Rules = dataclasses.field(default_factory=storefront_rules)
    creates_attrs: bool = False


class Engine:
    """One app on one SQLite file. Single-threaded: the event loop that serves it is its lock."""

    def __init__(self, app: App, path: Path | str) -> None:
        self.app = app
        self.store = Store(path)
        self.users = Users(self)
        self.rooms = Rooms()
        self.jobs: dict[str, list[schema_push.Job]] = {}
        self.subscriptions = Subscriptions(self.answer, lambda: self.last_tx_id)
        with self.store.transaction():
            self.store.declare(SYSTEM_ATTRS)
            if self.store.kept("rules") is None:
                self.store.declare(attrs_of(app.schema, derived_ids(app.id)))
                self.store.keep("rules", app.rules)
        self.permissions = Permissions(self.rules)
        self.last_tx_id = self.store.last_tx_id()

    def close(self) -> None:
        self.store.close()

    def is_admin(self, token: str) -> bool:
        return hmac.compare_digest(token, self.app.admin_token)

    @property
    def rules(self) -> Rules:
        rules: Rules = self.store.kept("rules") or {}
        return rules

    def push_rules(self, rules: Any) -> None:
        """Rules apply from the next request on, to open subscriptions too. Raises validation-failed."""
        if found := errors(rules):
            raise invalid("rule", rules, *found)
        with self.store.transaction():
            self.store.keep("rules", rules)
        self.permissions = Permissions(rules)
        self.subscriptions.changed()

    def push_schema(self, steps: Any) -> dict[str, Any]:
        """Applies a push's steps; the answer names the jobs, all of them done. Raises a Refusal."""
        done, jobs = schema_push.apply(self.store, steps)
        with self.store.transaction():
            self.last_tx_id = self.store.next_tx_id()
        self.subscriptions.changed()
        if not jobs:
            return {"steps": done, "indexing-jobs": None}
        self.jobs[jobs[0]["group_id"]] = jobs
        return {"steps": done, "indexing-jobs": {"group-id": jobs[0]["group_id"], "jobs": jobs}}

    def query(self, caller: Caller, query: Mapping[str, Any], *, inference: bool = False) -> dict[str, Any]:
        """The object tree of an InstaQL query. Raises a Refusal."""
        return object_tree(self.rows(caller, query), inference=inference)

    def rows(self, caller: Caller, query: Mapping[str, Any]) -> list[Level]:
        """The same, as levels of rows of triples."""
        return Query(self.store, self.permissions, caller, query).run()

    def user_of(self, refresh_token: str) -> User:
        """The user behind a refresh token. Raises record-not-found (`app-user`)."""
        return self.users.by_token(refresh_token)

    def transact(self, caller: Caller, steps: Any, *, throw_on_missing_attrs: bool = False) -> int:
        """Executes admin steps, all or none; returns the transaction's id, which only grows. Raises a Refusal."""
        create = self.app.creates_attrs and not throw_on_missing_attrs
        return self._run(caller, to_steps(self.store.attrs, steps, create_attrs=create))

    def transact_browser(self, caller: Caller, tx_steps: Any) -> int:
        """The same for what browsers send. Raises a Refusal."""
        return self._run(caller, from_browser(self.store.attrs, tx_steps))

    def _run(self, caller: Caller, steps: list[Step]) -> int:
        tx_id = Transaction(self.store, self.permissions, caller).run(steps)
        self.last_tx_id = tx_id
        self.subscriptions.wrote(self.store.touches())
        return tx_id

    def answer(self, caller: Caller, query: Mapping[str, Any], shape: Shape) -> tuple[Answer, Reads]:
        """The answer to an InstaQL query as subscribers get it, and what was read for it. Raises a Refusal."""
        run = Query(self.store, self.permissions, caller, query)
        levels = run.run()
        if shape == "join-rows":
            return Answer(node(levels)), run.reads
        tree = object_tree(levels, inference=shape == "inferred tree")
        return Answer(compact(tree), compact(meta(levels))), run.reads

    def attrs_json(self) -> str:
        return compact([attr.to_wire() for attr in self.store.attrs])

    def counts(self) -> dict[str, int]:
        """Entities by namespace, without those of the system but for the users."""
        etypes = [etype for etype in self.store.attrs.etypes() if not etype.startswith("$") or etype == "$users"]
        return {etype: self.store.count(etype) for etype in etypes}
