"""The cart in a real browser: one shopper, two tabs, no network, no storage, hostile text."""

import re
from typing import Any

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, Route, ViewportSize, expect

from catalog.models import Product
from tests.plugins.browser import Storefront, lines_of, needs_chromium, wait_for
from tests.plugins.chromium import DESKTOP, PHONE

pytestmark = [pytest.mark.browser, pytest.mark.django_db, needs_chromium, pytest.mark.xdist_group("browser")]

VIEWPORTS = pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])


def card(page: Page, title: str) -> Any:
    return page.locator("li[data-product]", has_text=title).first


def add(page: Page, title: str) -> None:
    card(page, title).get_by_role("button").click()


def badge(page: Page) -> Any:
    return page.locator("[data-cart-count]")


def open_cart(page: Page) -> Any:
    page.locator("[data-cart-link]").click()
    drawer = page.get_by_role("dialog", name="Cart")
    expect(drawer).to_be_visible()
    return drawer


def line(page: Page, title: str) -> Any:
    return page.locator("[data-line]:visible", has_text=title)


@VIEWPORTS
def test_a_shopper_fills_changes_and_empties_a_cart(storefront: Storefront, viewport: ViewportSize) -> None:
    page = storefront.visit("/products", viewport=viewport)
    add(page, "Kettle")
    expect(badge(page)).to_have_text("1")
    page.goto(storefront.url("/products/pot"))
    page.get_by_role("button", name="One more").click()
    page.get_by_role("button", name="Add to cart").click()
    expect(badge(page)).to_have_text("3")
    drawer = open_cart(page)
    expect(drawer.locator(".total__amount")).to_have_text("€93.00")
    drawer.get_by_role("button", name="One more of Kettle").click()
    expect(drawer.locator(".total__amount")).to_have_text("€135.00")
    drawer.get_by_role("button", name="Remove Pot").click()
    expect(line(page, "Pot")).to_have_count(0)
    drawer.get_by_role("button", name="Undo").click()
    expect(line(page, "Pot").get_by_role("spinbutton")).to_have_value("2")
    expect(drawer.locator(".cart-status")).to_have_text("Saved")
    stored = {Product.objects.get(title=title).pk: n for title, n in (("Kettle", 2), ("Pot", 2))}
    assert lines_of(storefront.stores.instant) == {str(pk): n for pk, n in stored.items()}
    page.reload()
    expect(badge(page)).to_have_text("4")


def test_the_quantity_never_exceeds_the_stock(storefront: Storefront) -> None:
    page = storefront.visit("/products/pot")
    expect(page.get_by_role("button", name="Add to cart")).to_be_enabled()
    page.locator(".buy").get_by_role("spinbutton").fill("9")
    page.get_by_role("button", name="Add to cart").click()
    expect(badge(page)).to_have_text("3")
    page.get_by_role("button", name="Add to cart").click()
    expect(page.get_by_role("status").filter(has_text="You already have all there is of Pot")).to_be_visible()
    expect(badge(page)).to_have_text("3")


def test_a_sold_out_product_can_not_be_added(storefront: Storefront) -> None:
    page = storefront.visit("/products/pan")
    expect(page.get_by_role("button", name="Add to cart")).to_be_disabled()
    storefront.save(Product.objects.get(title="Pan"), stock=2)
    expect(page.get_by_role("button", name="Add to cart")).to_be_enabled()
    expect(page.locator("[data-stock-note]")).to_have_text("Only 2 left")


