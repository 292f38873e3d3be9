from typing import Any

import pytest

from controlplane.localcloud.instant.engine import Engine
from controlplane.localcloud.instant.errors import Refusal
from controlplane.localcloud.instant.forms import Reader
from controlplane.localcloud.instant.instaql import Query
from controlplane.localcloud.instant.listing import Listing
from controlplane.localcloud.instant.permissions import ADMIN
from tests.plugins.instant import product, tenant

NORDKAP, TON = "00000000-0000-4000-8000-00000000000a", "00000000-0000-4000-8000-00000000000b"


def pid(number: int) -> str:
    return f"00000000-0000-4000-9000-{number:012d}"


@pytest.fixture
def engine(instant_engine: Engine) -> Engine:
    """Products 1 to 4 of Nordkap, 5 of Ton; 6 belongs to no one by link."""
    changes: dict[int, dict[str, Any]] = {
        1: {"title": "Änderhut", "stock": 0, "compareAtPrice": 1200},
        2: {"title": "50% Wool", "stock": 4},
        3: {"available": False, "currency": "SEK"},
        4: {"title": "änder_x", "price": 5.5},
    }
    steps: list[Any] = [
        ["update", "tenants", NORDKAP, tenant()],
        ["update", "tenants", TON, tenant("ton", locale="en")],
    ]
    for number in range(1, 7):
        owner = NORDKAP if number < 5 else TON
        steps.append(["update", "products", pid(number), product(owner, number, **changes.get(number, {}))])
        if number < 6:
            steps.append(["link", "products", pid(number), {"tenant": owner}])
    instant_engine.transact(ADMIN, steps)
    return instant_engine


def found(engine: Engine, where: dict[str, Any], **options: Any) -> list[int]:
    """The numbers of the products that match, in the order of the answer."""
    query = {"products": {"$": {"where": where, "order": {"position": "asc"}, **options}}}
    return [int(entity["id"][-3:]) for entity in engine.query(ADMIN, query)["products"]]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({"tenantId": NORDKAP}, [1, 2, 3, 4]),
        ({"tenantId": NORDKAP, "slug": "product-2"}, [2]),
        ({"id": pid(3)}, [3]),
        ({"id": {"$in": [pid(3), pid(5), pid(9)]}}, [3, 5]),
        ({"price": {"$in": [1002, 5.5]}}, [2, 4]),
        ({"price": {"in": []}}, []),
        ({"available": False}, [3]),
        ({"available": {"$in": [False]}}, [3]),
        ({"currency": "SEK"}, [3]),
        ({"currency": {"$in": ["SEK", "NOK"]}}, [3]),
        ({"currency": {"$not": "EUR"}}, [3]),
        ({"stock": {"$ne": 4}}, [1, 3, 4, 5, 6]),
        ({"stock": {"$isNull": True}}, [3, 4, 5, 6]),
        ({"stock": {"$isNull": False}}, [1, 2]),
        ({"stock": 0}, [1]),
        ({"price": {"$gt": 1004}}, [5, 6]),
        (
            {
                "price": {
                    "$gte": 1005,
                }
            },
            [5, 6],
        ),
        ({"price": {"$lt": 1001}}, [4]),
        ({"and": [{"price": {"$gte": 1001}}, {"price": {"$lte": 1002}}]}, [1, 2]),
        ({"title": {"$like": "Product%"}}, [3, 5, 6]),
        ({"title": {"$like": "product%"}}, []),
        ({"title": {"$ilike": "ÄNDER%"}}, [1, 4]),
        ({"title": {"$ilike": "änder\\_%"}}, [4]),
        ({"title": {"$like": "50\\% _ool"}}, [2]),
        ({"or": [{"slug": "product-1"}, {"price": 1005}]}, [1, 5]),
        ({"or": [{"slug": "product-1"}, {"currency": "SEK"}]}, [1, 3]),
        ({"tenantId": NORDKAP, "or": [{"slug": "product-2"}, {"slug": "product-5"}]}, [2]),
        ({"or": [{"and": [{"tenantId": NORDKAP}, {"available": False}]}, {"slug": "product-6"}]}, [3, 6]),
        ({"tenant": TON}, [5]),
        ({"tenant": {"$in": [TON, NORDKAP]}}, [1, 2, 3, 4, 5]),
        ({"tenant.slug": "ton"}, [5]),
        ({"tenant.id": TON}, [5]),
        ({"tenant.slug": {"$not": "nordkap"}}, [5, 6]),
        ({"tenant": {"$isNull": True}}, [6]),
        ({"tenant.name": {"$isNull": True}}, [6]),
        ({"tenant.slug": "ton", "available": True}, [5]),
        ({"tenant.products.slug": "product-2"}, [1, 2, 3, 4]),
        ({"updatedAt": 1_795_000_000_000, "slug": "product-1"}, [1]),
        ({}, [1, 2, 3, 4, 5, 6]),
    ],
)
def test_a_where_finds_the_right_products(engine: Engine, where: dict[str, Any], expected: list[int]) -> None:
    assert found(engine, where) == expected


