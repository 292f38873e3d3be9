"""What a browser may write over its websocket, and how it is told no."""

from typing import Any

import pytest

from tests.localcloud.browsing import CART, LINE, MUG, SECRET, SHOP, browsing, guest, labels, triples
from tests.plugins.instant import InstantCloud


def test_a_cart_is_written_linked_shared_by_rule_params_and_deleted_with_its_lines(cloud: InstantCloud) -> None:
    user = guest(cloud)
    query = {"carts": {"$": {"where": {"id": CART}}, "items": {}}}
    shared = {**query, "$$ruleParams": {"share": SECRET}}
    with browsing(cloud, refresh_token=user["refresh_token"]) as owner, browsing(cloud) as friend:
        cart = owner.steps("carts", CART, tenantId=SHOP, ownerId=user["id"], createdAt=1, shareSecret=SECRET)
        line = owner.steps("cartItems", LINE, productId=MUG, quantity=1, addedAt=1, cart=CART)
        assert owner.ask("transact", tx_steps=[*cart, *line])["op"] == "transact-ok"
        assert triples(friend.ask("add-query", q=query)["result"]) == []
        assert {t[0] for t in triples(friend.ask("add-query", q=shared)["result"])} == {CART, LINE}
        params = [["rule-params", LINE, "cartItems", {"share": SECRET}]]
        steps = friend.steps("cartItems", LINE, "update", quantity=2)
        assert friend.ask("transact", tx_steps=steps)["type"] == "permission-denied"
        assert friend.ask("transact", tx_steps=[*params, *steps])["op"] == "transact-ok"
        assert ("cartItems.quantity", "2") in labels(
            friend, friend.push("refresh-ok")["computations"][0]["instaql-result"]
        )
        owner.ask("transact", tx_steps=[["delete-entity", CART, "carts"]])
        assert triples(friend.push("refresh-ok")["computations"][0]["instaql-result"]) == []
    assert cloud.entities("cartItems") == {}


def test_a_refused_write_says_why_and_leaves_nothing(cloud: InstantCloud) -> None:
    with browsing(cloud) as browser:
        steps = browser.steps("products", MUG, price=1)
        error = browser.ask("transact", tx_steps=steps)
        assert (error["op"], error["status"], error["type"]) == ("error", 400, "permission-denied")
        assert error["hint"] == {"input": ["products", "object"], "expected": "perms-pass?"}
        assert error["original-event"]["tx-steps"] == steps
    assert cloud.entities("products")[MUG]["price"] == 1000


def test_an_attribute_sent_again_is_no_change_and_another_of_its_name_is_refused(cloud: InstantCloud) -> None:
    colour = {"id": LINE, "forward-identity": [CART, "products", "colour"], "value-type": "blob", "isUnsynced": True}
    colour |= {"cardinality": "one", "unique?": False, "index?": False}
    with browsing(cloud, **{"__admin-token": cloud.admin_token}) as browser:
        for price in (1, 2):
            steps = [["add-attr", colour], ["add-triple", MUG, LINE, f"red {price}"]]
            assert browser.ask("transact", tx_steps=steps)["op"] == "transact-ok"
        other = browser.ask("transact", tx_steps=[["add-attr", {**colour, "id": CART}]])
        assert (other["type"], other["message"]) == ("record-not-unique", "`colour` already exists on `products`")
        attrs = browser.push("refresh-ok")["attrs"]
        assert "colour" in {attr["forward-identity"][2] for attr in attrs}
    assert cloud.entities("products")[MUG]["colour"] == "red 2"


def test_modes_lookups_and_merges_are_understood(cloud: InstantCloud) -> None:
    with browsing(cloud, **{"__admin-token": cloud.admin_token}) as browser:
        lookup = [browser.attrs["tenants", "slug"], "nordkap"]
        steps = [
            ["add-triple", lookup, browser.attrs["tenants", "id"], lookup],
            ["add-triple", lookup, browser.attrs["tenants", "name"], "New"],
            ["add-triple", MUG, browser.attrs["products", "tenant"], lookup],
            ["deep-merge-triple", MUG, browser.attrs["products", "tags"], {"a": 1}],
        ]
        assert browser.ask("transact", tx_steps=steps)["op"] == "transact-ok"
        assert browser.write("products", MUG, "create", price=1)["type"] == "validation-failed"
        assert browser.write("products", LINE, "update", price=1)["type"] == "validation-failed"
        gone = ["retract-triple", MUG, browser.attrs["products", "tenant"], SHOP]
        assert browser.ask("transact", tx_steps=[gone])["op"] == "transact-ok"
    assert (cloud.entities("tenants")[SHOP]["name"], cloud.entities("products")[MUG]["tags"]) == ("New", {"a": 1})
    assert "tenant" not in cloud.entities("products")[MUG]


@pytest.mark.parametrize(
    "steps",
    [
        None,
        {},
        [None],
        [[]],
        [["explode", MUG]],
        [["add-triple", MUG]],
        [["add-triple", "mug", "price", 1]],
        [["add-triple", MUG, MUG, 1]],
        [["delete-entity", MUG]],
        [["delete-entity", "x", "products"]],
        [["rule-params", MUG, "products", 1]],
        [["add-attr", 1]],
        [["update-attr", {}]],
        [["delete-entity", [MUG, 1, 2], "products"]],
    ],
)
def test_malformed_steps_are_refused(cloud: InstantCloud, steps: Any) -> None:
    with browsing(cloud) as browser:
        assert browser.ask("transact", tx_steps=steps)["type"] == "validation-failed"


def test_an_entity_cannot_take_another_ones_id(cloud: InstantCloud) -> None:
    with browsing(cloud, **{"__admin-token": cloud.admin_token}) as browser:
        step = ["add-triple", MUG, browser.attrs["products", "id"], LINE]
        assert browser.ask("transact", tx_steps=[step])["type"] == "validation-failed"
