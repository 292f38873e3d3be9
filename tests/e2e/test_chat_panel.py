"""The chat and the search field in a real Chromium, on the real edge and stores; a test that must hold an answer back
feeds the page its stream by hand."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, ViewportSize, expect

from catalog.models import Product
from chat.models import ChatProfile
from controlplane.localcloud import defaults
from controlplane.localcloud.cloudflare import text
from controlplane.localcloud.faults import Fault
from tests.plugins.browser import Storefront, needs_chromium
from tests.plugins.chromium import DESKTOP, PHONE
from tests.plugins.shops import make_knowledge, publish

pytestmark = [pytest.mark.browser, pytest.mark.django_db, needs_chromium, pytest.mark.xdist_group("browser")]

NARROW: ViewportSize = {"width": 360, "height": 740}
VIEWPORTS = pytest.mark.parametrize("viewport", [DESKTOP, PHONE, NARROW], ids=["desktop", "phone", "narrow"])
AXE = Path(__file__).parents[2] / "edge_worker" / "node_modules" / "axe-core" / "axe.min.js"
HOSTILE = "<img src=x onerror=alert(1)><script>alert(1)</script>Kettle"

# The page's own chat requests are answered from `feed(text)` and `feed(null)`, the end: an answer held in one's hand.
HAND_FED = """
{
  const real = window.fetch;
  const encoder = new TextEncoder();
  window.asked = [];
  window.fetch = (address, options) => {
    if (address !== "/api/chat") return real(address, options);
    window.asked.push(JSON.parse(options.body));
    const body = new ReadableStream({
      start(stream) {
        window.feed = (text) => (text === null ? stream.close() : stream.enqueue(encoder.encode(text)));
        options.signal.addEventListener("abort", () => stream.error(options.signal.reason));
      },
    });
    return Promise.resolve(new Response(body, { headers: { "content-type": "text/event-stream" } }));
  };
}
"""


@pytest.fixture
def shop_with_chat(storefront: Storefront) -> Iterator[Storefront]:
    shop = storefront.shop
    ChatProfile.objects.update_or_create(
        tenant=shop,
        defaults={
            "enabled": True, "greeting": "Ask me about pots.", "suggested_questions": ["Do you ship abroad?"],
            "contact_email": "people@acme.example",
        },
    )  # fmt: skip
    make_knowledge(shop, "Do you ship abroad?", body="We ship to all of Europe within five days.", url="/#faq")
    make_knowledge(shop, "How do I return a kettle?", body="Send the kettle back within 30 days.", url="/products")
    storefront.save(Product.objects.get(title="Kettle"), description="<p>A copper kettle for strong tea.</p>")
    publish(shop)
    storefront.stores.drain()
    yield storefront
    storefront.stores.cloudflare.faults.clear()


def open_chat(page: Page) -> Locator:
    page.get_by_role("button", name="Ask a question").click()
    panel = page.get_by_role("dialog", name="Acme assistant")
    expect(panel).to_be_visible()
    return panel


def ask(page: Page, question: str) -> Locator:
    """Asks and waits for the end of the answer; that turn."""
    field = page.get_by_role("textbox", name="Your question")
    field.fill(question)
    field.press("Enter")
    turn = page.locator(".chat-turn").last
    expect(turn.locator(".chat-question")).to_contain_text(question)
    expect(turn).not_to_have_attribute("data-state", "asked")
    return turn


def event(name: str, value: Any) -> str:
    return f"event: {name}\ndata: {json.dumps(value)}\n\n"


def done(**more: Any) -> str:
    value = {"turn": "0190a000-0000-7000-8000-00000000000d", "answered": True, "reason": "", "model": "m"}
    return event("done", value | {"follow_ups": [], "usage": {"tokens_in": 1, "tokens_out": 1}} | more)


def hand_fed(storefront: Storefront, path: str = "/", **options: Any) -> tuple[Page, Callable[[str | None], Any]]:
    context = storefront.browser(**options)
    context.add_init_script(HAND_FED)
    page = storefront.visit(path, context)
    return page, lambda text: page.evaluate("(text) => window.feed(text)", text)


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
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0
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


def serious(page: Page, within: str) -> list[str]:
    run = "(within) => axe.run(within).then(({violations}) => violations.map((v) => [v.impact, v.id, v.nodes[0].html]))"
    return [f"{rule}: {html}" for impact, rule, html in page.evaluate(run, within) if impact in ("serious", "critical")]


def search_field(page: Page) -> Locator:
    return page.get_by_role("combobox", name="Search this shop")


@pytest.mark.parametrize(("path", "viewport"), [("/", DESKTOP), ("/search", NARROW)], ids=["header", "page"])
def test_search_suggests_while_one_types(shop_with_chat: Storefront, path: str, viewport: ViewportSize) -> None:
    page = shop_with_chat.visit(path, viewport=viewport, bypass_csp=True)
    page.get_by_label("Search this shop").last.click()
    field = search_field(page)
    field.press_sequentially("kettle", delay=20)
    listbox = page.get_by_role("listbox", name="Suggestions")
    kettle = listbox.get_by_role("option", name=re.compile("Kettle.*€42.00"))
    expect(kettle).to_be_visible()
    expect(listbox.get_by_role("option", name=re.compile("How do I return a kettle"))).to_be_visible()
    if AXE.exists():
        page.add_script_tag(path=AXE)
        assert serious(page, "form:has(.suggest)") == []
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0
    field.press("ArrowDown")
    expect(kettle).to_have_attribute("aria-selected", "true")
    expect(field).to_have_attribute("aria-activedescendant", kettle.get_attribute("id") or "")
    field.press("Escape")
    expect(listbox).to_be_hidden()
    expect(field).to_have_value("kettle")
    expect(field).to_have_attribute("aria-expanded", "false")
    field.press("ArrowDown")
    field.press("ArrowDown")
    field.press("Enter")
    page.wait_for_url("**/products/kettle")


def test_enter_without_a_choice_and_the_last_suggestion_lead_to_all_results(shop_with_chat: Storefront) -> None:
    page = shop_with_chat.visit("/")
    page.get_by_label("Search this shop").click()
    search_field(page).press_sequentially("kettle")
    expect(page.get_by_role("option", name="See all results for “kettle”")).to_be_visible()
    search_field(page).press("ArrowUp")
    search_field(page).press("Enter")
    page.wait_for_url("**/search?q=kettle")
    page.go_back()
    page.get_by_label("Search this shop").fill("pot")
    page.get_by_label("Search this shop").press("Enter")
    page.wait_for_url("**/search?q=pot")


def test_a_search_that_fails_leaves_the_form_as_it_is(shop_with_chat: Storefront) -> None:
    page = shop_with_chat.visit("/")
    page.route("**/api/search*", lambda route: route.abort())
    page.get_by_label("Search this shop").click()
    with page.expect_event("requestfailed"):
        search_field(page).press_sequentially("kettle")
    expect(page.get_by_role("listbox")).to_be_hidden()
    search_field(page).press("Enter")
    page.wait_for_url("**/search?q=kettle")


def test_only_what_was_typed_last_is_suggested(shop_with_chat: Storefront) -> None:
    page = shop_with_chat.visit("/")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/api/search" in request.url else None)
    page.get_by_label("Search this shop").click()
    search_field(page).press_sequentially("kettle", delay=10)
    expect(page.get_by_role("option", name="See all results for “kettle”")).to_be_visible()
    assert len(asked) < 4
    search_field(page).fill("pot")
    expect(page.get_by_role("option", name="See all results for “pot”")).to_be_visible()
    expect(page.get_by_role("option", name="See all results for “kettle”")).to_have_count(0)
