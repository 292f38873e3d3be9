"""The demo shops are data that the seeder trusts: every promise it relies on is checked here."""

import json
import re
import tomllib
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest

DEMO = Path(__file__).parents[2] / "controlplane" / "demo"
SHOPS = {path.stem: tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted((DEMO / "shops").glob("*.toml"))}
SVGS = sorted((DEMO / "static").rglob("*.svg"))
TAGS = {"p", "h3", "ul", "ol", "li", "strong", "em", "a", "blockquote", "br"}
FIELDS = {
    "announcement_bar": {"text", "link_label", "link_url"},
    "hero": {
        "eyebrow",
        "heading",
        "text",
        "image_url",
        "image_alt",
        "button_label",
        "button_url",
        "secondary_label",
        "secondary_url",
        "layout",
    },
    "featured_products": {"heading", "text", "product_slugs"},
    "product_grid": {"heading", "tag", "limit", "sort"},
    "rich_text": {"heading", "body_html"},
    "image_with_text": {
        "heading",
        "body_html",
        "image_url",
        "image_alt",
        "image_side",
        "button_label",
        "button_url",
    },
    "gallery": {"heading", "images"},
    "testimonials": {"heading", "items"},
    "faq": {"heading", "items"},
    "logo_strip": {"heading", "logos"},
    "contact": {"heading", "text", "email", "phone", "address", "hours", "map_url"},
    "call_to_action": {"heading", "text", "button_label", "button_url"},
}
ITEMS = {  # kind: (list field, fields of each item, fewest, most)
    "gallery": ("images", {"image_url", "image_alt", "caption"}, 3, 8),
    "testimonials": ("items", {"quote", "author", "role"}, 2, 4),
    "faq": ("items", {"question", "answer"}, 3, 6),
    "logo_strip": ("logos", {"image_url", "image_alt", "url"}, 3, 8),
    "contact": ("hours", {"days", "hours"}, 1, 7),
}
CHOICES = {
    "layout": {"split", "overlay", "centered"},
    "image_side": {"left", "right"},
    "sort": {"position", "newest", "price_asc", "price_desc"},
}
PRODUCT = {"slug", "title", "description_html", "price", "image_url", "image_alt", "tags", "status"}

Shop = dict[str, Any]
every_shop = pytest.mark.parametrize("shop", SHOPS.values(), ids=list(SHOPS))
every_svg = pytest.mark.parametrize("svg", SVGS, ids=lambda path: f"{path.parent.name}/{path.stem}")


def values(node: Any, name: str) -> Iterator[Any]:
    """Every value under keys that end with `name`, at any depth."""
    if isinstance(node, dict):
        yield from (value for key, value in node.items() if key.endswith(name))
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            yield from values(child, name)


def luminance(colour: str) -> float:
    """Relative luminance by WCAG 2.2."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


class Tags(HTMLParser):
    """Collects a fragment's tags and hrefs, and insists that they are closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.hrefs: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.hrefs += [value or "" for _, value in attrs]
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_there_are_three_shops_in_two_languages_and_three_currencies() -> None:
    tenants = [shop["tenant"] for shop in SHOPS.values()]
    assert len(tenants) == 3
    assert {tenant["locale"].split("-")[0] for tenant in tenants} == {"en", "de"}
    assert {tenant["currency"] for tenant in tenants} == {"GBP", "EUR", "USD"}


def test_the_shops_together_use_every_section_kind() -> None:
    assert {section["kind"] for shop in SHOPS.values() for section in shop["sections"]} == set(FIELDS)


@every_shop
def test_a_shop_is_named_after_its_file_and_has_a_merchant(shop: Shop) -> None:
    slug = shop["tenant"]["slug"]
    assert re.fullmatch(r"[a-z0-9-]{3,40}", slug)
    assert SHOPS[slug] is shop
    assert shop["tenant"]["name"]
    assert shop["merchant"]["name"]
    assert shop["merchant"]["email"].endswith(f"@{slug}.example")


@every_shop
def test_search_engines_get_a_title_and_description_that_fit(shop: Shop) -> None:
    assert 0 < len(shop["landing"]["seo_title"]) <= 60
    assert 0 < len(shop["landing"]["seo_description"]) <= 160


@every_shop
@pytest.mark.parametrize("mode", ["", "_dark"])
def test_the_theme_is_readable_in_light_and_dark(shop: Shop, mode: str) -> None:
    accent, background, text = (shop["landing"][name + mode] for name in ("accent", "background", "text"))
    assert contrast(text, background) >= 7
    assert contrast(accent, background) >= 4.5
    assert max(contrast(accent, "#ffffff"), contrast(accent, "#000000")) >= 4.5


@every_shop
def test_the_theme_has_a_known_font_and_a_modest_radius(shop: Shop) -> None:
    assert shop["landing"]["font"] in {"sans", "serif", "humanist", "mono"}
    assert 0 <= shop["landing"]["radius"] <= 24


@every_shop
def test_sections_have_exactly_the_fields_of_their_kind(shop: Shop) -> None:
    for section in shop["sections"]:
        assert set(section) == FIELDS[section["kind"]] | {"kind"}
        for name, allowed in CHOICES.items():
            assert section.get(name) in allowed | {None}


