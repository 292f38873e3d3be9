"""An open page follows the merchant's edits, in a real browser, over the real protocol."""

import pytest
from playwright.sync_api import ViewportSize, expect

from catalog.models import Product
from tests.plugins.browser import Storefront, needs_chromium
from tests.plugins.chromium import DESKTOP, PHONE

pytestmark = [pytest.mark.browser, pytest.mark.django_db, needs_chromium, pytest.mark.xdist_group("browser")]


@pytest.mark.parametrize("path", ["/", "/products", "/products/kettle", "/search?q=kettle"])
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_an_open_page_follows_the_price(storefront: Storefront, path: str, viewport: ViewportSize) -> None:
    page = storefront.visit(path, viewport=viewport)
    price = page.locator("[data-product]", has_text="Kettle").first.locator(".price__now")
    expect(price).to_have_text("€42.00")
    storefront.save(Product.objects.get(title="Kettle"), price=3999)
    expect(price).to_have_text("€39.99")


def test_a_withdrawn_product_says_so_wherever_it_is_shown(storefront: Storefront) -> None:
    context = storefront.browser()
    shelf, page = storefront.visit("/products", context), storefront.visit("/products/kettle", context)
    expect(page.get_by_role("button", name="Add to cart")).to_be_enabled()
    storefront.save(Product.objects.get(title="Kettle"), status="draft")
    card = shelf.locator("li[data-product]", has_text="Kettle")
    expect(card.locator(".badge")).to_have_text("No longer sold")
    expect(card.get_by_role("button")).to_be_hidden()
    expect(page.locator("[data-stock-note]")).to_have_text("No longer sold here")
    expect(page.get_by_role("button", name="Add to cart")).to_be_disabled()
    storefront.save(Product.objects.get(title="Kettle"), status="active")
    expect(page.get_by_role("button", name="Add to cart")).to_be_enabled()
    expect(card.locator(".badge")).to_have_count(0)


def test_a_reduced_price_shows_as_one(storefront: Storefront) -> None:
    page = storefront.visit("/products/kettle")
    storefront.save(Product.objects.get(title="Kettle"), price=3150, compare_at_price=4200)
    article = page.locator("article")
    expect(article.locator(".price__now")).to_have_text("€31.50")
    expect(article.locator(".price__was")).to_have_text("€42.00")
    expect(article.locator(".badge")).to_have_text("Save 25 %")


def test_an_edit_made_while_a_page_was_cut_off_is_there_once_it_is_back(storefront: Storefront) -> None:
    context = storefront.browser()
    page = storefront.visit("/products", context)
    price = page.locator("[data-product]", has_text="Kettle").locator(".price__now")
    expect(page.locator("[data-price][data-shown]").first).to_be_visible()
    context.set_offline(True)
    storefront.save(Product.objects.get(title="Kettle"), price=1000)
    expect(page.locator(".connection")).to_be_visible()
    expect(price).to_have_text("€42.00")
    context.set_offline(False)
    expect(price).to_have_text("€10.00", timeout=15_000)


def test_what_an_earlier_visit_saw_never_covers_a_newer_page(storefront: Storefront) -> None:
    """A landing page may be up to a minute old, but what IndexedDB holds may be of last week."""
    context = storefront.browser()
    storefront.visit("/products", context).wait_for_timeout(2_500)  # into IndexedDB
    storefront.save(Product.objects.get(title="Kettle"), price=1000)
    prices: list[str] = []
    page = context.new_page()
    page.expose_function("told", lambda price: prices.append(price))  # noqa: PLW0108 - Playwright marks what it is given
    page.add_init_script(
        "addEventListener('DOMContentLoaded', () => new MutationObserver(() => told(document.querySelector("
        "'[data-product] .price__now').textContent)).observe(document.body, {subtree: true, childList: true}))"
    )
    page.goto(storefront.url("/products/kettle"))
    expect(page.locator("article [data-price][data-shown]")).to_be_visible()
    assert set(prices) <= {"€10.00"}