def test_a_line_says_what_became_of_its_product(storefront: Storefront) -> None:
    page = storefront.visit("/products")
    add(page, "Kettle")
    add(page, "Pot")
    add(page, "Pot")
    expect(badge(page)).to_have_text("3")
    page.goto(storefront.url("/cart"))
    expect(page.locator(".total__amount:visible")).to_have_text("€93.00")
    storefront.save(Product.objects.get(title="Kettle"), price=4500)
    expect(line(page, "Kettle")).to_contain_text("Was €42.00 when you added it.")
    expect(page.locator(".total__amount:visible")).to_have_text("€96.00")
    storefront.save(Product.objects.get(title="Pot"), stock=1)
    expect(line(page, "Pot")).to_contain_text("You wanted 2, but only one is left.")
    expect(line(page, "Pot").get_by_role("spinbutton")).to_have_value("1")
    expect(page.locator(".total__amount:visible")).to_have_text("€70.50")
    storefront.save(Product.objects.get(title="Pot"), stock=0)
    expect(line(page, "Pot")).to_contain_text("Sold out for now.")
    expect(page.locator(".total__amount:visible")).to_have_text("€45.00")
    storefront.save(Product.objects.get(title="Kettle"), status="draft")
    expect(line(page, "Kettle")).to_contain_text("No longer sold here.")
    expect(page.locator(".total__amount:visible")).to_have_text("–")


def test_two_tabs_show_the_same_cart(storefront: Storefront) -> None:
    context = storefront.browser()
    first, second = storefront.visit("/products", context), storefront.visit("/products", context)
    add(first, "Kettle")
    expect(badge(second)).to_have_text("1")
    add(second, "Kettle")
    expect(badge(first)).to_have_text("2")
    wait_for(lambda: list(lines_of(storefront.stores.instant).values()) == [2])


def go_offline(context: BrowserContext) -> None:
    context.set_offline(True)


def test_what_was_changed_offline_is_sent_later(storefront: Storefront) -> None:
    context = storefront.browser()
    page = storefront.visit("/products", context)
    add(page, "Kettle")
    wait_for(lambda: lines_of(storefront.stores.instant))
    go_offline(context)
    expect(page.locator(".connection")).to_have_text("You’re offline. Your cart is saved on this device.")
    add(page, "Kettle")
    add(page, "Pot")
    expect(badge(page)).to_have_text("3")
    assert list(lines_of(storefront.stores.instant).values()) == [1]
    context.set_offline(False)
    wait_for(lambda: sorted(lines_of(storefront.stores.instant).values()) == [1, 2])
    expect(page.locator(".connection")).to_be_hidden()


def test_a_cart_that_was_begun_offline_is_sent_later(storefront: Storefront) -> None:
    context = storefront.browser()
    page = storefront.visit("/products", context)
    wait_for(lambda: page.evaluate("!!navigator.serviceWorker.controller"))
    page.reload()
    go_offline(context)
    add(page, "Kettle")
    page.reload()
    expect(badge(page)).to_have_text("1")
    expect(open_cart(page).locator(".total__amount")).to_have_text("€42.00")
    context.set_offline(False)
    wait_for(lambda: list(lines_of(storefront.stores.instant).values()) == [1])


def test_a_refused_change_is_taken_back_with_a_word(storefront: Storefront) -> None:
    page = storefront.visit("/products")
    add(page, "Kettle")
    wait_for(lambda: lines_of(storefront.stores.instant))
    forbid_changes(storefront)
    drawer = open_cart(page)
    drawer.get_by_role("button", name="One more of Kettle").click()
    expect(drawer.get_by_text("Kettle could not be changed, so it is as it was before.")).to_be_visible()
    expect(line(page, "Kettle").get_by_role("spinbutton")).to_have_value("1")
    expect(badge(page)).to_have_text("1")


def forbid_changes(storefront: Storefront) -> None:
    """As if the shop's rules had changed under an open page."""
    cloud = storefront.stores.instant
    head = {"authorization": f"Bearer {cloud.admin_token}"}
    rules = httpx.get(f"{cloud.api_uri}/dash/apps/{cloud.app_id}/perms/pull", headers=head).json()["perms"]
    rules["cartItems"]["allow"]["update"] = "false"
    assert cloud.post(f"/dash/apps/{cloud.app_id}/rules", {"code": rules}).status_code == 200


