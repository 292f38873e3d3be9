"""Record → HTML. Jinja2 and the contract only, so that Django's live preview renders with this very code.

Every function returns a whole document. `origin` is the shop's public address without a trailing slash
("https://shop.example"); canonical links, Open Graph and JSON-LD are built on it.
"""

import dataclasses
import functools
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup, escape

from storefront import browser_page, richtext, structured_data, theme
from storefront.assets import BUNDLE, STYLESHEET, TEMPLATES
from storefront.catalog import SORTS, Listing, record_cards
from storefront.documents import DomainRecord, Product, Theme, decimal_string, format_money
from storefront.links import absolute, safe_image, safe_url, srcset
from storefront.messages import Messages, direction
from storefront.messages_report import REASONS
from storefront.search import Results
from storefront.sections import AnnouncementBar, Contact, Hero, ProductCard, Section

LOW_STOCK = 5


@dataclasses.dataclass(frozen=True, kw_only=True)
class Meta:
    """What goes into `<head>`. `path` is the canonical path, "" for a page that has none."""

    title: str
    description: str = ""
    path: str = ""
    image: str = ""
    kind: str = "website"
    index: bool = True
    structured: tuple[dict[str, Any], ...] = ()


def unmarked(_section: Section) -> str:
    return ""


def landing(record: DomainRecord, *, origin: str, mark: Callable[[Section], str] = unmarked) -> str:
    """The landing page: everything on it comes from the record.

    `mark` may put something in front of each section, for an editor that must find it again; the edge marks nothing.
    """
    sections = [s for s in record.sections if not isinstance(s, AnnouncementBar)]
    meta = Meta(
        title=record.seo.title or record.tenant.name,
        description=record.seo.description,
        path="/",
        image=record.seo.image_url,
        index=not record.seo.noindex,
        structured=(structured_data.store(record, origin),),
    )
    first_hero = next((s for s in sections if isinstance(s, Hero)), None)
    return _render("landing.html", record, origin, meta, sections=sections, first_hero=first_hero, mark=mark)


def product_list(record: DomainRecord, *, origin: str, listing: Listing, live: bool = True) -> str:
    """A page of products; `live` False says that it is only what the record carries."""
    words = Messages(record.config.locale)
    title = words("tagged", tag=listing.tag) if listing.tag else words("all_products")
    path = "/products" if listing.page == 1 else f"/products?page={listing.page}"
    meta = Meta(
        title=f"{title} – {record.tenant.name}",
        description=record.seo.description,
        path=path,
        image=record.seo.image_url,
        index=live and not listing.is_filtered and listing.sort == "position" and bool(listing.products),
        structured=(_breadcrumbs(record, origin, (words("all_products"), "/products")),),
    )
    tags = dict.fromkeys(tag for product in listing.products for tag in product.tags)
    return _render(
        "products.html", record, origin, meta, listing=listing, live=live, heading=title, sorts=tuple(SORTS),
        tags=tuple(tags)[:16], link=functools.partial(_listing_link, listing),
    )  # fmt: skip


def product(
    record: DomainRecord, *, origin: str, item: Product, live: bool = True, similar: Sequence[Product] = ()
) -> str:
    """A product's page; `live` False says that Instant was away and only the record's card is known. Without
    `similar` products it shows others of the front page."""
    path = f"/products/{quote(item.slug, safe='')}"
    text = plain_text(item.descriptionHtml)
    trail = ((Messages(record.config.locale)("all_products"), "/products"), (item.title, path))
    meta = Meta(
        title=f"{item.title} – {record.tenant.name}",
        description=shorten(text, 160) or item.title,
        path=path,
        image=item.imageUrl,
        kind="product",
        structured=(
            structured_data.product(item, record, origin, origin + path, shorten(text, 4000)),
            _breadcrumbs(record, origin, *trail),
        ),
    )
    others = [card for card in record_cards(record).values() if card.id != item.id]
    related = similar or others[:4]
    return _render(
        "product.html", record, origin, meta, product=item, live=live, related=related, is_similar=bool(similar)
    )


