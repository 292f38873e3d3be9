"""What a product is to the chat: its words, and about what it costs."""

import pytest

from catalog.documents import chunk_of, price_band
from tenants.models import Tenant
from tests.plugins.shops import make_product


@pytest.mark.parametrize(
    ("price", "currency", "band"),
    [
        (0, "EUR", "0–10 EUR"), (999, "EUR", "0–10 EUR"), (1_000, "EUR", "10–25 EUR"), (7_999, "GBP", "50–100 GBP"),
        (100_000, "EUR", "> 1000 EUR"), (4_200, "JPY", "2500–5000 JPY"), (30_000, "KWD", "25–50 KWD"),
    ],
)  # fmt: skip
def test_a_band_says_about_what_it_costs(price: int, currency: str, band: str) -> None:
    assert price_band(price, currency) == band


@pytest.mark.django_db
def test_a_chunk_tells_the_band_and_never_the_price(shop: Tenant) -> None:
    product = make_product(shop, "Kettle", price=4_299, tags=["steel"], description_html="<p>Boils &amp; pours.</p>")
    chunk = chunk_of(product)
    assert chunk.body == "Boils & pours.\nsteel\n25–50 EUR"
    product.price = 3_650
    assert chunk_of(product).content_hash == chunk.content_hash
    product.price = 5_100
    assert chunk_of(product).content_hash != chunk.content_hash
