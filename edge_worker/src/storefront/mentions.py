"""Which of some products a text names, and where."""

import dataclasses
import re
from collections.abc import Sequence

from storefront.documents import Product
from storefront.words import fold

_TOKEN = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_QUOTED = re.compile(r"[»“„\"'‚‘]([^»«“”„\"]+)[«”“\"'’]")


@dataclasses.dataclass(frozen=True)
class Mention:
    """`at` is where the name starts in the text."""

    at: int
    product: Product


def mentions(text: str, products: Sequence[Product]) -> list[Mention]:
    """Each naming, in the text's order. A name is a title, its first two words, or the one word of it that is a name
    of its own: in quotation marks in the title, or its first word, capitalised, if no other of the products has it."""
    tokens = [(m.start(), m[0]) for m in _TOKEN.finditer(text)]
    folded = [fold(token) for _, token in tokens]
    found = [
        Mention(tokens[place][0], product)
        for product in products
        for place in _places(product, products, tokens, folded)
    ]
    return sorted(found, key=lambda one: one.at)


def _places(
    product: Product, products: Sequence[Product], tokens: list[tuple[int, str]], folded: list[str]
) -> list[int]:
    title = [fold(token) for token in _TOKEN.findall(product.title)]
    if not title:
        return []
    start = title[:2]
    places = [i for i in range(len(folded)) if folded[i : i + len(start)] == start]
    for name in _own_names(product, title):
        if any(other.id != product.id and name in fold(other.title).split() for other in products):
            continue
        if sum(name in _words(other) for other in products) > 1:
            continue
        places += [i for i, (_, token) in enumerate(tokens) if folded[i] == name and token[:1].isupper() and i]
    return sorted(set(places))


def _own_names(product: Product, title: list[str]) -> set[str]:
    quoted = [fold(word) for part in _QUOTED.findall(product.title) for word in _TOKEN.findall(part)]
    return {name for name in (*quoted, title[0]) if len(name) >= 4}


def _words(product: Product) -> set[str]:
    return {fold(token) for token in _TOKEN.findall(product.title)}
