"""Which browser, how it is started, how large its windows are. No Django here: the benchmarks use it too."""

import shutil

from playwright.sync_api import ViewportSize

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")

# As root Chromium needs --no-sandbox; the rest keeps it from calling home.
FLAGS = """--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
--disable-component-update --disable-sync""".split()

DESKTOP: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 844}
