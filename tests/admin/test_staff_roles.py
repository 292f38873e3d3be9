"""Support looks, moderators moderate, administrators run the platform: the walk over the admin as each of them."""

from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import reverse

from controlplane.publishing.models import StaleDocument
from tenants.models import Domain, Membership, Tenant
from tenants.staff import GROUPS, grant, works_here
from tests.admin.test_scoping import KINDS, PAGE, PLATFORM_ONLY, UNPUBLISHED, editor_urls, everything_of, url

LOOKING = ("Support", "Moderator")
SUSPEND = {"action": "suspend"}


def user_of(client: Client) -> User:
    return User.objects.get(pk=client.session["_auth_user_id"])


def stored(shop: Any) -> list[Any]:
    """Everything of the shop that the walk tries to change."""
    return [type(obj).objects.filter(pk=obj.pk).values().get() for obj in shop.objects.values()]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("group", LOOKING)
def test_support_and_moderators_see_every_shop_and_change_nothing(
    kind: str, group: str, acme: Any, colleague: Any
) -> None:
    client, obj, before = colleague(group), acme.objects[kind], stored(acme)
    assert client.get(url(kind, "changelist"), follow=True).status_code == 200
    views = ["change", "history"] + ([] if kind in UNPUBLISHED else ["publishing"])
    for view in views:
        assert client.get(url(kind, view, obj.pk)).status_code == 200, view
    changed = {"name": "x", "title": "x", "body": "x", "greeting": "x", "is_primary": "on", "_save": "Save"}
    assert client.post(url(kind, "change", obj.pk), changed).status_code == 403
    for view in ("delete",):
        assert client.get(url(kind, view, obj.pk)).status_code == 403
        assert client.post(url(kind, view, obj.pk), {"post": "yes"}).status_code == 403
    assert client.get(url(kind, "add")).status_code == 403
    assert client.post(url(kind, "add"), changed).status_code == 403
    data = {"_selected_action": [str(obj.pk)], "post": "yes"}
    for action in ("delete_selected", "archive", "check_now", "disconnect", "dismiss", "reopen", "read_again"):
        client.post(url(kind, "changelist"), data | {"action": action})
    assert stored(acme) == before


@pytest.mark.parametrize("group", LOOKING)
def test_the_editor_is_theirs_to_look_at(group: str, acme: Any, colleague: Any) -> None:
    client, before = colleague(group), everything_of(acme)
    for target, writes in editor_urls(acme):
        answer = client.post(target, PAGE, "application/json")
        assert answer.status_code == 403 if writes else answer.status_code in (200, 405), target
    assert everything_of(acme) == before
    assert not client.get(url("tenants_landing", "change", acme.landing.pk)).context["editor"]["mayChange"]


@pytest.mark.parametrize("group", LOOKING)
def test_neither_buttons_nor_side_doors_change_a_shop(group: str, acme: Any, colleague: Any) -> None:
    client, before = colleague(group), stored(acme)
    domain, question = acme.domain, acme.group
    for target, data in (
        (url("tenants_domain", "check", domain.pk), {}),
        (url("tenants_domain", "restart", domain.pk), {}),
        (url("chat_questiongroup", "state", question.pk), {"state": "dismissed"}),
        (url("chat_questiongroup", "answer", question.pk), {"title": "x", "body": "x"}),
        (url("chat_knowledgesource", "upload"), {"shop": "acme"}),
        (url("chat_knowledgesource", "pages"), {"shop": "acme", "urls": "https://x.example/"}),
    ):
        assert client.post(target, data).status_code == 403, target
    editable = {
        "form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "form-0-id": str(acme.product.pk),
        "form-0-position": "77", "_save": "Save",
    }  # fmt: skip
    client.post(url("catalog_product", "changelist"), editable)
    client.post(reverse("admin:chat_conversation_delete_all"), {"shop": "acme"})
    assert stored(acme) == before
    panel = client.get(url("tenants_domain", "panel", domain.pk))
    assert panel.status_code == 200
    assert "<form" not in panel.content.decode()


@pytest.mark.parametrize("group", LOOKING)
def test_people_of_a_shop_are_seen_and_not_changed(group: str, acme: Any, globex: Any, colleague: Any) -> None:
    client, member = colleague(group), acme.tenant.memberships.get()
    page = client.get(url("tenants_tenant", "change", acme.tenant.pk))
    assert "acme-owner" in page.content.decode()
    forged = {
        "memberships-TOTAL_FORMS": "1", "memberships-INITIAL_FORMS": "1", "memberships-0-id": str(member.pk),
        "memberships-0-tenant": str(acme.tenant.pk), "memberships-0-role": "viewer", "name": "Acme", "slug": "acme",
    }  # fmt: skip
    assert client.post(url("tenants_tenant", "change", acme.tenant.pk), forged).status_code == 403
    member.refresh_from_db()
    assert member.role == "owner"


