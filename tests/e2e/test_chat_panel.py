"""The chat in a real Chromium, on the real edge and stores; a test that must hold an answer back
feeds the page its stream by hand."""

import re
import threading
from typing import Any

import pytest
from playwright.sync_api import ViewportSize, expect

from catalog.models import Product
from chat.models import ChatProfile
from controlplane.localcloud import defaults
from controlplane.localcloud.cloudflare import text
from controlplane.localcloud.faults import Fault
from tests.e2e.accessibility import overflow
from tests.e2e.chatting import VIEWPORTS, ask, done, event, hand_fed, open_chat
from tests.plugins.browser import Storefront, needs_chromium
from tests.plugins.chromium import PHONE

pytestmark = [pytest.mark.browser, pytest.mark.django_db, needs_chromium, pytest.mark.xdist_group("browser")]


@VIEWPORTS
def test_a_shopper_asks_and_adds_a_product_from_the_answer(shop_with_chat: Storefront, viewport: ViewportSize) -> None:
    page = shop_with_chat.visit("/", viewport=viewport)
    panel = open_chat(page)
    expect(panel).to_contain_text("Ask me about pots.")
    expect(panel).to_contain_text("automatically")
    expect(panel.get_by_role("link", name="people@acme.example")).to_be_visible()
    turn = ask(page, "Do you have a copper kettle?")
    card = turn.locator(".chat-card", has_text="Kettle")
    expect(card.locator(".price__now")).to_have_text("€42.00")
    card.get_by_role("button", name="Add Kettle to the cart").click()
    expect(page.locator("[data-cart-count]")).to_have_text("1")
    expect(page.locator(".toast")).to_contain_text("Kettle is in your cart")
    assert overflow(page) <= 0
    assert panel.evaluate("(panel) => panel.scrollWidth <= panel.clientWidth")


def test_a_cards_price_is_live_also_in_an_earlier_answer(shop_with_chat: Storefront) -> None:
    page = shop_with_chat.visit("/cart")
    open_chat(page)
    price = ask(page, "Do you have a copper kettle?").locator(".chat-card", has_text="Kettle").locator(".price__now")
    expect(price).to_have_text("€42.00")
    shop_with_chat.save(Product.objects.get(title="Kettle"), price=3900)
    expect(price).to_have_text("€39.00")
    page.reload()
    expect(price).to_have_text("€39.00")


def test_a_citation_opens_its_source_on_this_host(shop_with_chat: Storefront) -> None:
    page = shop_with_chat.visit("/")
    open_chat(page)
    turn = ask(page, "How do I return a kettle?")
    cite = turn.locator("a.chat-cite").first
    expect(cite).to_have_accessible_name(re.compile(r"Source \d: How do I return a kettle\?"))
    cite.click()
    page.wait_for_url("**/products")
    assert page.url.startswith(shop_with_chat.url("/products"))
    expect(page.get_by_role("dialog", name="Acme assistant")).to_be_visible()  # beside the page, it stays open


def test_a_suggestion_and_a_follow_up_are_asked_with_one_press(shop_with_chat: Storefront) -> None:
    page = shop_with_chat.visit("/")
    panel = open_chat(page)
    panel.get_by_role("button", name="Do you ship abroad?").click()
    first = page.locator(".chat-turn").first
    expect(first).to_have_attribute("data-state", "done")
    expect(first).to_contain_text("We ship to all of Europe")
    ask(page, "Do you have a copper kettle?")
    follow_up = page.get_by_role("list", name="Ask next").get_by_role("button").first
    question = follow_up.inner_text()
    follow_up.click()
    expect(page.locator(".chat-turn").last.locator(".chat-question")).to_contain_text(question)
    expect(page.locator(".chat-turn").last).to_have_attribute("data-state", "done")
    expect(page.get_by_role("textbox", name="Your question")).to_be_focused()


