"""Search: the question's vector, this tenant's passages, live products; and what is left without them."""

import pytest

from storefront.search import MAX_QUESTION, question_of
from tests.edge_worker.memory import INSTANT, TURSO, Platform, product

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
