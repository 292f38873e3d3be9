"""`python -m tests.screenshots`, beside a running `make demo`: the pictures of the admin in docs/screenshots.

Each page at 1280 and 390 pixels, in light and dark: {page}-{desktop|phone}-{light|dark}.jpg. With names behind it
(`python -m tests.screenshots pictures login`) only those pages. Look at them before they are committed.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.plugins.chromium import ADMIN, CHROMIUM, FLAGS, log_in

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "screenshots"
SIZES = {"desktop": (1280, 900), "phone": (390, 900)}
MERCHANT, STAFF = "maya@harrowfell.example", "staff@platform.example"


def editor(page: Page) -> None:
    page.goto(f"{ADMIN}tenants/landing/")
    page.frame_locator("[data-frame]").locator("h1").wait_for()


def looks(page: Page) -> None:
    editor(page)
    page.click("#tab-looks")


def product(page: Page) -> None:
    page.goto(f"{ADMIN}catalog/product/")
    page.click(".field-title a")


def picker(page: Page) -> None:
    editor(page)
    hero = page.locator(".ed-card", has_text="Hero").first
    hero.locator("[data-toggle]").click()
    hero.locator("[data-field=image_url] [data-choose]").click()
    page.locator(".pic-list img").first.wait_for()


def at(path: str) -> Callable[[Page], Any]:
    return lambda page: page.goto(ADMIN + path)


PAGES: dict[str, tuple[str, Callable[[Page], Any]]] = {
    "login": ("", at("login/")),
    "admin-home": (MERCHANT, at("")),
    "editor": (MERCHANT, editor),
    "editor-looks": (MERCHANT, looks),
    "pictures": (MERCHANT, at("tenants/picture/")),
    "picker": (MERCHANT, picker),
    "product": (MERCHANT, product),
    "shops": (STAFF, at("tenants/tenant/")),
    "staff-home": (STAFF, at("")),
}


def fill_library(browser: Browser) -> None:
    """A new demo has no uploads: some of its drawings, as the PNG files that a merchant would have."""
    page = browser.new_page(viewport={"width": 900, "height": 900})
    files = []
    for drawing in sorted((ROOT / "controlplane/demo/static/demo/harrowfell").glob("*.svg"))[:9]:
        page.set_content(f"<style>*{{margin:0}} svg{{width:900px;height:900px}}</style>{drawing.read_text()}")
        files.append({"name": f"{drawing.stem}.png", "mimeType": "image/png", "buffer": page.screenshot()})
    log_in(page, MERCHANT)
    page.goto(f"{ADMIN}tenants/picture/")
    page.set_input_files("#pic-files", files)  # type: ignore[arg-type]
    page.locator("#result_list .thumbnail").nth(len(files) - 1).wait_for()
    page.close()


def shoot(browser: Browser, names: list[str]) -> None:
    for scheme in ("light", "dark"):
        for device, (width, height) in SIZES.items():
            for who in ("", MERCHANT, STAFF):
                context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
                page = context.new_page()
                if who:
                    log_in(page, who)
                for name in names:
                    if PAGES[name][0] == who:
                        PAGES[name][1](page)
                        page.wait_for_load_state("networkidle")
                        path = FOLDER / f"{name}-{device}-{scheme}.jpg"
                        page.screenshot(path=path, type="jpeg", quality=72)
                context.close()


def main() -> None:
    chromium = CHROMIUM or sys.exit("No chromium on this machine.")
    names = sys.argv[1:] or list(PAGES)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        if {"pictures", "picker"} & set(names):
            fill_library(browser)
        shoot(browser, names)
        browser.close()


if __name__ == "__main__":
    main()
