"""A shopper's question answered: embed it, scan the tenant's own vectors, then take live facts from Instant.

Every step may fail without the page failing: what is left then is a match by name among the record's cards.
"""

import dataclasses
import logging
from typing import Any

from storefront.bindings import BindingError, Env, cell_variable
from storefront.catalog import Catalog, CatalogError, record_cards
from storefront.documents import DomainRecord, Product
from storefront.retrieval import PATH, Passage, RetrievalError, passages, request_body
from storefront.sections import ProductCard

MAX_QUESTION = 200
PASSAGES = 24
MAX_ANSWERS = 4
SUGGESTIONS = 4

LEAST_SCORE = 0.2
"""Cosine similarity below which nothing is an answer; of the best hit's score, RELATIVE must be reached too."""
RELATIVE = 0.6

log = logging.getLogger("storefront")


class SearchError(Exception):
    """The model or the vector store could not be reached."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Results:
    """What to show for a question. `degraded`: the vectors could not be searched."""

    question: str = ""
    products: tuple[Product | ProductCard, ...] = ()
    answers: tuple[Passage, ...] = ()
    suggestions: tuple[ProductCard, ...] = ()
    degraded: bool = False

    @property
    def found(self) -> bool:
        return bool(self.products or self.answers)


def question_of(text: str) -> str:
    """A typed question as it is embedded and shown again: one line, at most MAX_QUESTION characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:MAX_QUESTION]


async def search(env: Env, record: DomainRecord, question: str) -> Results:
    """Never raises for a store that is away: the results say so."""
    cards = tuple(record_cards(record).values())
    if not question:
        return Results()
    try:
        nearest = _relevant(await retrieve(env, record, question))
    except SearchError as error:
        log.warning("search is degraded: %s", error)
        return Results(question=question, products=_by_title(cards, question), degraded=True)
    products = await _products(env, record, [p.source_id for p in nearest if p.source_kind == "product"])
    answers = _one_per_source([p for p in nearest if p.source_kind != "product"])[:MAX_ANSWERS]
    found = Results(question=question, products=products, answers=tuple(answers))
    return found if found.found else dataclasses.replace(found, suggestions=cards[:SUGGESTIONS])


async def retrieve(env: Env, record: DomainRecord, question: str) -> list[Passage]:
    """This tenant's passages nearest to the question, best first. Raises SearchError."""
    base = cell_variable(env, "TURSO_URL", record.config.vectors).replace("libsql://", "https://", 1)
    token = cell_variable(env, "TURSO_READ_TOKEN", record.config.vectors)
    model = record.config.embedding_model
    if not (base and model):
        raise SearchError("no vector cell or no embedding model is configured")
    try:
        vector = await embed(env, model, question)
        body = request_body(tenant_id=record.tenant.id, model=model, vector=vector, limit=PASSAGES).encode()
        headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})
        reply = await env.FETCH("POST", base.rstrip("/") + PATH, headers=headers, body=body)
        return list(passages(reply.status, reply.body))
    except (BindingError, RetrievalError, ValueError) as error:
        raise SearchError(str(error)) from error


async def embed(env: Env, model: str, text: str) -> list[float]:
    """One vector. Raises BindingError. bge models pool by mean unless told otherwise; both sides send "cls"."""
    inputs: dict[str, Any] = {"text": [text]}
    if "/bge-" in model:
        inputs["pooling"] = "cls"
    result = await env.AI.run(model, inputs)
    try:
        return [float(number) for number in result["data"][0]]
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise BindingError(f"{model} answered without a vector") from error


def _relevant(found: list[Passage]) -> list[Passage]:
    best = max((one.score for one in found), default=0.0)
    return [one for one in found if one.score >= max(LEAST_SCORE, RELATIVE * best)]


def _one_per_source(found: list[Passage]) -> list[Passage]:
    first: dict[str, Passage] = {}
    for one in found:
        first.setdefault(one.source_id, one)
    return list(first.values())


async def _products(env: Env, record: DomainRecord, ids: list[str]) -> tuple[Product | ProductCard, ...]:
    wanted = list(dict.fromkeys(ids))
    try:
        live: dict[str, Product] | dict[str, ProductCard] = await Catalog.of(env, record).by_ids(wanted)
    except CatalogError as error:
        log.warning("search shows cards from the record: %s", error)
        live = record_cards(record)
    return tuple(live[one] for one in wanted if one in live)


def _by_title(cards: tuple[ProductCard, ...], question: str) -> tuple[ProductCard, ...]:
    words = question.casefold().split()
    return tuple(card for card in cards if any(word in card.title.casefold() for word in words if len(word) > 2))
