"""A shopper's question answered: embed it, scan the tenant's own passages, then take live facts from Instant.

Every step may fail without the page failing: what is left then is a match by name among the record's cards.
"""

import dataclasses
import logging
from collections.abc import Sequence
from typing import Any

from storefront import kept
from storefront.bindings import FETCH_TIMEOUT, BindingError, Env, Kept, cell_variable, variable
from storefront.catalog import Catalog, CatalogError, from_card, record_cards
from storefront.constraints import NO_LIMITS, Constraints, constraints_of, without_limits
from storefront.documents import DomainRecord, Product
from storefront.hosts import Shop
from storefront.retrieval import PATH, Passage, RetrievalError, passages, request_body, similar_body
from storefront.sections import ProductCard
from storefront.words import content_words, coverage, search_terms

MAX_QUESTION = 200
PASSAGES = 24
PASSAGES_TO_FILTER = 100
"""With a limit on price or stock more are looked through, since many will not fit."""
MAX_PRODUCTS = 24
MAX_ANSWERS = 4
SUGGESTIONS = 4
SIMILAR_FRESH, SIMILAR_STALE = 600, 86_400
"""Seconds until the vectors are asked again what a product is like, and for which the last answer does without them."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Threshold:
    """When a passage is about a question, for one embedding model. Its relevance is the cosine plus `words` for each
    whole of the question's content words that it has; `least` is what any hit needs, `answer` what the best one needs
    for the chat to answer, and of the best one's relevance a hit must reach `relative`."""

    least: float
    answer: float
    relative: float = 0.6
    words: float = 0.5


# From tests/benchmarks/chat_evals.py, which prints the curve; the tables are in docs/chat.md.
THRESHOLDS = {"@local/all-minilm-l6-v2": Threshold(least=0.36, answer=0.44)}
CAREFUL = Threshold(least=0.4, answer=0.55)
"""For a model that nobody has measured: it rather says that it does not know."""

FUSED = 8.0
"""What the fused rank (at most 2/61) counts beside the relevance (about 0 to 1.5) when hits are put in order."""

log = logging.getLogger("storefront")


class SearchError(Exception):
    """The model or the vector store could not be reached."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Hit:
    """A passage and how much it is about the question (see Threshold)."""

    passage: Passage
    relevance: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Results:
    """What to show for a question. `degraded`: the vectors could not be searched. `chosen` are the filters beside the
    question, `constraints` those and what the question itself limits."""

    question: str = ""
    products: tuple[Product | ProductCard, ...] = ()
    answers: tuple[Passage, ...] = ()
    suggestions: tuple[Product | ProductCard, ...] = ()
    degraded: bool = False
    constraints: Constraints = NO_LIMITS
    chosen: Constraints = NO_LIMITS
    limit: int = MAX_PRODUCTS

    @property
    def found(self) -> bool:
        return bool(self.products or self.answers)

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags of what was found, the most frequent first."""
        counts: dict[str, int] = {}
        for product in self.products:
            for tag in getattr(product, "tags", ()):
                counts[tag] = counts.get(tag, 0) + 1
        return tuple(sorted(counts, key=lambda tag: -counts[tag]))[:12]