def test_an_answer_is_shown_as_it_is_told_and_read_aloud_once(shop_with_chat: Storefront) -> None:
    page, feed = hand_fed(shop_with_chat)
    panel = open_chat(page)
    page.get_by_role("textbox", name="Your question").fill("Hello?")
    page.keyboard.press("Enter")
    answer, status = page.locator(".chat-answer__text"), panel.locator("> [role=status]")
    expect(status).to_have_text("Looking that up …")
    whole = event("sources", [{"n": 1, "title": "FAQ", "url": "/#faq", "kind": "knowledge"}])
    whole += event("token", {"text": "We ship "})
    feed(whole[:25])
    feed(whole[25:])
    expect(answer).to_have_text("We ship")
    feed(event("token", {"text": "on Monday [1]."}))
    expect(answer.get_by_role("link", name="Source 1: FAQ")).to_have_attribute("href", "/#faq")
    expect(status).to_have_text("Looking that up …")
    feed(event("products", []) + done(follow_ups=["And Tuesday?"]))
    expect(status).to_have_text("We ship on Monday.")
    expect(page.get_by_role("button", name="And Tuesday?")).to_be_visible()


def test_a_stopped_answer_keeps_what_was_said_and_can_be_asked_again(shop_with_chat: Storefront) -> None:
    page, feed = hand_fed(shop_with_chat)
    open_chat(page)
    page.get_by_role("textbox", name="Your question").fill("Tell me all")
    page.keyboard.press("Enter")
    feed(event("sources", []) + event("token", {"text": "Once upon a time"}))
    expect(page.locator(".chat-answer__text")).to_have_text("Once upon a time")
    page.get_by_role("button", name="Stop answering").click()
    expect(page.locator(".chat-answer")).to_contain_text("You stopped this answer.")
    expect(page.locator(".chat-answer__text")).to_have_text("Once upon a time")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".chat-turn")).to_have_count(1)
    feed(event("sources", []) + event("token", {"text": "The end."}) + done())
    expect(page.locator(".chat-answer__text")).to_have_text("The end.")


def test_stopping_ends_the_request_at_the_shop(shop_with_chat: Storefront) -> None:
    models, hold = shop_with_chat.stores.cloudflare.models, threading.Event()

    def slow(messages: Any) -> str:
        hold.wait(20)
        return text.compose(messages)

    models[defaults.TEXT_MODEL] = slow
    page = shop_with_chat.visit("/")
    open_chat(page)
    page.get_by_role("textbox", name="Your question").fill("Do you ship abroad?")
    page.keyboard.press("Enter")
    with page.expect_event("requestfailed", lambda request: request.url.endswith("/api/chat")):
        page.get_by_role("button", name="Stop answering").click()
    hold.set()
    expect(page.locator(".chat-answer")).to_contain_text("You stopped this answer.")
    models[defaults.TEXT_MODEL] = text.compose
    expect(ask(page, "Do you ship abroad?")).to_have_attribute("data-state", "done")


def test_after_a_failure_the_question_can_be_asked_again(shop_with_chat: Storefront) -> None:
    page = shop_with_chat.visit("/")
    page.route("**/api/chat", lambda route: route.abort(), times=1)
    open_chat(page)
    turn = ask(page, "Do you ship abroad?")
    expect(turn).to_contain_text("The shop can’t be reached.")
    expect(turn.get_by_role("link", name="people@acme.example")).to_be_visible()
    turn.get_by_role("button", name="Try again").click()
    expect(page.locator(".chat-turn")).to_have_count(1)
    expect(page.locator(".chat-turn")).to_contain_text("We ship to all of Europe")


@pytest.mark.parametrize(
    ("tail", "words"),
    [
        (event("error", {"code": "failed", "message": "x"}), "Something went wrong on our side."),
        ("", "The connection broke off before the answer was complete."),
    ],
    ids=["error", "end"],
)
def test_an_answer_that_breaks_off_says_so_and_keeps_its_beginning(
    shop_with_chat: Storefront, tail: str, words: str
) -> None:
    page, feed = hand_fed(shop_with_chat)
    open_chat(page)
    page.get_by_role("textbox", name="Your question").fill("Well?")
    page.keyboard.press("Enter")
    feed(event("sources", []) + event("token", {"text": "We sh"}) + tail)
    if not tail:
        feed(None)
    turn = page.locator(".chat-turn")
    expect(turn).to_contain_text(words)
    expect(turn.locator(".chat-answer__text")).to_have_text("We sh")


