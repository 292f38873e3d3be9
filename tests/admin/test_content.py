"""Forms: sections, landing pages, shops, domains, people."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from storefront.documents import MAX_RECORD_BYTES, SECTIONS
from tenants.models import Domain, Membership, Section, Tenant

Read = Callable[[Any], dict[str, Any]]


def url(kind: str, view: str, *args: Any) -> str:
    return reverse(f"admin:{kind}_{view}", args=args)


def add_url(kind: str) -> str:
    return f"{url('tenants_section', 'add')}?kind={kind}"


def errors(response: Any) -> Any:
    assert response.status_code == 200
    return response.context["adminform"].form.errors


def test_the_picker_describes_every_kind(owner: Client) -> None:
    page = owner.get(url("tenants_section", "add")).content.decode()
    assert all(kind.label in page and kind.description in page for kind in SECTIONS.values())


@pytest.mark.parametrize("kind", SECTIONS)
def test_every_kind_has_a_form_without_json(kind: str, owner: Client) -> None:
    form = owner.get(add_url(kind)).context["adminform"].form
    assert form.fields
    assert "content" not in form.fields


def test_a_new_section_goes_to_the_end_of_the_page(acme: Any, owner: Client) -> None:
    answer = owner.post(add_url("call_to_action"), {"heading": "Come in"})
    assert answer["Location"] == url("tenants_landing", "change", acme.landing.pk)
    assert [row.kind for row in acme.landing.sections.all()] == ["hero", "call_to_action"]


def test_errors_stand_at_their_fields(owner: Client) -> None:
    posted = {"heading": "", "layout": "sideways", "button_url": "javascript:alert(1)", "text": "x" * 400}
    assert set(errors(owner.post(add_url("hero"), posted))) == {"heading", "layout", "button_url", "text"}
    assert Section.objects.count() == 1


def test_blank_rows_are_dropped_and_half_filled_ones_refused(acme: Any, owner: Client) -> None:
    posted = {"items-0-question": "Do you ship?", "items-0-answer": "Yes.", "items-1-question": ""}
    assert owner.post(add_url("faq"), posted).status_code == 302
    faq = acme.landing.sections.get(kind="faq")
    assert faq.content["items"] == [{"question": "Do you ship?", "answer": "Yes."}]
    posted = {"items-0-question": "Do you ship?", "items-0-answer": ""}
    assert set(errors(owner.post(add_url("faq"), posted))) == {"items-0-answer"}


def test_rows_are_removed_and_added_behind(acme: Any, owner: Client, form_of: Read) -> None:
    items = [{"question": f"Question {number}?", "answer": "Yes."} for number in range(3)]
    faq = Section.objects.create(landing=acme.landing, kind="faq", position=5, content={"items": items})
    target = url("tenants_section", "change", faq.pk)
    posted = form_of(owner.get(target))
    posted |= {"items-1-remove": "on", "items-3-question": "New?", "items-3-answer": "Yes."}
    assert owner.post(target, posted).status_code == 302
    faq.refresh_from_db()
    assert [item["question"] for item in faq.content["items"]] == ["Question 0?", "Question 2?", "New?"]
    assert faq.position == 5


def test_a_full_group_offers_no_more_rows(acme: Any, owner: Client) -> None:
    items = [{"quote": f"Good {number}"} for number in range(6)]
    full = Section.objects.create(landing=acme.landing, kind="testimonials", content={"items": items})
    form = owner.get(url("tenants_section", "change", full.pk)).context["adminform"].form
    assert "items-5-quote" in form.fields
    assert "items-6-quote" not in form.fields


def test_chosen_products_keep_their_order(acme: Any, owner: Client, form_of: Read) -> None:
    other = type(acme.product).objects.create(tenant=acme.tenant, title="Another", price=1)
    chosen = [str(acme.product.pk), str(other.pk)]
    assert owner.post(add_url("featured_products"), {"product_ids": chosen}).status_code == 302
    section = acme.landing.sections.get(kind="featured_products")
    assert section.content["product_ids"] == chosen
    page = owner.get(url("tenants_section", "change", section.pk)).content.decode()
    assert [value for value in re.findall(r'<option value="([^"]+)" selected', page) if value in chosen] == chosen


def test_rich_text_is_sanitised(acme: Any, owner: Client) -> None:
    html = '<p onclick="x()">Hello</p><script>alert(1)</script>'
    owner.post(add_url("rich_text"), {"body_html": html})
    assert acme.landing.sections.get(kind="rich_text").content["body_html"] == "<p>Hello</p>"


def test_a_page_over_the_limit_is_refused_with_its_size_and_largest_sections(acme: Any, owner: Client) -> None:
    for number in range(3):
        content = {"heading": f"Part {number}", "body_html": "x" * 5900}
        Section.objects.create(landing=acme.landing, kind="rich_text", content=content, position=number + 1)
    message = str(errors(owner.post(add_url("rich_text"), {"heading": "Straw", "body_html": "y" * 6000})))
    assert f"{MAX_RECORD_BYTES:,}" in message
    assert "Straw" in message
    assert Section.objects.filter(landing=acme.landing).count() == 4


def test_a_section_that_grows_over_the_limit_is_refused(acme: Any, owner: Client, form_of: Read) -> None:
    rows = [
        Section.objects.create(landing=acme.landing, kind="rich_text", content={"body_html": "x" * size})
        for size in (6000, 6000, 6000, 10)
    ]
    target = url("tenants_section", "change", rows[-1].pk)
    answer = owner.post(target, form_of(owner.get(target)) | {"body_html": "y" * 6000})
    assert "largest sections" in str(errors(answer))


def test_a_landing_page_over_the_limit_is_not_saved(acme: Any, owner: Client, form_of: Read, settings: Any) -> None:
    for size in (6000, 6000, 6000):
        Section.objects.create(landing=acme.landing, kind="rich_text", content={"body_html": "x" * size})
    contact = {"text": "x" * 400, "address": "x" * 300, "heading": "x" * 120}
    Section.objects.create(landing=acme.landing, kind="contact", content=contact)
    Section.objects.create(landing=acme.landing, kind="contact", content={"text": "x" * 120})
    target = url("tenants_landing", "change", acme.landing.pk)
    posted = form_of(owner.get(target)) | {
        "seo_description": "ä" * 320,
        "seo_image_url": "https://x.example/" + "x" * 470,
    }
    assert "largest sections" in str(errors(owner.post(target, posted)))


def test_sections_move_and_go_from_the_landing_page(acme: Any, owner: Client, form_of: Read) -> None:
    second = Section.objects.create(landing=acme.landing, kind="faq", content={}, position=1)
    target = url("tenants_landing", "change", acme.landing.pk)
    posted = form_of(owner.get(target)) | {"sections-0-position": "1", "sections-1-position": "0", "accent": "#123456"}
    assert owner.post(target, posted).status_code == 302
    assert next(iter(acme.landing.sections.all())) == second
    posted = form_of(owner.get(target)) | {"sections-0-DELETE": "on"}
    assert owner.post(target, posted).status_code == 302
    assert list(acme.landing.sections.all()) == [acme.section]


def test_colours_must_be_colours(acme: Any, owner: Client, form_of: Read) -> None:
    target = url("tenants_landing", "change", acme.landing.pk)
    assert "accent" in errors(owner.post(target, form_of(owner.get(target)) | {"accent": "red;}"}))


def test_the_currency_stays_once_there_are_products(acme: Any, owner: Client, form_of: Read) -> None:
    target = url("tenants_tenant", "change", acme.tenant.pk)
    refused = owner.post(target, form_of(owner.get(target)) | {"currency": "JPY"})
    assert "only while the shop has no products" in str(errors(refused))
    acme.product.delete()
    assert owner.post(target, form_of(owner.get(target)) | {"currency": "jpy"}).status_code == 302
    assert Tenant.objects.get(pk=acme.tenant.pk).currency == "JPY"


def test_the_owner_renames_the_address_and_the_editor_does_not(
    acme: Any, owner: Client, person: Any, form_of: Read
) -> None:
    target = url("tenants_tenant", "change", acme.tenant.pk)
    editor = person("editor", acme)
    editor.post(target, form_of(editor.get(target)) | {"slug": "taken-over", "name": "Acme & Sons"})
    assert Tenant.objects.values_list("slug", "name").get() == ("acme", "Acme & Sons")
    assert owner.post(target, form_of(owner.get(target)) | {"slug": "acme-two"}).status_code == 302
    assert Domain.objects.filter(host="acme-two.localhost", tenant=acme.tenant).exists()


def test_a_shop_keeps_an_owner(acme: Any, owner: Client, form_of: Read) -> None:
    target = url("tenants_tenant", "change", acme.tenant.pk)
    for change in ({"memberships-0-role": "editor"}, {"memberships-0-DELETE": "on"}):
        assert owner.post(target, form_of(owner.get(target)) | change).status_code == 200
    assert Membership.objects.get(tenant=acme.tenant).role == "owner"


def test_an_owner_adds_people_by_their_exact_name(acme: Any, owner: Client, form_of: Read) -> None:
    User.objects.create_user("bob", is_staff=True)
    target = url("tenants_tenant", "change", acme.tenant.pk)
    new = {"memberships-TOTAL_FORMS": "2", "memberships-1-person": "bob", "memberships-1-role": "editor"}
    unknown = new | {"memberships-1-person": "bo"}
    assert owner.post(target, form_of(owner.get(target)) | unknown).status_code == 200
    assert owner.post(target, form_of(owner.get(target)) | new).status_code == 302
    assert owner.post(target, form_of(owner.get(target)) | new | {
        "memberships-TOTAL_FORMS": "3", "memberships-2-person": "bob", "memberships-2-role": "viewer",
    }).status_code == 200  # fmt: skip
    assert Membership.objects.get(user__username="bob").role == "editor"


@pytest.mark.parametrize("host", ["evil.localhost", "localhost", "10.0.0.1", "shop", "a b.de", "ACME.tea-shop.de"])
def test_hosts_that_are_the_platforms_or_no_hosts_are_refused(host: str, acme: Any, owner: Client) -> None:
    assert "host" in errors(owner.post(url("tenants_domain", "add"), {"host": host}))


def test_a_host_is_stored_in_its_normal_form(acme: Any, owner: Client) -> None:
    assert owner.post(url("tenants_domain", "add"), {"host": " Käse.De:8080 "}).status_code == 302
    assert Domain.objects.filter(host="xn--kse-qla.de", tenant=acme.tenant, is_platform=False).exists()


def test_one_host_is_primary_and_the_platforms_takes_over_again(acme: Any, owner: Client) -> None:
    Domain.objects.filter(pk=acme.domain.pk).update(
        state="live", reason="live", proven_at=timezone.now(), live_at=timezone.now()
    )
    change = url("tenants_domain", "change", acme.domain.pk)
    assert owner.post(change, {"is_primary": "on"}).status_code == 302
    assert Domain.objects.get(tenant=acme.tenant, is_primary=True) == acme.domain
    assert owner.post(url("tenants_domain", "delete", acme.domain.pk), {"post": "yes"}).status_code == 302
    assert Domain.objects.get(tenant=acme.tenant, is_primary=True).is_platform


def test_staff_open_suspend_and_delete_a_shop(acme: Any, staff: Client) -> None:
    new = {"name": "New", "slug": "new-shop", "owner": acme.owner.pk, "currency": "EUR", "locale": "en"}
    assert staff.post(url("tenants_tenant", "add"), new).status_code == 302
    shop = Tenant.objects.get(slug="new-shop")
    assert shop.landing.sections.exists()
    data = {"action": "suspend", "_selected_action": [str(shop.pk)]}
    assert staff.post(url("tenants_tenant", "changelist"), data).status_code == 302
    shop.refresh_from_db()
    assert shop.status == "suspended"
    assert staff.get(url("tenants_tenant", "delete", acme.tenant.pk)).status_code == 200
    assert staff.post(url("tenants_tenant", "delete", acme.tenant.pk), {"post": "yes"}).status_code == 302
    assert not Tenant.objects.filter(pk=acme.tenant.pk).exists()