def question_of(text: str) -> str:
    """A typed question as it is embedded and shown again: one line, at most MAX_QUESTION characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:MAX_QUESTION]


def threshold_of(record: DomainRecord) -> Threshold:
    return THRESHOLDS.get(record.config.embedding_model, CAREFUL)


async def search(
    env: Env, record: DomainRecord, question: str, *, chosen: Constraints | None = None, limit: int = MAX_PRODUCTS
) -> Results:
    """Never raises for a store that is away: the results say so. `chosen` are filters beside those in the question."""
    if not question:
        return Results(chosen=chosen or NO_LIMITS, limit=limit)
    own, chosen = constraints_of(question, record.config.currency), chosen or NO_LIMITS
    asked = own.merged(chosen)
    empty = Results(question=question, constraints=asked, chosen=chosen, limit=limit)
    try:
        hits = await find(env, record, question, wide=asked.any)
    except SearchError as error:
        log.warning("search is degraded: %s", error)
        return dataclasses.replace(empty, products=_by_title(record, question, asked)[:limit], degraded=True)
    relevant = relevant_hits(hits, threshold_of(record))
    live = await live_products(env, record, [h.passage.source_id for h in hits if h.passage.source_kind == "product"])
    asked = own.about(question, [*live.values()]).merged(chosen)
    return _results(dataclasses.replace(empty, constraints=asked), record, hits, relevant, live)


def _results(
    empty: Results, record: DomainRecord, hits: list[Hit], relevant: list[Hit], live: dict[str, Product]
) -> Results:
    products = fitting(relevant if _has_words(empty.question) else hits, live, empty.constraints)
    answers = one_per_source([hit.passage for hit in relevant if hit.passage.source_kind != "product"])[:MAX_ANSWERS]
    found = dataclasses.replace(empty, products=products[: empty.limit], answers=tuple(answers))
    if found.found:
        return found
    near = fitting(relevant, live, NO_LIMITS)[:SUGGESTIONS] or fitting(hits, live, empty.constraints)[:SUGGESTIONS]
    return dataclasses.replace(found, suggestions=near or tuple(record_cards(record).values())[:SUGGESTIONS])


def _has_words(question: str) -> bool:
    """Whether it says more than a limit: "under 20 euros" alone asks for everything that fits."""
    return bool(content_words(without_limits(question)))


async def find(env: Env, record: DomainRecord, question: str, *, wide: bool = False) -> list[Hit]:
    """This tenant's passages that fit the question, best first, not yet sifted. Raises SearchError."""
    plain = without_limits(question) or question
    try:
        vector = await embed(env, record.config.embedding_model, plain)
        limit = PASSAGES_TO_FILTER if wide else PASSAGES
        body = request_body(
            tenant_id=record.tenant.id, model=record.config.embedding_model, vector=vector,
            terms=search_terms(plain), limit=limit,
        )  # fmt: skip
        hits = in_order(await _ask(env, record, body), plain, threshold_of(record))
        if rerank_model := variable(env, "RERANK_MODEL"):
            hits = await rerank(env, rerank_model, plain, hits)
    except (BindingError, RetrievalError, ValueError) as error:
        raise SearchError(str(error)) from error
    return hits


def in_order(found: Sequence[Passage], question: str, threshold: Threshold) -> list[Hit]:
    """The passages by relevance and fused rank together: better than either alone (docs/chat.md)."""
    wanted = content_words(question)
    hits = [
        Hit(passage=one, relevance=one.score + threshold.words * coverage(wanted, f"{one.title} {one.body}"))
        for one in found
    ]
    return sorted(hits, key=lambda hit: -(hit.relevance + FUSED * hit.passage.rank))


async def similar_ids(shop: Shop, slug: str) -> tuple[str, ...]:
    """The products most like the one of this address, by the stored vectors alone; none where nobody can say.

    Vectors change seldom and only ids are kept, whose facts are read live: so these are kept for longer than pages.
    """
    key = kept.similar_key(shop.host, shop.record.tenant.id, slug)
    old = await kept.look(shop.env, key, within=SIMILAR_STALE)
    if old and kept.age(old) <= SIMILAR_FRESH:
        return _ids(old)
    try:
        ids = await _most_similar(shop.env, shop.record, slug)
    except SearchError as error:
        log.warning("similar products are those that were, or the front page's: %s", error)
        return _ids(old) if old else ()
    if ids:
        kept.keep(shop.env, {key: (kept.entry(" ".join(ids)), SIMILAR_STALE)})
    return ids


def _ids(found: Kept) -> tuple[str, ...]:
    return tuple(found.text.split())