def test_a_where_can_go_over_a_link_backwards(engine: Engine) -> None:
    tenants = engine.query(ADMIN, {"tenants": {"$": {"where": {"products.price": {"$gt": 1004}}}}})["tenants"]
    assert [entity["slug"] for entity in tenants] == ["ton"]
    assert engine.query(ADMIN, {"tenants": {"$": {"where": {"products": pid(1)}}}})["tenants"][0]["id"] == NORDKAP


def test_order_limit_and_offset_cut_one_sequence(engine: Engine) -> None:
    by_price = [found(engine, {}, order={"price": "desc"}, limit=2, offset=offset) for offset in (0, 2, 4)]
    assert by_price == [[6, 5], [3, 2], [1, 4]]
    assert found(engine, {"tenantId": NORDKAP}, order={"title": "asc"}, limit=2) == [2, 3]
    assert found(engine, {"available": True}, order={"serverCreatedAt": "desc"}, first=2) == [6, 5]


def test_without_an_order_entities_come_as_they_were_created_and_keep_their_place_when_changed(engine: Engine) -> None:
    engine.transact(ADMIN, [["update", "products", pid(1), {"price": 1}]])
    query: dict[str, Any] = {"products": {}}
    assert [entity["id"] for entity in engine.query(ADMIN, query)["products"]] == [pid(n) for n in range(1, 7)]


def test_an_empty_indexed_attribute_is_ordered_first_and_last_when_descending(engine: Engine) -> None:
    engine.transact(ADMIN, [["add-attr", rating()], ["update", "products", pid(3), {"price": 1}]])
    engine.transact(ADMIN, [["update", "products", pid(3), {"rating": 5}]])
    assert found(engine, {}, order={"rating": "asc"})[-1] == 3
    assert found(engine, {}, order={"rating": "desc"})[0] == 3
    assert len(found(engine, {"rating": {"$in": [None]}})) == 5


def rating() -> dict[str, Any]:
    typed = {
        "value-type": "blob",
        "cardinality": "one",
        "unique?": False,
        "index?": True,
        "checked-data-type": "number",
    }
    return {"id": pid(901), "forward-identity": [pid(902), "products", "rating"], **typed}


def test_links_nest_both_ways_filtered_and_ordered(engine: Engine) -> None:
    options = {"where": {"available": True}, "order": {"price": "desc"}, "fields": ["slug"]}
    query = {"tenants": {"$": {"where": {"slug": "nordkap"}}, "products": {"$": options, "tenant": {}}}}
    (shop,) = engine.query(ADMIN, query)["tenants"]
    assert [entity["slug"] for entity in shop["products"]] == ["product-2", "product-1", "product-4"]
    assert shop["products"][0].keys() == {"id", "slug", "tenant"}
    assert shop["products"][0]["tenant"][0]["id"] == NORDKAP


def test_a_limit_on_a_nested_link_is_left_to_the_client(engine: Engine) -> None:
    (shop, _) = engine.query(ADMIN, {"tenants": {"products": {"$": {"limit": 1}}}})["tenants"]
    assert len(shop["products"]) == 4


def test_inference_makes_a_link_to_one_an_object(engine: Engine) -> None:
    query = {"products": {"$": {"where": {"tenantId": TON}}, "tenant": {}}}
    five, six = engine.query(ADMIN, query, inference=True)["products"]
    assert (five["tenant"]["slug"], six["tenant"]) == ("ton", None)
    assert [entity["tenant"] for entity in engine.query(ADMIN, query)["products"]][1] == []


