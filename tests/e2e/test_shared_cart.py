"""One cart on two devices: a link invites, both see each other and each other's changes, the owner ends it."""

import json
import random
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from catalog.models import Product
from tests.e2e.test_cart import add, badge, line, open_cart
from tests.plugins.browser import Storefront, lines_of, needs_chromium, wait_for
from tests.plugins.chromium import PHONE
from tests.plugins.node import NODE

pytestmark = [pytest.mark.browser, pytest.mark.django_db, needs_chromium, pytest.mark.xdist_group("browser")]

WORKER = Path(__file__).parents[2] / "edge_worker"
LINK = re.compile(r"/cart#cart=[0-9a-f-]{36}\.[\w-]{32}$")


def share(page: Page, button: str = "Share cart") -> str:
    """Opens the dialog from the drawer; the link in it."""
    open_cart(page).get_by_role("button", name=button).click()
    field = page.get_by_role("textbox", name="Link to this cart")
    expect(field).to_have_value(LINK)
    link = field.input_value()
    page.keyboard.press("Escape")
    expect(field).to_have_count(0)
    return link


def owner_and_guest(storefront: Storefront) -> tuple[Page, Page]:
    owner = storefront.visit("/products")
    add(owner, "Kettle")
    link = share(owner)
    wait_for(lambda: any(cart.get("shareSecret") for cart in storefront.stores.instant.entities("carts").values()))
    guest = storefront.visit("/products", viewport=PHONE)
    guest.goto(link)
    expect(line(guest, "Kettle")).to_be_visible()
    return owner, guest


def test_an_invited_shopper_sees_the_cart_and_both_change_it(storefront: Storefront) -> None:
    owner, guest = owner_and_guest(storefront)
    assert "#" not in guest.url  # the secret is in nobody's history
    line(guest, "Kettle").get_by_role("button", name="One more of Kettle").click()
    expect(line(owner, "Kettle").get_by_role("spinbutton")).to_have_value("2")
    owner.keyboard.press("Escape")
    add(owner, "Pot")
    expect(line(guest, "Pot")).to_be_visible()
    line(guest, "Kettle").get_by_role("button", name="Remove Kettle").click()
    expect(badge(owner)).to_have_text("1")
    wait_for(lambda: list(lines_of(storefront.stores.instant).values()) == [1])


def test_both_see_each_other_come_and_go(storefront: Storefront) -> None:
    owner, guest = owner_and_guest(storefront)
    expect(guest.locator(".sharing:visible")).to_contain_text("One other person is here now")
    expect(owner.locator(".sharing:visible")).to_contain_text("One other person is here now")
    guest.close()
    expect(owner.locator(".sharing:visible")).to_contain_text("Nobody else is looking at it")


def test_when_the_owner_stops_sharing_the_guest_is_told_and_keeps_a_copy(storefront: Storefront) -> None:
    owner, guest = owner_and_guest(storefront)
    expect(guest.locator(".sharing:visible")).to_contain_text("A cart that was shared with you")
    owner.locator(".drawer").get_by_role("button", name="Stop sharing").click()
    expect(guest.get_by_role("alert")).to_contain_text("This cart is no longer shared")
    guest.get_by_role("button", name="Keep a copy").click()
    expect(line(guest, "Kettle")).to_be_visible()
    line(guest, "Kettle").get_by_role("button", name="One more of Kettle").click()
    wait_for(
        lambda: sorted(one["quantity"] for one in storefront.stores.instant.entities("cartItems").values()) == [1, 2]
    )
    expect(line(owner, "Kettle").get_by_role("spinbutton")).to_have_value("1")


def test_a_link_works_no_more_once_sharing_has_stopped(storefront: Storefront) -> None:
    owner = storefront.visit("/products")
    add(owner, "Kettle")
    link = share(owner)
    owner.locator(".drawer").get_by_role("button", name="Stop sharing").click()
    expect(owner.locator(".drawer .cart-status")).to_have_text("Saved")
    late = storefront.visit("/")
    late.goto(link)
    expect(late.get_by_role("alert")).to_contain_text("This link no longer works")
    expect(line(late, "Kettle")).to_have_count(0)
    late.get_by_role("button", name="Back to my own cart").click()
    expect(late.get_by_text("Your cart is empty")).to_be_visible()


