"""Merchants' text is text: `<script>` in any field of a record or product never becomes mark-up."""

import dataclasses
import html.parser
import types
import typing
from typing import Any

import pytest

from storefront.assets import BUNDLE
from storefront.documents import Config, DomainRecord, Product, TenantRef
from storefront.links import safe_image, safe_url
from storefront.richtext import clean
from tests.edge_worker.memory import EVERY_KIND, Platform, product, shop_record

pytestmark = pytest.mark.anyio

SCRIPT = "<script>alert(1)</script>"
QUOTES = "\" onmouseover=alert(1) x=' onfocus=alert(1) "
ADDRESS = "javascript:alert(1)"

OURS = [
    {"type": "application/ld+json"},
    {"type": "application/json", "id": "page"},
    {"type": "module", "src": BUNDLE.get("start.js")},
]

# What these hold is not shown as text: ids, names of cells and choices.
_KEPT = {"id", "status", "kind", "version", "currency", "realtime", "layout", "image_side", "sort", "canonical_host"}


def poisoned(value: Any, poison: str) -> Any:
    """A copy of a frozen dataclass with `poison` in every text field, however deep."""
    changes: dict[str, Any] = {}
    for name, hint in typing.get_type_hints(type(value)).items():
        if name in _KEPT or typing.get_origin(hint) is typing.ClassVar:
            continue
        old = getattr(value, name)
        if isinstance(old, str):
            changes[name] = poison
        elif isinstance(old, tuple):
            changes[name] = tuple(poison if isinstance(one, str) else poisoned(one, poison) for one in old)
        elif dataclasses.is_dataclass(old):
            changes[name] = poisoned(old, poison)
    return dataclasses.replace(value, **changes)


class _Reader(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.scripts: list[dict[str, str | None]] = []
        self.handlers: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "script":
            self.scripts.append(dict(attrs))
        for name, value in attrs:
            if name.startswith("on") or name == "style":
                self.handlers.append(name)
            if name in ("href", "src", "action"):
                self.addresses.append(value or "")


def read(page: str) -> _Reader:
    reader = _Reader()
    reader.feed(page)
    return reader


async def pages_of(platform: Platform, poison: str) -> dict[str, str]:
    plain = shop_record()
    record: DomainRecord = poisoned(dataclasses.replace(plain, config=Config()), poison)
    platform.publish(dataclasses.replace(record, config=plain.config, tenant=poisoned(plain.tenant, poison)))
    item: Product = poisoned(product(1), poison)
    platform.FETCH.products = [dataclasses.replace(item, slug="jug-1", tenantId="t-a", currency="EUR")]
    platform.FETCH.rows = [("knowledge", "k1", poison, poison, poison, 0.9), ("product", "p1", "", "", "", 0.9)]
    paths = ("/", "/products", "/products/jug-1", "/search?q=jug", "/nope")
    return {path: (await platform.get(f"https://pots.test{path}")).text for path in paths}


def test_the_walk_reaches_every_section_of_the_sample() -> None:
    record: DomainRecord = poisoned(shop_record(), SCRIPT)
    assert len(record.sections) == len(EVERY_KIND)
    assert record.tenant == TenantRef(id="t-a", status="active", name=SCRIPT, slug=SCRIPT)
    assert record.sections[8].items[0].answer == SCRIPT  # type: ignore[attr-defined]
    assert isinstance(typing.get_type_hints(Product)["stock"], types.UnionType)


@pytest.mark.parametrize("poison", [SCRIPT, QUOTES, ADDRESS, "{{ 1234 * 1234 }}", "</style></title>" + SCRIPT])
async def test_hostile_text_comes_out_as_text_on_every_page(platform: Platform, poison: str) -> None:
    for path, page in (await pages_of(platform, poison)).items():
        found = read(page)
        assert all(script in OURS for script in found.scripts), path
        assert found.handlers == [], path
        assert not [one for one in found.addresses if one.strip().lower().startswith("javascript")], path
        assert "1522756" not in page, path


async def test_a_script_is_visible_as_text(platform: Platform) -> None:
    pages = await pages_of(platform, SCRIPT)
    assert pages["/"].count("&lt;script&gt;alert(1)&lt;/script&gt;") > 30
    assert pages["/products/jug-1"].count("&lt;script&gt;") > 3


@pytest.mark.parametrize(
    "address",
    ["javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\nscript:alert(1)", " javascript:x", "data:text/html,x",
     "//evil.test/", "/\\evil.test", "/\t/evil.test", "vbscript:x", "http:", "https:///x", "evil.test"],
)  # fmt: skip
def test_an_address_that_leads_astray_is_dropped(address: str) -> None:
    assert safe_url(address) == ""
    assert safe_image(address) == ""


@pytest.mark.parametrize("address", ["/x", "/", "#contact", "https://a.test/?q=1", "mailto:a@b.test", "tel:+4930123"])
def test_a_plain_address_is_kept(address: str) -> None:
    assert safe_url(address) == address


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>a<script>alert(1)</script>b", "<p>a&lt;script&gt;alert(1)&lt;/script&gt;b</p>"),
        ('<a href="javascript:x" onclick="x">y</a>', "<a>y</a>"),
        ('<a href="/x?a=1&amp;b=2" style="x">y</a>', '<a href="/x?a=1&amp;b=2">y</a>'),
        ("<ul><li>one<li>two</ul></p></div>", "<ul><li>one<li>two</li></li></ul>"),
        ("plain & simple < text", "plain &amp; simple &lt; text"),
        ("<img src=x onerror=alert(1)>", ""),
        ("<br/>", "<br>"),
    ],
)
def test_rich_text_keeps_plain_markup_only(html: str, expected: str) -> None:
    assert str(clean(html)) == expected
