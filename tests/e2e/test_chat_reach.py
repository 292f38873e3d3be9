"""The chat for everyone: by keyboard, on a phone, offline, in German, without scripts; and against hostile text."""

import pytest
from playwright.sync_api import ViewportSize, expect

from catalog.models import Product
from tests.e2e.accessibility import AXE
from tests.e2e.chatting import HOSTILE, NARROW, ask, done, event, hand_fed, open_chat, serious
from tests.plugins.browser import Storefront, needs_chromium
from tests.plugins.chromium import DESKTOP

pytestmark = [pytest.mark.browser, pytest.mark.django_db, needs_chromium, pytest.mark.xdist_group("browser")]


def test_hostile_text_in_products_and_answers_stays_text(shop_with_chat: Storefront) -> None:
    shop_with_chat.save(Product.objects.get(title="Kettle"), title=HOSTILE)
    page = shop_with_chat.visit("/")
    open_chat(page)
    card = ask(page, "Do you have a copper kettle?").locator(".chat-card").first
    expect(card.locator(".chat-card__title")).to_have_text(HOSTILE)
    assert page.locator("img[onerror], .chat script").count() == 0
    page, feed = hand_fed(shop_with_chat)
    open_chat(page)
    page.get_by_role("textbox", name="Your question").fill(HOSTILE)
    page.keyboard.press("Enter")
    foreign = [
        ("//evil.example/x", 1),
        ("https://evil.example/", 2),
        ("javascript:alert(1)", 3),
        ("/\\evil.example", 4),
    ]
    sources = [{"n": n, "title": HOSTILE, "url": url, "kind": "knowledge"} for url, n in foreign]
    said = f"{HOSTILE} [1] [2] [3] [4] [9]"
    feed(event("sources", sources) + event("token", {"text": said}) + done(follow_ups=[HOSTILE]))
    turn = page.locator(".chat-turn").last
    expect(turn).to_have_attribute("data-state", "done")
    expect(turn.locator(".chat-answer__text")).to_contain_text(HOSTILE)
    expect(turn.locator(".chat-answer__text")).to_contain_text("[9]")
    expect(turn.locator("a")).to_have_count(0)
    assert page.locator("img[onerror], .chat script").count() == 0


def test_the_chat_works_by_keyboard_alone_and_gives_the_focus_back(shop_with_chat: Storefront) -> None:
    page = shop_with_chat.visit("/")
    page.get_by_role("button", name="Ask a question").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("textbox", name="Your question")).to_be_focused()
    page.keyboard.type("Do you have a copper kettle?")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("In red")
    page.keyboard.press("Enter")
    expect(page.locator(".chat-turn")).to_have_attribute("data-state", "done")
    add = page.locator(".chat-card").first.get_by_role("button")
    for _ in range(30):
        if add.evaluate("(button) => button === document.activeElement"):
            break
        page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.locator("[data-cart-count]")).to_have_text("1")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Acme assistant")).to_be_hidden()
    expect(page.get_by_role("button", name="Ask a question")).to_be_focused()


def test_on_a_phone_the_page_behind_the_chat_is_out_of_reach(shop_with_chat: Storefront) -> None:
    page = shop_with_chat.visit("/", viewport=NARROW, has_touch=True, is_mobile=True, reduced_motion="reduce")
    panel = open_chat(page)
    box = panel.bounding_box()
    assert box is not None
    assert (box["x"], box["y"], box["width"], box["height"]) == (0, 0, 360, 740)
    assert page.evaluate("document.querySelector('main').inert")
    for _ in range(12):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement === document.body || !!document.activeElement.closest('.chat')")
    page.get_by_role("button", name="Close the chat").click()
    assert not page.evaluate("document.querySelector('main').inert")


def test_a_question_that_is_too_long_is_not_sent_and_says_by_how_much(shop_with_chat: Storefront) -> None:
    page = shop_with_chat.visit("/")
    open_chat(page)
    field = page.get_by_role("textbox", name="Your question")
    field.fill("x" * 900)
    expect(field).to_have_accessible_description("100 characters left")
    field.fill("x" * 1003)
    expect(field).to_have_accessible_description("3 characters too long")
    field.press("Enter")
    expect(page.locator(".chat-turn")).to_have_count(0)
    expect(field).to_have_value("x" * 1003)


def test_offline_the_chat_says_so_and_keeps_the_question(shop_with_chat: Storefront) -> None:
    context = shop_with_chat.browser()
    page = shop_with_chat.visit("/", context)
    panel = open_chat(page)
    context.set_offline(True)
    expect(panel).to_contain_text("you can ask again once you’re back online")
    field = page.get_by_role("textbox", name="Your question")
    field.fill("Do you ship abroad?")
    field.press("Enter")
    expect(field).to_have_value("Do you ship abroad?")
    context.set_offline(False)
    expect(panel).not_to_contain_text("you can ask again once you’re back online")
    field.press("Enter")
    expect(page.locator(".chat-turn")).to_contain_text("We ship to all of Europe")


def test_a_german_shop_speaks_german(shop_with_chat: Storefront) -> None:
    shop = shop_with_chat.shop
    shop.locale = "de"
    shop.save()
    shop_with_chat.stores.drain()
    page = shop_with_chat.visit("/")
    page.get_by_role("button", name="Frage stellen").click()
    expect(page.get_by_role("dialog", name="Assistent von Acme")).to_contain_text("Automatische Antworten")


def test_a_shop_without_a_chat_shows_none(storefront: Storefront) -> None:
    page = storefront.visit("/")
    expect(page.locator("[data-cart-link]")).to_be_visible()
    page.wait_for_timeout(300)  # for whatever would come late
    expect(page.locator(".chat-launch, .chat")).to_have_count(0)
    assert "chat_open" not in page.locator("#page").inner_text()


def test_without_scripts_there_is_no_button_for_the_chat(shop_with_chat: Storefront) -> None:
    page = shop_with_chat.visit("/", java_script_enabled=False)
    expect(page.locator(".chat-launch")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [DESKTOP, NARROW], ids=["desktop", "narrow"])
def test_axe_finds_nothing_serious_in_the_open_panel(
    shop_with_chat: Storefront, viewport: ViewportSize, scheme: str
) -> None:
    if not AXE.exists():
        pytest.skip("axe-core is not installed: run `make edge-tools`")
    page = shop_with_chat.visit("/", viewport=viewport, color_scheme=scheme, reduced_motion="reduce", bypass_csp=True)
    page.add_script_tag(path=AXE)
    open_chat(page)
    assert serious(page, ".chat") == []
    ask(page, "Do you have a copper kettle?")
    assert serious(page, ".chat") == []