WITHOUT_DATABASE = "Object.defineProperty(window, 'indexedDB', {get: () => undefined})"
WITH_FULL_STORAGE = """
const full = () => { throw new DOMException("full", "QuotaExceededError"); };
Storage.prototype.setItem = full;
IDBObjectStore.prototype.put = full;
"""
WITHOUT_SOCKETS = """
window.WebSocket = class extends EventTarget {
  readyState = 0;
  constructor() { super(); setTimeout(() => this.close(), 20); }
  send() {}
  close() { this.readyState = 3; this.onerror?.({target: this}); this.onclose?.({target: this}); }
};"""


def test_without_indexeddb_the_shop_works_and_the_cart_is_carried(storefront: Storefront) -> None:
    context = storefront.browser()
    context.add_init_script(WITHOUT_DATABASE)
    page = storefront.visit("/products", context)
    add(page, "Kettle")
    wait_for(lambda: list(lines_of(storefront.stores.instant).values()) == [1])
    page.goto(storefront.url("/products/pot"))
    page.get_by_role("button", name="Add to cart").click()
    expect(badge(page)).to_have_text("2")
    wait_for(lambda: sorted(lines_of(storefront.stores.instant).values()) == [1, 1])


def test_with_full_storage_the_cart_works_and_says_how_long_it_lasts(storefront: Storefront) -> None:
    context = storefront.browser()
    context.add_init_script(WITH_FULL_STORAGE)
    page = storefront.visit("/products", context)
    add(page, "Kettle")
    expect(badge(page)).to_have_text("1")
    expect(page.locator(".toasts")).to_contain_text(re.compile("storage is full|is in your cart"))
    expect(open_cart(page).locator(".total__amount")).to_have_text("€42.00")


def test_without_websockets_the_cart_works_on_this_device(storefront: Storefront) -> None:
    context = storefront.browser()
    context.add_init_script(WITHOUT_SOCKETS)
    page = storefront.visit("/products", context)
    add(page, "Kettle")
    page.goto(storefront.url("/cart"))
    expect(page.locator(".total__amount:visible")).to_have_text("€42.00")
    expect(page.locator(".cart-status:visible")).to_have_text("Saved on this device, not sent yet.")


def test_a_clock_that_is_years_off_changes_nothing(storefront: Storefront) -> None:
    context = storefront.browser()
    page = context.new_page()
    page.clock.set_system_time("2019-01-01T00:00:00Z")
    page.goto(storefront.url("/products"))
    add(page, "Kettle")
    wait_for(lambda: list(lines_of(storefront.stores.instant).values()) == [1])
    storefront.save(Product.objects.get(title="Kettle"), price=100)
    expect(card(page, "Kettle").locator(".price__now")).to_have_text("€1.00")


def test_hostile_text_that_arrives_live_stays_text(storefront: Storefront) -> None:
    page = storefront.visit("/products")
    add(page, "Kettle")
    kettle = Product.objects.get(title="Kettle")
    hostile = "<img src=x onerror=alert(1)>Kettle"
    storefront.save(kettle, title=hostile)
    expect(page.locator("[data-product-title]", has_text="onerror")).to_have_text(hostile)
    drawer = open_cart(page)
    expect(drawer.locator(".line__title")).to_have_text(hostile)
    drawer.get_by_role("button", name=f"Remove {hostile}").click()
    expect(drawer.locator(".toast")).to_contain_text(hostile)
    assert page.locator("img[onerror]").count() == 0


