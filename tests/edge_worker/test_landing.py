"""The landing page: one KV read, every section kind, validators, nothing of anyone else's."""

import dataclasses
import html
import json
import re
from typing import Any

import pytest

from storefront import pages, theme
from storefront.app import app
from storefront.documents import Config, Theme
from storefront.sections import SECTIONS, Hero
from tests.edge_worker.memory import EVERY_KIND, Platform, product, shop_record

pytestmark = pytest.mark.anyio


def test_the_sample_record_holds_every_kind_of_section() -> None:
    assert {section.kind for section in EVERY_KIND} == set(SECTIONS)


async def test_a_landing_page_costs_one_kv_read_and_nothing_else(platform: Platform) -> None:
    answer = await platform.get("https://pots.test/")
    assert answer.status_code == 200
    assert platform.KV.reads == ["domain:pots.test"]
    assert platform.FETCH.requests == []
    assert platform.AI.asked == []


@pytest.mark.parametrize("section", EVERY_KIND, ids=lambda section: section.kind)
async def test_every_kind_of_section_shows_its_texts(platform: Platform, section: Any) -> None:
    platform.publish(shop_record(sections=(section,)))
    page = html.unescape((await platform.get("https://pots.test/")).text)
    texts = [getattr(section, name, "") for name in ("heading", "text", "eyebrow", "button_label", "link_label")]
    for text in filter(None, [*texts, *(card.title for card in getattr(section, "cards", ()))]):
        assert text in page


async def test_a_shop_without_sections_says_that_it_is_being_set_up(platform: Platform) -> None:
    platform.publish(shop_record(sections=()))
    answer = await platform.get("https://pots.test/")
    assert answer.status_code == 200
    assert "Something good is on its way" in answer.text


async def test_a_page_has_one_main_heading_with_and_without_a_hero(platform: Platform) -> None:
    for sections in (EVERY_KIND, EVERY_KIND[2:], (Hero(heading="One"), Hero(heading="Two"))):
        platform.publish(shop_record(sections=sections))
        assert (await platform.get("https://pots.test/")).text.count("<h1") == 1


async def test_an_unchanged_page_is_not_sent_again(platform: Platform) -> None:
    first = await platform.get("https://pots.test/")
    assert first.headers["x-storefront-revision"] in first.headers["etag"]
    again = await platform.get("https://pots.test/", if_none_match=f'"x", W/{first.headers["etag"]}')
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]


async def test_an_edit_changes_the_etag(platform: Platform) -> None:
    before = (await platform.get("https://pots.test/")).headers["etag"]
    platform.publish(shop_record(sections=(Hero(heading="New words"),)))
    after = await platform.get("https://pots.test/", if_none_match=before)
    assert after.status_code == 200
    assert "New words" in after.text


async def test_head_has_the_headers_of_get_and_no_body(platform: Platform) -> None:
    full = await platform.get("https://pots.test/")
    sent: list[Any] = []  # past httpx, which would drop the body by itself

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"host", b"pots.test")]
    scope = {"type": "http", "method": "HEAD", "path": "/", "query_string": b"", "headers": headers, "env": platform}
    await app(scope, receive, send)
    assert dict(sent[0]["headers"])[b"content-length"].decode() == full.headers["content-length"]
    assert [message["body"] for message in sent[1:]] == [b""]


async def test_a_host_never_shows_another_hosts_marks(platform: Platform) -> None:
    platform.publish(shop_record("Boots", "t-b", sections=(Hero(heading="Mark of boots"),)))
    platform.FETCH.products += [product(9, "t-b", title="Mark of a boot", slug="boot")]
    for path in ("/", "/products", "/products/jug-1", "/search", "/sitemap.xml", "/nope"):
        page = (await platform.get(f"https://pots.test{path}")).text
        assert "Pots" in page or "pots" in page
        assert "boot" not in page.lower()
    assert (await platform.get("https://pots.test/products/boot")).status_code == 404


async def test_the_head_tells_search_engines_and_networks_what_the_page_is(platform: Platform) -> None:
    page = (await platform.get("https://pots.test/")).text
    assert '<link rel="canonical" href="https://pots.test/">' in page
    assert '<meta property="og:image" content="https://pots.test/img/hero.svg">' in page
    assert "<title>Pots – by hand</title>" in page
    assert '<html lang="en" dir="ltr">' in page


async def test_the_canonical_address_has_the_local_scheme_and_port(platform: Platform) -> None:
    platform.PUBLIC_SCHEME, platform.PUBLIC_PORT = "http", "8787"
    answer = await platform.get("http://pots.test:8787/")
    assert 'rel="canonical" href="http://pots.test:8787/"' in answer.text
    assert "strict-transport-security" not in answer.headers


async def test_structured_data_can_not_end_its_script_element(platform: Platform) -> None:
    record = shop_record("Pots")
    named = dataclasses.replace(record.tenant, name="</script><script>alert(1)</script>\u2028")
    platform.publish(dataclasses.replace(record, tenant=named))
    page = (await platform.get("https://pots.test/")).text
    blocks = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)
    assert [json.loads(block)["name"] for block in blocks] == [named.name]


async def test_the_policy_lets_through_exactly_the_pages_own_style(platform: Platform) -> None:
    answer = await platform.get("https://pots.test/")
    policy = answer.headers["content-security-policy"]
    styles = re.findall(r"<style>(.*?)</style>", answer.text, re.DOTALL)
    assert [theme.csp_hash(style) in policy for style in styles] == [True]
    assert "unsafe-inline" not in policy
    assert " style=" not in answer.text
    assert not re.search(r"<script(?! type=\"application/(?:ld\+)?json\"| type=\"module\" src=\"/assets/)", answer.text)
    assert "script-src 'self';" in policy


async def test_security_headers_are_on_every_kind_of_answer(platform: Platform) -> None:
    for url in ("https://pots.test/", "https://pots.test/nope", "https://unknown.test/"):
        headers = (await platform.get(url)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["strict-transport-security"].startswith("max-age=")


async def test_a_german_shop_speaks_german(platform: Platform) -> None:
    platform.publish(shop_record(config=Config(locale="de-AT", currency="EUR")))
    page = (await platform.get("https://pots.test/")).text
    assert '<html lang="de-AT"' in page
    assert "Alle ansehen" in page
    assert "12,50\xa0€" in page
    assert "View all" not in page


def test_pages_render_without_an_app_for_the_live_preview() -> None:
    assert "Made to be used" in pages.landing(shop_record(), origin="https://pots.test")


def test_a_colour_that_is_none_never_reaches_the_style_sheet() -> None:
    css = theme.stylesheet(Theme(accent="red;}body{display:none", font="</style>", radius=10**9))
    assert "display:none" not in css
    assert "</style>" not in css
    assert "--radius:32px" in css
