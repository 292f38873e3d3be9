"""The editor and the front page in a real Chromium: by mouse, by keyboard, for everybody."""

import pytest
from playwright.sync_api import Page, expect

from tenants.models import Landing, Revision, Section, Tenant
from tests.e2e.accessibility import needs_axe, overflow
from tests.e2e.editing import Open, card, serious
from tests.plugins.browser import needs_chromium
from tests.plugins.stores import Stores

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    needs_chromium,
    needs_axe,
    pytest.mark.xdist_group("browser"),
]


def headings(page: Page) -> list[str]:
    return page.frame_locator("[data-frame]").locator("main h1, main h2").all_inner_texts()


def heading_of(stored: Landing | Revision) -> str:
    return str(getattr(stored.page.sections[0], "heading", ""))


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
        assert overflow(other) <= 0, name
    assert overflow(page) <= 0


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
