"""Real browsers on the whole platform: how soon a cart's change and a merchant's edit are seen, and a visit offline.

`python -m tests.benchmarks.cart_and_live [--changes 100] [--edits 30] [--visits 20]`. Uses the demo that runs, or
starts one (`manage.py demo`) and stops it at the end. Prices that are edited are put back.
"""

import argparse
import contextlib
import re
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import httpx
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.plugins.chromium import ADMIN, CHROMIUM, DESKTOP, FLAGS, PHONE, log_in

SHOP = "http://harrowfell.localhost:8787"
MERCHANT = ("maya@harrowfell.example", "demo-password")

# In milliseconds since the epoch, comparable between the pages of one machine.
NOW = "const now = () => performance.timeOrigin + performance.now();"
WATCH = (
    "(selector) => {" + NOW + " const seen = (window.seen = []); const look = () => {"
    " const element = document.querySelector(selector);"
    " const text = element?.tagName === 'INPUT' ? element.value : element?.textContent;"
    " if (text !== undefined && text !== seen.at(-1)?.text) seen.push({text, at: now()});"
    " requestAnimationFrame(look); }; look(); }"
)
FIRST_PRODUCT = (
    "addEventListener('DOMContentLoaded', () => { const look = () => {"
    " if (document.querySelector('[data-price][data-shown]')) window.firstProduct = performance.now();"
    " else requestAnimationFrame(look); }; look(); })"
)


@contextlib.contextmanager
def platform() -> Iterator[None]:
    """The demo that is running, or one of its own."""
    with contextlib.suppress(httpx.HTTPError):
        httpx.get("http://127.0.0.1:8787/healthz", timeout=1)
        yield
        return
    demo = subprocess.Popen([sys.executable, "manage.py", "demo"], stdout=subprocess.PIPE, text=True)
    assert demo.stdout
    for line in demo.stdout:
        if "The platform is up" in line:
            break
    try:
        yield
    finally:
        demo.send_signal(signal.SIGINT)
        demo.communicate(timeout=30)


def seen_after(page: Page, text: str) -> float:
    """When the watched element first said `text` after what it said last, in epoch milliseconds."""
    for _ in range(2_000):
        at = page.evaluate("(text) => window.seen.findLast((one) => one.text === text)?.at ?? null", text)
        if at is not None and page.evaluate("(text) => window.seen.at(-1).text === text", text):
            return float(at)
        time.sleep(0.005)
    raise AssertionError(f"{text!r} was never seen")


def cart_changes(browser: Browser, count: int) -> list[float]:
    """From the click in one browser to the number on screen in the other, in milliseconds."""
    owner, guest = browser.new_context(viewport=DESKTOP).new_page(), browser.new_context(viewport=PHONE).new_page()
    owner.goto(f"{SHOP}/products")
    owner.locator(".add__button:not([disabled])").first.click()
    owner.locator("[data-cart-link]").click()
    owner.get_by_role("button", name="Share cart").click()
    link = owner.get_by_role("textbox", name="Link to this cart").input_value()
    owner.keyboard.press("Escape")
    owner.get_by_text("Saved", exact=True).wait_for()
    guest.goto(link)
    guest.locator(".line input").first.wait_for()
    guest.evaluate(WATCH, ".line input")
    owner.evaluate("() => {" + NOW + " addEventListener('click', () => (window.clicked = now()), true); }")
    delays = []
    for number in range(count):
        up = number % 2 == 0
        owner.locator(".drawer [data-step='1']" if up else ".drawer [data-step='-1']").first.click()
        clicked = owner.evaluate("window.clicked")
        delays.append(seen_after(guest, "2" if up else "1") - clicked)
    return delays


def price_edits(browser: Browser, count: int) -> list[float]:
    """From the click on Save in the admin to the price on an open product page, in milliseconds."""
    admin = browser.new_context(viewport=DESKTOP).new_page()
    log_in(admin, *MERCHANT)
    page = browser.new_context(viewport=DESKTOP).new_page()
    page.goto(f"{SHOP}/products")
    product = page.locator("[data-product]").first
    address = f"{ADMIN}catalog/product/{product.get_attribute('data-product')}/change/"
    page.goto(f"{SHOP}/products/{product.get_attribute('data-slug')}")
    page.evaluate(WATCH, "article .price__now")
    page.wait_for_timeout(1500)
    admin.goto(address)
    before = admin.locator("[name=price]").input_value()
    delays = []
    for number in range(count):
        price = f"{20 + number}.50"
        admin.locator("[name=price]").fill(price)
        delays.append(_saved(admin, page, f"£{price}"))
    admin.locator("[name=price]").fill(before)
    admin.locator("[name=_continue]").first.click()
    return delays


def _saved(admin: Page, page: Page, text: str) -> float:
    began = time.time() * 1000
    admin.locator("[name=_continue]").first.click(no_wait_after=True)
    at = seen_after(page, text)
    admin.wait_for_load_state()
    return at - began


def visits_offline(browser: Browser, count: int) -> list[float]:
    """From the start of the navigation to products from IndexedDB, without any network, in milliseconds."""
    context = browser.new_context(viewport=PHONE)
    context.add_init_script(FIRST_PRODUCT)
    _visit_twice(context)
    context.set_offline(True)
    times = []
    page = context.new_page()
    for _ in range(count):
        page.goto(f"{SHOP}/products")
        for _ in range(1_000):
            at = page.evaluate("window.firstProduct ?? null")
            if at is not None:
                break
            time.sleep(0.005)
        times.append(float(at))
    return times


def _visit_twice(context: BrowserContext) -> None:
    page = context.new_page()
    page.goto(f"{SHOP}/products")
    while not page.evaluate("!!navigator.serviceWorker.controller"):
        time.sleep(0.1)
    page.reload()
    page.wait_for_timeout(4_000)  # Instant writes to IndexedDB when the page is idle
    page.close()


def row(name: str, values: list[float]) -> str:
    cuts = statistics.quantiles(values, n=20)
    return f"{name:<52}{len(values):>6}{statistics.median(values):>9.0f}{cuts[18]:>9.0f}{max(values):>9.0f}"


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=re.split(r"\n\n", str(__doc__))[0])
    for name, default in (("changes", 100), ("edits", 30), ("visits", 20)):
        parser.add_argument(f"--{name}", type=int, default=default)
    wanted = parser.parse_args(arguments)
    table: list[tuple[str, Any, int]] = [
        ("cart change → on screen in the other browser", cart_changes, wanted.changes),
        ("price saved in the admin → on an open page", price_edits, wanted.edits),
        ("visit without network → products from IndexedDB", visits_offline, wanted.visits),
    ]
    with platform(), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        print(f"{'':<52}{'n':>6}{'p50 ms':>9}{'p95 ms':>9}{'max ms':>9}")
        for name, measure, count in table:
            print(row(name, measure(browser, count)), flush=True)
        browser.close()


if __name__ == "__main__":
    main()
