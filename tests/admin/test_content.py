"""Forms: shops, domains, people. The landing page has an editor of its own (test_editor.py)."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tenants.models import ClosingRequest, Domain, Erasure, Membership, Tenant

pytestmark = pytest.mark.postgres

Read = Callable[[Any], dict[str, Any]]


def url(kind: str, view: str, *args: Any) -> str:
    return reverse(f"admin:{kind}_{view}", args=args)


def errors(response: Any) -> Any:
    assert response.status_code == 200
    return response.context["adminform"].form.errors


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


def test_an_administrator_adds_people_by_their_exact_name(acme: Any, staff: Client, form_of: Read) -> None:
    User.objects.create_user("bob", is_staff=True)
    target = url("tenants_tenant", "change", acme.tenant.pk)
    new = {"memberships-TOTAL_FORMS": "2", "memberships-1-person": "bob", "memberships-1-role": "editor"}
    unknown = new | {"memberships-1-person": "bo"}
    assert staff.post(target, form_of(staff.get(target)) | unknown).status_code == 200
    assert staff.post(target, form_of(staff.get(target)) | new).status_code == 302
    assert staff.post(target, form_of(staff.get(target)) | new | {
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
    new = {"name": "New", "slug": "new-shop", "owner": acme.owner.pk, "currency": "EUR", "locale": "en",
           "timezone": "Europe/Berlin"}  # fmt: skip
    assert staff.post(url("tenants_tenant", "add"), new).status_code == 302
    shop = Tenant.objects.get(slug="new-shop")
    assert shop.landing.sections.exists()
    data = {"action": "suspend", "_selected_action": [str(shop.pk)]}
    asked = staff.post(url("tenants_tenant", "changelist"), data)
    assert staff.post(asked["location"], {"ids": str(shop.pk), "category": "spam", "text": "Spam."}).status_code == 302
    shop.refresh_from_db()
    assert shop.status == "suspended"
    assert staff.post(url("tenants_tenant", "delete", acme.tenant.pk), {"post": "yes"}).status_code == 403
    other = User.objects.create_superuser("other")
    ClosingRequest.ask(acme.tenant, other, "Gone.").agree(User.objects.get(username="staff"))
    assert staff.get(url("tenants_tenant", "delete", acme.tenant.pk)).status_code == 200
    assert staff.post(url("tenants_tenant", "delete", acme.tenant.pk), {"post": "yes"}).status_code == 302
    assert Erasure.objects.get().subject == str(acme.tenant.pk)  # in every store, step by step