def test_who_joins_a_cart_gets_back_to_their_own(storefront: Storefront) -> None:
    owner = storefront.visit("/products")
    add(owner, "Kettle")
    link = share(owner)
    context = storefront.browser()
    guest = storefront.visit("/products", context)
    add(guest, "Pot")
    expect(badge(guest)).to_have_text("1")
    guest.goto(link)
    guest.reload()
    expect(line(guest, "Kettle")).to_be_visible()
    expect(line(guest, "Pot")).to_have_count(0)
    guest.get_by_role("button", name="Back to my own cart").click()
    expect(line(guest, "Pot")).to_be_visible()
    expect(line(guest, "Kettle")).to_have_count(0)


def test_the_phone_gets_the_same_cart_by_the_code(storefront: Storefront) -> None:
    page = storefront.visit("/products")
    add(page, "Kettle")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    open_cart(page).get_by_role("button", name="Continue on phone").click()
    code = page.get_by_role("img", name="QR code with the link to this cart")
    expect(code).to_be_visible()
    link = page.get_by_role("textbox", name="Link to this cart").input_value()
    assert drawn(code) == code_of(link)
    secret = link.rsplit(".", 1)[1]
    assert [url for url in asked if secret in url] == []
    wait_for(lambda: any(cart.get("shareSecret") for cart in storefront.stores.instant.entities("carts").values()))
    phone = storefront.visit("/", viewport=PHONE)
    phone.goto(link)
    expect(line(phone, "Kettle")).to_be_visible()


def drawn(code: Any) -> list[list[int]]:
    """The dark modules of the picture, as (x, y)."""
    path = code.locator("path").get_attribute("d")
    return sorted([int(x), int(y)] for x, y in re.findall(r"M(\d+) (\d+)h1v1h-1z", path))


def code_of(text: str) -> list[list[int]]:
    """The same from the library itself, in Node."""
    script = (
        "import('uqr').then(({encode}) => console.log(JSON.stringify(encode(process.argv[1], {ecc: 'M', border: 2})"
        ".data.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [[x, y]] : []))))))"
    )
    done = subprocess.run([NODE, "-e", script, text], cwd=WORKER, capture_output=True, text=True, check=True)
    return sorted(json.loads(done.stdout))


def test_a_link_is_worth_nothing_in_another_shop(storefront: Storefront, other_shop: Any) -> None:
    owner = storefront.visit("/products")
    add(owner, "Kettle")
    link = share(owner)
    expect(owner.locator(".drawer .cart-status")).to_have_text("Saved")
    storefront.stores.drain()
    stranger = storefront.visit("/")
    stranger.goto(link.replace("//acme.", "//globex."))
    expect(stranger.get_by_role("alert")).to_contain_text("This link no longer works")
    expect(line(stranger, "Kettle")).to_have_count(0)


def test_both_devices_agree_after_a_bad_network(storefront: Storefront) -> None:
    """Edits on both sides while connections come and go: in the end both and the server hold the same."""
    owner, guest = owner_and_guest(storefront)
    owner.keyboard.press("Escape")
    guest.goto(storefront.url("/products"))
    luck = random.Random(3)
    pages = [owner, guest]
    for number in range(24):
        page = luck.choice(pages)
        page.context.set_offline(luck.random() < 0.5)
        if luck.random() < 0.75:
            add(page, luck.choice(["Kettle", "Pot"]))
        else:
            page.evaluate("(n) => scrollTo(0, n)", number)
    for page in pages:
        page.context.set_offline(False)
    for page in pages:
        add(page, "Kettle")  # the last word of each, so that something is under way in the end

    def agreed() -> bool:
        stored = sum(lines_of(storefront.stores.instant).values())
        return stored > 2 and all(badge(page).inner_text() == str(stored) for page in pages)

    wait_for(agreed, 30)
    storefront_lines = lines_of(storefront.stores.instant)
    assert storefront_lines[str(Product.objects.get(title="Pot").pk)] <= 3
