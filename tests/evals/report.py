"""Asks our questions through the edge's own HTTP and measures the answers.

What is checked is worked out here from the shops' data, not by the code that is measured: a sum beside a product's
title must be a live price of that product, or stand so in the merchant's own entry.
"""

import dataclasses
import json
import re
from collections.abc import Callable, Sequence
from typing import Any

import httpx

from storefront.documents import Product, format_money
from storefront.search import Hit, find
from tests.edge_worker.memory import Platform, named, text_of
from tests.evals.world import DemoShop, Question

_SUM = re.compile(r"(?:£|\$)\s?\d[\d,]*(?:\.\d+)?|\d[\d.]*(?:,\d+)?\s?(?:€|Euro\b)")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one question came to. `place` is the first right source's place from 1, 0 for none; `relevance` the best
    hit's; `wrong_prices` and `foreign_sources` must stay empty."""

    question: Question
    place: int
    relevance: float
    answered: bool
    text: str
    offered: tuple[str, ...]
    wrong_prices: tuple[str, ...]
    foreign_sources: tuple[str, ...]

    @property
    def right_kind(self) -> bool:
        """Answered where there is an answer, and only there."""
        return self.answered == self.question.is_answerable


async def ask_all(make: Callable[[httpx.AsyncClient], Platform], shops: Sequence[DemoShop]) -> list[Outcome]:
    async with httpx.AsyncClient() as client:
        platform = make(client)
        return [await _ask(platform, shop, question) for shop in shops for question in shop.questions]


async def _ask(platform: Platform, shop: DemoShop, question: Question) -> Outcome:
    events = await platform.chat(question.text, host=shop.host)
    hits = await find(platform, shop.record, question.text, wide=bool(question.most))
    turn = platform.FETCH.written[-2]
    said, cards = text_of(events), named(events, "products")
    cited = [source["id"] for source in json.loads(turn[9])]
    return Outcome(
        question=question,
        place=_place(question, _order(shop, hits, question)),
        relevance=max((hit.relevance for hit in hits), default=0.0),
        answered=named(events, "done")["answered"],
        text=said,
        offered=tuple(card["id"] for card in cards),
        wrong_prices=tuple(_wrong_prices(said, shop) + _wrong_cards(cards, shop, question)),
        foreign_sources=tuple(id_ for id_ in [*cited, *(c["id"] for c in cards)] if id_ not in shop.ids.values()),
    )


def _order(shop: DemoShop, hits: Sequence[Hit], question: Question) -> list[str]:
    """Sources as the chat would number them, before any threshold; limits on price applied to live products."""
    live = {product.id: product for product in shop.products}
    within = [
        hit
        for hit in hits
        if not question.most
        or ((product := live.get(hit.passage.source_id)) and question.least <= product.price <= question.most)
    ]
    return list(dict.fromkeys(hit.passage.source_id for hit in within))


def _place(question: Question, order: list[str]) -> int:
    return next((place for place, id_ in enumerate(order, start=1) if id_ in question.sources), 0)


def _wrong_prices(said: str, shop: DemoShop) -> list[str]:
    entries = " ".join(" ".join(chunk.body.split()) for chunk in shop.chunks if chunk.source_kind == "knowledge")
    wrong: list[str] = []
    for sentence in re.split(r"(?<=[.!?])\s+|\n+", re.sub(r"\s*\[\d+\]", "", said)):
        bare = sentence.strip()
        about = [product for product in shop.products if product.title in bare]
        allowed = [price for product in about for price in _prices(product, shop)]
        is_merchants = bare in entries or bare.rstrip(".") in entries
        wrong += [sentence for told in _SUM.findall(bare) if told.strip() not in allowed and not is_merchants]
    return wrong


def _prices(product: Product, shop: DemoShop) -> list[str]:
    amounts = [product.price, product.compareAtPrice]
    locale = shop.record.config.locale
    return [format_money(amount, product.currency, locale) for amount in amounts if amount is not None]


def _wrong_cards(cards: Sequence[dict[str, Any]], shop: DemoShop, question: Question) -> list[str]:
    live = {product.id: product for product in shop.products}
    wrong = []
    for card in cards:
        product = live.get(card["id"])
        facts = product and (product.price, product.compareAtPrice, product.stock, product.available)
        if facts != (card["price"], card["compare_at_price"], card["stock"], card["available"]):
            wrong.append(f"card {card['title']}")
        elif question.most and not question.least <= card["price"] <= question.most:
            wrong.append(f"{card['title']} is not within the limit of {question.text!r}")
    return wrong


def recall(outcomes: Sequence[Outcome], most: int = 3) -> float:
    asked = [one for one in outcomes if one.question.is_answerable]
    return sum(0 < one.place <= most for one in asked) / len(asked)


def mean_reciprocal_rank(outcomes: Sequence[Outcome]) -> float:
    asked = [one for one in outcomes if one.question.is_answerable]
    return sum(1 / one.place if one.place else 0.0 for one in asked) / len(asked)


def accuracy(outcomes: Sequence[Outcome], *, answerable: bool) -> float:
    asked = [one for one in outcomes if one.question.is_answerable == answerable]
    return sum(one.right_kind for one in asked) / len(asked)


def at_threshold(outcomes: Sequence[Outcome], threshold: float) -> tuple[float, float]:
    """Which part of the answerable questions a threshold would answer, and of the others it would not."""
    yes = [one for one in outcomes if one.question.is_answerable]
    no = [one for one in outcomes if not one.question.is_answerable]
    return (
        sum(one.relevance >= threshold for one in yes) / len(yes),
        sum(one.relevance < threshold for one in no) / len(no),
    )


def halves(outcomes: Sequence[Outcome]) -> tuple[list[Outcome], list[Outcome]]:
    """Every second question: one half to set the threshold by, the other to judge it."""
    return list(outcomes[::2]), list(outcomes[1::2])
