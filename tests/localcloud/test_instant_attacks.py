"""What the storefront's rules keep out: everything that somebody with the app id and a guest's token might try.

The rules are those of edge_worker/instant.perms.ts. Every attack is a real transaction or query of a signed-in guest.
"""

import dataclasses
import uuid
from typing import Any

import pytest

from controlplane.localcloud.instant.engine import Engine
from controlplane.localcloud.instant.errors import Refusal
from controlplane.localcloud.instant.permissions import ADMIN, GUEST, Caller
from tests.plugins.instant import product, tenant

SHOP, OTHER_SHOP, CLOSED_SHOP = (str(uuid.UUID(int=n)) for n in (1, 2, 3))
MUG, OTHER_MUG, CLOSED_MUG = (str(uuid.UUID(int=n)) for n in (11, 12, 13))
CART, MALLORYS = (str(uuid.UUID(int=n)) for n in (21, 22))
LINE, MALLORYS_LINE, NEW = (str(uuid.UUID(int=n)) for n in (31, 32, 99))
SECRET = "s3cret" + "x" * 26
AT = 1_795_000_000_000


@dataclasses.dataclass(frozen=True)
class Shop:
    """Alice's shared cart with one line in it, Mallory's own cart, and three tenants, one of them suspended."""

    engine: Engine
    alice: Caller
    mallory: Caller

    def query(self, caller: Caller, query: dict[str, Any], share: Any = None) -> dict[str, Any]:
        return self.engine.query(caller, {**query, **({"$$ruleParams": {"share": share}} if share is not None else {})})

    def transact(self, caller: Caller, *steps: list[Any], share: Any = None) -> None:
        named = {(step[1], step[2]) for step in steps if step[0] != "ruleParams" and isinstance(step[2], str)}
        params = [["ruleParams", etype, id_, {"share": share}] for etype, id_ in sorted(named)] if share else []
        self.engine.transact(caller, [*params, *steps])

    def everything(self) -> dict[str, Any]:
        return self.engine.query(
            ADMIN, {"tenants": {}, "products": {"tenant": {}}, "carts": {"items": {}}, "$users": {}}
        )


def cart(owner: Caller, **changed: Any) -> dict[str, Any]:
    assert owner.user
    return {"tenantId": SHOP, "ownerId": owner.user["id"], "createdAt": AT, **changed}


def line(**changed: Any) -> dict[str, Any]:
    return {"productId": MUG, "quantity": 1, "addedAt": AT, **changed}


@pytest.fixture
def shop(instant_engine: Engine) -> Shop:
    alice, mallory = (Caller(user=instant_engine.users.sign_in_guest()) for _ in range(2))
    steps: list[list[Any]] = []
    for number, (shop_id, mug, status) in enumerate(
        [(SHOP, MUG, "active"), (OTHER_SHOP, OTHER_MUG, "active"), (CLOSED_SHOP, CLOSED_MUG, "suspended")]
    ):
        steps += [
            ["create", "tenants", shop_id, tenant(f"shop-{number}", status=status)],
            ["create", "products", mug, product(shop_id, number)],
            ["link", "products", mug, {"tenant": shop_id}],
        ]
    instant_engine.transact(ADMIN, steps)
    shop = Shop(instant_engine, alice, mallory)
    shop.transact(alice, ["create", "carts", CART, cart(alice, shareSecret=SECRET)])
    shop.transact(alice, ["create", "cartItems", LINE, line()], ["link", "cartItems", LINE, {"cart": CART}])
    shop.transact(mallory, ["create", "carts", MALLORYS, cart(mallory)])
    shop.transact(
        mallory,
        ["create", "cartItems", MALLORYS_LINE, line()],
        ["link", "cartItems", MALLORYS_LINE, {"cart": MALLORYS}],
    )
    return shop


def refused(shop: Shop, caller: Caller, *steps: list[Any], share: Any = None) -> Refusal:
    """Expects a refusal, after which nothing has changed."""
    before = shop.everything()
    with pytest.raises(Refusal) as caught:
        shop.transact(caller, *steps, share=share)
    assert shop.everything() == before
    return caught.value


# What shoppers may do: without this the rest would prove nothing


