"""The chat's and the search's HTTP, for the storefront's own pages. All of it is of the shop whose host was asked.

POST /api/chat
    JSON {"conversation": UUID, "messages": [{"role": "user" | "assistant", "content": str}, …], "lang": "de"?}
    The last message is the shopper's question (≤ 1,000 characters); at most 20 of them; the body ≤ 64 KB.
    → 200 text/event-stream. Each event has a name and one line of JSON; in this order:
      sources   [{"n": 1, "title": str, "url": "/…" or "", "kind": "product" | "knowledge"}, …]   once, may be []
      token     {"text": str}                     many; plain text, never mark-up; cites as [1], [2]
      products  [{"id", "slug", "title", "price", "currency", "compare_at_price" | null, "image_url", "image_alt",
                  "available", "stock" | null}, …]   once; prices in minor units, as they are now; at most 4
      done      {"turn": UUID, "answered": bool, "reason": str, "model": str, "follow_ups": [str, …],
                 "usage": {"tokens_in": int, "tokens_out": int}}   the last event
      error     {"code": "failed", "message": str}   in place of what is missing, and then the stream ends
    reason is "" or no_passage, refused, over_budget, model_down (an answer without the text model) or search_only (the
    shop's knowledge can't be searched; products match by name).
    → else JSON {"code", "message"}: 400 malformed, 403 foreign_page, 404 chat_off, 409 too_many_turns, 413 too_large,
      415 not_json, 429 too_many (with Retry-After).
POST /api/chat/rating   JSON {"turn": UUID, "value": 1 | -1}   → 204; the last value counts.
GET /api/search?q=&max_price=&in_stock=1&tag=&limit=
    max_price in whole units of the shop's currency ("80", "79.50"), limit 1 to 24.
    → 200 JSON {"query": str, "products": [as above], "answers": [{"title", "text", "url", "kind"}, …],
      "suggestions": [as products], "tags": [str, …], "degraded": bool}.
      degraded: meaning could not be searched, products match by name. suggestions: where nothing was found.
"""

import json
import logging
import re
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from decimal import Decimal, InvalidOperation
from ipaddress import ip_network
from typing import Any

import anyio
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from storefront import telemetry
from storefront.bindings import BindingError, RateLimiter
from storefront.catalog import from_card
from storefront.chat import Ask, Event, answer, card_of
from storefront.constraints import Constraints
from storefront.documents import DomainRecord, Product, decimals
from storefront.hosts import Shop, shop_of
from storefront.prompt import Message
from storefront.search import MAX_PRODUCTS, Results, question_of, search
from storefront.sources import own_url

MAX_BODY = 65_536
MAX_MESSAGE = 1_000
MAX_REPLY = 8_000
"""Characters of a shopper's message, and of an answer that comes back as history."""
MAX_TURNS = 20
RETRY_AFTER = "60"
"""Seconds: the limiters' window."""

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")

log = logging.getLogger("storefront")


