"""The words that the browser's scripts say, by language. They reach it in each page's JSON, placeholders unfilled.

A key that ends in `_one` is the form for a count of one.
"""

from typing import Final

_EN: Final = {
    "cart": "Cart",
}

_DE: Final = {
    "cart": "Warenkorb",
}

WORDS: Final[dict[str, dict[str, str]]] = {"en": _EN, "de": _DE}

SHARED: Final = (
    "price", "sale_price", "regular_price", "sale", "save_percent", "sold_out", "in_stock", "low_stock", "one_left",
    "out_of_stock", "all_products",
)  # fmt: skip
"""Messages of the server (messages.py) that the browser says too."""