def test_whoever_asks_too_often_is_told_to_wait(shop_with_chat: Storefront) -> None:
    page = shop_with_chat.visit("/")
    hasty = """async () => { for (let i = 0; i < 25; i += 1) await fetch("/api/chat", {method: "POST",
      headers: {"content-type": "application/json"}, body: JSON.stringify({messages: []})}); }"""
    page.evaluate(hasty)
    open_chat(page)
    expect(ask(page, "Do you ship abroad?")).to_contain_text("Please wait a minute and try again.")


def test_without_the_text_model_the_shop_is_quoted(shop_with_chat: Storefront) -> None:
    shop_with_chat.stores.cloudflare.faults.set([Fault(path=defaults.TEXT_MODEL, kind="status", status=503)])
    page = shop_with_chat.visit("/")
    open_chat(page)
    turn = ask(page, "Do you ship abroad?")
    expect(turn).to_contain_text("We ship to all of Europe")
    expect(turn).to_contain_text("This is quoted from the shop’s pages.")
    expect(turn.get_by_role("link", name="people@acme.example")).to_be_visible()


def test_over_budget_products_and_the_search_stand_in(shop_with_chat: Storefront) -> None:
    profile = ChatProfile.objects.get(tenant=shop_with_chat.shop)
    profile.daily_messages = 0
    profile.save()
    shop_with_chat.stores.drain()
    page = shop_with_chat.visit("/")
    open_chat(page)
    turn = ask(page, "kettle")
    expect(turn).to_contain_text("The assistant has reached its limit for today.")
    expect(turn.locator(".chat-card", has_text="Kettle")).to_be_visible()
    turn.get_by_role("link", name="See all search results").click()
    page.wait_for_url("**/search?q=kettle")


def test_what_the_chat_does_not_know_leads_to_people(shop_with_chat: Storefront) -> None:
    page = shop_with_chat.visit("/")
    open_chat(page)
    turn = ask(page, "Who won the football match in 1974?")
    expect(turn.get_by_role("link", name="people@acme.example")).to_have_attribute("href", "mailto:people@acme.example")


def test_a_conversation_outlives_the_page_until_a_new_one_is_begun(shop_with_chat: Storefront) -> None:
    page = shop_with_chat.visit("/", viewport=PHONE)
    open_chat(page)
    ask(page, "Do you ship abroad?")
    page.get_by_role("button", name="Helpful", exact=True).click()
    expect(page.get_by_text("Thank you")).to_be_visible()
    page.reload()
    expect(page.get_by_role("dialog")).to_have_count(0)  # on a phone it would hide the page
    open_chat(page)
    expect(page.locator(".chat-turn")).to_contain_text("We ship to all of Europe")
    expect(page.get_by_role("button", name="Helpful", exact=True)).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="New conversation").click()
    expect(page.locator(".chat-turn")).to_have_count(0)
    expect(page.get_by_role("button", name="Do you ship abroad?")).to_be_visible()
    page.reload()
    open_chat(page)
    expect(page.locator(".chat-turn")).to_have_count(0)


def test_what_was_said_before_goes_with_the_next_question(shop_with_chat: Storefront) -> None:
    page, feed = hand_fed(shop_with_chat)
    open_chat(page)
    for question in ("First?", "Second?"):
        page.get_by_role("textbox", name="Your question").fill(question)
        page.keyboard.press("Enter")
        feed(event("sources", []) + event("token", {"text": f"On {question}"}) + done())
        expect(page.locator(".chat-turn").last).to_have_attribute("data-state", "done")
    first, second = page.evaluate("window.asked")
    assert first["conversation"] == second["conversation"]
    assert [one["content"] for one in second["messages"]] == ["First?", "On First?", "Second?"]


def test_the_chat_works_without_storage(shop_with_chat: Storefront) -> None:
    context = shop_with_chat.browser()
    context.add_init_script(
        "for (const name of ['localStorage', 'sessionStorage'])"
        " Object.defineProperty(window, name, {get() { throw new DOMException('no', 'SecurityError'); }})"
    )
    page = shop_with_chat.visit("/", context)
    open_chat(page)
    expect(ask(page, "Do you ship abroad?")).to_contain_text("We ship to all of Europe")