class RequestError(Exception):
    """A request that is not served: `code` for programs, the message for people."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


async def chat(request: Request) -> Response:
    try:
        shop = await shop_of(request)
        if not shop.record.config.chat.enabled:
            raise RequestError(404, "chat_off", "This shop has no chat.")
        data = await _json_of(request)
        await _within_limits(request, shop)
        return EventStream(_told(answer(shop, ask_of(data))))
    except RequestError as error:
        return _refusal(error)


async def rating(request: Request) -> Response:
    try:
        shop = await shop_of(request)
        data = await _json_of(request)
        turn, value = _uuid(data.get("turn"), "turn"), data.get("value")
        if value not in (1, -1) or isinstance(value, bool):
            raise RequestError(400, "malformed", "value must be 1 or -1.")
        await _within(shop.env.VISITOR_LIMITER, f"rating:{visitor_of(request)}")
        shop.env.DEFER(telemetry.rate(shop.env, shop.record.tenant.id, turn, int(value)))
    except RequestError as error:
        return _refusal(error)
    return Response(status_code=204, headers={"cache-control": "no-store"})


async def search_api(request: Request) -> Response:
    try:
        shop = await shop_of(request)
        await _within(shop.env.SEARCH_LIMITER, visitor_of(request))
        chosen = chosen_filters(request.query_params, shop.record.config.currency)
        limit = _limit_of(request.query_params.get("limit", ""))
        question = question_of(request.query_params.get("q", ""))
        results = await search(shop.env, shop.record, question, chosen=chosen, limit=limit)
    except RequestError as error:
        return _refusal(error)
    return JSONResponse(_results(results, shop.record), headers={"cache-control": "no-store"})


def ask_of(data: Mapping[str, Any]) -> Ask:
    """Raises RequestError with a sentence that says what is wrong."""
    messages, lang = data.get("messages"), data.get("lang") or ""
    if not isinstance(messages, list) or not messages:
        raise RequestError(400, "malformed", "messages must be a list that ends with the shopper's question.")
    asked = tuple(_message(one) for one in messages)
    if asked[-1].role != "user" or not asked[-1].content:
        raise RequestError(400, "malformed", "The last message must be the shopper's question.")
    if sum(one.role == "user" for one in asked) > MAX_TURNS or len(asked) > 2 * MAX_TURNS:
        raise RequestError(409, "too_many_turns", "This conversation has become long. Please start a new one.")
    if not isinstance(lang, str) or (lang and not _LANGUAGE.fullmatch(lang)):
        raise RequestError(400, "malformed", "lang must be a language tag, such as de or en-GB.")
    return Ask(conversation=_uuid(data.get("conversation"), "conversation"), messages=asked, lang=lang)


def _message(value: Any) -> Message:
    role, content = (value.get("role"), value.get("content")) if isinstance(value, dict) else (None, None)
    if role not in ("user", "assistant") or not isinstance(content, str):
        raise RequestError(400, "malformed", "A message needs a role, user or assistant, and content.")
    content = plain(content)
    if len(content) > (MAX_MESSAGE if role == "user" else MAX_REPLY):
        raise RequestError(413, "too_large", f"Please keep a message under {MAX_MESSAGE:,} characters.")
    return Message(role=role, content=content)


def plain(text: str) -> str:
    """Without what can't be printed, which is no part of a question or a report."""
    return "".join(c if c.isprintable() or c == "\n" else " " for c in text).strip()


def is_from_here(request: Request) -> bool:
    """Whether a browser says that the shop's own page asks; what says nothing is no browser."""
    return request.headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")


async def body_of(request: Request, most: int) -> bytes:
    """Counted while it is read, so that a lie about its length does not help. Raises RequestError past `most` bytes."""
    too_large = RequestError(413, "too_large", "That is too long.")
    length = request.headers.get("content-length", "0")
    if not length.isdigit() or int(length) > most:
        raise too_large
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise too_large
    return bytes(body)


async def _json_of(request: Request) -> dict[str, Any]:
    """The body's object."""
    if not is_from_here(request):
        raise RequestError(403, "foreign_page", "This can only be used from the shop's own pages.")
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
        raise RequestError(415, "not_json", "Please send application/json.")
    body = await body_of(request, MAX_BODY)
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        raise RequestError(400, "malformed", "The body is not JSON.") from None
    if not isinstance(data, dict):
        raise RequestError(400, "malformed", "The body must be a JSON object.")
    return data


def _uuid(value: Any, name: str) -> str:
    try:
        return str(uuid.UUID(value))
    except (ValueError, AttributeError, TypeError):
        raise RequestError(400, "malformed", f"{name} must be a UUID.") from None


async def _within_limits(request: Request, shop: Shop) -> None:
    await _within(shop.env.VISITOR_LIMITER, visitor_of(request))
    await _within(shop.env.SHOP_LIMITER, shop.record.tenant.id)


