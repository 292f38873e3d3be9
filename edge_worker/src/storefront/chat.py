"""One turn of the chat: find, ask the model, check what it says, tell it as events, remember it.

Nothing here can change anything in the shop: the model is given no tools.
"""

import dataclasses
import logging
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from typing import Any

import anyio

from storefront import telemetry
from storefront.bindings import BindingError, variable
from storefront.chat_words import say
from storefront.constraints import Constraints, constraints_of
from storefront.documents import ChatSettings, DomainRecord, Product
from storefront.guard import Facts, Guard, fallback, sentences_of
from storefront.hosts import Shop
from storefront.links import absolute, safe_image, safe_url
from storefront.mentions import mentions
from storefront.messages import LANGUAGES, Messages
from storefront.prompt import MAX_ANSWER_TOKENS, Message, assemble, instructions, tokens_of
from storefront.search import Hit, SearchError, find, live_products, relevant_hits, search, threshold_of
from storefront.sections import Contact
from storefront.sources import Source, numbered
from storefront.telemetry import DayUsage, Turn, now_ms, usage_today, uuid7
from storefront.textstream import Usage, pieces
from storefront.words import content_words, coverage, fold

MODEL = "@cf/google/gemma-4-26b-a4b-it"
"""Where neither shop nor Worker names one; docs/chat.md says why."""

MAX_CARDS = 4
MAX_ANSWER = 4_000
"""Characters; a model that goes on is cut off."""
FOLLOW_UP_WORDS = 4
"""A question of so few words ("and in blue?") is searched for together with the one before it."""

log = logging.getLogger("storefront")

Event = tuple[str, Any]
"""A server-sent event's name and its JSON value."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ask:
    """A checked request: `conversation` is a UUID, `messages` ends with the shopper's question, `lang` a tag or ""."""

    conversation: str
    messages: tuple[Message, ...]
    lang: str = ""

    @property
    def question(self) -> str:
        return self.messages[-1].content

    @property
    def turn_no(self) -> int:
        return sum(message.role == "user" for message in self.messages)

    @property
    def search_text(self) -> str:
        """The question, with the one before it where it is too short to stand alone."""
        asked = [message.content for message in self.messages if message.role == "user"]
        alone = len(asked) < 2 or len(content_words(asked[-1])) >= FOLLOW_UP_WORDS
        return asked[-1] if alone else f"{asked[-2]} {asked[-1]}"


async def answer(shop: Shop, ask: Ask) -> AsyncGenerator[Event, None]:
    """The events of one turn. It is recorded when they end, also where the shopper leaves before."""
    turn = _new_turn(shop.record, ask)
    try:
        async with aclosing(_Conversation(shop, ask, turn).events()) as events:
            async for event in events:
                turn.first_event_ms = turn.first_event_ms or max(1, now_ms() - turn.at)
                if event[0] == "token":
                    turn.answer += event[1]["text"]
                yield event
    finally:
        turn.total_ms = now_ms() - turn.at
        turn.answer = turn.answer.strip()
        shop.env.DEFER(telemetry.record(shop.env, turn))


def _new_turn(record: DomainRecord, ask: Ask) -> Turn:
    at = now_ms()
    return Turn(
        id=uuid7(at), tenant_id=record.tenant.id, conversation_id=ask.conversation, turn_no=ask.turn_no, at=at,
        question=ask.question, embedding_model=record.config.embedding_model, lang=ask.lang or record.config.locale,
    )  # fmt: skip


