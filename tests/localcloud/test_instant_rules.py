"""Rules on a small app of their own: order of defaults, fields, links, limits, and when they are asked."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from controlplane.localcloud.instant.engine import App, Engine
from controlplane.localcloud.instant.errors import Refusal
from controlplane.localcloud.instant.permissions import ADMIN, GUEST, Caller
from controlplane.localcloud.instant.rules import errors

A, B, C = (str(uuid.UUID(int=n)) for n in (1, 2, 3))
ME = Caller(user={"id": A, "email": "me@example.com"})

SCHEMA = {
    "entities": {
        "posts": {
            "attrs": {
                "title": {"valueType": "string", "config": {"indexed": True}},
                "owner": {"valueType": "string", "config": {"indexed": True}},
                "secret": {"valueType": "string", "config": {"indexed": True}},
                "extra": {"valueType": "json", "config": {}},
            }
        },
        "notes": {"attrs": {"text": {"valueType": "string", "config": {"indexed": True}}}},
    },
    "links": {
        "postNotes": {
            "forward": {"on": "notes", "has": "one", "label": "post", "onDelete": "cascade"},
            "reverse": {"on": "posts", "has": "many", "label": "notes"},
        }
    },
}

App_ = Callable[..., Engine]


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App_]:
    """`app(posts={"view": …}, …)` → an app with two posts of two people and a note on each."""
    opened: list[Engine] = []

    def make(rules: dict[str, Any]) -> Engine:
        assert errors(rules) == []
        engine = Engine(App(schema=SCHEMA, rules=rules), tmp_path / f"{len(opened)}.sqlite3")
        opened.append(engine)
        for post, note, owner in ((A, str(uuid.UUID(int=11)), A), (B, str(uuid.UUID(int=12)), B)):
            values = {"title": f"of {owner[-1]}", "owner": owner, "secret": "s", "extra": {"open": owner == A}}
            steps = [["update", "posts", post, values], ["update", "notes", note, {"text": "n"}]]
            engine.transact(ADMIN, [*steps, ["link", "notes", note, {"post": post}]])
        return engine

    yield make
    for engine in opened:
        engine.close()


def seen(engine: Engine, caller: Caller, etype: str = "posts", **options: Any) -> list[str]:
    return [one["id"] for one in engine.query(caller, {etype: {"$": options}})[etype]]


def refused(engine: Engine, caller: Caller, *steps: list[Any]) -> Refusal:
    with pytest.raises(Refusal) as caught:
        engine.transact(caller, list(steps))
    return caught.value


@pytest.mark.parametrize(
    ("rules", "visible"),
    [
        ({}, True),
        ({"posts": {"allow": {"view": "false"}}}, False),
        ({"posts": {"allow": {"$default": "false"}}}, False),
        ({"$default": {"allow": {"view": "false"}}}, False),
        ({"$default": {"allow": {"$default": "false"}}}, False),
        ({"$default": {"allow": {"$default": "false"}}, "posts": {"allow": {"view": "true"}}}, True),
        ({"$default": {"allow": {"view": "false"}}, "posts": {"allow": {"$default": "true"}}}, True),
        ({"posts": {"allow": {"view": True}}}, True),
        ({"posts": {"allow": {"create": "false"}}}, True),
    ],
)
def test_the_nearest_rule_counts(app: App_, rules: dict[str, Any], visible: bool) -> None:
    assert bool(seen(app(rules), GUEST)) is visible


@pytest.mark.parametrize(
    "view",
    [
        "data.owner == auth.id",
        "size(data.owner) == 36 && data.owner == auth.id",  # no where-clause says this
        "data.extra.open",
        "'n' in data.ref('notes.text') && data.owner == auth.id",
        "data.ref('notes.text')[0] == 'n' && data.owner == auth.id",
    ],
)
def test_what_a_rule_hides_is_nowhere(app: App_, view: str) -> None:
    engine = app({"posts": {"allow": {"view": view}}})
    assert seen(engine, ME) == [A]
    assert seen(engine, ME, where={"title": {"$like": "of%"}}, order={"title": "desc"}) == [A]
    notes = engine.query(ME, {"notes": {"post": {}}})["notes"]
    assert [[post["id"] for post in note["post"]] for note in notes] == [[A], []]
    assert seen(engine, ME, "notes", where={"post.title": {"$like": "of%"}}) == [str(uuid.UUID(int=11))]
    assert seen(engine, ME, "notes", where={"post.title": {"$not": "x"}}) == [str(uuid.UUID(int=11))]
    assert seen(engine, ME, where={"notes.text": "n"}) == [A]


def test_a_page_is_filled_behind_a_rule(app: App_) -> None:
    for view in ("data.owner == auth.id", "size(data.owner) == 36 && data.owner == auth.id"):
        engine = app({"posts": {"allow": {"view": view}}})
        assert seen(engine, Caller(user={"id": B}), order={"title": "asc"}, limit=1) == [B]


def test_a_field_with_a_rule_is_left_out_and_no_condition_reads_it(app: App_) -> None:
    engine = app({"posts": {"allow": {"view": "true"}, "fields": {"secret": "data.owner == auth.id"}}})
    found = {one["id"]: one for one in engine.query(ME, {"posts": {}})["posts"]}
    assert (found[A]["secret"], "secret" in found[B]) == ("s", False)
    for operator in ({"$like": "%"}, {"$gt": ""}, {"$in": ["s"]}, {"$isNull": False}, {"$not": "x"}):
        assert seen(engine, ME, where={"secret": operator}) == [A]
    assert seen(engine, ME, "notes", where={"post.secret": "s"}) == [str(uuid.UUID(int=11))]


def test_an_error_in_a_rule_is_said_with_the_rule_and_without_data(app: App_) -> None:
    engine = app({"posts": {"allow": {"view": "data.title > 3", "update": "data.nothing.deep == 1"}}})
    with pytest.raises(Refusal) as caught:
        seen(engine, ME)
    assert (caught.value.kind, caught.value.hint["rule"]) == ("permission-evaluation-failed", ["posts", "view"])
    assert refused(engine, ME, ["update", "posts", A, {"title": "x"}]).hint["rule"] == ["posts", "update"]
    with pytest.raises(Refusal, match=r"posts\.view"):
        seen(engine, ME, "notes", where={"post.title": "of 1"})


# When a rule is asked, and of what


def test_an_update_is_judged_by_what_was_and_what_will_be(app: App_) -> None:
    engine = app({"posts": {"allow": {"update": "data.owner == auth.id && newData.owner == data.owner"}}})
    engine.transact(ME, [["update", "posts", A, {"title": "x"}], ["merge", "posts", A, {"extra": {"open": None}}]])
    refused(engine, ME, ["update", "posts", A, {"owner": B}])
    refused(engine, ME, ["update", "posts", B, {"owner": A}])
    assert [one["title"] for one in engine.query(ADMIN, {"posts": {}})["posts"]] == ["x", "of 2"]


def test_a_creation_is_judged_after_the_write_with_its_links(app: App_) -> None:
    engine = app({"notes": {"allow": {"create": "auth.id in data.ref('post.owner')"}}})
    engine.transact(ME, [["create", "notes", C, {"text": "x"}], ["link", "notes", C, {"post": A}]])
    other = str(uuid.UUID(int=4))
    refused(engine, ME, ["create", "notes", other, {"text": "x"}], ["link", "notes", other, {"post": B}])
    refused(engine, ME, ["create", "notes", other, {"text": "x"}])


def test_a_deletion_is_judged_before_the_write_with_all_that_goes_with_it(app: App_) -> None:
    engine = app({"notes": {"allow": {"delete": "auth.id in data.ref('post.owner')"}}})
    engine.transact(ME, [["delete", "posts", A]])
    refused(engine, ME, ["delete", "posts", B])
    assert [len(many) for many in engine.query(ADMIN, {"posts": {}, "notes": {}}).values()] == [1, 1]


def test_a_link_needs_update_on_its_own_side_and_view_on_the_other(app: App_) -> None:
    note = str(uuid.UUID(int=11))
    for rules in ({"notes": {"allow": {"update": "false"}}}, {"posts": {"allow": {"view": "data.owner == auth.id"}}}):
        engine = app(rules)
        refused(engine, ME, ["link", "notes", note, {"post": B}])
        refused(engine, ME, ["link", "posts", B, {"notes": note}])
    app({}).transact(ME, [["link", "posts", B, {"notes": note}]])


@pytest.mark.parametrize("etype", ["notes", "posts"])
def test_link_rules_stand_in_for_those_defaults(app: App_, etype: str) -> None:
    label = {"notes": "post", "posts": "notes"}[etype]
    note = str(uuid.UUID(int=11))
    closed = {"notes": {"allow": {"update": "false"}}, "posts": {"allow": {"view": "false"}}}
    mine = "(data.owner == auth.id || linkedData.owner == auth.id)"
    for name in (label, "$default"):
        rules = {
            **closed,
            etype: {"allow": {**closed[etype]["allow"], "link": {name: mine}, "unlink": {name: "false"}}},
        }
        engine = app(rules)
        engine.transact(ME, [["link", "notes", note, {"post": A}]])
        refused(engine, ME, ["link", "notes", note, {"post": B}])
        refused(engine, ME, ["unlink", "notes", note, {"post": A}])


def test_a_rule_may_ask_which_fields_change_and_who_asks(app: App_) -> None:
    rule = "request.modifiedFields.all(f, f in ['title']) && auth.email == 'me@example.com'"
    engine = app({"posts": {"allow": {"update": rule}}})
    engine.transact(ME, [["update", "posts", B, {"title": "x"}]])
    refused(engine, ME, ["update", "posts", B, {"title": "y", "owner": A}])
    refused(engine, GUEST, ["update", "posts", B, {"title": "y"}])


def test_a_rate_limit_is_its_own_refusal(app: App_) -> None:
    limits = {"edits": {"limits": [{"capacity": 2, "refill": {"period": "1 day", "type": "interval"}}]}}
    engine = app({"$rateLimits": limits, "posts": {"allow": {"update": "rateLimit.edits.limit(auth.id)"}}})
    for title in ("1", "2"):
        engine.transact(ME, [["update", "posts", A, {"title": title}]])
    limited = refused(engine, ME, ["update", "posts", A, {"title": "3"}])
    assert (limited.kind, limited.status, limited.hint["remaining-tokens"]) == ("rate-limited", 429, 0)
    engine.transact(Caller(user={"id": B}), [["update", "posts", A, {"title": "3"}]])


def test_pushed_rules_hold_from_the_next_request_on_and_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "app.sqlite3"
    engine = Engine(App(schema=SCHEMA, rules={}), path)
    engine.transact(GUEST, [["update", "posts", A, {"title": "x"}]])
    engine.push_rules({"$default": {"allow": {"$default": "false"}}})
    refused(engine, GUEST, ["update", "posts", A, {"title": "y"}])
    engine.close()
    engine = Engine(App(schema=SCHEMA, rules={}), path)
    assert (seen(engine, GUEST), seen(engine, ADMIN)) == ([], [A])
    engine.close()


VIEW, CREATE = ["posts", "allow", "view"], ["posts", "allow", "create"]


@pytest.mark.parametrize(
    ("rules", "message", "at"),
    [
        ([], "object of objects", []),
        ({"posts": {"allow": {"view": "data.title =="}}}, "syntax error", VIEW),
        ({"posts": {"allow": {"view": "newData.x == 1"}}}, "undeclared reference to 'newData'", VIEW),
        ({"posts": {"allow": {"create": "nobody.id"}}}, "undeclared reference to 'nobody'", CREATE),
        ({"posts": {"allow": {"link": {"notes": "oops"}}}}, "undeclared", ["posts", "allow", "link", "notes"]),
        ({"posts": {"allow": {"view": 3}}}, "must be a string", VIEW),
        ({"posts": {"bind": ["a"], "allow": {}}}, "even number", ["posts", "bind"]),
        ({"posts": {"bind": ["a", "1", "a", "2"], "allow": {}}}, "only contain a given", ["posts", "bind", "a"]),
        ({"posts": {"bind": {"a": "b", "b": "a"}, "allow": {"view": "a"}}}, "cyclic", VIEW),
        ({"posts": {"allow": {"view": "'x' in auth.ref('owner')"}}}, "must start with `$user.`", VIEW),
        ({"posts": {"allow": {"view": "rateLimit.x.limit(1)"}}}, "not a valid rate limit", VIEW),
        ({"$rateLimits": {"x": {"limits": []}}}, "at least one limit", ["$rateLimits", "x"]),
        ({"posts": {"fields": {"id": "true"}}}, "cannot set field rules for `id`", ["posts", "fields"]),
        ({"$users": {"allow": {"delete": "true"}}}, "doesn't support permissions", ["$users", "allow", "delete"]),
        ({"$magicCodes": {"allow": {"view": "true"}}}, "reserved internal namespace", ["$magicCodes", "allow"]),
    ],
)  # fmt: skip
def test_bad_rules_are_refused_when_they_are_pushed(app: App_, rules: Any, message: str, at: list[str]) -> None:
    engine = app({})
    with pytest.raises(Refusal) as caught:
        engine.push_rules(rules)
    (error,) = caught.value.hint["errors"]
    assert message in error["message"]
    assert error["in"] == at
    assert engine.rules == {}
