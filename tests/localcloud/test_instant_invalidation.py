"""After any write, every live answer is what the query gives anew; and what a write does not concern is left alone."""

import asyncio
import itertools
import random
from pathlib import Path
from typing import Any

import pytest

from controlplane.localcloud.instant.engine import App, Engine
from controlplane.localcloud.instant.errors import Refusal
from controlplane.localcloud.instant.permissions import ADMIN, GUEST, Caller
from controlplane.localcloud.instant.records import Records
from controlplane.localcloud.instant.subscriptions import Answer, Computation
from controlplane.localcloud.instant.values import dumps
from tests.plugins.instant import product, tenant

ANNA, BEN = "a0000000-0000-4000-8000-00000000000a", "b0000000-0000-4000-8000-00000000000b"
SHOPS = [f"0000000{n}-0000-4000-8000-00000000000a" for n in range(3)]
PRODUCTS = [f"0000000{n % 3}-0000-4000-9000-{n:012d}" for n in range(9)]
CARTS = [f"0000000{n}-0000-4000-a000-00000000000c" for n in range(3)]
LINES = [f"0000000{n}-0000-4000-b000-00000000000d" for n in range(6)]


class Page:
    """A subscriber that counts what it is told."""

    def __init__(self) -> None:
        self.wrote = 0
        self.refreshes = 0

    def refreshed(self, computation: Computation) -> None:
        self.refreshes += 1

    def failed(self, computation: Computation, refusal: Refusal) -> None:
        raise refusal


def user(user_id: str) -> Caller:
    return Caller(user={"id": user_id, "type": "guest"})


def shown(**options: Any) -> dict[str, Any]:
    return {"products": {"$": options}}


QUERIES: list[dict[str, Any]] = [
    {"products": {}},
    shown(where={"tenantId": SHOPS[0]}, order={"position": "asc"}),
    shown(where={"tenantId": SHOPS[0]}, order={"price": "desc"}, limit=2),
    shown(where={"tenantId": SHOPS[1]}, order={"price": "asc"}, limit=1, offset=1),
    shown(where={"tenantId": {"$in": SHOPS[:2]}, "available": True}),
    shown(where={"id": PRODUCTS[0]}),
    shown(where={"available": False}),
    shown(where={"price": {"$gt": 3}}),
    shown(where={"stock": {"$isNull": True}}),
    shown(where={"tenant.slug": "shop-0"}),
    shown(where={"tenant": SHOPS[1]}, fields=["title"]),
    shown(where={"tenant.id": SHOPS[1]}),
    shown(where={"tenant": {"$isNull": True}}),
    shown(where={"or": [{"slug": "product-1"}, {"tenant.status": "closed"}]}),
    shown(where={"tenant.status": {"$not": "active"}}),
    shown(where={"tenant.products.price": 5}),
    {"tenants": {"products": {"$": {"where": {"available": True}, "order": {"price": "asc"}}}}},
    {"tenants": {"$": {"where": {"products.price": {"$lt": 4}}}}},
    {"tenants": {"$": {"where": {"products": PRODUCTS[1]}}}},
    {"products": {"$": {"where": {"tenantId": SHOPS[2]}}, "tenant": {"$": {"where": {"status": "active"}}}}},
    {"carts": {"$": {"where": {"id": CARTS[0]}}, "items": {}}},
    {"carts": {"$": {"where": {"id": CARTS[0]}}, "items": {}}, "$$ruleParams": {"share": "s3cret"}},
    {"carts": {"$": {"where": {"ownerId": ANNA}}, "items": {"cart": {}}}},
    {"carts": {"$": {"where": {"items.productId": PRODUCTS[2]}}}},
    {"carts": {"$": {"where": {"items": {"$isNull": True}}}}},
    {"cartItems": {"$": {"where": {"cart": CARTS[1]}}}},
    {"cartItems": {"$": {"where": {"cart.ownerId": BEN}}}, "$$ruleParams": {"share": "s3cret"}},
    {"cartItems": {}},
]


def random_steps(choose: random.Random) -> list[Any]:
    """One of the things that Django or a shopper may do, on few entities, so that things meet."""
    shop, one, cart, line = (choose.choice(many) for many in (SHOPS, PRODUCTS, CARTS, LINES))
    number = choose.randrange(7)
    moved = {"tenantId": shop, "price": number, "available": choose.random() < 0.6, "position": number}
    whole_cart = {"tenantId": shop, "ownerId": choose.choice([ANNA, BEN]), "createdAt": 1}
    whole_line = {"productId": one, "quantity": number, "addedAt": 1}
    return choose.choice([
        [["update", "products", one, product(shop, number, price=number)], ["link", "products", one, {"tenant": shop}]],
        [["update", "products", one, product(shop, number)]],
        [["update", "products", one, {**product(shop, number), **moved, "stock": choose.choice([None, 1])}]],
        [["unlink", "products", one, {"tenant": shop}]],
        [["delete", "products", one]],
        [["update", "tenants", shop, tenant(f"shop-{SHOPS.index(shop)}", status=choose.choice(["active", "closed"]))]],
        [["update", "tenants", shop, tenant(f"shop-{SHOPS.index(shop)}", name=str(number))]],
        [["delete", "tenants", shop]],
        [["update", "carts", cart, {**whole_cart, "shareSecret": choose.choice([None, "s3cret", "other"])}]],
        [["update", "carts", cart, whole_cart], ["update", "cartItems", line, whole_line],
         ["link", "cartItems", line, {"cart": cart}]],
        [["update", "cartItems", line, whole_line], ["update", "carts", cart, whole_cart],
         ["link", "carts", cart, {"items": line}]],
        [["delete", "cartItems", line]],
        [["delete", "carts", cart]],
    ])  # fmt: skip