def test_what_the_schema_does_not_know_is_an_empty_answer_not_an_error(engine: Engine) -> None:
    query = {"carts": {}, "products": {"$": {"where": {"colour": "red"}}}, "tenants": {"staff": {}}}
    answer = engine.query(ADMIN, query)
    assert (answer["carts"], answer["products"], answer["tenants"][0]["staff"]) == ([], [], [])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"where": {"price": "1"}}, 'The data type of `products.price` is `number`, but the query got the value `"1"`'),
        ({"where": {"currency": {"$gt": "A"}}}, "`products.currency` attribute must be indexed to use comparison"),
        ({"where": {"price": {"$like": "1%"}}}, "The $like value for `products.price` must be a string"),
        ({"where": {"tenant": "nordkap"}}, "Expected tenant to be a uuid"),
        ({"where": {"title.length": 3}}, "products.title needs to be a link"),
        ({"where": {"stock": {"$in": [None]}}}, "Only indexed attrs can check for `nil` in `$in`"),
        ({"where": {"or": []}}, "The list of `or` conditions can't be empty."),
        ({"where": {"price": {"$gt": 1, "$lt": 2}}}, "one operator"),
        ({"where": {"price": {"$near": 1}}}, "one operator"),
        ({"where": {"price": None}}, "one operator"),
        ({"where": {"price": {"$in": 3}}}, "Validation failed for query"),
        ({"where": []}, "Validation failed for query"),
        ({"order": {"currency": "asc"}}, "`products.currency` attribute is not indexed"),
        ({"order": {"colour": "asc"}}, "There is no `colour` attribute for products."),
        ({"order": {"price": "up"}}, 'We only support "asc" or "desc"'),
        ({"order": {"price": "asc", "title": "asc"}}, "We only support a single key"),
        ({"limit": 0}, "must be a positive integer. Got 0"),
        ({"limit": True}, "must be a positive integer"),
        ({"offset": -1}, "must be a non-negative integer"),
        ({"after": []}, "Expected a join row with 4 items for the cursor, got []."),
        ({"having": 1}, "We only support `where`"),
    ],
)
def test_a_bad_query_is_refused_and_comes_back_in_the_hint(engine: Engine, options: dict[str, Any], said: str) -> None:
    query = {"products": {"$": options}}
    with pytest.raises(Refusal) as caught:
        engine.query(ADMIN, query)
    assert said in caught.value.message
    assert caught.value.hint["input"] == query


def plan(engine: Engine, options: dict[str, Any]) -> str:
    """SQLite's plan for a query of products."""
    query = Query(engine.store, engine.permissions, ADMIN, {"products": {"$": options}})
    (form,) = Reader(engine.store.attrs, {"products": {"$": options}}).forms()
    order = query.order(form, "products")
    assert order
    sql = Listing(query, form, "products", order).sql()
    return "\n".join(row[3] for row in engine.store.rows("EXPLAIN QUERY PLAN " + sql.text, sql.parameters))


@pytest.mark.parametrize(
    "options",
    [
        {"where": {"tenantId": NORDKAP}, "order": {"position": "asc"}, "limit": 24},
        {"where": {"available": True, "tenantId": NORDKAP}, "order": {"serverCreatedAt": "desc"}},
        {"where": {"tenant.slug": "nordkap", "stock": {"$not": 0}}},
        {"where": {"or": [{"tenantId": NORDKAP}, {"tenantId": TON}]}, "limit": 5},
        {"order": {"price": "desc"}, "limit": 24},
        {"limit": 24},
    ],
)
def test_no_query_of_a_shop_walks_the_whole_table(engine: Engine, options: dict[str, Any]) -> None:
    steps = plan(engine, options)
    assert "SCAN triple" not in steps
    assert "SCAN e" not in steps
    assert "SCAN o" not in steps


def test_a_shop_is_found_by_its_tenant_and_not_by_a_flag_half_of_all_products_share(engine: Engine) -> None:
    steps = plan(engine, {"where": {"available": True, "tenantId": NORDKAP}})
    assert steps.count("triple_ave") == 1
    assert "SEARCH e USING PRIMARY KEY (entity=? AND attr=?)" in steps


def test_a_limit_over_everything_stops_early_because_the_index_has_the_order(engine: Engine) -> None:
    assert "TEMP B-TREE" not in plan(engine, {"order": {"price": "desc"}, "limit": 24})
    assert "TEMP B-TREE" not in plan(engine, {"limit": 24})
