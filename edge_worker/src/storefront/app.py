"""The storefront as an ASGI app. `scope["env"]` holds the bindings (see bindings.py).

Endpoints are coroutines only: a plain function would run in a thread, and the Worker has none.
When a store is away, a page says so and shows what the record still knows: status 200 where that is true and
useful (a card's price is published with the record), 503 where nothing is left to show.
"""

import dataclasses
import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Any
from urllib.parse import quote, urlencode

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from storefront import chat_api, pages, reports
from storefront.assets import BUILD
from storefront.bindings import BindingError
from storefront.catalog import SORTS, Catalog, CatalogError, Listing, from_card, record_cards
from storefront.documents import DocumentError, DomainRecord, Product, draft_key, redirect_key
from storefront.hosts import MovedError, NoShopError, Shop, shop_of
from storefront.responses import REVALIDATE, Guard, neutral_page, shop_message, shop_page
from storefront.search import question_of, search, similar_ids
from storefront.serving import Other, by_revision, with_products

MAX_PAGE = 500

PLAIN = {"page": 1, "sort": "position", "tag": "", "in_stock": False}
"""The choices of a list that nobody chose anything of."""

log = logging.getLogger("storefront")


async def landing(request: Request) -> Response:
    shop = await shop_of(request)
    return await by_revision(request, shop, "/", lambda: pages.landing(shop.record, origin=shop.origin))


async def product_list(request: Request) -> Response:
    shop = await shop_of(request)
    choices = _choices(request.query_params)
    chosen = {name: str(value) for name, value in choices.items() if value != PLAIN[name]}

    async def made() -> str:
        # A list of everything is one page to keep; of choices there are as many as somebody likes to think up.
        if chosen and not await chat_api.may_search(request):
            raise Other(shop_message(shop, "too_many", 429))
        listing = await Catalog.of(shop.env, shop.record).listing(**choices)
        return pages.product_list(shop.record, origin=shop.origin, listing=listing)

    try:
        return await with_products(request, shop, "/products" + (f"?{urlencode(chosen)}" if chosen else ""), made)
    except CatalogError as error:
        log.warning("the product list shows cards from the record: %s", error)
        return _list_from_record(shop)


async def product(request: Request) -> Response:
    shop = await shop_of(request)
    slug = request.path_params["slug"]
    path = f"/products/{quote(slug, safe='')}"

    async def made() -> str:
        item, similar = await Catalog.of(shop.env, shop.record).with_others(slug, await similar_ids(shop, slug))
        if item is None:
            raise Other(await _renamed(shop, f"/products/{slug}"))
        return pages.product(shop.record, origin=shop.origin, item=item, similar=similar)

    try:
        return await with_products(request, shop, path, made)
    except CatalogError as error:
        log.warning("a product page shows its card from the record: %s", error)
        return _product_from_record(shop, slug)


async def _renamed(shop: Shop, path: str) -> Response:
    """301 to where a renamed page is now; 404 where none was renamed. Only a miss costs this second KV read."""
    try:
        target = await shop.env.KV.get(redirect_key(shop.record.tenant.id, path))
    except BindingError as error:
        log.warning("no look at former addresses: %s", error)
        target = None
    if not target or not target.startswith("/") or target.startswith("//"):
        raise HTTPException(404)
    return RedirectResponse(quote(target), 301, headers={"cache-control": "public, max-age=300"})


async def preview(request: Request) -> Response:
    """A shared draft of this host's shop, as its link names it: never stored, never indexed, no ETag."""
    shop = await shop_of(request)
    try:
        value = await shop.env.KV.get(draft_key(request.path_params["token"]))
        record = DomainRecord.from_json(value) if value else None
    except (BindingError, DocumentError) as error:
        log.error("a shared draft can't be read: %s", error)
        return shop_message(shop, "failed", 503)
    if record is None or record.tenant.id != shop.record.tenant.id:
        raise HTTPException(404)
    draft = dataclasses.replace(shop, record=record)
    response = shop_page(draft, pages.landing(record, origin=shop.origin))
    response.headers["x-robots-tag"] = "noindex"
    response.headers["referrer-policy"] = "no-referrer"  # the address is the key
    return response


async def search_page(request: Request) -> Response:
    shop = await shop_of(request)
    chosen = chat_api.chosen_filters(request.query_params, shop.record.config.currency)
    question = question_of(request.query_params.get("q", ""))
    if question and not await chat_api.may_search(request):
        return shop_message(shop, "too_many", 429)
    results = await search(shop.env, shop.record, question, chosen=chosen)
    return shop_page(shop, pages.search(shop.record, origin=shop.origin, results=results))


async def cart_page(request: Request) -> Response:
    shop = await shop_of(request)
    return await by_revision(request, shop, "/cart", lambda: pages.cart(shop.record, origin=shop.origin))