async def _most_similar(env: Env, record: DomainRecord, slug: str) -> tuple[str, ...]:
    model = record.config.embedding_model
    body = similar_body(tenant_id=record.tenant.id, model=model, url=f"/products/{slug}", limit=SUGGESTIONS + 2)
    try:
        found = await _ask(env, record, body, kept.PATIENCE)
    except (BindingError, RetrievalError) as error:
        raise SearchError(str(error)) from error
    return tuple(one.source_id for one in found)


async def _ask(env: Env, record: DomainRecord, body: str, seconds: float = FETCH_TIMEOUT) -> list[Passage]:
    base = cell_variable(env, "TURSO_URL", record.config.vectors).replace("libsql://", "https://", 1)
    token = cell_variable(env, "TURSO_READ_TOKEN", record.config.vectors)
    if not (base and record.config.embedding_model):
        raise RetrievalError("no vector cell or no embedding model is configured")
    headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})
    reply = await env.FETCH("POST", base.rstrip("/") + PATH, headers=headers, body=body.encode(), timeout=seconds)
    return list(passages(reply.status, reply.body))


async def embed(env: Env, model: str, text: str) -> list[float]:
    """One vector. Raises BindingError. bge models pool by mean unless told otherwise; both sides send "cls"."""
    if not model:
        raise BindingError("no embedding model is configured")
    inputs: dict[str, Any] = {"text": [text]}
    if "/bge-" in model:
        inputs["pooling"] = "cls"
    result = await env.AI.run(model, inputs)
    try:
        return [float(number) for number in result["data"][0]]
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise BindingError(f"{model} answered without a vector") from error


async def rerank(env: Env, model: str, question: str, hits: list[Hit]) -> list[Hit]:
    """The same hits in the order of a cross-encoder (@cf/baai/bge-reranker-base: `response: [{id, score}]`, id an
    index into `contexts`); as they were where it fails, since it only improves."""
    contexts = [{"text": f"{hit.passage.title}\n{hit.passage.body}"} for hit in hits]
    try:
        result = await env.AI.run(model, {"query": question, "contexts": contexts, "top_k": len(contexts)})
        scores = {int(one["id"]): float(one["score"]) for one in result["response"]}
    except (BindingError, KeyError, TypeError, ValueError) as error:
        log.warning("search goes without its re-ranking model: %s", error)
        return hits
    return [hits[place] for place in sorted(range(len(hits)), key=lambda place: -scores.get(place, float("-inf")))]


def relevant_hits(hits: Sequence[Hit], threshold: Threshold) -> list[Hit]:
    """The hits that are about the question, in their order."""
    best = max((hit.relevance for hit in hits), default=0.0)
    return [hit for hit in hits if hit.relevance >= max(threshold.least, threshold.relative * best)]


async def live_products(env: Env, record: DomainRecord, ids: list[str]) -> dict[str, Product]:
    """Products by id as they are now; from the record's cards while Instant is away."""
    wanted = list(dict.fromkeys(ids))
    try:
        return await Catalog.of(env, record).by_ids(wanted)
    except CatalogError as error:
        log.warning("search shows cards from the record: %s", error)
        cards = record_cards(record)
        return {one: from_card(cards[one], record) for one in wanted if one in cards}


def fitting(hits: Sequence[Hit], live: dict[str, Product], limits: Constraints) -> tuple[Product, ...]:
    """The live products of these hits that the limits admit, in their order, each once."""
    ids = dict.fromkeys(hit.passage.source_id for hit in hits if hit.passage.source_kind == "product")
    return tuple(live[one] for one in ids if one in live and limits.admits(live[one]))


def one_per_source(found: Sequence[Passage]) -> list[Passage]:
    first: dict[str, Passage] = {}
    for one in found:
        first.setdefault(one.source_id, one)
    return list(first.values())


def _by_title(record: DomainRecord, question: str, limits: Constraints) -> tuple[Product, ...]:
    words = [word for word in question.casefold().split() if len(word) > 2]
    cards = [from_card(card, record) for card in record_cards(record).values()]
    return tuple(card for card in cards if limits.admits(card) and any(word in card.title.casefold() for word in words))