@pytest.mark.parametrize(("group", "may"), [("Support", False), ("Moderator", True), ("Administrator", True)])
def test_moderators_suspend_and_support_does_not(group: str, may: bool, acme: Any, colleague: Any) -> None:
    client = colleague(group)
    client.post(url("tenants_tenant", "changelist"), SUSPEND | {"_selected_action": [str(acme.tenant.pk)]})
    client.post(reverse("admin:tenants_tenant_suspend"), {"ids": acme.tenant.pk, "category": "spam", "text": "Spam."})
    acme.tenant.refresh_from_db()
    assert acme.tenant.status == ("suspended" if may else "active")


@pytest.mark.parametrize("kind", KINDS)
def test_administrators_change_what_superusers_change(kind: str, acme: Any, colleague: Any, staff: Client) -> None:
    administrator = colleague("Administrator")
    for view in ("change", "delete", "history"):
        target = url(kind, view, acme.objects[kind].pk)
        assert administrator.get(target).status_code == staff.get(target).status_code, target
    assert administrator.get(url(kind, "add")).status_code == staff.get(url(kind, "add")).status_code


def test_only_administrators_open_shops_for_others(acme: Any, colleague: Any) -> None:
    assert colleague("Moderator").get(url("tenants_tenant", "add")).status_code == 403
    administrator = colleague("Administrator")
    answer = administrator.post(url("tenants_tenant", "add"), {
        "name": "Initech", "slug": "initech", "owner": acme.owner.pk, "currency": "EUR", "locale": "en",
    })  # fmt: skip
    assert answer.status_code == 302
    assert Tenant.objects.filter(slug="initech").exists()


def test_a_colleague_changes_their_own_shop_and_no_other(acme: Any, globex: Any, colleague: Any) -> None:
    client = colleague("Support", acme, "editor")
    assert client.get(url("catalog_product", "change", acme.product.pk)).context["has_change_permission"]
    assert not client.get(url("catalog_product", "change", globex.product.pk)).context["has_change_permission"]
    data = {"action": "archive", "_selected_action": [str(acme.product.pk), str(globex.product.pk)]}
    client.post(url("catalog_product", "changelist"), data)
    assert [type(acme.product).objects.get(pk=one.product.pk).status for one in (acme, globex)] == [
        "archived", "active",
    ]  # fmt: skip
    add = {"title": "Mug", "price": "5", "status": "draft", "position": "0", "tenant": str(globex.tenant.pk)}
    client.post(url("catalog_product", "add"), add)
    assert not type(acme.product).objects.filter(title="Mug").exists()


def test_the_outbox_is_seen_by_all_and_retried_by_administrators(acme: Any, colleague: Any) -> None:
    row = StaleDocument.objects.order_by("pk")[0]
    StaleDocument.objects.filter(pk=row.pk).update(parked_at=row.due_at, error="Refused")
    data = {"action": "retry_now", "_selected_action": [str(row.pk)]}
    for group, parked in (("Support", True), ("Moderator", True), ("Administrator", False)):
        client = colleague(group)
        assert client.get(url("publishing_staledocument", "change", row.pk)).status_code == 200
        client.post(url("publishing_staledocument", "changelist"), data)
        row.refresh_from_db()
        assert (row.parked_at is not None) == parked, group


@pytest.mark.parametrize("kind", [kind for kind in PLATFORM_ONLY if kind.startswith("auth")])
@pytest.mark.parametrize("group", LOOKING)
def test_users_and_groups_are_the_administrators_own(kind: str, group: str, colleague: Any) -> None:
    client = colleague(group)
    assert client.get(url(kind, "changelist")).status_code == 403
    assert client.get(url(kind, "add")).status_code == 403
    assert url(kind, "changelist") not in client.get(reverse("admin:index")).content.decode()
    assert colleague("Administrator").get(url(kind, "changelist")).status_code == 200


def posted_of(page: Any) -> dict[str, Any]:
    """As a browser would post the user's form back."""
    form = page.context["adminform"].form
    values: dict[str, Any] = {}
    for bound in form:
        value = bound.field.prepare_value(bound.value())
        if value not in (None, False) and bound.name not in ("password", "last_login", "date_joined"):
            values[bound.html_name] = value
    at = page.context["original"].date_joined
    return values | {"date_joined_0": f"{at:%Y-%m-%d}", "date_joined_1": f"{at:%H:%M:%S}"}


