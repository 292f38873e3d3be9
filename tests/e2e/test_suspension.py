"""A suspension followed to the edge and back: what shoppers can reach, how long that took, and the same bytes after."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from django.contrib.auth.models import User

from catalog.models import Product
from chat.models import ChatProfile
from controlplane.localcloud.faults import Fault
from controlplane.publishing import cells, delivery
from controlplane.publishing.models import StaleDocument
from tenants.models import ClosingRequest, Section, Suspension, Tenant
from tenants.moderation import darkness
from tenants.tasks import follow_suspension
from tests.plugins.cloudflare import Serving
from tests.plugins.shops import make_knowledge, make_product, publish
from tests.plugins.stores import Stores

pytestmark = pytest.mark.django_db

READS = (
    "/",
    "/products",
    "/products/copper-kettle",
    "/search?q=kettle",
    "/cart",
    "/api/search?q=kettle",
    "/sitemap.xml",
)


@pytest.fixture
def shopper(edge_server: Serving) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://127.0.0.1:{edge_server.port}", headers={"Host": "acme.localhost"}) as client:
        yield client


@pytest.fixture
def kettle(shop: Tenant) -> Product:
    Section.objects.create(landing=shop.landing, kind="product_grid", content={"heading": "All we have"})
    publish(shop)
    ChatProfile.objects.update_or_create(tenant=shop, defaults={"enabled": True})
    make_knowledge(shop, "Do you ship kettles abroad?", body="Yes, to all of Europe within five days.")
    return make_product(shop, "Copper kettle")


def suspend(shop: Tenant) -> Suspension:
    return Suspension.start(shop, None, category="goods", text="Recalled.", note="ticket 7")


def ask(shopper: httpx.Client) -> httpx.Response:
    question = {"role": "user", "content": "Do you ship kettles abroad?"}
    return shopper.post("/api/chat", json={"conversation": str(uuid.uuid4()), "messages": [question]})


def test_page_search_products_cart_and_chat_go_dark_and_the_same_bytes_return(
    stores: Stores, shopper: httpx.Client, shop: Tenant, kettle: Product
) -> None:
    stores.drain()
    before = stores.contents()
    pages = {path: shopper.get(path) for path in READS}
    assert all(page.status_code == 200 for page in pages.values())
    assert ask(shopper).status_code == 200

    suspension = suspend(shop)
    stores.drain()
    record = json.loads(stores.contents()["kv"]["domain:acme.localhost"])
    assert record["tenant"] == {"id": str(shop.pk), "status": "suspended"}
    assert not {"sections", "seo", "config", "navigation", "theme"} & record.keys()
    assert not any(word in str(record) for word in ("Recalled", "ticket", "Acme", "kettle"))
    assert str(shop.pk) not in str(stores.contents()["instant"]) + str(stores.contents()["turso"])
    for path in READS:
        page = shopper.get(path)
        assert (page.status_code, "kettle" in page.text.lower(), "Recalled" in page.text) == (451, False, False), path
    refused = ask(shopper)
    assert refused.status_code == 451
    assert "Europe" not in refused.text

    follow_suspension.apply(args=(str(suspension.pk),))
    suspension.refresh_from_db()
    seconds = (suspension.page_dark_after, suspension.chat_dark_after, suspension.products_dark_after)
    assert all(part is not None and part >= 0 for part in seconds)
    assert suspension.dark_after == max(part for part in seconds if part is not None)

    Suspension.lift(shop, None)
    stores.drain()
    assert stores.contents() == before
    for path, page in pages.items():
        assert shopper.get(path).content == page.content, path
    assert ask(shopper).status_code == 200


def test_what_was_edited_meanwhile_stays_a_draft(
    stores: Stores, shopper: httpx.Client, shop: Tenant, kettle: Product
) -> None:
    stores.drain()
    before = stores.contents()
    suspend(shop)
    Section.objects.filter(landing__tenant=shop, kind="hero").update(content={"heading": "Look at me"})
    stores.drain()
    assert "Look at me" not in str(stores.contents())
    Suspension.lift(shop, None)
    stores.drain()
    assert stores.contents() == before


def test_it_counts_as_dark_only_when_the_edge_and_the_stores_say_so(
    stores: Stores, shopper: httpx.Client, shop: Tenant, kettle: Product, settings: Any
) -> None:
    stores.drain()
    suspension = suspend(shop)
    assert not darkness.look(suspension)  # nothing is delivered yet
    assert darkness.waiting(suspension) == ["page", "chat", "products"]
    assert shopper.get("/").status_code == 200
    StaleDocument.objects.filter(tenant=shop, destination="kv").update(due_at="2000-01-01T00:00Z")
    stores.cloudflare.forget_pace()
    delivery.deliver_all("kv")
    assert shopper.get("/").status_code == 451
    assert not darkness.look(suspension)  # open pages read products from Instant, and the chat's chunks are there
    assert darkness.waiting(suspension) == ["chat", "products"]
    stores.drain()
    address, settings.EDGE_ADDRESS = settings.EDGE_ADDRESS, "http://127.0.0.1:9"
    assert not darkness.look(suspension)
    assert "did not answer" in suspension.problem
    settings.EDGE_ADDRESS = address
    assert darkness.look(suspension)
    assert suspension.problem == ""
    first = suspension.dark_after
    follow_suspension.apply(args=(str(suspension.pk),))
    suspension.refresh_from_db()
    assert suspension.dark_after == first  # measured once


def test_a_store_that_refuses_is_named_as_what_keeps_the_shop_visible(
    stores: Stores, edge_server: Serving, shop: Tenant
) -> None:
    stores.drain()
    stores.cloudflare.faults.set([Fault(path="/storage/kv", kind="status", status=403)])
    suspension = suspend(shop)
    stores.cloudflare.forget_pace()
    StaleDocument.objects.update(due_at="2000-01-01T00:00Z")
    delivery.deliver_all("kv")
    stores.cloudflare.faults.clear()
    assert not darkness.look(suspension)
    assert suspension.problem
    assert "page" in darkness.waiting(suspension)


def test_a_shop_closed_by_two_is_gone_at_the_edge(
    stores: Stores, shopper: httpx.Client, shop: Tenant, kettle: Product
) -> None:
    stores.drain()
    ada, bob = (User.objects.create_superuser(name) for name in ("ada", "bob"))
    ClosingRequest.ask(shop, ada, "Fraud.").agree(bob)
    stores.drain()
    assert {shopper.get(path).status_code for path in READS} == {410}
    assert not list(cells.realtime("default").ids("products", {}))