@dataclasses.dataclass
class _Conversation:
    shop: Shop
    ask: Ask
    turn: Turn

    def __post_init__(self) -> None:
        self.record, self.env = self.shop.record, self.shop.env
        self.settings: ChatSettings = self.record.config.chat
        tag = (self.ask.lang or self.record.config.locale).split("-")[0].lower()
        self.language = tag if tag in LANGUAGES else Messages(self.record.config.locale).language
        self.words = Messages(self.language)
        self._limits = constraints_of(self.ask.question, self.record.config.currency)

    async def events(self) -> AsyncGenerator[Event, None]:
        if is_refused(self.ask.question, self.settings.refused_topics):
            async for event in self._plainly("refused", f"{self._say('refused')} {self._contact()}"):
                yield event
            return
        try:
            day, hits = await self._look_up()
        except SearchError as error:
            log.warning("the chat can't search: %s", error)
            async for event in self._searched("search_only", "search_down"):
                yield event
            return
        if is_over(day, self.settings):
            async for event in self._searched("over_budget", "over_budget"):
                yield event
            return
        async for event in self._with_hits(hits):
            yield event

    async def _look_up(self) -> tuple[DayUsage, list[Hit]]:
        """What the day has cost and what the shop knows, at once: neither waits for the other."""
        found: dict[str, Any] = {}

        async def usage() -> None:
            found["day"] = await usage_today(self.env, self.record.tenant.id, self.turn.at)

        async def hits() -> None:
            try:
                found["hits"] = await find(self.env, self.record, self.ask.search_text, wide=self._limits.any)
            except SearchError as error:
                found["error"] = error

        async with anyio.create_task_group() as group:
            group.start_soon(usage)
            group.start_soon(hits)
        if "error" in found:
            raise found["error"]
        return found["day"], found["hits"]

    async def _with_hits(self, hits: list[Hit]) -> AsyncGenerator[Event, None]:
        threshold = threshold_of(self.record)
        ids = [hit.passage.source_id for hit in hits if hit.passage.source_kind == "product"]
        live = await live_products(self.env, self.record, ids)
        self._limits = self._limits.about(self.ask.question, [*live.values()])
        known = bool(hits) and max(hit.relevance for hit in hits) >= threshold.answer
        limits = self._limits
        relevant = relevant_hits(hits, threshold) if known else []
        if limits.limits_price and not any(_fits(hit, live, limits) for hit in relevant):
            relevant = [*relevant, *(hit for hit in hits if _fits(hit, live, limits))]
        sources = numbered(relevant, live, limits)
        if not sources:
            async for event in self._unknown(numbered(hits[:6], live, limits)):
                yield event
            return
        self.turn.sources = [source.trace() for source in sources]
        yield "sources", [source.event() for source in sources]
        async for event in self._answered(sources):
            yield event

    async def _answered(self, sources: tuple[Source, ...]) -> AsyncGenerator[Event, None]:
        facts, usage = self._facts(sources), Usage()
        self.turn.model = self.settings.model or variable(self.env, "CHAT_MODEL") or MODEL
        prompt = assemble(self.record, sources, self.ask.messages, nonce=secrets.token_hex(6), words=self.words)
        self.turn.tokens_in = sum(tokens_of(message["content"]) for message in prompt)
        guard, said = Guard(facts), ""
        try:
            async with aclosing(self._checked(guard, prompt, usage)) as checked:
                async for text in checked:
                    said += text
                    yield "token", {"text": text}
        except BindingError as error:
            log.warning("the text model fails: %s", error)
            self.turn.reason = "model_down"
        finally:
            self.turn.tokens_in = usage.tokens_in or self.turn.tokens_in
            self.turn.tokens_out = usage.tokens_out or self.turn.tokens_out
        if guard.changed:
            log.warning("the guard changed %d sentences of turn %s", guard.changed, self.turn.id)
        if not said.strip():
            for text in self._without_model(facts):
                said += text
                yield "token", {"text": text}
        self.turn.answered = self.turn.reason == ""
        yield "products", [card_of(product) for product in _shown(said, sources)]
        yield "done", self._done(sources)

    async def _checked(self, guard: Guard, prompt: list[dict[str, str]], usage: Usage) -> AsyncGenerator[str, None]:
        """The model's sentences as they may be shown, each as soon as it is whole."""
        inputs = {"messages": prompt, "max_tokens": MAX_ANSWER_TOKENS, "temperature": 0.2} | _quirks(self.turn.model)
        rest = written = ""
        async with self.env.AI.stream(self.turn.model, inputs) as stream:
            async for piece in pieces(stream, usage):
                written += piece
                self.turn.tokens_out = tokens_of(written)
                whole, rest = sentences_of(rest + piece)
                for sentence in whole:
                    if text := guard.check(sentence):
                        yield text
                if len(written) > MAX_ANSWER:
                    break
        if text := guard.check(rest):
            yield text

    def _without_model(self, facts: Facts) -> list[str]:
        start = [self._say("model_down") + " "] if self.turn.reason else []
        return [*start, *fallback(facts)]

    async def _unknown(self, near: tuple[Source, ...]) -> AsyncGenerator[Event, None]:
        """Says so, offers the closest thing and the shop's contact."""
        self.turn.sources = [source.trace() for source in near[:3]]
        limited = self._limits.limits_price
        near = near[:2]
        if near:
            yield "sources", [source.event() for source in near]
        parts = [self._say("none_fits" if limited and not near else "unknown")]
        if near:
            parts.append(self._say("closest", titles="; ".join(f"{source.title} [{source.n}]" for source in near)))
        async for event in self._plainly("no_passage", " ".join([*parts, self._contact()]), near):
            yield event

    async def _plainly(self, reason: str, text: str, near: tuple[Source, ...] = ()) -> AsyncIterator[Event]:
        self.turn.reason = reason
        if not near:
            yield "sources", []
        yield "token", {"text": text.strip()}
        yield "products", [card_of(source.product) for source in near if source.product][:MAX_CARDS]
        yield "done", self._done(near)

    async def _searched(self, reason: str, key: str) -> AsyncIterator[Event]:
        """Search results in place of an answer."""
        results = await search(self.env, self.record, self.ask.question, limit=MAX_CARDS)
        self.turn.reason = reason
        products = [one for one in results.products if isinstance(one, Product)]
        text = self._say(key if products or key == "search_down" else f"{key}_none")
        yield (
            "sources",
            [
                {"n": n, "title": product.title, "url": f"/products/{product.slug}", "kind": "product"}
                for n, product in enumerate(products, start=1)
            ],
        )
        yield "token", {"text": f"{text} {self._contact()}".strip() if not products else text}
        yield "products", [card_of(product) for product in products]
        yield "done", self._done(())

    def _done(self, sources: Sequence[Source]) -> dict[str, Any]:
        return {
            "turn": self.turn.id,
            "answered": self.turn.answered,
            "reason": self.turn.reason,
            "model": self.turn.model,
            "follow_ups": self._follow_ups(sources),
            "usage": {"tokens_in": self.turn.tokens_in, "tokens_out": self.turn.tokens_out},
        }

    def _follow_ups(self, sources: Sequence[Source]) -> list[str]:
        """What may be asked next: the titles of sources that are questions, a like product, the merchant's own."""
        asked = {fold(message.content) for message in self.ask.messages}
        titles = [source.title for source in sources[1:] if source.title.endswith("?")]
        products = [source for source in sources if source.product][:1]
        like = [self._say("more_like", title=source.title) for source in products]
        offered = [*like, *titles, *self.settings.suggested_questions]
        return [one for one in dict.fromkeys(offered) if fold(one) not in asked][:3]

    def _facts(self, sources: tuple[Source, ...]) -> Facts:
        return Facts(
            sources=sources, question=self.ask.question, constraints=self._limits,
            currency=self.record.config.currency, locale=self.record.config.locale, words=self.words,
            shop_name=self.record.tenant.name, contact=f"{self._reachable()} {self._pages_contact()}",
            instructions=instructions(self.record), host=self.shop.origin.split("://", 1)[-1],
        )  # fmt: skip

    def _reachable(self) -> str:
        settings = self.settings
        page = absolute(self.shop.origin, safe_url(settings.contact_url))
        return ", ".join(filter(None, (settings.contact_email, settings.contact_phone, page)))

    def _pages_contact(self) -> str:
        """What the landing page says of how to reach the shop."""
        sections = [one for one in self.record.sections if isinstance(one, Contact)]
        return " ".join(f"{one.email} {one.phone} {one.address}" for one in sections)

    def _contact(self) -> str:
        reach = self._reachable()
        return self._say("contact", contact=reach) if reach else ""

    def _say(self, key: str, **values: object) -> str:
        return say(self.language, key, **values)


