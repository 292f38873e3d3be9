"""Search: the question's vector, this tenant's passages, live products; and what is left without them."""

from typing import Any

import pytest

from storefront.http_bindings import WindowLimiter
from storefront.search import MAX_QUESTION, question_of
from tests.edge_worker.memory import INSTANT, TURSO, FixedAI, Platform, product

pytestmark = pytest.mark.anyio


@pytest.fixture
def shop(platform: Platform) -> Platform:
    platform.FETCH.rows = [
        ("product", "p2", "Jug number 2", "A jug.", "/products/jug-2", 0.81),
        ("product", "p2", "Jug number 2", "Second chunk.", "/products/jug-2", 0.8),
        ("knowledge", "k1", "Is it safe in the oven?", "Up to 200 degrees.", "/pages/oven", 0.7),
        ("product", "p5", "Jug number 5", "Far off.", "/products/jug-5", 0.1),
    ]
    return platform


async def test_a_question_finds_live_products_and_answers(shop: Platform) -> None:
    shop.FETCH.products[1] = product(2, price=9900)
    page = (await shop.get("https://pots.test/search?q=oven")).text
    assert page.count('href="/products/jug-2"') == 1
    assert "€99.00" in page
    assert "Up to 200 degrees." in page
    assert 'href="/pages/oven"' in page
    assert "jug-5" not in page


async def test_a_search_asks_for_one_tenants_vectors_of_one_model(shop: Platform) -> None:
    await shop.get("https://pots.test/search?q=oven")
    assert shop.AI.asked == [("@cf/test/model", {"text": ["oven"]})]
    url, headers, body = shop.FETCH.requests[0]
    assert url == f"{TURSO}/v2/pipeline"
    assert headers["authorization"] == "Bearer read-only-token"
    values = [argument.get("value") for argument in body["requests"][0]["stmt"]["args"]]
    assert values[:2] == ["t-a", "@cf/test/model"]


async def test_an_empty_question_shows_the_form_and_asks_nobody(shop: Platform) -> None:
    answer = await shop.get("https://pots.test/search?q=%20")
    assert answer.status_code == 200
    assert 'name="q"' in answer.text
    assert shop.AI.asked == []


async def test_nothing_found_is_said_with_suggestions(platform: Platform) -> None:
    page = (await platform.get("https://pots.test/search?q=zeppelin")).text
    assert "Nothing found for “zeppelin”" in page
    assert "/products/jug-1" in page


@pytest.mark.parametrize("broken", ["turso", "ai", "unconfigured"])
async def test_without_vectors_products_are_matched_by_name(shop: Platform, broken: str) -> None:
    shop.AI.down = broken == "ai"
    shop.FETCH.down = {TURSO} if broken == "turso" else set()
    shop.TURSO_URL = "" if broken == "unconfigured" else TURSO
    answer = await shop.get("https://pots.test/search?q=a+JUG")
    assert answer.status_code == 200
    assert "taking a break" in answer.text
    assert "/products/jug-1" in answer.text
    assert 'href="/products"' in answer.text


async def test_with_instant_down_found_products_are_shown_from_the_record(shop: Platform) -> None:
    shop.FETCH.down = {INSTANT}
    page = (await shop.get("https://pots.test/search?q=oven")).text
    assert "/products/jug-2" in page
    assert "€25.00" in page


async def test_a_deleted_product_is_not_shown_for_its_left_over_passage(shop: Platform) -> None:
    shop.FETCH.products = []
    assert "/products/jug-2" not in (await shop.get("https://pots.test/search?q=oven")).text


async def test_an_answer_of_another_shape_degrades_too(shop: Platform) -> None:
    shop.FETCH.canned[TURSO] = {"results": [{"type": "error", "error": {"message": "no such table: chunk"}}]}
    page = (await shop.get("https://pots.test/search?q=jug")).text
    assert "taking a break" in page
    assert "no such table" not in page


def test_a_question_is_one_printable_line_of_bounded_length() -> None:
    assert question_of(" what\n\x00about \t oven ") == "what about oven"
    assert len(question_of("x" * 1000)) == MAX_QUESTION


async def test_filters_hold_for_live_products(shop: Platform) -> None:
    shop.FETCH.rows = [
        ("product", f"p{n}", f"Jug number {n}", "An oven jug.", f"/products/jug-{n}", 0.8) for n in range(1, 7)
    ]
    shop.FETCH.products[0] = product(1, available=False)
    page = (await shop.get("https://pots.test/search?q=oven+jug&max_price=50&in_stock=1&tag=garden")).text
    assert [n for n in range(1, 7) if f"/products/jug-{n}" in page] == [2, 4]
    assert 'name="max_price" value="50.00"' in page
    assert "tag=kitchen" not in page
    answer = (await shop.get("https://pots.test/api/search?q=oven+jug&max_price=30&limit=1")).json()
    assert [card["slug"] for card in answer["products"]] == ["jug-1"]


async def test_nothing_within_a_limit_is_said_with_what_comes_close(shop: Platform) -> None:
    page = (await shop.get("https://pots.test/search?q=jug+under+%E2%82%AC5")).text
    assert "Nothing fits these filters" in page
    assert "/products/jug-2" in page


async def test_whether_one_product_is_in_stock_is_no_filter(shop: Platform) -> None:
    shop.FETCH.products[1] = product(2, available=False)
    answer = (await shop.get("https://pots.test/api/search?q=Is+Jug+number+2+in+stock%3F")).json()
    assert [(card["slug"], card["available"]) for card in answer["products"]] == [("jug-2", False)]


async def test_searches_of_a_visitor_are_limited(shop: Platform) -> None:
    shop.SEARCH_LIMITER = WindowLimiter(1, 1e9)
    assert (await shop.get("https://pots.test/api/search?q=jug")).status_code == 200
    assert (await shop.get("https://pots.test/api/search?q=jug")).status_code == 429


async def test_a_re_ranking_model_puts_hits_in_its_order_and_is_not_missed_when_it_fails(shop: Platform) -> None:
    async def run(model: str, inputs: dict[str, Any]) -> dict[str, Any]:
        if model == "@cf/baai/bge-reranker-base":
            assert inputs["query"] == "oven"
            return {"response": [{"id": n, "score": n / 10} for n in range(len(inputs["contexts"]))]}
        return {"data": [[0.1, 0.2, 0.3]]}

    shop.RERANK_MODEL = "@cf/baai/bge-reranker-base"
    shop.FETCH.rows.append(("product", "p3", "Jug number 3", "For the oven.", "/products/jug-3", 0.7))
    plain = (await shop.get("https://pots.test/api/search?q=oven")).json()
    shop.AI.run = run  # type: ignore[method-assign]
    ranked = (await shop.get("https://pots.test/api/search?q=oven")).json()
    order = [card["slug"] for card in plain["products"]]
    assert len(order) == 2
    assert [card["slug"] for card in ranked["products"]] == order[::-1]
    shop.AI.run = FixedAI().run  # type: ignore[method-assign] # answers no ranking
    assert (await shop.get("https://pots.test/api/search?q=oven")).json() == plain


async def test_a_products_page_shows_the_products_nearest_to_it_without_a_model_call(shop: Platform) -> None:
    shop.FETCH.rows = [("product", "p5", "Jug number 5", "", "/products/jug-5", 0.9)]
    page = (await shop.get("https://pots.test/products/jug-1")).text
    assert "Similar products" in page
    assert "/products/jug-5" in page
    assert "/products/jug-3" not in page
    assert shop.AI.asked == []
    shop.FETCH.down = {TURSO}
    assert "You may also like" in (await shop.get("https://pots.test/products/jug-2")).text
