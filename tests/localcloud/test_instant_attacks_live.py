"""The same attacks as a browser sends them: ids of attributes instead of names, over the websocket; and rooms."""

import asyncio
import json
from typing import Any

import pytest

from controlplane.localcloud.instant.engine import Engine
from controlplane.localcloud.instant.session import Session
from tests.localcloud.test_instant_attacks import (
    CART,
    CLOSED_SHOP,
    LINE,
    MALLORYS,
    MUG,
    NEW,
    OTHER_SHOP,
    SECRET,
    SHOP,
    Shop,
    shop,
)  # fmt: skip

__all__ = ["shop"]  # the fixture


class Page:
    """One browser's session without the socket around it."""

    def __init__(self, engine: Engine, token: str | None) -> None:
        self.engine = engine
        self.session = Session({engine.app.id: engine})
        signed = {"refresh-token": token} if token else {}
        self.say({"op": "init", "app-id": engine.app.id, **signed})

    def say(self, event: dict[str, Any]) -> dict[str, Any]:
        """The last thing the server says to an event."""
        self.session.receive(json.dumps(event))
        answer: dict[str, Any] = json.loads(self.heard()[-1])
        return answer

    def heard(self) -> list[str]:
        frames = [*self.session.outbox._frames.values()]
        self.session.outbox._frames.clear()
        return frames

    def transact(self, *steps: list[Any]) -> dict[str, Any]:
        """Steps with `etype.label` where the wire has an attribute's id."""
        return self.say({"op": "transact", "tx-steps": [[self._id(part) for part in step] for step in steps]})

    def _id(self, part: Any) -> Any:
        attr = self.engine.store.attrs.forward(*part.split(".", 1)) if isinstance(part, str) and "." in part else None
        return attr.id if attr else part


def test_over_the_websocket_the_same_is_refused(shop: Shop) -> None:
    assert shop.mallory.user
    tokens: list[str | None] = [None, shop.mallory.user["refresh_token"]]
    queries: list[dict[str, Any]] = [{"carts": {"items": {}}}, {"$users": {}}, {"tenants": {}}]
    before = shop.everything()

    async def attack() -> None:
        for token in tokens:
            page = Page(shop.engine, token)
            for steps in (
                [["add-triple", MUG, "products.id", MUG], ["add-triple", MUG, "products.price", 1]],
                [["add-triple", CART, "carts.ownerId", "mallory"]],
                [["deep-merge-triple", CART, "carts.shareSecret", None]],
                [["add-triple", LINE, "cartItems.cart", MALLORYS]],
                [["retract-triple", LINE, "cartItems.cart", CART]],
                [["rule-params", LINE, "cartItems", {"share": "x"}], ["add-triple", LINE, "cartItems.quantity", 2]],
                [["delete-entity", CART, "carts"]],
                [["delete-entity", SHOP, "tenants"]],
                [["add-triple", NEW, "$users.id", NEW], ["add-triple", NEW, "$users.type", "user"]],
                [["add-attr", {"id": NEW, "forward-identity": [NEW, "carts", "x"], "value-type": "blob",
                               "cardinality": "one", "unique?": False, "index?": False}]],
            ):  # fmt: skip
                assert page.transact(*steps)["op"] == "error", steps
            for query in queries:
                answer = json.dumps(page.say({"op": "add-query", "q": query})["result"])
                assert CART not in answer
                assert SECRET not in answer
                assert not any(one in answer for one in (SHOP, OTHER_SHOP, CLOSED_SHOP) if "carts" not in query)
            page.session.close()

    asyncio.run(attack())
    assert shop.everything() == before


@pytest.mark.parametrize("token", ["", "admin", NEW, "10ca1c10-0d00-4000-8000-000000000001"])
def test_no_page_calls_itself_the_admin(shop: Shop, token: str) -> None:
    page = Page(shop.engine, None)
    page.session = Session({shop.engine.app.id: shop.engine})
    assert page.say({"op": "init", "app-id": shop.engine.app.id, "__admin-token": token})["op"] == "error"


def test_a_room_shows_nothing_to_those_who_do_not_know_its_name(shop: Shop) -> None:
    """Rooms have no rules: the name must be the secret. Nothing lists rooms, and a wrong name is an empty room."""
    assert shop.alice.user
    alice, mallory = Page(shop.engine, shop.alice.user["refresh_token"]), Page(shop.engine, None)
    alice.say({"op": "join-room", "room-type": "cart", "room-id": SECRET, "data": {"name": "Alice"}})
    for guess in (SECRET[:-1], CART, "", "*", "%"):
        mallory.session.receive(json.dumps({"op": "join-room", "room-type": "cart", "room-id": guess}))
    said = "".join(mallory.heard())
    assert "Alice" not in said
    assert SECRET not in said
    for page in (alice, mallory):
        page.session.close()