def search(record: DomainRecord, *, origin: str, results: Results) -> str:
    """The search form and, where a question was asked, what was found."""
    words = Messages(record.config.locale)
    heading = words("results_for", question=results.question) if results.question else words("search_title")
    meta = Meta(title=f"{heading} – {record.tenant.name}", path="/search", index=False)
    chosen = results.chosen
    most = decimal_string(chosen.most, record.config.currency) if chosen.most is not None else ""
    return _render(
        "search.html", record, origin, meta, results=results, most=most, currency=record.config.currency,
        link=functools.partial(_search_link, results.question, most, chosen.in_stock),
    )  # fmt: skip


def cart(record: DomainRecord, *, origin: str) -> str:
    """The cart's page. What is in a cart only the shopper's browser knows, which fills it in."""
    words = Messages(record.config.locale)
    meta = Meta(title=f"{words('cart')} – {record.tenant.name}", path="/cart", index=False)
    return _render("cart.html", record, origin, meta)


def report(
    record: DomainRecord, *, origin: str, form: Any, notice: str = "", problems: Mapping[str, str] | None = None
) -> str:
    """The form by which a shopper reports a page (storefront.reports); `problems` by field."""
    meta = Meta(
        title=f"{Messages(record.config.locale)('report_title')} – {record.tenant.name}", path="/report", index=False
    )
    return _render(
        "report.html", record, origin, meta, form=form, notice=notice, problems=problems or {}, reasons=REASONS
    )


def message(record: DomainRecord, *, origin: str, kind: str, request_id: str = "") -> str:
    """A page in the shop's own clothes that says what is wrong: `kind` and `{kind}_text` are messages."""
    words = Messages(record.config.locale)
    meta = Meta(title=f"{words(kind)} – {record.tenant.name}", index=False)
    return _render("message.html", record, origin, meta, kind=kind, request_id=request_id)


def neutral(kind: str, *, language: str = "en", request_id: str = "") -> str:
    """The same without any shop: no name, no content, the default theme."""
    values = {"t": Messages(language), "kind": kind, "request_id": request_id, "stylesheet": STYLESHEET}
    css = Markup(style(None))  # noqa: S704 - built from numbers and constants
    return _environment().get_template("neutral.html").render(values | {"style": css})


def style(record: DomainRecord | None) -> str:
    """The text of the page's inline style element, whose hash the Content-Security-Policy must name."""
    return theme.stylesheet(record.theme if record else Theme())


def plain_text(html: str) -> str:
    """Rich text without its mark-up, on one line."""
    spaced = Markup(re.sub(r"<(/p|/li|/h\d|br)\b", r" <\1", html))  # noqa: S704 - only to strip its tags
    return " ".join(spaced.striptags().split())


def shorten(text: str, length: int) -> str:
    """At most `length` characters, cut between words."""
    if len(text) <= length:
        return text
    return text[: length - 1].rsplit(" ", 1)[0].rstrip(",;:– ") + "…"


def paragraphs(text: str) -> Markup:
    """A merchant's plain text: blank lines part paragraphs, single line ends are kept."""
    blocks = [block.strip() for block in re.split(r"\n\s*\n", text.replace("\r\n", "\n")) if block.strip()]
    lines = (Markup("<br>").join(escape(line) for line in block.split("\n")) for block in blocks)
    return Markup("").join(Markup("<p>{}</p>").format(block) for block in lines)


def gallery_layout(count: int) -> str:
    """The grid that `count` pictures fill without a hole (see .gallery in the style sheet)."""
    if count < 3:
        return "pair" if count == 2 else "single"
    if count % 3 == 0:
        return "feature"
    return {4: "quarters", 5: "quarters-feature", 8: "quarters", 11: "double"}.get(count, "wide")


def icon(letter: str, record: DomainRecord) -> str:
    """A favicon as a data address: the shop's initial on its accent."""
    accent = theme.parse(record.theme.accent, Theme().accent)
    ink = theme.text_of(theme.WHITE if theme.contrast(theme.WHITE, accent) >= 4.5 else theme.BLACK)
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" '
        f'fill="{theme.text_of(accent)}"/><text x="16" y="22.5" text-anchor="middle" font-size="19" font-weight="700" '
        f'font-family="system-ui,sans-serif" fill="{ink}">{escape(letter)}</text></svg>'
    )
    return "data:image/svg+xml," + quote(svg)