async def may_search(request: Request) -> bool:
    """Counts a search of this visitor; False where it has had its share."""
    return await is_within(request.scope["env"].SEARCH_LIMITER, visitor_of(request))


async def is_within(limiter: RateLimiter, key: str) -> bool:
    """Counts one more of `key`; a limiter that is away limits nobody."""
    try:
        return await limiter.limit(key)
    except BindingError as error:
        log.warning("no rate limit is applied: %s", error)
        return True


async def _within(limiter: RateLimiter, key: str) -> None:
    if not await is_within(limiter, key):
        raise RequestError(429, "too_many", "That was a lot at once. Please wait a minute and try again.")


def visitor_of(request: Request) -> str:
    """The visitor's address as Cloudflare sets it; an IPv6 one by its /64, which is one household's."""
    address = request.headers.get("cf-connecting-ip", "") or (request.client.host if request.client else "")
    try:
        return str(ip_network(f"{address}/64", strict=False)) if ":" in address else address
    except ValueError:
        return address


def chosen_filters(query: Mapping[str, str], currency: str) -> Constraints:
    """The filters of a search; what is not understood is no filter."""
    try:
        most = Decimal(query.get("max_price", "").strip().replace(",", ".") or "NaN")
        minor = int(most * 10 ** decimals(currency)) if most.is_finite() and 0 <= most < 10**9 else None
    except InvalidOperation:
        minor = None
    return Constraints(most=minor, in_stock=query.get("in_stock") == "1", tag=query.get("tag", "").strip()[:60])


def _limit_of(text: str) -> int:
    return min(max(int(text), 1), MAX_PRODUCTS) if text.isascii() and text.isdigit() and len(text) < 4 else MAX_PRODUCTS


def _results(results: Results, record: DomainRecord) -> dict[str, Any]:
    def cards(found: Any) -> list[dict[str, Any]]:
        return [card_of(one if isinstance(one, Product) else from_card(one, record)) for one in found]

    answers = [
        {"title": one.title, "text": one.body[:400], "url": own_url(one.url), "kind": one.source_kind}
        for one in results.answers
    ]
    return {
        "query": results.question, "products": cards(results.products), "answers": answers,
        "suggestions": cards(results.suggestions), "tags": list(results.tags), "degraded": results.degraded,
    }  # fmt: skip


def _refusal(error: RequestError) -> Response:
    headers = {"cache-control": "no-store"} | ({"retry-after": RETRY_AFTER} if error.status == 429 else {})
    return JSONResponse({"code": error.code, "message": error.message}, error.status, headers)


async def _told(events: AsyncGenerator[Event, None]) -> AsyncGenerator[bytes, None]:
    """Events on the wire; one that fails half-way says so, since the status is long sent."""
    async with aclosing(events):
        try:
            async for name, value in events:
                yield _frame(name, value)
        except Exception:
            log.exception("a chat turn failed")
            yield _frame("error", {"code": "failed", "message": "Something went wrong. Please try again."})


def _frame(name: str, value: Any) -> bytes:
    return f"event: {name}\ndata: {json.dumps(value, ensure_ascii=False, separators=(',', ':'))}\n\n".encode()


class EventStream(Response):
    """Server-sent events. When the client goes, the generator is closed at once, and with it the model's call."""

    media_type = "text/event-stream"

    def __init__(self, frames: AsyncGenerator[bytes, None]) -> None:
        self._frames = frames
        self.status_code = 200
        self.background = None
        self.init_headers({"cache-control": "no-store", "x-accel-buffering": "no", "x-content-type-options": "nosniff"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with anyio.create_task_group() as group:

            async def until_gone() -> None:
                while (await receive())["type"] != "http.disconnect":
                    pass
                group.cancel_scope.cancel()

            group.start_soon(until_gone)
            async with aclosing(self._frames) as frames:
                await self._send_all(frames, send)
            group.cancel_scope.cancel()

    async def _send_all(self, frames: AsyncIterator[bytes], send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        async for frame in frames:
            await send({"type": "http.response.body", "body": frame, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
