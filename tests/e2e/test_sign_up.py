"""A visitor opens a shop in a real Chromium, on a desktop and on a phone, by keyboard where it matters."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.urls import reverse
from playwright.sync_api import Browser, expect

from tenants.models import Tenant
from tests.e2e.accessibility import check, needs_axe
from tests.plugins.browser import needs_chromium
from tests.plugins.shops import make_shop
from tests.plugins.stores import Stores

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    needs_chromium,
    needs_axe,
    pytest.mark.xdist_group("browser"),
]


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_a_visitor_opens_a_shop(
    chromium: Browser, live_server: Any, stores: Stores, edge: Callable[..., Any], width: int, scheme: Any
) -> None:
    cache.clear()
    make_shop("idas-tea")
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    context.set_default_timeout(10_000)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))

    page.goto(live_server.url + reverse("account_login"))
    check(page)
    page.get_by_role("link", name="Open a shop").click()
    check(page)
    page.get_by_label("E-mail").fill("ida@tea.example")
    page.get_by_label("Password").fill("seven copper kettles")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text("Look into your mail")
    check(page)
    found = re.search(r"^    (\S+)$", str(mail.outbox[-1].body), re.MULTILINE)
    assert found
    page.get_by_label("Code").fill(found[1])
    page.keyboard.press("Enter")

    expect(page.get_by_label("What is your shop called?")).to_be_focused()
    page.keyboard.type("Ida's Tea")
    address, state = page.get_by_label("Its address"), page.locator("[data-address-state]")
    expect(address).to_have_value("idas-tea-shop")
    expect(state).to_have_text("idas-tea-shop.localhost is free.")
    address.fill("idas-tea")
    expect(state).to_have_text("This name is taken. Choose another one.")
    check(page)
    page.get_by_role("button", name="idas-tea-shop").click()
    expect(state).to_have_text("idas-tea-shop.localhost is free.")
    page.get_by_text("Fashion", exact=True).click()
    check(page)
    page.get_by_role("button", name="Open my shop").click()

    expect(page.get_by_text("Getting ready: 1 of 6")).to_be_visible()
    assert Tenant.objects.filter(slug="idas-tea-shop").exists()
    context.close()
    stores.drain()
    assert "Made to be worn" in edge("idas-tea-shop.localhost").text
    assert [text for text in complaints if "favicon" not in text] == []
