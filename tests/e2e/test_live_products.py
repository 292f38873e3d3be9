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