def test_an_administrator_lifts_nobody_above_themselves(acme: Any, colleague: Any) -> None:
    client = colleague("Administrator")
    stray = Permission.objects.exclude(
        codename__in=[name.partition(".")[2] for name in GROUPS["Administrator"]]
    ).order_by("pk")[0]  # fmt: skip
    mighty = Group.objects.create(name="Mighty")
    mighty.permissions.add(stray)
    target = url("auth_user", "change", acme.owner.pk)
    posted = posted_of(client.get(target))
    assert client.post(target, posted | {"is_superuser": "on"}).status_code == 302
    assert client.post(target, posted | {"user_permissions": [stray.pk]}).status_code == 200
    assert client.post(target, posted | {"groups": [mighty.pk]}).status_code == 200
    acme.owner.refresh_from_db()
    assert not acme.owner.is_superuser
    assert not works_here(acme.owner)
    support = Group.objects.get(name="Administrator")
    assert client.post(target, posted | {"groups": [support.pk]}).status_code == 302
    assert User.objects.get(pk=acme.owner.pk).has_perm("tenants.support_tenant")
    group = url("auth_group", "change", support.pk)
    assert client.post(group, {"name": "Administrator", "permissions": [stray.pk]}).status_code == 200
    assert client.get(url("auth_group", "change", mighty.pk)).context is None or not client.get(
        url("auth_group", "change", mighty.pk)
    ).context["has_change_permission"]  # fmt: skip
    assert client.post(url("auth_group", "change", mighty.pk), {"name": "Mine"}).status_code == 403
    assert client.post(url("auth_group", "delete", mighty.pk), {"post": "yes"}).status_code == 403


def test_an_administrator_touches_no_superuser_and_not_their_own_rights(colleague: Any, staff: Client) -> None:
    client, boss = colleague("Administrator"), user_of(staff)
    before = User.objects.filter(pk=boss.pk).values().get()
    assert client.post(url("auth_user", "change", boss.pk), {"username": "x"}).status_code == 403
    assert client.get(reverse("admin:auth_user_password_change", args=[boss.pk])).status_code == 403
    new = {"password1": "eight tin buckets", "password2": "eight tin buckets", "usable_password": "true"}
    assert client.post(reverse("admin:auth_user_password_change", args=[boss.pk]), new).status_code == 403
    assert client.post(url("auth_user", "delete", boss.pk), {"post": "yes"}).status_code == 403
    data = {"action": "delete_selected", "_selected_action": [str(boss.pk)], "post": "yes"}
    client.post(url("auth_user", "changelist"), data)
    assert User.objects.filter(pk=boss.pk).values().get() == before
    me = user_of(client)
    target = url("auth_user", "change", me.pk)
    client.post(target, posted_of(client.get(target)) | {"groups": [], "is_superuser": "on"})
    assert [group.name for group in me.groups.all()] == ["Administrator"]
    assert not User.objects.get(pk=me.pk).is_superuser
    assert client.post(url("auth_user", "delete", me.pk), {"post": "yes"}).status_code == 403


def test_the_only_owner_of_a_shop_is_not_deleted(acme: Any, globex: Any, staff: Client) -> None:
    page = staff.post(url("auth_user", "delete", acme.owner.pk), {"post": "yes"})
    assert "Only owner of Acme" in page.content.decode()
    assert User.objects.filter(pk=acme.owner.pk).exists()
    Membership.objects.create(user=globex.owner, tenant=acme.tenant, role="owner")
    assert staff.post(url("auth_user", "delete", acme.owner.pk), {"post": "yes"}).status_code == 302
    assert Tenant.objects.filter(pk=acme.tenant.pk).exists()


def test_a_new_user_is_named_by_their_address(staff: Client) -> None:
    data = {
        "email": "Zoe@Platform.example", "usable_password": "true", "password1": "eight tin buckets",
        "password2": "eight tin buckets",
    }  # fmt: skip
    assert staff.post(url("auth_user", "add"), data).status_code == 302
    found = User.objects.get(email="zoe@platform.example")
    assert found.username == found.email
    assert "already" in staff.post(url("auth_user", "add"), data).content.decode()


def test_an_inactive_colleague_and_a_colleague_without_a_group_are_nobody(acme: Any, colleague: Any) -> None:
    client = colleague("Administrator")
    user_of(client).groups.clear()
    assert client.get(url("tenants_tenant", "changelist")).status_code == 403
    assert client.get(url("tenants_tenant", "change", acme.tenant.pk)).status_code == 404
    assert client.get("/api/shops/").json() == []
    other = colleague("Administrator")
    assert [shop["slug"] for shop in other.get("/api/shops/").json()] == ["acme"]
    User.objects.filter(pk=user_of(other).pk).update(is_active=False)
    assert other.get(url("tenants_tenant", "changelist")).status_code == 302


def test_granting_twice_changes_nothing(db: None) -> None:
    for _ in range(2):
        for group, permissions in GROUPS.items():
            grant(apps, group, permissions)
            assert Group.objects.get(name=group).permissions.count() == len(permissions)
    assert Domain.objects.count() == 0
