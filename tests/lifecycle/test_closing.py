"""Closing a shop: dark at once, whole for thirty days, restored exactly, never by the wrong person."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tenants import closing, exporting
from tenants.models import ClosedShop, ClosingRequest, Erasure, Membership, Tenant
from tests.lifecycle.conftest import HOST, World, days_later
from tests.plugins.shops import make_shop

pytestmark = pytest.mark.django_db


def url(name: str, *args: Any) -> str:
    return reverse(f"admin:tenants_tenant_{name}", args=args)


def client_of(tenant: Tenant, role: str = "owner") -> Client:
    user = tenant.memberships.filter(role=role).first()
    person = user.user if user else User.objects.create_user(f"{role}@{tenant.slug}.example", is_staff=True)
    if user is None and role != "stranger":
        Membership.objects.create(user=person, tenant=tenant, role=role)
    client = Client()
    client.force_login(person)
    return client


def staff() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("staff", password="pass"))
    return client


def test_a_closed_shop_is_dark_at_the_edge_and_comes_back_exactly_as_it_was(
    world: World, full_shop: Tenant, edge: Callable[..., httpx.Response]
) -> None:
    before = world.stores.contents()
    closing.begin(full_shop, None)
    world.stores.drain()
    for host in ("acme.localhost", HOST):
        page = edge(host)
        assert page.status_code == 410
        assert "This shop has closed" in page.text
        record = world.stores.cloudflare.kv().get([f"domain:{host}"])[f"domain:{host}"]
        assert "Acme" not in record
        assert "Kettle" not in record
    assert "Kettle" not in str(world.stores.contents())
    closing.restore(full_shop)
    world.stores.drain()
    after = world.stores.contents()
    assert after["kv"] == before["kv"]
    assert after["turso"] == before["turso"]
    assert after["instant"].keys() == before["instant"].keys()
    assert edge(HOST).status_code == 308
    assert edge("acme.localhost").status_code in (200, 308)
    assert not ClosedShop.objects.exists()


def test_a_suspended_shop_that_is_closed_and_restored_is_suspended(shop: Tenant) -> None:
    Tenant.objects.filter(pk=shop.pk).update(status="suspended")
    shop.refresh_from_db()
    closing.begin(shop)
    closing.restore(shop)
    assert Tenant.objects.get(pk=shop.pk).status == "suspended"


def test_the_owner_types_the_name_and_takes_a_copy_first(shop: Tenant) -> None:
    owner = client_of(shop)
    page = owner.get(url("close", shop.pk)).content.decode()
    assert "For 30 days" in page
    page = owner.post(url("close", shop.pk), {"name": "Acm", "no_copy": "on"}).content.decode()
    assert "the name of the shop you want to close" in page
    page = owner.post(url("close", shop.pk), {"name": "acme"}).content.decode()
    assert "Take a copy of your data first" in page
    assert Tenant.objects.get().status == "active"
    owner.post(url("export", shop.pk), {"back": "close"})
    assert exporting.run_due() == 1
    page = owner.post(url("close", shop.pk), {"name": "acme"}, follow=True).content.decode()
    assert "is closed" in page
    assert Tenant.objects.get().status == "closed"
    owner.post(url("restore", shop.pk))
    assert Tenant.objects.get().status == "active"


@pytest.mark.parametrize(("role", "status"), [("editor", 403), ("viewer", 403), ("stranger", 404)])
def test_nobody_else_closes_exports_or_restores(shop: Tenant, role: str, status: int) -> None:
    export = exporting.ask(shop, None)
    exporting.run_due()
    person = client_of(shop, role)
    assert person.post(url("close", shop.pk), {"name": "Acme", "no_copy": "on"}).status_code == status
    assert person.post(url("export", shop.pk)).status_code == status
    assert person.get(url("download", shop.pk, export.pk)).status_code == 404
    closing.begin(shop)
    assert person.post(url("restore", shop.pk)).status_code == status
    assert Tenant.objects.get().status == "closed"


def test_staff_neither_close_by_the_owners_page_nor_take_a_copy(shop: Tenant) -> None:
    export = exporting.ask(shop, None)
    exporting.run_due()
    person = staff()
    person.post(url("close", shop.pk), {"name": "Acme", "no_copy": "on"})
    assert Tenant.objects.get().status == "active"
    assert person.post(url("export", shop.pk)).status_code == 403
    assert person.get(url("download", shop.pk, export.pk)).status_code == 404


def test_what_the_platform_closed_only_the_platform_restores(shop: Tenant) -> None:
    closing.begin(shop)  # by its owner
    closing.begin(shop, by_staff=True)
    assert ClosedShop.objects.count() == 1
    owner = client_of(shop)
    page = owner.post(url("restore", shop.pk), follow=True).content.decode()
    assert "Only its support can restore it" in page
    with pytest.raises(ValidationError):
        closing.restore(shop)
    staff().post(url("restore", shop.pk))
    assert Tenant.objects.get().status == "active"


def test_owners_are_told_when_it_closes_and_a_week_and_a_day_before_the_end(shop: Tenant, told: Any) -> None:
    assert told(lambda: closing.begin(shop)) == ["Acme is closed"]
    assert told(closing.run_due) == []
    days_later(23.5)
    assert told(closing.run_due) == ["Acme will be erased in 7 days"]
    assert told(closing.run_due) == []
    days_later(5.7)
    assert told(closing.run_due) == ["Acme will be erased tomorrow"]
    assert told(closing.run_due) == []
    assert not Erasure.objects.exists()
    days_later(1)
    told(closing.run_due)
    assert ClosedShop.objects.get().state == "erasing"
    assert Erasure.objects.count() == 1
    with pytest.raises(ValidationError, match="no longer"):
        closing.restore(shop, by_staff=True)


def test_after_a_pause_of_ours_one_reminder_is_enough(shop: Tenant, told: Any) -> None:
    closing.begin(shop)
    days_later(29.5)
    assert told(closing.run_due) == ["Acme will be erased tomorrow"]


def test_a_shop_that_is_on_the_web_again_is_never_erased(shop: Tenant) -> None:
    """Whatever put it there: the row alone decides nothing."""
    closing.begin(shop)
    days_later(31)
    Tenant.objects.filter(pk=shop.pk).update(status="active")
    assert closing.run_due() == 0
    assert not Erasure.objects.exists()
    assert not ClosedShop.objects.exists()


def test_closing_twice_starts_no_second_grace_period(shop: Tenant) -> None:
    first = closing.begin(shop)
    days_later(10)
    again = closing.begin(shop)
    assert again.pk == first.pk
    assert again.erase_at < timezone.now() + timedelta(days=21)


def test_staff_see_what_is_left_and_end_the_grace_period(world: World, full_shop: Tenant) -> None:
    closing.begin(full_shop)
    person = staff()
    here = reverse("admin:tenants_closedshop_change", args=[full_shop.pk])
    assert "Acme" in person.get(reverse("admin:tenants_closedshop_changelist")).content.decode()
    assert "Instant (default): 1 carts" in person.get(here + "?look=1").content.decode()
    erase = reverse("admin:tenants_closedshop_erase", args=[full_shop.pk])
    person.post(erase, {"slug": "wrong"})
    assert not Erasure.objects.exists()
    person.post(erase, {"slug": "acme"})
    world.run()
    page = person.get(here + "?look=1").content.decode()
    assert "a look at every store found nothing" in page
    assert "Nothing: the database" in page
    assert client_of(make_shop("globex")).get(here).status_code in (403, 404)


def test_deleting_a_shop_in_the_admin_erases_it_everywhere(world: World, full_shop: Tenant) -> None:
    delete = reverse("admin:tenants_tenant_delete", args=[full_shop.pk])
    client = staff()
    assert client.post(delete, {"post": "yes"}).status_code == 403  # not before two people agreed on its end
    asker, other = (User.objects.create_superuser(name) for name in ("asker", "other"))
    ClosingRequest.ask(full_shop, asker, "A scam").agree(other)
    client.post(delete, {"post": "yes"})
    assert ClosedShop.objects.get().state == "erasing"
    world.run()
    assert ClosedShop.objects.get().state == "erased"
    assert not Tenant.objects.exists()