def is_over(day: DayUsage, settings: ChatSettings) -> bool:
    """Whether a shop's chat has spent its day."""
    return day.messages >= settings.daily_messages or day.tokens >= settings.daily_tokens


def is_refused(question: str, topics: Sequence[str]) -> bool:
    """Whether every content word of one of the refused topics is in the question, in some form."""
    return any(coverage(content_words(one), question) >= 1 for one in topics)


def card_of(product: Product) -> dict[str, Any]:
    """A product as a card of the chat and of search shows it: the live record's values, prices in minor units."""
    return {
        "id": product.id, "slug": product.slug, "title": product.title, "price": product.price,
        "currency": product.currency, "compare_at_price": product.compareAtPrice,
        "image_url": safe_image(product.imageUrl), "image_alt": product.imageAlt, "available": product.available,
        "stock": product.stock,
    }  # fmt: skip


def _quirks(model: str) -> dict[str, Any]:
    """A reasoning model would think for seconds before its first word: these take a switch for it."""
    thinks = ("/gemma-4", "/glm-4", "/qwen3")
    return {"chat_template_kwargs": {"enable_thinking": False}} if any(name in model for name in thinks) else {}


def _fits(hit: Hit, live: dict[str, Product], limits: Constraints) -> bool:
    product = live.get(hit.passage.source_id)
    return hit.passage.source_kind == "product" and product is not None and limits.admits(product)


def _shown(said: str, sources: Sequence[Source]) -> list[Product]:
    """The products that the answer names or cites; where it does neither, those among the first sources."""
    products = [source.product for source in sources if source.product]
    named = {one.product.id for one in mentions(said, products)}
    cited = [source.product for source in sources if source.product and f"[{source.n}]" in said]
    chosen = [product for product in products if product.id in named or product in cited]
    first = [source.product for source in sources[:2] if source.product]
    return (chosen or first)[:MAX_CARDS]
