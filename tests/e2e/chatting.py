"""How the tests use the chat as a shopper does, and an answer held in one's hand."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, ViewportSize, expect

from tests.plugins.browser import Storefront
from tests.plugins.chromium import DESKTOP, PHONE

NARROW: ViewportSize = {"width": 360, "height": 740}
VIEWPORTS = pytest.mark.parametrize("viewport", [DESKTOP, PHONE, NARROW], ids=["desktop", "phone", "narrow"])
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


def serious(page: Page, within: str) -> list[str]:
    run = "(within) => axe.run(within).then(({violations}) => violations.map((v) => [v.impact, v.id, v.nodes[0].html]))"
    return [f"{rule}: {html}" for impact, rule, html in page.evaluate(run, within) if impact in ("serious", "critical")]
