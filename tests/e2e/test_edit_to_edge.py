"""From a merchant's edit through the outbox and all three stores to what shoppers see."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from django.utils import timezone

from catalog.models import Product
from chat.models import KnowledgeSource
from tenants.models import Landing, Section, ShareLink, Tenant
from tests.plugins.shops import make_knowledge, make_product, publish
from tests.plugins.stores import Stores

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]

Edge = Callable[..., Any]


@pytest.fixture
def kettle(shop: Tenant, other_shop: Tenant) -> Product:
    Section.objects.create(landing=shop.landing, kind="product_grid", content={"heading": "All we have"})
    publish(shop)
    make_product(other_shop, "Globex drill")
    make_knowledge(shop, "Do you ship kettles abroad?", body="Yes, to all of Europe within five days.")
    return make_product(shop, "Copper kettle", price=4200, description_html="<p>Whistles when it boils.</p>")


def test_an_edit_is_live_on_landing_list_product_page_and_search(
    stores: Stores, edge: Edge, shop: Tenant, kettle: Product
) -> None:
    stores.drain()
    home = edge("acme.localhost").text
    assert "Copper kettle" in home
    assert "€42.00" in home
    kettle.price = 4350
    kettle.title = "Brass kettle"
    kettle.save()
    stores.drain()
    for path in ("/", "/products", "/products/copper-kettle", "/search?q=something+to+boil+water"):
        page = edge("acme.localhost", path)
        assert page.status_code == 200, path
        assert "Brass kettle" in page.text, path
        assert "€43.50" in page.text, path
        assert "Copper" not in page.text, path
        assert "Globex" not in page.text, path


def test_search_finds_knowledge_by_meaning(stores: Stores, edge: Edge, kettle: Product) -> None:
    stores.drain()
    assert "all of Europe" in edge("acme.localhost", "/search?q=international+delivery").text
    assert "all of Europe" not in edge("globex.localhost", "/search?q=international+delivery").text


def test_a_renamed_product_leaves_its_old_address(stores: Stores, edge: Edge, kettle: Product) -> None:
    stores.drain()
    kettle.slug = "brass-kettle"
    kettle.save()
    stores.drain()
    moved = edge("acme.localhost", "/products/copper-kettle")
    assert (moved.status_code, moved.headers["location"]) == (301, "/products/brass-kettle")
    assert edge("acme.localhost", "/products/brass-kettle").status_code == 200
    assert edge("globex.localhost", "/products/copper-kettle").status_code == 404
    kettle.slug = "iron-kettle"
    kettle.save()
    stores.drain()
    assert edge("acme.localhost", "/products/copper-kettle").headers["location"] == "/products/iron-kettle"
    Product.objects.filter(pk=kettle.pk).update(status="draft")
    stores.drain()
    assert edge("acme.localhost", "/products/copper-kettle").status_code == 404


def test_a_former_address_is_free_for_another_product(
    stores: Stores, edge: Edge, shop: Tenant, kettle: Product
) -> None:
    kettle.slug = "brass-kettle"
    kettle.save()
    make_product(shop, "A new copper kettle", slug="copper-kettle")
    stores.drain()
    assert "A new copper kettle" in edge("acme.localhost", "/products/copper-kettle").text
    assert "redirect" not in str(stores.contents()["kv"].keys())


def test_a_draft_goes_live_when_it_is_published_and_away_when_it_is_taken_back(
    stores: Stores, edge: Edge, shop: Tenant
) -> None:
    stores.drain()
    hero = Section.objects.get(landing=shop.landing)
    hero.content = {"heading": "Autumn sale"}
    hero.save()
    stores.drain()
    assert "Autumn sale" not in edge("acme.localhost").text
    publish(shop)
    stores.drain()
    assert "Autumn sale" in edge("acme.localhost").text
    Landing.objects.get(tenant=shop).unpublish(None)
    stores.drain()
    page = edge("acme.localhost").text
    assert "Autumn sale" not in page
    assert '<meta name="robots" content="noindex">' in page


def test_a_shared_draft_is_shown_at_the_shops_own_host_only(
    stores: Stores, edge: Edge, shop: Tenant, other_shop: Tenant
) -> None:
    link = ShareLink.objects.create(tenant=shop)
    Section.objects.filter(landing=shop.landing).update(content={"heading": "Only for Ada"})
    stores.drain()
    page = edge("acme.localhost", f"/preview/{link.token}")
    assert page.status_code == 200
    assert "Only for Ada" in page.text
    assert (page.headers["cache-control"], page.headers["x-robots-tag"]) == ("no-store", "noindex")
    assert "Only for Ada" not in edge("acme.localhost").text
    assert edge("globex.localhost", f"/preview/{link.token}").status_code == 404
    assert edge("acme.localhost", f"/preview/{link.token[:-1]}").status_code == 404
    link.delete()
    stores.drain()
    assert edge("acme.localhost", f"/preview/{link.token}").status_code == 404


def test_a_shared_draft_ends_by_itself_and_with_its_shop(stores: Stores, edge: Edge, shop: Tenant) -> None:
    ended = ShareLink.objects.create(tenant=shop, expires_at=timezone.now())
    link = ShareLink.objects.create(tenant=shop)
    stores.drain()
    assert edge("acme.localhost", f"/preview/{ended.token}").status_code == 404
    rows = stores.cloudflare.store.list(stores.cloudflare.namespace_id, "draft:", "", 10)
    assert [(name, expiration) for name, _, _, expiration in rows] == [
        (f"draft:{link.token}", int(link.expires_at.timestamp()))
    ]
    Tenant.objects.filter(pk=shop.pk).update(status="suspended")
    stores.drain()
    assert edge("acme.localhost", f"/preview/{link.token}").status_code == 451
    assert f"draft:{link.token}" not in stores.contents()["kv"]


def test_a_deleted_product_is_gone_from_all_three_stores(stores: Stores, edge: Edge, kettle: Product) -> None:
    stores.drain()
    Product.objects.filter(pk=kettle.pk).delete()
    stores.drain()
    assert "kettle" not in str({**stores.contents(), "turso": ""})
    assert str(kettle.pk) not in str(stores.contents())
    assert edge("acme.localhost", "/products/copper-kettle").status_code == 404


@pytest.mark.parametrize("status", ["suspended", "closed"])
def test_a_shop_that_is_not_active_is_dark_everywhere_and_comes_back(
    stores: Stores, edge: Edge, shop: Tenant, kettle: Product, status: str
) -> None:
    stores.drain()
    before = stores.contents()
    Tenant.objects.filter(pk=shop.pk).update(status=status)
    stores.drain()
    contents = stores.contents()
    assert str(shop.pk) not in str(contents["instant"]) + str(contents["turso"])
    for path in ("/", "/products", "/products/copper-kettle", "/search?q=kettle", "/sitemap.xml"):
        page = edge("acme.localhost", path)
        assert page.status_code in (404, 410, 451), path
        assert "kettle" not in page.text.lower(), path
        assert "Acme" not in page.text, path
    Tenant.objects.filter(pk=shop.pk).update(status="active")
    stores.drain()
    assert stores.contents() == before


def test_a_deleted_shop_leaves_nothing_behind(stores: Stores, edge: Edge, shop: Tenant, kettle: Product) -> None:
    stores.drain()
    tenant_id = str(shop.pk)
    assert tenant_id in str(stores.contents())
    shop.delete()
    stores.drain()
    assert tenant_id not in str(stores.contents())
    assert edge("acme.localhost").status_code == 404


def test_a_wiped_store_is_rebuilt_and_a_stranger_s_document_removed(
    stores: Stores, shop: Tenant, kettle: Product
) -> None:
    from django.core.management import call_command

    stores.drain()
    before = stores.contents()
    kv = stores.cloudflare.kv()
    stores.cloudflare.store.delete(stores.cloudflare.namespace_id, list(kv.keys()))
    stores.cloudflare.store.put(stores.cloudflare.namespace_id, [("domain:stranger", b"{}", None, None)])
    stores.turso.execute("DELETE FROM chunk")
    call_command("republish", "--no-wait", verbosity=0)
    stores.drain()
    assert stores.contents() == before


def test_ten_rapid_edits_make_at_most_two_kv_writes(stores: Stores, shop: Tenant) -> None:
    from controlplane.publishing import delivery

    for number in range(10):
        shop.name = f"Acme {number}"
        shop.save()
        delivery.deliver_all("kv")  # as the nudged worker would after each commit
    assert stores.cloudflare.store.write_count("domain:acme.localhost") <= 2
    stores.drain()
    assert "Acme 9" in stores.contents()["kv"]["domain:acme.localhost"]


def test_what_was_embedded_before_an_outage_is_kept(stores: Stores, shop: Tenant) -> None:
    from controlplane.localcloud.faults import Fault
    from controlplane.publishing import delivery
    from controlplane.publishing.models import StaleDocument

    words = " ".join(["kettle"] * 200)
    for number in range(45):
        make_product(shop, f"Kettle number {number}", description_html=f"<p>{words}</p>")
    stores.cloudflare.faults.set([Fault(path="/ai/run", kind="status", status=503, after=4)])
    delivery.deliver_all("turso")
    left = StaleDocument.objects.filter(destination="turso")
    kept = len(stores.contents()["turso"])
    assert 0 < kept < 45
    assert left.count() == 45 - kept
    assert set(left.values_list("attempts", flat=True)) == {1}


HOSTILE_TAGS = ["50 %", "under_score", "a|b", "back\\slash", "%", "_", "|", "Größe L", "Cafe\u0301", "<b>", "a&b=c#d"]


def test_a_tag_finds_its_own_products_whatever_is_in_it(stores: Stores, edge: Edge, shop: Tenant) -> None:
    for tag in HOSTILE_TAGS:
        make_product(shop, f"With {tag}", slug=f"p{HOSTILE_TAGS.index(tag)}", tags=["plain", tag])
    make_product(shop, "Decoy", slug="decoy", tags=["50 x", "underXscore", "a", "b", "backslash", "plain x"])
    stores.drain()
    for number, tag in enumerate(HOSTILE_TAGS):
        page = edge("acme.localhost", f"/products?tag={quote(tag, safe='')}").text
        assert re.findall(r'<a href="/products/(p\d+|decoy)"', page) == [f"p{number}"], tag
    assert 'href="/products/p7"' in edge("acme.localhost", f"/products?tag={quote('GRÖSSE l')}").text
    assert 'href="/products/' not in edge("acme.localhost", "/products?tag=nobody+has+it").text


def test_a_tag_s_list_has_pages_and_none_of_another_shop(
    stores: Stores, edge: Edge, shop: Tenant, other_shop: Tenant
) -> None:
    def products(tenant: Tenant) -> list[Product]:
        return [
            Product(tenant=tenant, title=f"Cup {n}", slug=f"cup-{n}", price=n, status="active", position=n,
                    tags=["even"] if n % 2 == 0 else [])
            for n in range(60)
        ]  # fmt: skip

    Product.objects.bulk_create([*products(shop), *products(other_shop)])
    stores.drain()
    first, second = (edge("acme.localhost", f"/products?tag=even&page={page}").text for page in (1, 2))
    slugs = [re.findall(r'<a href="/products/(cup-\d+)"', page) for page in (first, second)]
    assert slugs[0] == [f"cup-{n}" for n in range(0, 48, 2)]
    assert slugs[1] == [f"cup-{n}" for n in range(48, 60, 2)]
    assert 'rel="next"' in first
    assert 'rel="next"' not in second


def test_a_draft_is_never_published(stores: Stores, shop: Tenant) -> None:
    make_product(shop, "Secret plan", status="draft")
    KnowledgeSource.objects.create(tenant=shop, title="Secret", body="Draft answer", status="draft")
    stores.drain()
    assert "ecret" not in str(stores.contents())


@pytest.mark.parametrize("destination", ["kv", "instant", "turso"])
def test_destinations_fail_alone_and_nothing_is_lost(
    stores: Stores, shop: Tenant, kettle: Product, destination: str, settings: Any
) -> None:
    from controlplane.localcloud.faults import Fault
    from controlplane.publishing import delivery
    from controlplane.publishing.models import StaleDocument
    from controlplane.publishing.status import status_of

    down = [Fault(kind="status", status=503)]
    if destination == "kv":
        stores.cloudflare.faults.set([Fault(path="/storage/kv", kind="status", status=503)])
    elif destination == "instant":
        stores.instant.faults.set(down)
    else:
        stores.cloudflare.faults.set([Fault(path="/ai/run", kind="status", status=503)])
    for name in ("kv", "instant", "turso"):
        delivery.deliver_all(name)
    waiting = set(StaleDocument.objects.values_list("destination", flat=True))
    assert waiting == {destination}
    assert status_of(shop.pk).state == "publishing"
    assert "503" in status_of(shop.pk).reason
    stores.cloudflare.faults.clear()
    stores.instant.faults.clear()
    stores.drain()
    assert status_of(shop.pk).label == "Published"
