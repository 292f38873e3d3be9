"""Which browser, how it is started, how large its windows are. No Django here: the benchmarks use it too."""

import os
import shutil

from playwright.sync_api import Page, ViewportSize

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")

# As root Chromium needs --no-sandbox; the rest keeps it from calling home.
FLAGS = """--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
--disable-component-update --disable-sync""".split()

DESKTOP: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 844}

ADMIN = os.environ.get("ADMIN_URL", "http://127.0.0.1:8000") + "/admin/"
"""Of a running `make demo`."""


def log_in(page: Page, who: str, password: str = "demo-password") -> None:
    page.goto(f"{ADMIN}login/")
    page.fill("[name=login]", who)
    page.fill("[name=password]", password)
    page.press("[name=password]", "Enter")
    page.wait_for_url(lambda url: "login" not in url)
