"""CEL as rules speak it: what an expression answers, and which where-clause a view rule becomes."""

from datetime import UTC, datetime
from typing import Any

import pytest

from controlplane.localcloud.instant.attrs import Attr, DataType
from controlplane.localcloud.instant.cel.evaluation import Algebra, Compilation, EvaluationError
from controlplane.localcloud.instant.cel.symbolic import Entity, Symbolic, Unwritable, clause_of
from controlplane.localcloud.instant.cel.syntax import SyntaxProblem

NAMES = ("data", "auth", "ruleParams", "request")


class Data(dict[str, Any]):
    def ref(self, path: str) -> list[str]:
        return {"cart.ownerId": ["me"], "$user.cart.ownerId": ["me"], "tags.name": ["a", "b"]}.get(path, [])


ENV: dict[str, Any] = {
    "data": Data(owner="me", n=2, half=1.5, flag=True, tags=["new"], nested={"a": {"b": 1}}, at=1_795_000_000_000),
    "auth": Data(id="me"),
    "ruleParams": {},
    "request": {"time": datetime(2026, 11, 24, 15, tzinfo=UTC), "modifiedFields": ["title"], "origin": ""},
}


def evaluate(text: str, binds: dict[str, str] | None = None) -> Any:
    return Compilation(Algebra(), NAMES, binds).compile(text)(dict(ENV))


@pytest.mark.parametrize(
    "text",
    [
        "auth.id != null && data.owner == auth.id",
        "data.missing == null && data['missing'] == null && data.nested.missing == null",
        "has(data.missing) && 'missing' in data",  # the vendor's maps say yes to every key
        "!('x' in {'a': 1}) && {'a': 1}.a == 1",
        "'me' in data.ref('cart.ownerId') && auth.ref('$user.cart.ownerId') == ['me']",
        "size(data.ref('nothing.id')) == 0 && data.ref('nothing.id') == []",
        "data.n == 2 && data.n == 2.0 && data.n < 2.5 && data.half > 1 && 5 / 2 == 2 && -5 % 3 == -2",
        "type(data.n) == int && type(data.half) == double && type(data.owner) == string && type(null) == null_type",
        "data.flag && !(data.flag == 1) && (data.n > 1 ? true : false)",
        "null != 1 && 'a' != null && [1, 2] == [1, 2] && [1] != ['1']",
        "data.tags.exists(t, t == 'new') && data.tags.all(t, t.size() == 3) && [1, 2, 3].filter(x, x > 1) == [2, 3]",
        "[1, 2].map(x, x * 2) == [2, 4] && [1, 2, 2].exists_one(x, x == 1) && cel.bind(x, 3, x + 1 == 4)",
        "'Hallo'.startsWith('Ha') && 'Hallo'.contains('all') && 'Hallo'.endsWith('o')",
        "'a-b'.split('-') == ['a', 'b'] && 'a-b'.replace('-', '+') == 'a+b' && ['a', 'b'].join('-') == 'a-b'",
        "'Hallo'.matches('^H.*o$') && 'ABC'.lowerAscii() == 'abc' && ' x '.trim() == 'x' && 'abc'.substring(1) == 'bc'",
        "request.time > timestamp('2026-01-01T00:00:00Z') && request.time.getFullYear() == 2026",
        "request.time - timestamp(data.at) < duration('240h') && request.time.getHours() == 15",
        "request.modifiedFields.all(f, f in ['title', 'body']) && request.origin == ''",
        "int('3') == 3 && string(3) == '3' && double(1) == 1.0 && int(2.9) == 2 && math.greatest(1, 3) == 3",
        "r'\\d' == '\\\\d' && 'it\\'s' == \"it's\" && \"\"\"a\nb\"\"\" == 'a\\nb'",
        "false || (true || data.n.nothing) && !(false && data.missing > 3) // an error that decides nothing",
        "(data.missing > 3) || true",
    ],
)
def test_it_holds(text: str) -> None:
    assert evaluate(text) is True


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("data.missing > 3", "OVERLOAD_NOT_FOUND"),
        ("data.missing.deeper == 1", "ATTRIBUTE_NOT_FOUND"),
        ("data.n && true", "OVERLOAD_NOT_FOUND"),
        ("!data.n", "OVERLOAD_NOT_FOUND"),
        ("data.owner + 1 == 2", "OVERLOAD_NOT_FOUND"),
        ("data.n + 1.5 == 2", "OVERLOAD_NOT_FOUND"),
        ("1 / 0 == 1", "DIVIDE_BY_ZERO"),
        ("9223372036854775807 + 1 > 0", "NUMERIC_OVERFLOW"),
        ("[1][2] == 1", "INDEX_OUT_OF_BOUNDS"),
        ("{'a': 1}.b == 1", "ATTRIBUTE_NOT_FOUND"),
        ("size(3) == 1", "OVERLOAD_NOT_FOUND"),
        ("timestamp('soon') > request.time", "BAD_FORMAT"),
        ("data.n.startsWith('a')", "OVERLOAD_NOT_FOUND"),
        ("(data.missing > 3) || false", "OVERLOAD_NOT_FOUND"),
        ("[1, 'a'].all(x, x > 0)", "OVERLOAD_NOT_FOUND"),
    ],
)
def test_it_can_not_be_answered(text: str, kind: str) -> None:
    with pytest.raises(EvaluationError) as caught:
        evaluate(text)
    assert caught.value.kind == kind


