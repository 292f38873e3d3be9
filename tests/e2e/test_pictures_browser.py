"""The picture library and the picker in a real Chromium, and axe on what the admin begins with."""

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Page, expect

from catalog.models import Product
from tenants.models import Picture, Tenant
from tests.admin.pictures import add, encoded
from tests.e2e.accessibility import needs_axe, overflow
from tests.e2e.editing import Open, card, serious
from tests.plugins.browser import needs_chromium

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    needs_chromium,
    needs_axe,
    pytest.mark.xdist_group("browser"),
]

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def upload(name: str, data: bytes, kind: str = "image/png") -> Any:
    return {"name": name, "mimeType": kind, "buffer": data}


@pytest.fixture(autouse=True)
def media(settings: Any, live_server: Any, tmp_path: Any) -> None:
    settings.MEDIA_URL, settings.MEDIA_ROOT = f"{live_server.url}/media/", tmp_path


def test_a_picture_is_uploaded_from_the_editor_and_shown_at_once(editor: Page, acme: Tenant) -> None:
    card(editor, "Hero").locator("[data-toggle]").click()
    field = card(editor, "Hero").locator("[data-field=image_url]")
    field.get_by_role("button", name="Choose…").click()
    dialog = editor.get_by_role("dialog", name="Choose a picture")
    expect(dialog.get_by_text("The library is empty")).to_be_visible()
    editor.set_input_files("#pic-picker-file", upload("logo.svg", SVG, "image/svg+xml"))
    expect(dialog.get_by_role("status")).to_contain_text("SVG pictures can't be uploaded")
    editor.set_input_files("#pic-picker-file", upload("page.png", b"<html>"))
    expect(dialog.get_by_role("status")).to_contain_text("no picture that can be used")
    assert serious(editor) == []
    editor.set_input_files("#pic-picker-file", upload("kettle.png", encoded(size=(900, 600))))
    expect(dialog).not_to_be_visible()
    picture = Picture.objects.get(tenant=acme)
    expect(field.locator("input")).to_have_value(picture.url)
    expect(field.locator("input")).to_be_focused()
    shown = editor.frame_locator("[data-frame]").locator(".hero img")
    expect(shown).to_have_attribute(
        "srcset", f"{picture.thumb} 400w, {picture.url.replace('900', '800')} 800w, {picture.url} 900w"
    )
    editor.wait_for_function(
        "() => document.querySelector('[data-frame]').contentDocument.querySelector('.hero img').naturalWidth > 0"
    )
    expect(editor.locator("[data-saved]")).to_have_text("Saved")


def test_a_picture_is_chosen_by_keyboard_and_brings_its_description(editor: Page, acme: Tenant) -> None:
    picture = add(acme, "kettle.png", size=(60, 40))
    card(editor, "Hero").locator("[data-toggle]").press("Enter")
    field = card(editor, "Hero").locator("[data-field=image_url]")
    field.get_by_role("button", name="Choose…").press("Enter")
    dialog = editor.get_by_role("dialog", name="Choose a picture")
    dialog.get_by_role("searchbox").press_sequentially("kett")
    chosen = dialog.get_by_role("button", name="kettle.png")
    expect(chosen).to_be_visible()
    editor.keyboard.press("Tab")
    expect(chosen).to_be_focused()
    editor.keyboard.press("Enter")
    expect(field.locator("input")).to_have_value(picture.url)
    expect(card(editor, "Hero").locator("[data-field=image_alt] input")).to_have_value("kettle.png of acme")
    field.get_by_role("button", name="Choose…").press("Enter")
    editor.keyboard.press("Escape")
    expect(dialog).not_to_be_visible()
    expect(field.locator("input")).to_have_value(picture.url)


def test_a_product_s_picture_is_chosen_from_the_library_or_lies_elsewhere(
    open_page: Open, acme: Tenant, live_server: Any
) -> None:
    picture = add(acme, "kettle.png", size=(60, 40))
    product = Product.objects.get(tenant=acme)
    elsewhere = f"{live_server.url}/static/tenants/icon.svg"
    page = open_page("admin:catalog_product_change", product.pk)
    page.get_by_role("button", name="Choose…").click()
    page.get_by_role("button", name="kettle.png").click()
    expect(page.locator("#id_image_url")).to_have_value(picture.url)
    expect(page.locator("#id_image_alt")).to_have_value("kettle.png of acme")
    expect(page.locator("[data-thumb]")).to_be_visible()
    page.get_by_role("button", name="Choose…").click()
    page.get_by_label("A picture that is elsewhere").fill("ftp://x")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Begin the address of a picture with https:// or /.")).to_be_visible()
    page.get_by_label("A picture that is elsewhere").fill(elsewhere)
    page.keyboard.press("Enter")
    expect(page.locator("#id_image_url")).to_have_value(elsewhere)
    assert serious(page) == []


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_the_library_takes_several_pictures_and_has_no_serious_issue(
    open_page: Open, acme: Tenant, width: int, scheme: str
) -> None:
    page = open_page("admin:tenants_picture_changelist", width=width, scheme=scheme)
    good = [upload(f"{name}.png", encoded(size=(90, 60), colour=(number, 9, 9))) for number, name in enumerate("ab")]
    page.set_input_files("#pic-files", good)
    expect(page.locator("#result_list .thumbnail")).to_have_count(2)
    page.set_input_files("#pic-files", [upload("c.svg", SVG, "image/svg+xml"), upload("d.png", encoded(size=(9, 9)))])
    expect(page.get_by_text("c.svg: SVG pictures can't be uploaded")).to_be_visible()
    page.get_by_role("button", name="Show the new pictures").press("Enter")
    expect(page.locator("#result_list .thumbnail")).to_have_count(3)
    assert serious(page) == []
    page.get_by_role("link", name="a.png").first.click()
    expect(page.get_by_text("Nowhere at the moment")).to_be_visible()
    assert serious(page) == []
    assert overflow(page) <= 0


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_log_in_and_the_list_of_shops_have_no_serious_issue(
    open_page: Open, acme: Tenant, live_server: Any, width: int, scheme: str
) -> None:
    page = open_page("admin:index", width=width, scheme=scheme)
    page.context.clear_cookies()
    page.goto(live_server.url + reverse("admin:login"))
    assert serious(page, "body") == []
    user = User.objects.create_superuser("staff", "staff@example.com", "password")
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    page.locator("[name=login]").fill("staff@example.com")
    page.locator("[name=password]").fill("password")
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/")
    for name in ("index", "tenants_tenant_changelist"):
        page.goto(live_server.url + reverse(f"admin:{name}"))
        assert serious(page) == [], name
        assert overflow(page) <= 0, name