def anew(engine: Engine, computation: Computation) -> Answer:
    """The answer without anything that was kept from before."""
    kept, engine.store.records = engine.store.records, Records(engine.store)
    answer, _ = engine.answer(computation.caller, computation.query, computation.shape)
    engine.store.records = kept
    return answer


OWN_RULES: dict[str, Any] = {
    # Not expressible as conditions, so asked of each entity: the other way of judging.
    "products": {"allow": {"view": "size(data.ref('tenant.status')) == 1 && data.price % 2 == 0"}},
    "cartItems": {"allow": {"view": "data.ref('cart.ownerId') == [auth.id] || size(data.ref('cart.items.id')) == 2"}},
    "tenants": {
        "allow": {"view": "size(data.name + data.status) > 7"},
        "fields": {"slug": "size(data.ref('products.id')) != 1"},
    },
}
OPEN_RULES = {"tenants": {"allow": {"view": "data.name == 'Nordkap'"}}}


@pytest.mark.parametrize("rules", [None, OWN_RULES, OPEN_RULES], ids=["storefront", "evaluated", "conditions"])
@pytest.mark.parametrize("seed", range(2))
def test_every_live_answer_stays_equal_to_a_fresh_one(tmp_path: Path, rules: Any, seed: int) -> None:
    engine = Engine(App() if rules is None else App(rules=rules), tmp_path / "app.sqlite3")
    callers, page, choose = [ADMIN, GUEST, user(ANNA)], Page(), random.Random(seed)

    async def live() -> None:
        live = [engine.subscriptions.add(page, caller, query) for caller, query in itertools.product(callers, QUERIES)]
        for _ in range(30):
            steps = random_steps(choose)
            try:
                engine.transact(ADMIN, steps)
            except Refusal:
                continue
            await engine.subscriptions.settled()
            for computation in live:
                assert computation.answer == anew(engine, computation), (computation.key, steps)

    asyncio.run(live())
    engine.close()


@pytest.mark.parametrize("rule", ["size(data.name) == 7", "data.name == 'Nordkap'"])
def test_a_hidden_entity_on_a_path_is_followed_once_it_may_be_seen(tmp_path: Path, rule: str) -> None:
    engine = Engine(App(rules={"tenants": {"allow": {"view": rule}}}), tmp_path / "app.sqlite3")
    one = PRODUCTS[0]
    engine.transact(ADMIN, [["update", "tenants", SHOPS[0], tenant(name="No one's")]])
    linked = ["link", "products", one, {"tenant": SHOPS[0]}]
    engine.transact(ADMIN, [["update", "products", one, product(SHOPS[0])], linked])

    async def live() -> None:
        computation = engine.subscriptions.add(Page(), GUEST, shown(where={"tenant.slug": "nordkap"}))
        for name, found in (("Nordkap", True), ("Hidden", False), ("Nordkap", True)):
            engine.transact(ADMIN, [["update", "tenants", SHOPS[0], {"name": name}]])
            await engine.subscriptions.settled()
            assert (one in computation.answer.result) is found

    asyncio.run(live())
    engine.close()


def test_a_write_elsewhere_computes_nothing_and_equal_views_compute_once(tmp_path: Path) -> None:
    """Counts evaluations: what is not concerned must cost nothing, however many pages are open."""
    engine = Engine(App(), tmp_path / "app.sqlite3")
    for shop, one in ((SHOPS[0], PRODUCTS[0]), (SHOPS[1], PRODUCTS[1])):
        engine.transact(ADMIN, [["update", "tenants", shop, tenant(shop)], ["update", "products", one, product(shop)]])
        engine.transact(ADMIN, [["link", "products", one, {"tenant": shop}]])
    counted: list[str] = []
    evaluate = engine.subscriptions._evaluate
    engine.subscriptions._evaluate = lambda *asked: counted.append(dumps(asked[1])) or evaluate(*asked)  # type: ignore[func-returns-value]
    ours, theirs = (shown(where={"tenantId": shop}, order={"position": "asc"}, limit=1) for shop in SHOPS[:2])

    async def live() -> None:
        pages = [Page() for _ in range(20)]
        for page, caller in zip(pages, itertools.cycle([GUEST, user(ANNA)]), strict=False):
            engine.subscriptions.add(page, caller, ours)
            engine.subscriptions.add(page, caller, theirs)
        assert len(counted) == len(engine.subscriptions) == 2
        counted.clear()
        engine.transact(ADMIN, [["update", "products", PRODUCTS[2], product(SHOPS[0], 9)]])  # beyond the page's end
        engine.transact(ADMIN, [["link", "products", PRODUCTS[2], {"tenant": SHOPS[0]}]])
        await engine.subscriptions.settled()
        counted.clear()
        for price in range(5):
            engine.transact(ADMIN, [["update", "products", PRODUCTS[2], {"price": price}]])
            engine.transact(ADMIN, [["update", "products", PRODUCTS[3], product(SHOPS[2], price)]])
        await engine.subscriptions.settled()
        assert counted == []
        before = [page.refreshes for page in pages]
        for price in range(5):
            engine.transact(ADMIN, [["update", "products", PRODUCTS[0], {"price": price}]])
        await engine.subscriptions.settled()
        assert counted == [dumps(ours)]
        assert [page.refreshes - earlier for page, earlier in zip(pages, before, strict=True)] == [1] * 20

    asyncio.run(live())
    engine.close()
