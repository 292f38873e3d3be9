"""The search field in a real Chromium, on the real edge and stores."""

import re

import pytest
from playwright.sync_api import Locator, Page, ViewportSize, expect

from tests.e2e.accessibility import AXE, overflow
from tests.e2e.chatting import NARROW, serious
from tests.plugins.browser import Storefront, needs_chromium
from tests.plugins.chromium import DESKTOP

pytestmark = [pytest.mark.browser, pytest.mark.django_db, needs_chromium, pytest.mark.xdist_group("browser")]


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
    assert overflow(page) <= 0
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