def test_an_owner_sees_and_changes_the_cart(shop: Shop) -> None:
    shop.transact(
        shop.alice, ["update", "cartItems", LINE, {"quantity": 7}], ["link", "cartItems", LINE, {"cart": CART}]
    )
    (seen,) = shop.query(shop.alice, {"carts": {"items": {}}})["carts"]
    assert (seen["shareSecret"], [item["quantity"] for item in seen["items"]]) == (SECRET, [7])
    shop.transact(shop.alice, ["delete", "carts", CART])
    assert shop.query(ADMIN, {"cartItems": {}})["cartItems"][0]["id"] == MALLORYS_LINE


@pytest.mark.parametrize("who", ["mallory", "guest"])
def test_whoever_holds_the_secret_sees_and_changes_the_lines(shop: Shop, who: str) -> None:
    holder = GUEST if who == "guest" else shop.mallory
    found = shop.query(holder, {"carts": {"$": {"where": {"id": CART}}, "items": {}}}, share=SECRET)
    assert [item["id"] for item in found["carts"][0]["items"]] == [LINE]
    shop.transact(holder, ["update", "cartItems", LINE, {"quantity": 2}], share=SECRET)
    shop.transact(
        holder, ["create", "cartItems", NEW, line(productId=OTHER_MUG)], ["link", "cartItems", NEW, {"cart": CART}],
        share=SECRET,
    )  # fmt: skip
    shop.transact(holder, ["delete", "cartItems", LINE], share=SECRET)
    assert [item["id"] for item in shop.query(shop.alice, {"cartItems": {}})["cartItems"]] == [NEW]


def test_sharing_ends_when_the_owner_clears_the_secret(shop: Shop) -> None:
    shop.transact(shop.alice, ["update", "carts", CART, {"shareSecret": None}])
    for share in (SECRET, None):
        assert shop.query(shop.mallory, {"carts": {"$": {"where": {"id": CART}}}}, share=share) == {"carts": []}
    refused(shop, shop.mallory, ["update", "cartItems", LINE, {"quantity": 2}], share=SECRET)


# Reading


@pytest.mark.parametrize("who", ["mallory", "guest"])
@pytest.mark.parametrize(
    "query",
    [
        {"carts": {}},
        {"carts": {"$": {"where": {"id": CART}}}},
        {"carts": {"$": {"where": {"shareSecret": SECRET}}}},
        {"carts": {"$": {"where": {"shareSecret": {"$like": "s3%"}}}}},
        {"carts": {"$": {"where": {"shareSecret": {"$gt": ""}}}}},
        {"carts": {"$": {"where": {"shareSecret": {"$not": "x"}}}}},
        {"carts": {"$": {"where": {"shareSecret": {"$isNull": False}}}}},
        {"carts": {"$": {"where": {"shareSecret": {"$in": [SECRET, "y"]}}}}},
        {"carts": {"$": {"where": {"or": [{"id": CART}, {"tenantId": SHOP}]}, "order": {"shareSecret": "desc"}}}},
        {"carts": {"$": {"where": {"items.productId": MUG}}}},
        {"cartItems": {}},
        {"cartItems": {"$": {"where": {"id": LINE}}, "cart": {}}},
        {"cartItems": {"$": {"where": {"cart": CART}}}},
        {"cartItems": {"$": {"where": {"cart.id": CART}}}},
        {"cartItems": {"$": {"where": {"cart.shareSecret": {"$like": "s3%"}}}}},
        {"cartItems": {"$": {"where": {"cart.shareSecret": {"$gt": "s3"}}}}},
        {"$users": {"$": {"where": {"type": "guest"}}}},
        {"$users": {"$userRefreshTokens": {}}},
        {"$userRefreshTokens": {}},
        {"$magicCodes": {}},
        {"$files": {}},
        {"tenants": {"products": {}}},
        {"products": {"$": {"where": {"id": CLOSED_MUG}}}},
        {"products": {"$": {"where": {"tenant.slug": "shop-0"}}}},
        {"products": {"$": {"where": {"tenant.status": {"$like": "a%"}}}}},
    ],
    ids=str,
)
def test_strangers_see_nothing_that_is_not_theirs(shop: Shop, who: str, query: dict[str, Any]) -> None:
    caller = GUEST if who == "guest" else shop.mallory
    found = shop.query(caller, query)
    ours = {MALLORYS, MALLORYS_LINE}
    for entities in found.values():
        assert {entity["id"] for entity in entities} <= (ours if who == "mallory" else set())
    assert SECRET not in str(found)
    assert CART not in str(found)


