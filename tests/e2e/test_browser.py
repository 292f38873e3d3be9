"""A real Chromium on the real edge, fed by the real stores: pages fit, load without errors and work without scripts."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from tenants.models import Section, Tenant
from tests.e2e.accessibility import overflow
from tests.plugins.browser import needs_chromium
from tests.plugins.shops import make_knowledge, make_product, publish
from tests.plugins.stores import Stores, edge_served

pytestmark = [pytest.mark.browser, pytest.mark.django_db, needs_chromium, pytest.mark.xdist_group("browser")]


@pytest.fixture
def port(stores: Stores, shop: Tenant) -> Iterator[int]:
    Section.objects.create(landing=shop.landing, kind="product_grid", content={"heading": "All we have"}, position=1)
    Section.objects.create(
        landing=shop.landing, kind="faq", content={"items": [{"question": "Loose?", "answer": "Yes."}]}, position=2
    )
    for number in range(6):
        make_product(shop, f"Copper kettle number {number}", tags=["copper"], stock=number)
    make_knowledge(shop)
    publish(shop)
    stores.drain()
    with edge_served(stores) as serving:
        yield serving.port


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_fit_and_load_without_an_error(chromium: Browser, port: int, width: int, scheme: Any) -> None:
    context = chromium.new_context(
        viewport={"width": width, "height": 800}, color_scheme=scheme, java_script_enabled=True
    )
    page = context.new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    for path in ("/", "/products", "/products/copper-kettle-number-1", "/search?q=kettle"):
        answer = page.goto(f"http://acme.localhost:{port}{path}")
        assert answer is not None
        assert answer.status == 200
        assert overflow(page) <= 0, path
    assert problems == []
    context.close()


def test_a_shopper_gets_from_landing_to_product_by_keyboard(chromium: Browser, port: int) -> None:
    page = chromium.new_page()
    page.goto(f"http://acme.localhost:{port}/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#main"
    page.get_by_role("link", name="Copper kettle number 2").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/products/copper-kettle-number-2")
    assert page.get_by_role("heading", level=1).inner_text() == "Copper kettle number 2"
    page.close()