def _breadcrumbs(record: DomainRecord, origin: str, *trail: tuple[str, str]) -> dict[str, Any]:
    whole = [(record.tenant.name, "/"), *trail]
    return structured_data.breadcrumbs([(name, origin + path) for name, path in whole])


def _listing_link(listing: Listing, **changes: Any) -> str:
    """This list's address with some choices changed; a change of anything but the page goes back to page 1."""
    wanted = dataclasses.replace(listing, **({"page": 1} | changes))
    choices = {
        "tag": wanted.tag,
        "in_stock": "1" if wanted.in_stock else "",
        "sort": wanted.sort if wanted.sort != "position" else "",
        "page": wanted.page if wanted.page > 1 else "",
    }
    query = urlencode({name: value for name, value in choices.items() if value})
    return f"/products?{query}" if query else "/products"


def _search_link(question: str, most: str, in_stock: bool, tag: str) -> str:
    """These results with another tag, "" for none."""
    choices = {"q": question, "max_price": most, "in_stock": "1" if in_stock else "", "tag": tag}
    return f"/search?{urlencode({name: value for name, value in choices.items() if value})}"


def _stock_note(item: Product, words: Messages) -> str:
    if not item.available:
        return words("out_of_stock")
    if item.stock is not None and 0 < item.stock <= LOW_STOCK:
        return words("one_left") if item.stock == 1 else words("low_stock", count=item.stock)
    return words("in_stock")


def _shared(record: DomainRecord, origin: str, meta: Meta) -> dict[str, Any]:
    words = Messages(record.config.locale)
    config = record.config
    return {
        "record": record, "origin": origin, "meta": meta, "t": words, "stylesheet": STYLESHEET,
        "lang": config.locale.replace("_", "-"), "dir": direction(config.locale),
        "style": Markup(style(record)),  # noqa: S704 - built from numbers and constants
        "money": lambda amount, currency=config.currency: format_money(amount, currency, config.locale),
        "announcements": [s for s in record.sections if isinstance(s, AnnouncementBar)],
        "contact": next((s for s in record.sections if isinstance(s, Contact)), None),
        "canonical": origin + meta.path if meta.path else "",
        "image": absolute(origin, safe_image(meta.image)),
        "mark": unmarked, "logo": safe_image(record.theme.logo_url),
        "icon": safe_image(record.theme.favicon_url) or icon(record.tenant.name[:1].upper() or "•", record),
        "stock_note": lambda item: _stock_note(item, words),
        "bundle": BUNDLE, "page": browser_page.config(record),
    }  # fmt: skip


def compile_templates() -> None:
    """All of them, now: on Cloudflare they are then in the snapshot, and no request waits for one (docs/runtime.md)."""
    environment = _environment()
    for name in environment.list_templates():
        environment.get_template(name)


def _render(template: str, record: DomainRecord, origin: str, meta: Meta, **values: Any) -> str:
    return _environment().get_template(template).render(_shared(record, origin, meta) | values)


def _card(item: ProductCard | Product) -> ProductCard:
    return item.card if isinstance(item, Product) else item


def _sections_with_pictures(sections: Sequence[Section]) -> list[int]:
    return [i for i, s in enumerate(sections) if any(getattr(s, name, None) for name in ("image_url", "cards"))]


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=DictLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, auto_reload=False,
    )  # fmt: skip
    environment.filters |= {
        "safe_url": safe_url, "safe_image": safe_image, "rich": richtext.clean, "paragraphs": paragraphs,
        "json_ld": structured_data.script_text, "shorten": shorten, "card": _card, "gallery_layout": gallery_layout,
        "segment": lambda text: quote(text, safe=""), "mailbox": lambda text: quote(text, safe="@+"),
        "pictured": _sections_with_pictures, "srcset": srcset,
    }  # fmt: skip
    return environment