@pytest.mark.parametrize(
    "text", ["", "data.n ==", "a", "nothing(1)", "data.nothing(1)", "'open", "[1", "newData.x == 1", "1 2"]
)
def test_it_is_no_rule(text: str) -> None:
    with pytest.raises(SyntaxProblem):
        evaluate(text)


def test_binds_name_expressions_and_may_name_each_other() -> None:
    binds = {"owns": "data.owner == auth.id", "may": "owns && big", "big": "data.n > 1", "unused": "nothing("}
    assert evaluate("may || data.missing > 1", binds) is True
    with pytest.raises(SyntaxProblem, match="cyclic dependency a -> b -> a"):
        evaluate("a", {"a": "b", "b": "a"})


# As a where-clause


def attr(label: str, data_type: DataType | None = None, **more: Any) -> Attr:
    return Attr(id=label, forward=("", "things", label), data_type=data_type, indexed=data_type is not None, **more)


ATTRS = {
    "owner": attr("owner", "string"), "n": attr("n", "number"),
    "flag": attr("flag", "boolean"), "at": attr("at", "date"),
    "loose": attr("loose"), "many": attr("many", value_type="ref", cardinality="many", reverse=("", "tags", "things")),
}  # fmt: skip


def clause(text: str, **params: Any) -> Any:
    env = {**ENV, "data": Entity(ATTRS.get), "ruleParams": params}
    return clause_of(Compilation(Symbolic(), NAMES).compile(text)(env))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("data.owner == auth.id", {"owner": "me"}),
        ("auth.id == data.owner && data.flag", {"and": [{"owner": "me"}, {"flag": True}]}),
        ("data.owner == auth.id || ruleParams.share == 'x'", {"owner": "me"}),
        ("auth.id != null && data.owner != null", {"owner": {"$isNull": False}}),
        ("data.owner == null || data.n != 3", {"or": [{"owner": {"$isNull": True}}, {"n": {"$not": 3}}]}),
        ("!(data.owner == 'a' || data.flag)", {"and": [{"owner": {"$not": "a"}}, {"flag": {"$not": True}}]}),
        ("data.owner in ['a', 'b']", {"owner": {"$in": ["a", "b"]}}),
        ("auth.id in data.ref('cart.ownerId')", {"cart.ownerId": "me"}),
        ("size(data.ref('cart.id')) == 0", {"cart": {"$isNull": True}}),
        ("data.ref('cart.id') != []", {"cart": {"$isNull": False}}),
        ("data.n > 3 && 4 >= data.n", {"and": [{"n": {"$gt": 3}}, {"n": {"$lte": 4}}]}),
        ("data.owner.startsWith('a%')", {"owner": {"$like": "a\\%%"}}),
        ("timestamp(data.at) < request.time", {"at": {"$lt": "2026-11-24T15:00:00+00:00"}}),
        ("data.unknown == null", True),
        ("auth.id == 'other' && data.loose.deep == 1", False),
        ("'a' == 'a' || data.loose.deep == 1", True),
        ("null in data.ref('cart.ownerId')", False),
        ("ruleParams.share != null && data.owner == ruleParams.share", False),
    ],
)
def test_a_view_rule_becomes_a_where_clause(text: str, expected: Any) -> None:
    assert clause(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "data.owner == data.loose",
        "data.loose.deep == 1",
        "data.loose > 1",
        "data.loose.startsWith('a')",
        "data.ref('cart.ownerId')[0] == auth.id",
        "size(data.ref('cart.ownerId')) == 0",
        "size(data.owner) > 3",
        "data.flag ? true : false",
        "!(data.n > 3)",
        "!('a' in data.ref('tags.name'))",
        "data.many == 'a'",
        "type(data.n) == int",
        "data.owner + 'x' == 'mex'",
        "data.tags.exists(t, t == 'new')",
    ],
)
def test_what_no_where_clause_can_say_is_asked_of_each_entity(text: str) -> None:
    with pytest.raises((Unwritable, EvaluationError)):
        clause(text)


@pytest.mark.parametrize("share", [{"$like": "%"}, ["a"], [], {}])
def test_a_rule_parameter_never_becomes_an_operator(share: Any) -> None:
    with pytest.raises(Unwritable):
        clause("data.owner == ruleParams.share", share=share)