@every_shop
def test_lists_in_sections_have_complete_items_in_allowed_number(shop: Shop) -> None:
    for section in shop["sections"]:
        if section["kind"] in ITEMS:
            field, names, fewest, most = ITEMS[section["kind"]]
            assert fewest <= len(section[field]) <= most
            assert all(set(item) == names and all(item.values()) for item in section[field])


@every_shop
def test_sections_stay_within_the_budget_of_one_record(shop: Shop) -> None:
    assert 8 <= len(shop["sections"]) <= 12
    assert len(json.dumps(shop["sections"], ensure_ascii=False).encode()) < 9_216


@every_shop
def test_sections_point_only_to_active_products_and_used_tags(shop: Shop) -> None:
    active = [product for product in shop["products"] if product["status"] == "active"]
    tags = {tag for product in active for tag in product["tags"]} | {""}
    for section in shop["sections"]:
        assert section.get("tag", "") in tags
        assert set(section.get("product_slugs", [])) <= {product["slug"] for product in active}
        assert 1 <= section.get("limit", 1) <= 24
        if section["kind"] == "featured_products":
            assert 2 <= len(section["product_slugs"]) <= 8


@every_shop
def test_products_are_many_unique_and_in_every_status(shop: Shop) -> None:
    statuses = [product["status"] for product in shop["products"]]
    assert statuses.count("active") >= 24
    assert set(statuses) == {"active", "draft", "archived"}
    assert len({product["slug"] for product in shop["products"]}) == len(statuses)


@every_shop
def test_products_have_whole_prices_and_every_required_field(shop: Shop) -> None:
    for product in shop["products"]:
        assert set(product) - {"stock", "compare_at_price"} == PRODUCT
        assert all(product[name] for name in PRODUCT)
        assert re.fullmatch(r"[a-z0-9-]+", product["slug"])
        assert type(product["price"]) is int
        assert type(product.get("stock", 0)) is int
        assert product.get("compare_at_price", product["price"] + 1) > product["price"] > 0
        assert 2 <= len(product["tags"]) <= 5
        assert all(tag == tag.lower() for tag in product["tags"])


@every_shop
def test_stock_shows_sold_out_low_and_plentiful_products(shop: Shop) -> None:
    stock = [product.get("stock") for product in shop["products"] if product["status"] == "active"]
    assert 0 in stock
    assert any(quantity in {1, 2, 3} for quantity in stock)
    assert sum(quantity is None or quantity > 3 for quantity in stock) > len(stock) / 2


@every_shop
def test_knowledge_is_plentiful_and_its_texts_are_of_readable_length(shop: Shop) -> None:
    assert len(shop["knowledge"]) >= 10
    assert len({source["title"] for source in shop["knowledge"]}) == len(shop["knowledge"])
    for source in shop["knowledge"]:
        assert set(source) == {"kind", "title", "body", "url"}
        assert source["kind"] in {"faq", "text"}
        assert (60 if source["kind"] == "text" else 30) <= len(source["body"].split()) <= 250


@every_shop
def test_rich_text_uses_allowed_tags_only(shop: Shop) -> None:
    for html in values(shop, "_html"):
        tags = Tags(html)
        assert tags.seen <= TAGS
        assert not tags.open


@every_shop
def test_links_stay_on_the_site_or_go_to_example_hosts(shop: Shop) -> None:
    products = {product["slug"] for product in shop["products"] if product["status"] == "active"}
    hrefs = [href for html in values(shop, "_html") for href in Tags(html).hrefs]
    urls = [url for url in [*values(shop, "url"), *hrefs] if url and not url.startswith("demo/")]
    for url in urls:
        parts = urlsplit(url)
        assert (parts.scheme, parts.netloc) in {("", ""), ("mailto", ""), ("https", "example.com")}
        if not parts.scheme:
            path = parts.path.removeprefix("/products/")
            assert path in {"/products", "/search"} | products


@every_shop
def test_every_image_is_in_the_repository_and_belongs_to_the_shop(shop: Shop) -> None:
    images = {*values(shop, "image_url"), *values(shop, "seo_image")}
    folder = DEMO / "static" / "demo" / shop["tenant"]["slug"]
    assert {DEMO / "static" / url for url in images} == set(folder.glob("*.svg"))


@every_shop
def test_every_image_has_a_text_alternative(shop: Shop) -> None:
    assert len(list(values(shop, "image_url"))) == len(list(values(shop, "image_alt")))
    assert all(values(shop, "image_alt"))


@every_svg
def test_drawings_are_small_and_contain_nothing_active_or_external(svg: Path) -> None:
    source = svg.read_text(encoding="utf-8")
    assert len(source) < 12_288
    assert source.count("http") == 1  # the namespace
    for element in ElementTree.fromstring(source).iter():
        tag = element.tag.rpartition("}")[2]
        assert tag not in {"script", "foreignObject", "style", "image", "a", "animate", "set"}
        assert tag != "text" or svg.stem.startswith("logo-")
        for name, value in element.attrib.items():
            assert not name.rpartition("}")[2].lower().startswith("on")
            assert "url(" not in value or re.fullmatch(r"url\(#[A-Za-z]\)", value)
            assert not name.endswith("href") or value.startswith("#")


@every_svg
def test_references_within_a_drawing_resolve(svg: Path) -> None:
    source = svg.read_text(encoding="utf-8")
    ids = re.findall(r'\bid="([^"]+)"', source)
    assert len(set(ids)) == len(ids)
    assert set(re.findall(r"(?:url\(|href=\")#([^\")]+)", source)) <= set(ids)
