"""The admin's editor in a browser, as the tests of editor and pictures use it."""

from collections.abc import Callable

from playwright.sync_api import Locator, Page

from tests.e2e.accessibility import AXE, is_serious

Open = Callable[..., Page]

EXPECTED = ("favicon", "409", "422", "Blocked script execution in 'about:srcdoc'")
"""What Chromium may complain of: refusals that a test asks for, and that the preview's frame runs no scripts."""


def card(page: Page, name: str) -> Locator:
    return page.locator(".ed-card", has=page.locator("[data-kind]", has_text=name))


def serious(page: Page, part: str = "#content") -> list[str]:
    """axe's serious and critical findings; Unfold's own sidebar and header are not ours to mend."""
    page.evaluate(AXE.read_text())
    found = page.evaluate("part => axe.run({include: [part], exclude: ['iframe']})", part)
    found["violations"] += page.evaluate("document.querySelector('dialog[open]') ? axe.run('dialog[open]') : {}").get(
        "violations", []
    )
    return [
        f"{one['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
        for one in found["violations"]
        if is_serious(one)
        for node in one["nodes"]
    ]