@pytest.mark.parametrize(
    "share",
    ["", "s3cret", SECRET[:-1], SECRET + "x", True, 1, 0, [], [SECRET], {}, {"$like": "%"}, {"$not": ""}],
    ids=str,
)
def test_only_the_secret_itself_is_a_secret(shop: Shop, share: Any) -> None:
    found = shop.query(GUEST, {"carts": {"items": {}}, "cartItems": {"cart": {}}}, share=share)
    assert found == {"carts": [], "cartItems": []}
    refused(shop, GUEST, ["update", "cartItems", LINE, {"quantity": 2}], share=share or {"share": share})


def test_rule_parameters_reach_only_the_entity_that_they_name(shop: Shop) -> None:
    refused(
        shop,
        GUEST,
        ["ruleParams", "carts", MALLORYS, {"share": SECRET}],
        ["update", "cartItems", LINE, {"quantity": 2}],
    )
    refused(shop, GUEST, ["ruleParams", "cartItems", LINE, {"auth": {"id": "x"}}], ["delete", "cartItems", LINE])


def test_a_holder_lists_no_other_cart(shop: Shop) -> None:
    found = shop.query(GUEST, {"carts": {"items": {}}, "cartItems": {}}, share=SECRET)
    assert ([one["id"] for one in found["carts"]], [one["id"] for one in found["cartItems"]]) == ([CART], [LINE])


def test_products_of_active_tenants_are_for_everybody_and_the_tenant_is_for_nobody(shop: Shop) -> None:
    for caller in (GUEST, shop.mallory):
        found = shop.query(caller, {"products": {"tenant": {}}})["products"]
        assert [(one["id"], one["tenant"]) for one in found] == [(MUG, []), (OTHER_MUG, [])]


def test_a_file_is_seen_and_touched_by_nobody_but_the_admin(shop: Shop) -> None:
    store, path = shop.engine.store, shop.engine.store.attrs.forward("$files", "path")
    id_attr = store.attrs.forward("$files", "id")
    assert path
    assert id_attr
    with store.transaction():  # as an upload would; not even the admin may write one
        store.put([(NEW, id_attr, NEW), (NEW, path, "invoice.pdf")])
    assert len(shop.query(ADMIN, {"$files": {}})["$files"]) == 1
    for caller in (GUEST, shop.mallory):
        assert shop.query(caller, {"$files": {"$": {"where": {"path": {"$like": "%"}}}}}) == {"$files": []}
        refused(shop, caller, ["delete", "$files", NEW])
        refused(shop, caller, ["update", "$files", NEW, {"path": "mine.pdf"}])


def test_a_suspended_tenants_products_vanish_and_come_back(shop: Shop) -> None:
    shop.engine.transact(ADMIN, [["update", "tenants", SHOP, {"status": "suspended"}]])
    assert [one["id"] for one in shop.query(GUEST, {"products": {}})["products"]] == [OTHER_MUG]
    shop.engine.transact(ADMIN, [["update", "tenants", SHOP, {"status": "active"}]])
    assert len(shop.query(GUEST, {"products": {}})["products"]) == 2


def test_a_page_is_full_of_what_may_be_seen(shop: Shop) -> None:
    found = shop.query(shop.mallory, {"carts": {"$": {"order": {"tenantId": "asc"}, "limit": 1}}})
    assert [one["id"] for one in found["carts"]] == [MALLORYS]


# Writing

