"""The editor and the front page in a real Chromium: by mouse, by keyboard, for everybody."""

import copy
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings as configured
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect, sync_playwright

from storefront.local import environment, serve
from tenants.models import Landing, Membership, Revision, Section, Tenant
from tests.plugins.cloudflare import Serving
from tests.plugins.shops import make_product, make_shop
from tests.plugins.stores import Stores

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
FLAGS = """--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
--disable-component-update --disable-sync""".split()
AXE = Path(configured.BASE_DIR) / "edge_worker" / "node_modules" / "axe-core" / "axe.min.js"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine: install it to run the browser tests"),
    pytest.mark.skipif(not AXE.exists(), reason="run `make edge-tools` first: axe-core checks accessibility"),
    pytest.mark.xdist_group("browser"),
]

Open = Callable[..., Page]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright's loop runs in this thread; Django must not mind
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def acme(stores: Stores) -> Tenant:
    shop = make_shop("acme")
    make_product(shop, "Copper kettle", stock=2)
    make_product(make_shop("globex"), "Globex drill")
    Section.objects.create(landing=shop.landing, kind="faq", position=1, content={"heading": "Questions", "items": [
        {"question": "Loose?", "answer": "Yes."}]})  # fmt: skip
    Section.objects.create(landing=shop.landing, kind="rich_text", position=2, content={"body_html": "<p>Once</p>"})
    Landing.objects.get(tenant=shop).publish(None)
    stores.drain()
    return shop


@pytest.fixture
def edge_port(stores: Stores, acme: Tenant, settings: Any) -> Iterator[int]:
    """The edge on a port of its own, which the admin's addresses and its policy name."""
    client = httpx.AsyncClient()
    serving = Serving(serve(environment(stores.edge_environment(), client), client), lifespan="on")
    with serving as origin:
        settings.STOREFRONT_PORT = str(serving.port)
        settings.EDGE_ADDRESS = origin
        policy = copy.deepcopy(configured.CONTENT_SECURITY_POLICY)
        for sources in policy["DIRECTIVES"].values():
            sources[:] = [source.replace(":8787", f":{serving.port}") for source in sources]
        settings.CONTENT_SECURITY_POLICY = policy
        yield serving.port


EXPECTED = ("favicon", "409", "422", "Blocked script execution in 'about:srcdoc'")
"""What Chromium may complain of: refusals that a test asks for, and that the preview's frame runs no scripts."""


@pytest.fixture
def open_page(chromium: Browser, live_server: Any, acme: Tenant, edge_port: int) -> Iterator[Open]:
    """`open_page("admin:…", args)` → a page of a logged-in owner; complaints of the browser fail the test."""
    problems: list[str] = []
    contexts = []

    def go(name: str, *args: Any, width: int = 1280, scheme: Any = "light") -> Page:
        client = Client()
        client.force_login(Membership.objects.get(tenant=acme).user)
        context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        cookie = client.cookies[configured.SESSION_COOKIE_NAME].value
        context.add_cookies([{"name": configured.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}])
        page = context.new_page()
        page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(live_server.url + reverse(name, args=args))
        return page

    yield go
    for context in contexts:
        context.close()
    assert [text for text in problems if not any(known in text for known in EXPECTED)] == []


@pytest.fixture
def editor(open_page: Open, acme: Tenant) -> Page:
    page = open_page("admin:tenants_landing_change", acme.landing.pk)
    expect(page.frame_locator("[data-frame]").locator("h1")).to_have_text("Acme")
    return page