async def robots(request: Request) -> Response:
    shop = await shop_of(request)
    away = "Disallow: /search\nDisallow: /cart\nDisallow: /report\nDisallow: /preview/\n"
    text = f"User-agent: *\n{away}\nSitemap: {shop.origin}/sitemap.xml\n"
    return PlainTextResponse(text, headers={"cache-control": REVALIDATE})


async def sitemap(request: Request) -> Response:
    """503 while Instant is away and none is kept: a short sitemap would tell crawlers that the products are gone."""
    shop = await shop_of(request)

    async def made() -> str:
        return _sitemap(shop, await Catalog.of(shop.env, shop.record).for_sitemap())

    try:
        return await with_products(request, shop, "/sitemap.xml", made, media_type="application/xml")
    except CatalogError as error:
        log.warning("no sitemap: %s", error)
        return shop_message(shop, "catalog_unavailable", 503)


def _sitemap(shop: Shop, products: Sequence[Product]) -> str:
    urls = [f"<url><loc>{_xml(shop.origin + path)}</loc></url>" for path in ("/", "/products")]
    urls += [_sitemap_entry(shop.origin, item) for item in products]
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
        + "\n".join(urls)
        + "\n</urlset>\n"
    )


async def healthz(_request: Request) -> Response:
    """Says that this build answers; asks no store, so that a store's outage does not restart the Worker."""
    return PlainTextResponse(f"ok {BUILD}\n", headers={"cache-control": "no-store"})


def _choices(query: Mapping[str, str]) -> dict[str, Any]:
    """What a list was asked for; whatever is not understood falls back to the first page in the shop's order."""
    page, sort = query.get("page", ""), query.get("sort", "")
    return {
        "page": min(max(int(page), 1), MAX_PAGE)
        if page.isascii() and page.isdigit() and len(page) < 6
        else PLAIN["page"],
        "sort": sort if sort in SORTS else PLAIN["sort"],
        "tag": query.get("tag", "").strip()[:60],
        "in_stock": query.get("in_stock") == "1",
    }


def _list_from_record(shop: Shop) -> Response:
    cards = tuple(from_card(card, shop.record) for card in record_cards(shop.record).values())
    if not cards:
        return shop_message(shop, "catalog_unavailable", 503)
    html = pages.product_list(shop.record, origin=shop.origin, listing=Listing(products=cards), live=False)
    return shop_page(shop, html)


def _product_from_record(shop: Shop, slug: str) -> Response:
    card = next((card for card in record_cards(shop.record).values() if card.slug == slug), None)
    if card is None:
        return shop_message(shop, "product_unavailable", 503)
    item = from_card(card, shop.record)
    return shop_page(shop, pages.product(shop.record, origin=shop.origin, item=item, live=False))


def _xml(text: str) -> str:
    return escape(text, quote=False)


def _sitemap_entry(origin: str, item: Product) -> str:
    changed = ""
    if item.updatedAt > 0:  # milliseconds since 1970, as Instant's own times
        changed = f"<lastmod>{datetime.fromtimestamp(item.updatedAt / 1000, UTC):%Y-%m-%d}</lastmod>"
    return f"<url><loc>{_xml(origin)}/products/{quote(item.slug, safe='')}</loc>{changed}</url>"


async def _no_shop(request: Request, error: Exception) -> Response:
    assert isinstance(error, NoShopError)
    return neutral_page(request, error.kind, error.status)


async def _moved(_request: Request, error: Exception) -> Response:
    """308 keeps the method. Cached for minutes only: a merchant may choose another primary host."""
    assert isinstance(error, MovedError)
    return RedirectResponse(error.url, 308, {"cache-control": "public, max-age=300"})


async def _http_error(request: Request, error: Exception) -> Response:
    """404 and 405 in the shop's own clothes, where there is a shop."""
    assert isinstance(error, HTTPException)
    kind = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "failed")
    try:
        shop = await shop_of(request)
    except MovedError as moved:
        return await _moved(request, moved)
    except NoShopError as missing:
        return neutral_page(request, missing.kind, missing.status)
    response = shop_message(shop, kind, error.status_code)
    response.headers.update(error.headers or {})
    return response


def build() -> Starlette:
    """The ASGI app; holds nothing of any tenant."""
    return Starlette(
        routes=[
            Route("/", landing),
            Route("/products", product_list),
            Route("/products/{slug}", product),
            Route("/search", search_page),
            Route("/cart", cart_page),
            Route("/report", reports.report, methods=["GET", "POST"]),
            Route("/report/thanks", reports.thanks),
            Route("/api/search", chat_api.search_api),
            Route("/api/chat", chat_api.chat, methods=["POST"]),
            Route("/api/chat/rating", chat_api.rating, methods=["POST"]),
            Route("/preview/{token}", preview),
            Route("/robots.txt", robots),
            Route("/sitemap.xml", sitemap),
            Route("/healthz", healthz),
        ],
        middleware=[Middleware(Guard)],
        exception_handlers={NoShopError: _no_shop, MovedError: _moved, HTTPException: _http_error},
    )


app = build()