def test_the_cart_works_by_keyboard_alone_and_gives_the_focus_back(storefront: Storefront) -> None:
    page = storefront.visit("/products/pot")
    page.get_by_role("button", name="Add to cart").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Cart, 1 item")).to_be_visible()
    page.get_by_role("link", name="Cart, 1 item").focus()
    page.keyboard.press("Enter")
    drawer = page.get_by_role("dialog", name="Cart")
    expect(drawer).to_be_visible()
    for _ in range(15):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement === document.body || !!document.activeElement.closest('dialog')")
    drawer.get_by_role("button", name="One more of Pot").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(line(page, "Pot").get_by_role("spinbutton")).to_have_value("3")
    expect(line(page, "Pot").get_by_role("spinbutton")).to_be_focused()  # the button has reached its end
    expect(page.get_by_text("Total €76.50, 3 items")).to_have_attribute("aria-live", "polite")
    drawer.get_by_role("button", name="Remove Pot").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("!!document.activeElement.closest('dialog')")
    page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()
    expect(page.get_by_role("link", name=re.compile("^Cart"))).to_be_focused()


def test_without_scripts_pages_are_complete_and_the_cart_says_what_it_needs(storefront: Storefront) -> None:
    page = storefront.visit("/products/kettle", java_script_enabled=False)
    expect(page.locator(".price__now").first).to_have_text("€42.00")
    expect(page.get_by_role("button", name="Add to cart")).to_be_hidden()
    expect(page.get_by_text("The cart needs JavaScript")).to_be_visible()
    page.goto(storefront.url("/"))
    expect(card(page, "Kettle").get_by_role("button")).to_be_hidden()
    page.goto(storefront.url("/cart"))
    expect(page.get_by_text("The cart needs JavaScript")).to_be_visible()


def test_a_button_pressed_before_the_scripts_are_there_still_adds(storefront: Storefront) -> None:
    kettle = Product.objects.get(title="Kettle")
    page = storefront.visit(f"/cart?add={kettle.pk}")
    expect(line(page, "Kettle")).to_be_visible()
    page.reload()
    expect(line(page, "Kettle").get_by_role("spinbutton")).to_have_value("1")


def test_nothing_moves_when_the_scripts_arrive(storefront: Storefront) -> None:
    page = storefront.visit("/products")
    add(page, "Kettle")
    for path in ("/", "/products", "/products/kettle", "/cart"):
        page.goto(storefront.url(path))
        page.wait_for_timeout(600)
        shift = page.evaluate(
            """() => new Promise((done) => new PerformanceObserver((list) => done(list.getEntries()
              .filter((one) => !one.hadRecentInput).reduce((sum, one) => sum + one.value, 0)))
              .observe({type: 'layout-shift', buffered: true}) || setTimeout(() => done(0), 300))"""
        )
        assert shift < 0.01, path


def test_a_later_visit_shows_products_without_any_network(storefront: Storefront) -> None:
    context = storefront.browser()
    page = storefront.visit("/products", context)
    wait_for(lambda: page.evaluate("!!navigator.serviceWorker.controller"))
    page.reload()
    storefront.save(Product.objects.get(title="Kettle"), price=4100)  # IndexedDB learns of it, the saved page does not
    expect(card(page, "Kettle").locator(".price__now")).to_have_text("€41.00")
    page.wait_for_timeout(2500)  # Instant writes to IndexedDB when idle
    context.set_offline(True)
    page.goto(storefront.url("/products"))
    expect(card(page, "Kettle").locator(".price__now")).to_have_text("€41.00")
    expect(page.locator(".connection")).to_contain_text("prices may have changed")
    page.goto(storefront.url("/cart"))
    expect(page.get_by_role("heading", name="Cart", exact=True)).to_be_visible()


def test_a_button_pressed_while_the_scripts_are_loading_adds_in_place(storefront: Storefront) -> None:
    page = storefront.browser().new_page()

    def late(route: Route) -> None:
        page.wait_for_timeout(700)
        route.continue_()

    page.route("**/assets/main-*.js", late)
    page.goto(storefront.url("/products"), wait_until="domcontentloaded")  # start.js has run, main.js has not
    add(page, "Kettle")
    expect(badge(page)).to_have_text("1")
    assert page.url.endswith("/products")