def serious(page: Page, part: str = "#content") -> list[str]:
    """axe's serious and critical findings; Unfold's own sidebar and header are not ours to mend."""
    page.evaluate(AXE.read_text())
    found = page.evaluate("part => axe.run({include: [part], exclude: ['iframe']})", part)
    found["violations"] += page.evaluate("document.querySelector('dialog[open]') ? axe.run('dialog[open]') : {}").get(
        "violations", []
    )
    return [
        f"{one['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


def headings(page: Page) -> list[str]:
    return page.frame_locator("[data-frame]").locator("main h1, main h2").all_inner_texts()


def heading_of(stored: Landing | Revision) -> str:
    return str(getattr(stored.page.sections[0], "heading", ""))


def card(page: Page, name: str) -> Any:
    return page.locator(".ed-card", has=page.locator("[data-kind]", has_text=name))


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_editor_revisions_and_home_have_no_serious_issue(
    open_page: Open, acme: Tenant, width: int, scheme: str
) -> None:
    page = open_page("admin:tenants_landing_change", acme.landing.pk, width=width, scheme=scheme)
    card(page, "FAQ").locator("[data-toggle]").click()
    for tab in ("seo", "menu", "looks", "sections"):
        page.click(f"#tab-{tab}")
        assert serious(page) == [], tab
    for dialog in ("picker", "share", "schedule"):
        page.click(f"[data-open={dialog}]")
        assert serious(page) == [], dialog
        page.keyboard.press("Escape")
    for name, args in (("index", ()), ("tenants_landing_revisions", (acme.landing.pk,)),
                       ("tenants_landing_revision", (acme.landing.pk, 2))):  # fmt: skip
        other = open_page(f"admin:{name}", *args, width=width, scheme=scheme)
        assert serious(other) == [], name
        overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert other.evaluate(overflow) <= 0, name
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


def test_what_is_typed_is_previewed_kept_and_published(editor: Page, acme: Tenant, stores: Stores) -> None:
    card(editor, "Hero").locator("[data-toggle]").click()
    editor.get_by_label("Headline").fill("Fresh <b>& new</b>")
    expect(editor.frame_locator("[data-frame]").locator("h1")).to_have_text("Fresh <b>& new</b>")
    expect(editor.locator("[data-saved]")).to_have_text("Saved")
    expect(editor.locator(".ed-state")).to_have_text("Changed")
    editor.click("[data-publish]")
    expect(editor.locator(".ed-state")).to_have_text("Live")
    assert Landing.objects.get(tenant=acme).state == "live"
    stores.drain()
    expect(editor.locator("[data-step=seen]")).to_contain_text("Seen at the edge after")


def test_sections_are_added_moved_hidden_deleted_and_brought_back_by_keyboard(editor: Page, acme: Tenant) -> None:
    editor.locator("[data-open=picker]").focus()
    editor.keyboard.press("Enter")
    editor.get_by_role("button", name="Call to action").focus()
    editor.keyboard.press("Enter")
    editor.keyboard.type("Come in")
    expect(editor.frame_locator("[data-frame]").get_by_role("heading", name="Come in")).to_be_visible()
    handle = card(editor, "Call to action").locator("[data-handle]")
    handle.focus()
    for _ in range(3):
        editor.keyboard.press("ArrowUp")
    expect(editor.locator("[data-said]")).to_have_text("Call to action is now number 1 of 4")
    expect(editor.frame_locator("[data-frame]").locator("main h2").first).to_have_text("Come in")
    card(editor, "FAQ").locator("[data-hide]").press("Enter")
    expect(editor.frame_locator("[data-frame]").get_by_role("heading", name="Questions")).to_have_count(0)
    card(editor, "Hero").locator("[data-delete]").press("Enter")
    expect(editor.frame_locator("[data-frame]").locator(".hero")).to_have_count(0)
    editor.locator("[data-undo]").press("Enter")
    expect(card(editor, "Hero").locator("[data-toggle]")).to_be_focused()
    expect(editor.locator("[data-saved]")).to_have_text("Saved")
    rows = Section.objects.filter(landing=acme.landing).values_list("kind", "hidden")
    assert list(rows) == [("call_to_action", False), ("hero", False), ("faq", True), ("rich_text", False)]


def test_a_section_is_dragged_by_its_handle(editor: Page, acme: Tenant) -> None:
    # Nothing above the cards moves them any more.
    expect(editor.frame_locator("[data-frame]").get_by_role("heading", name="Questions")).to_be_visible()
    handle = card(editor, "Rich text").locator("[data-handle]")
    handle.hover()
    editor.mouse.down()
    expect(editor.locator(".ed-card[data-dragged]")).to_have_count(1)
    box = editor.locator(".ed-card >> nth=0").bounding_box()
    assert box is not None
    editor.mouse.move(box["x"] + 20, box["y"] + 4, steps=8)
    editor.mouse.up()
    expect(editor.locator(".ed-card [data-kind]").first).to_have_text("Rich text")
    expect(editor.locator("[data-saved]")).to_have_text("Saved")
    assert Section.objects.filter(landing=acme.landing).values_list("kind", flat=True)[0] == "rich_text"


def test_a_click_in_the_preview_opens_the_section(editor: Page) -> None:
    editor.click("#tab-seo")
    editor.frame_locator("[data-frame]").get_by_role("heading", name="Questions").click()
    expect(card(editor, "FAQ").locator("[data-toggle]")).to_have_attribute("aria-expanded", "true")
    expect(editor.get_by_label("Answer")).to_have_value("Yes.")


def test_rich_text_and_products_are_chosen_from_this_shop(editor: Page, acme: Tenant) -> None:
    card(editor, "Rich text").locator("[data-toggle]").click()
    editor.locator("trix-editor").click()
    editor.keyboard.press("End")
    editor.keyboard.type(" upon a time")
    expect(editor.frame_locator("[data-frame]").get_by_text("Once upon a time")).to_be_visible()
    editor.click("[data-open=picker]")
    editor.get_by_role("button", name="Featured products").click()
    search = editor.get_by_role("combobox", name="Products")
    search.fill("drill")
    expect(editor.get_by_text("Nothing found in this shop.")).to_be_visible()
    search.fill("kettle")
    expect(editor.get_by_role("option", name="Copper kettle")).to_be_visible()
    search.press("Enter")
    expect(editor.frame_locator("[data-frame]").get_by_role("heading", name="Copper kettle")).to_be_visible()


def test_a_refused_publish_says_what_to_do_at_the_field(editor: Page) -> None:
    card(editor, "Hero").locator("[data-toggle]").click()
    editor.get_by_label("Headline").fill("")
    editor.click("[data-publish]")
    expect(editor.locator("[data-refusal]")).to_contain_text("Headline: Please fill this in.")
    expect(editor.locator("[data-refusal]")).to_be_focused()
    expect(editor.get_by_label("Headline")).to_have_attribute("aria-invalid", "true")


def test_two_people_at_once_are_told_and_nothing_is_lost(open_page: Open, acme: Tenant) -> None:
    ada, bob = (open_page("admin:tenants_landing_change", acme.landing.pk) for _ in range(2))
    for page, words in ((ada, "Ada's words"), (bob, "Bob's words")):
        card(page, "Hero").locator("[data-toggle]").click()
        page.get_by_label("Headline").fill(words)
        if page is ada:
            expect(page.locator("[data-saved]")).to_have_text("Saved")
    dialog = bob.locator("[data-dialog=conflict]")
    expect(dialog).to_be_visible()
    expect(dialog.locator("ins")).to_have_text(["Ada's "])
    assert serious(bob) == []
    dialog.get_by_role("button", name="Keep mine").click()
    expect(bob.locator("[data-saved]")).to_have_text("Saved")
    assert heading_of(Landing.objects.get(tenant=acme)) == "Bob's words"
    kept = acme.revisions.get(published_at=None)
    assert heading_of(kept) == "Ada's words"


def test_hostile_words_stay_words_in_editor_preview_and_revision(open_page: Open, acme: Tenant) -> None:
    hostile = '<img src=x onerror="parent.hacked=1"><script>parent.hacked=1</script>\'"></title>'
    Landing.objects.filter(tenant=acme).update(seo_title=hostile, seo_description=hostile)
    Section.objects.filter(landing=acme.landing, kind="hero").update(content={"heading": hostile})
    landing = Landing.objects.get(tenant=acme)
    number = landing.publish(None).number
    for name, args in (("change", (landing.pk,)), ("revision", (landing.pk, number))):
        page = open_page(f"admin:tenants_landing_{name}", *args)
        expect(page.frame_locator("[data-frame]").locator("h1")).to_have_text(hostile)
        assert page.evaluate("window.hacked") is None


def test_the_preview_is_scaled_and_dressed_as_chosen(editor: Page) -> None:
    frame = editor.frame_locator("[data-frame]")
    light = frame.locator("body").evaluate("b => getComputedStyle(b).backgroundColor")
    editor.click("[data-look=dark]")
    editor.click("[data-width='390']")
    assert frame.locator("body").evaluate("() => innerWidth") == 390
    assert frame.locator("body").evaluate("b => getComputedStyle(b).backgroundColor") != light