FORGED = [
    ["create", "carts", NEW, {"tenantId": SHOP, "ownerId": "someone-else", "createdAt": AT}],
    ["update", "carts", CART, {"ownerId": "mallory"}],
    ["update", "carts", CART, {"shareSecret": None}],
    ["update", "carts", CART, {"shareSecret": "z" * 32}],
    ["update", "carts", CART, {"tenantId": OTHER_SHOP}],
    ["merge", "carts", CART, {"tenantId": OTHER_SHOP}],
    ["delete", "carts", CART],
    ["update", "cartItems", LINE, {"quantity": 2}],
    ["delete", "cartItems", LINE],
    ["link", "cartItems", LINE, {"cart": MALLORYS}],
    ["link", "carts", MALLORYS, {"items": LINE}],
    ["unlink", "cartItems", LINE, {"cart": CART}],
    ["unlink", "carts", CART, {"items": LINE}],
    ["link", "cartItems", MALLORYS_LINE, {"cart": CART}],
    ["link", "carts", CART, {"items": MALLORYS_LINE}],
    ["update", "products", MUG, {"price": 1}],
    ["update", "products", ["id", MUG], {"price": 1}],
    ["delete", "products", MUG],
    ["create", "products", NEW, product(SHOP, 9)],
    ["link", "products", MUG, {"tenant": OTHER_SHOP}],
    ["unlink", "products", MUG, {"tenant": SHOP}],
    ["link", "tenants", OTHER_SHOP, {"products": MUG}],
    ["update", "tenants", SHOP, {"status": "suspended"}],
    ["update", "tenants", ["slug", "shop-0"], {"status": "suspended"}],
    ["delete", "tenants", SHOP],
    ["create", "tenants", NEW, tenant("mine")],
    ["create", "$users", NEW, {"type": "user"}],
    ["update", "$users", NEW, {"email": "m@example.com"}],
    ["create", "$files", NEW, {"path": "a"}],
    ["update", "$files", ["path", "a"], {"path": "b"}],
    ["create", "$userRefreshTokens", NEW, {"hashedToken": "00"}],
    ["create", "$magicCodes", NEW, {"codeHash": "00", "email": "m@example.com"}],
    ["update", "carts", MALLORYS, {"discount": 100}],
    ["create", "coupons", NEW, {"code": "FREE"}],
]


@pytest.mark.parametrize("step", FORGED, ids=str)
@pytest.mark.parametrize("who", ["mallory", "guest"])
def test_strangers_write_nothing_that_is_not_theirs(shop: Shop, who: str, step: list[Any]) -> None:
    refused(shop, GUEST if who == "guest" else shop.mallory, step)


@pytest.mark.parametrize(
    "steps",
    [
        [["update", "carts", CART, {"shareSecret": "z" * 32}]],
        [["update", "carts", CART, {"shareSecret": None}]],
        [["update", "carts", CART, {"ownerId": "mallory"}]],
        [["update", "carts", CART, {"tenantId": OTHER_SHOP}]],
        [["delete", "carts", CART]],
        [["link", "cartItems", LINE, {"cart": MALLORYS}]],
        [["link", "carts", MALLORYS, {"items": LINE}]],
        [
            ["delete", "cartItems", LINE],
            ["create", "cartItems", LINE, line()],
            ["link", "carts", MALLORYS, {"items": LINE}],
        ],
        [["update", "cartItems", LINE, {"productId": OTHER_MUG}]],
    ],
    ids=str,
)
def test_a_holder_of_the_secret_takes_nothing_over(shop: Shop, steps: list[list[Any]]) -> None:
    refused(shop, shop.mallory, *steps, share=SECRET)


@pytest.mark.parametrize(
    "steps",
    [
        [["update", "carts", CART, {"tenantId": OTHER_SHOP}]],
        [["update", "carts", CART, {"ownerId": "mallory"}]],
        [["update", "carts", CART, {"ownerId": None}]],
        [["update", "carts", CART, {"shareSecret": "short"}]],
        [["update", "carts", CART, {"shareSecret": 5}]],
        [["create", "carts", NEW, {"tenantId": SHOP, "ownerId": "alice", "createdAt": AT}]],
        [["create", "carts", NEW, {"tenantId": SHOP, "createdAt": AT}]],
        [["update", "cartItems", LINE, {"productId": OTHER_MUG}]],
        [["unlink", "cartItems", LINE, {"cart": CART}]],
        [["create", "cartItems", NEW, line()]],
        [["create", "cartItems", NEW, line()], ["link", "cartItems", NEW, {"cart": MALLORYS}]],
        [["update", "cartItems", LINE, {"price": 1}]],
        [["update", "cartItems", LINE, {"id": NEW, "price": 1}]],
        [["delete", "$users", NEW]],
    ],
    ids=str,
)
def test_an_owner_cannot_break_the_cart_either(shop: Shop, steps: list[list[Any]]) -> None:
    refused(shop, shop.alice, *steps)


