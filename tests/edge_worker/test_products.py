"""Lists and product pages: live from Instant as a guest, and what is left when it is away."""

import json
import re
import xml.etree.ElementTree as ET

import pytest

from tests.edge_worker.memory import INSTANT, Platform, product, shop_record

pytestmark = pytest.mark.anyio


async def test_a_list_asks_instant_as_a_guest_for_one_tenant(platform: Platform) -> None:
    await platform.get("https://pots.test/products")
    [(url, headers, body)] = platform.FETCH.requests
    assert url == f"{INSTANT}/admin/query"
    assert headers["as-guest"] == "true"
    assert headers["app-id"] == "app-1"
    assert "authorization" not in headers
    assert body["query"]["products"]["$"]["where"]["tenantId"] == "t-a"


async def test_a_list_is_in_the_asked_order(platform: Platform) -> None:
    page = (await platform.get("https://pots.test/products?sort=price-descending")).text
    assert re.findall(r'<a href="/products/(jug-\d)"', page) == [f"jug-{n}" for n in range(6, 0, -1)]


async def test_a_long_list_has_pages(platform: Platform) -> None:
    platform.FETCH.products = [product(number) for number in range(1, 31)]
    first = (await platform.get("https://pots.test/products")).text
    second = (await platform.get("https://pots.test/products?page=2")).text
    assert 'rel="next" href="/products?page=2"' in first
    assert "jug-24" in first
    assert "jug-25" not in first
    assert "jug-25" in second
    assert 'rel="next"' not in second
    assert 'rel="canonical" href="https://pots.test/products?page=2"' in second


async def test_a_list_can_be_filtered_by_tag_and_stock(platform: Platform) -> None:
    platform.FETCH.products[0] = product(1, available=False)
    page = (await platform.get("https://pots.test/products?tag=kitchen&in_stock=1")).text
    assert re.findall(r'<a href="/products/(jug-\d)"', page) == ["jug-3", "jug-5"]
    assert '<meta name="robots" content="noindex">' in page


@pytest.mark.parametrize("query", ["page=0", "page=-1", "page=x", "page=99999999999", "sort=evil", "in_stock=2"])
async def test_choices_that_make_no_sense_fall_back(platform: Platform, query: str) -> None:
    answer = await platform.get(f"https://pots.test/products?{query}")
    assert answer.status_code == 200


async def test_a_product_page_has_price_availability_and_description(platform: Platform) -> None:
    platform.FETCH.products[0] = product(1, compareAtPrice=2500, stock=3)
    page = (await platform.get("https://pots.test/products/jug-1")).text
    assert "€12.50" in page
    assert '<s class="price__was">€25.00</s>' in page
    assert "Save 50 %" in page
    assert "Only 3 left" in page
    assert "<p>Thrown by hand, 1 times.</p>" in page


@pytest.mark.parametrize(
    ("available", "said", "schema"), [(True, "In stock", "InStock"), (False, "sold out", "OutOfStock")]
)
async def test_availability_is_the_same_for_people_and_machines(
    platform: Platform, available: bool, said: str, schema: str
) -> None:
    platform.FETCH.products[0] = product(1, available=available)
    page = (await platform.get("https://pots.test/products/jug-1")).text
    blocks = [json.loads(one) for one in re.findall(r'ld\+json">(.*?)</script>', page)]
    assert {block["@type"] for block in blocks} == {"Product", "BreadcrumbList"}
    offer = next(block["offers"] for block in blocks if block["@type"] == "Product")
    assert offer["availability"] == f"https://schema.org/{schema}"
    assert (offer["price"], offer["priceCurrency"]) == ("12.50", "EUR")
    assert said in page


async def test_money_respects_currencies_without_decimals(platform: Platform) -> None:
    platform.FETCH.products[0] = product(1, currency="JPY", price=1250)
    page = (await platform.get("https://pots.test/products/jug-1")).text
    assert "¥1,250" in page
    assert '"price":"1250"' in page


async def test_a_product_that_is_not_there_is_a_404(platform: Platform) -> None:
    assert (await platform.get("https://pots.test/products/jug-99")).status_code == 404
    assert platform.KV.reads == ["domain:pots.test", "redirect:t-a:/products/jug-99"]


async def test_a_renamed_product_leads_to_its_new_address(platform: Platform) -> None:
    platform.KV.values["redirect:t-a:/products/old-jug"] = "/products/jug-1"
    moved = await platform.get("https://pots.test/products/old-jug")
    assert (moved.status_code, moved.headers["location"]) == (301, "/products/jug-1")


@pytest.mark.parametrize("target", ["//evil.test/x", "https://evil.test/", ""])
async def test_a_former_address_never_leads_out_of_the_shop(platform: Platform, target: str) -> None:
    platform.KV.values["redirect:t-a:/products/old-jug"] = target
    assert (await platform.get("https://pots.test/products/old-jug")).status_code == 404


async def test_a_product_of_another_tenant_is_not_believed_even_if_instant_sends_it(platform: Platform) -> None:
    platform.FETCH.canned[INSTANT] = {"products": [{"id": "x", **product(1, "t-b").to_entity()}]}
    assert (await platform.get("https://pots.test/products/jug-1")).status_code == 404


async def test_a_product_that_can_not_be_read_is_left_out_of_the_list(platform: Platform) -> None:
    fine = {"id": "p1", **product(1).to_entity()}
    platform.FETCH.canned[INSTANT] = {"products": [{"id": "bad"}, None, fine]}
    page = (await platform.get("https://pots.test/products")).text
    assert re.findall(r'<a href="/products/(jug-\d)"', page) == ["jug-1"]


async def test_with_instant_down_the_list_shows_the_records_cards(platform: Platform) -> None:
    platform.FETCH.down.add(INSTANT)
    answer = await platform.get("https://pots.test/products")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert "can’t be reached right now" in answer.text
    assert "jug-3" in answer.text


async def test_with_instant_down_and_no_cards_the_list_is_a_503(platform: Platform) -> None:
    platform.publish(shop_record(sections=()))
    platform.FETCH.down.add(INSTANT)
    answer = await platform.get("https://pots.test/products")
    assert answer.status_code == 503
    assert "retry-after" in answer.headers


@pytest.mark.parametrize(("slug", "status"), [("jug-2", 200), ("jug-6", 503)])
async def test_with_instant_down_a_product_page_needs_a_card(platform: Platform, slug: str, status: int) -> None:
    platform.FETCH.down.add(INSTANT)
    answer = await platform.get(f"https://pots.test/products/{slug}")
    assert answer.status_code == status
    assert ("€25.00" in answer.text) == (status == 200)


async def test_the_sitemap_lists_the_landing_page_and_all_products(platform: Platform) -> None:
    answer = await platform.get("https://pots.test/sitemap.xml")
    found = [one.text for one in ET.fromstring(answer.text).iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")]
    assert found[:2] == ["https://pots.test/", "https://pots.test/products"]
    assert found[2:] == [f"https://pots.test/products/jug-{number}" for number in range(1, 7)]
    assert "<lastmod>2026-11-18</lastmod>" in answer.text


async def test_there_is_no_short_sitemap_while_instant_is_down(platform: Platform) -> None:
    platform.FETCH.down.add(INSTANT)
    assert (await platform.get("https://pots.test/sitemap.xml")).status_code == 503


async def test_robots_are_told_where_the_sitemap_is(platform: Platform) -> None:
    assert "Sitemap: https://pots.test/sitemap.xml" in (await platform.get("https://pots.test/robots.txt")).text
