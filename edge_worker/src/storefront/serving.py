"""A shop's page from what is kept, or made and kept: see kept.py for what is kept, under which key and how long."""

from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response

from storefront import kept
from storefront.assets import digest
from storefront.bindings import Kept
from storefront.catalog import CatalogError
from storefront.hosts import Shop
from storefront.responses import HTML, REVALIDATE, is_unchanged, not_modified, page_headers

Make = Callable[[], Awaitable[str]]
"""Makes the body. A Response in its place is raised as `Other`: it is sent as it is, and not kept."""


class Other(Exception):  # noqa: N818 - not an error: what is to be sent in place of a page
    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


def record_etag(shop: Shop) -> str:
    """Changes with the record, the build and its variables; "" for a record that has no revision."""
    return f'"{shop.record.revision}-{kept.variant(shop.env)}"' if shop.record.revision else ""


async def by_revision(request: Request, shop: Shop, path: str, make: Callable[[], str]) -> Response:
    """A page that the record alone decides."""
    etag = record_etag(shop)
    if is_unchanged(request, etag) and not shop.stale:
        return not_modified({"etag": etag, "cache-control": REVALIDATE, "x-storefront-revision": shop.record.revision})
    key = _key(shop, path)
    found = await kept.look(shop.env, key, within=kept.BY_REVISION) if etag else None
    if found is not None:
        if kept.age(found) > kept.CONFIRM:  # else the record is kept since less, and the page with it
            _keep(shop, {key: (_again(found), kept.BY_REVISION)})
        return _answer(request, shop, found, kept.BY_REVISION)
    page = _page(shop, make(), {"etag": etag} if etag else {})
    if etag:
        _keep(shop, {key: (page, kept.BY_REVISION)})
    return _answer(request, shop, page)


async def with_products(request: Request, shop: Shop, path: str, make: Make, *, media_type: str = HTML) -> Response:
    """A page with live products. Raises CatalogError where Instant is away and nothing is kept that may be shown."""
    key, last = _key(shop, path), kept.last_key(shop.host, shop.record.tenant.id, path)
    keeps = bool(shop.record.revision) and shop.settled
    found = await kept.look(shop.env, key, within=kept.FRESH) if keeps else None
    if found is not None:
        return _answer(request, shop, found, kept.FRESH)

    async def instead() -> Kept | None:
        """The last that was kept of this page, whatever the record's revision, but not from before the catalogue's
        last change: what the record's cards say is newer then."""
        old = await kept.look(shop.env, last, within=kept.STALE)
        return old if old and kept.kept_at(old) >= shop.record.catalog_changed_at else None

    try:
        made = await kept.or_kept(make(), instead, store="Instant", failures=(CatalogError, TimeoutError))
    except Other as other:
        return other.response
    if isinstance(made, kept.Instead):
        return _answer(request, shop, made.kept, kept.FRESH, why=made.why)
    page = _page(shop, made, {"etag": f'"{digest(made.encode())}"'}, media_type)
    if keeps:
        _keep(shop, {key: (page, kept.FRESH), last: (page, kept.STALE)})
    return _answer(request, shop, page)


def _key(shop: Shop, path: str) -> str:
    return kept.page_key(shop.host, path, revision=shop.record.revision, build=kept.variant(shop.env))


def _page(shop: Shop, text: str, more: Mapping[str, str], media_type: str = HTML) -> Kept:
    return kept.entry(text, **page_headers(shop), **{"content-type": media_type}, **more)


def _again(found: Kept) -> Kept:
    return kept.entry(found.text, **kept.headers_of(found))


def _keep(shop: Shop, pages: Mapping[str, tuple[Kept, int]]) -> None:
    """Pages, and with them the record that KV just gave: what to go by while KV is away."""
    if shop.stale:
        return  # KV has confirmed nothing
    kept.keep(shop.env, {**pages, kept.record_key(shop.host): (kept.entry(shop.value), kept.STALE)})


def _answer(request: Request, shop: Shop, page: Kept, within: float | None = None, why: str = "") -> Response:
    """The page, or 304. Without `within` it was made just now."""
    headers = kept.headers_of(page)
    why = ", ".join(filter(None, (shop.stale, why)))
    headers["cache-status"] = kept.status(page, within, why)
    if why:
        headers["cache-control"] = "no-store"
    elif is_unchanged(request, headers.get("etag", "")):
        names = ("etag", "cache-control", "x-storefront-revision", "cache-status")
        return not_modified({name: headers[name] for name in names if name in headers})
    return Response(page.text, headers=headers)