@pytest.mark.parametrize("quantity", [0, -1, 1000, 10**12, 2**70, 1.5, "1", "", None, True, [1], {"$gt": 0}], ids=repr)
def test_a_quantity_is_a_whole_number_between_1_and_999(shop: Shop, quantity: Any) -> None:
    refused(shop, shop.alice, ["update", "cartItems", LINE, {"quantity": quantity}])
    new = ["create", "cartItems", NEW, line(quantity=quantity)]
    refused(shop, shop.alice, new, ["link", "cartItems", NEW, {"cart": CART}])


def test_a_line_without_a_quantity_is_none(shop: Shop) -> None:
    bare = {key: value for key, value in line().items() if key != "quantity"}
    refused(shop, shop.alice, ["create", "cartItems", NEW, bare], ["link", "cartItems", NEW, {"cart": CART}])


def test_an_owner_may_move_no_line_between_own_carts(shop: Shop) -> None:
    second = str(uuid.UUID(int=23))
    shop.transact(shop.alice, ["create", "carts", second, cart(shop.alice)])
    refused(shop, shop.alice, ["link", "cartItems", LINE, {"cart": second}])
    refused(shop, shop.alice, ["link", "carts", second, {"items": LINE}])


def test_a_cart_and_its_lines_may_come_in_one_transaction(shop: Shop) -> None:
    shop.transact(
        shop.mallory,
        ["create", "carts", NEW, cart(shop.mallory)],
        ["create", "cartItems", str(uuid.UUID(int=98)), line()],
        ["link", "carts", NEW, {"items": str(uuid.UUID(int=98))}],
    )
    assert len(shop.query(shop.mallory, {"cartItems": {}})["cartItems"]) == 2


def test_one_bad_step_undoes_the_good_ones(shop: Shop) -> None:
    refused(
        shop,
        shop.alice,
        ["update", "cartItems", LINE, {"quantity": 5}],
        ["update", "products", MUG, {"price": 1}],
    )


def test_no_attribute_is_created_and_none_deleted_by_a_guest(shop: Shop) -> None:
    price = shop.engine.store.attrs.forward("products", "price")
    assert price
    new = {"id": NEW, "forward-identity": [NEW, "carts", "discount"], "value-type": "blob", "cardinality": "one"}
    added = {**new, "unique?": False, "index?": False, "catalog": "system"}
    for steps in ([["add-attr", added]], [["delete-attr", price.id]]):
        with pytest.raises(Refusal) as caught:
            shop.engine.transact_browser(shop.mallory, steps)
        assert caught.value.hint["input"] == ["attrs", "attr"]
    assert shop.engine.store.attrs.forward("products", "price") == price


def test_a_deletion_that_names_another_namespace_deletes_nothing(shop: Shop) -> None:
    before = shop.everything()
    for etype in ("cartItems", "carts", "products", "nothing"):
        with pytest.raises(Refusal):
            shop.engine.transact_browser(shop.mallory, [["delete-entity", MUG, etype]])
    assert shop.everything() == before


def test_a_taken_id_tells_a_stranger_no_more_than_a_refusal(shop: Shop) -> None:
    taken = refused(shop, shop.mallory, ["update", "carts", CART, cart(shop.mallory)])
    assert (taken.kind, taken.hint) == ("permission-denied", {"input": ["carts", "object"], "expected": "perms-pass?"})


def test_refusals_say_nothing_of_what_is_stored(shop: Shop) -> None:
    said = refused(shop, shop.mallory, ["update", "cartItems", LINE, {"quantity": "x"}])
    assert SECRET not in str(said.body())
    assert shop.alice.user
    assert shop.alice.user["id"] not in str(said.body())
