"""Whether a page fits its window and axe-core has nothing serious to say of it."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

AXE = Path(__file__).parents[2] / "edge_worker" / "node_modules" / "axe-core" / "axe.min.js"

needs_axe = pytest.mark.skipif(not AXE.exists(), reason="run `make edge-tools` first: axe-core checks accessibility")


def overflow(page: Page) -> int:
    """Pixels by which the page is wider than its window."""
    wider: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return wider


def is_serious(violation: dict[str, Any]) -> bool:
    return violation["impact"] in ("serious", "critical")


def check(page: Page) -> None:
    """Nothing sticks out, and axe finds nothing serious; axe comes by a way that the page's policy does not rule."""
    assert overflow(page) <= 0
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run()")["violations"]
    assert [one["id"] for one in found if is_serious(one)] == []
