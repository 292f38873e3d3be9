"""`python -m tests.benchmarks.preview`, beside a running `make demo`: from a key to the preview that shows it.

A merchant types a headline into the editor in Chromium, one key after another; each is timed in the page itself, from
the key's input event until the preview's heading holds the text.
"""

import os
import platform
import statistics
import sys

from playwright.sync_api import Page, sync_playwright

from tests.plugins.chromium import ADMIN, CHROMIUM, FLAGS, log_in

KEYS = 60

WATCH = """() => {
  const input = document.querySelector(".ed-card-body:not([hidden]) [data-field=heading] input");
  const frame = document.querySelector("[data-frame]");
  window.took = [];
  input.addEventListener("input", () => {
    const began = performance.now(), text = input.value.trim();
    const look = () => {
      if (frame.contentDocument.querySelector("h1")?.textContent.trim() === text) took.push(performance.now() - began);
      else requestAnimationFrame(look);
    };
    look();
  });
}"""


def main() -> None:
    chromium = CHROMIUM or sys.exit("No chromium on this machine.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        took = measure(page)
        browser.close()
    cuts = statistics.quantiles(took, n=20)
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {len(took)} keys")
    print(f"key → preview: p50 {statistics.median(took):.0f} ms, p95 {cuts[18]:.0f} ms, max {max(took):.0f} ms")


def measure(page: Page) -> list[float]:
    log_in(page, "maya@harrowfell.example")
    page.goto(f"{ADMIN}tenants/landing/")
    page.frame_locator("[data-frame]").locator("h1").wait_for()
    page.locator(".ed-card", has_text="Hero").first.locator("[data-toggle]").click()
    headline = page.get_by_label("Headline")
    before = headline.input_value()
    page.evaluate(WATCH)
    headline.fill("")
    for number in range(KEYS):
        headline.press(chr(ord("a") + number % 26))
        page.wait_for_timeout(400)
    took: list[float] = page.evaluate("took")
    headline.fill(before)
    page.wait_for_timeout(2500)
    return took


if __name__ == "__main__":
    main()
