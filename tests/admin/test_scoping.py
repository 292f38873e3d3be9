"""Who may do what in the admin, beyond what tests/admin/test_url_walk.py tries at every address."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from catalog.models import Product
from controlplane.publishing.models import StaleDocument
from tenants.models import Domain, Landing, Membership, Revision, ShareLink, Tenant

KINDS = (
    "tenants_tenant", "tenants_landing", "tenants_domain", "catalog_product", "chat_knowledgesource",
    "chat_chatprofile", "chat_conversation", "chat_questiongroup",
    "tenants_picture",
)  # fmt: skip
PLATFORM_ONLY = ("publishing_staledocument", "auth_user", "auth_group")


def url(kind: str, view: str, *args: Any) -> str:
    return reverse(f"admin:{kind}_{view}", args=args)


@pytest.mark.parametrize("kind", KINDS)
def test_an_id_that_nobody_has_is_not_there_either(kind: str, owner: Client) -> None:
    assert owner.get(url(kind, "change", "0198b0c0-0000-7000-8000-000000000000")).status_code == 404
    assert owner.get(url(kind, "change", "no-id")).status_code == 404


@pytest.mark.parametrize("kind", KINDS)
def test_a_stranger_sees_no_list_and_adds_nothing(kind: str, acme: Any, person: Any) -> None:
    stranger = person()
    assert stranger.get(url(kind, "changelist")).status_code == 403
    assert stranger.get(url(kind, "add")).status_code == 403
    assert stranger.get(reverse("admin:index")).status_code == 200


@pytest.mark.parametrize("kind", KINDS)
def test_a_viewer_looks_and_changes_nothing(kind: str, acme: Any, person: Any) -> None:
    viewer, obj = person("viewer", acme), acme.objects[kind]
    before = type(obj).objects.filter(pk=obj.pk).values().get()
    assert viewer.get(url(kind, "change", obj.pk)).status_code == 200
    assert viewer.post(url(kind, "change", obj.pk), {"name": "x", "title": "x"}).status_code == 403
    assert viewer.get(url(kind, "delete", obj.pk)).status_code == 403
    assert viewer.post(url(kind, "delete", obj.pk), {"post": "yes"}).status_code == 403
    assert viewer.get(url(kind, "add")).status_code == 403
    assert type(obj).objects.filter(pk=obj.pk).values().get() == before


@pytest.mark.parametrize("kind", PLATFORM_ONLY)
def test_merchants_see_nothing_of_the_platform(kind: str, owner: Client) -> None:
    assert owner.get(url(kind, "changelist")).status_code == 403
    assert url(kind, "changelist") not in owner.get(reverse("admin:index")).content.decode()


def test_an_editor_changes_products_but_neither_domains_nor_people(acme: Any, person: Any) -> None:
    editor = person("editor", acme)
    assert editor.get(url("catalog_product", "change", acme.product.pk)).context["has_change_permission"]
    assert editor.post(url("tenants_domain", "delete", acme.domain.pk), {"post": "yes"}).status_code == 403
    assert editor.get(url("tenants_domain", "add")).status_code == 403
    assert not editor.get(url("tenants_tenant", "change", acme.tenant.pk)).context["inline_admin_formsets"]


def test_autocomplete_offers_only_own_shops(acme: Any, globex: Any, owner: Client, person: Any) -> None:
    query = {"app_label": "catalog", "model_name": "product", "field_name": "tenant", "term": ""}
    answer = owner.get(reverse("admin:autocomplete"), query).json()
    assert [row["text"] for row in answer["results"]] == ["Acme"]
    assert person().get(reverse("admin:autocomplete"), query).status_code == 403


def test_autocomplete_of_users_is_closed_to_merchants(acme: Any, owner: Client) -> None:
    query = {"app_label": "tenants", "model_name": "membership", "field_name": "user", "term": ""}
    assert owner.get(reverse("admin:autocomplete"), query).status_code == 403


@pytest.mark.parametrize("action", ["archive", "make_active", "delete_selected"])
def test_actions_leave_other_shops_and_shops_one_only_views_alone(
    action: str, acme: Any, globex: Any, person: Any
) -> None:
    third = person("editor", acme)
    user = User.objects.get(pk=third.session["_auth_user_id"])
    Membership.objects.create(user=user, tenant=globex.tenant, role="viewer")
    draft = Product.objects.create(tenant=globex.tenant, title="Draft", price=1)
    chosen = [str(globex.product.pk), str(draft.pk)]
    data = {"action": action, "_selected_action": chosen, "post": "yes"}
    third.post(url("catalog_product", "changelist"), data)
    Membership.objects.filter(user=user, tenant=globex.tenant).delete()
    third.post(url("catalog_product", "changelist"), data)
    statuses = Product.objects.filter(pk__in=chosen).order_by("title").values_list("status", flat=True)
    assert list(statuses) == ["draft", "active"]


def test_the_editable_column_takes_no_forged_id(acme: Any, globex: Any, person: Any) -> None:
    client = person("editor", acme)
    data = {
        "form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "form-0-id": str(globex.product.pk),
        "form-0-position": "77", "_save": "Save",
    }  # fmt: skip
    client.post(url("catalog_product", "changelist"), data)
    Membership.objects.create(
        user=User.objects.get(pk=client.session["_auth_user_id"]), tenant=globex.tenant, role="viewer"
    )
    client.post(url("catalog_product", "changelist") + "?shop=globex", data)
    globex.product.refresh_from_db()
    assert globex.product.position == 0


def test_a_new_product_goes_to_the_only_shop_whatever_is_posted(acme: Any, globex: Any, owner: Client) -> None:
    page = owner.get(url("catalog_product", "add"))
    assert "tenant" not in page.context["adminform"].form.fields
    owner.post(url("catalog_product", "add"), {
        "title": "Mug", "price": "5", "status": "draft", "position": "0", "tenant": str(globex.tenant.pk),
    })  # fmt: skip
    assert Product.objects.get(title="Mug").tenant == acme.tenant


def test_a_merchant_of_two_shops_chooses_between_those_they_may_change(acme: Any, globex: Any, person: Any) -> None:
    client = person("editor", acme, globex)
    viewed = User.objects.get(pk=client.session["_auth_user_id"])
    field = client.get(url("catalog_product", "add")).context["adminform"].form.fields["tenant"]
    assert set(field.queryset) == {acme.tenant, globex.tenant}
    Membership.objects.filter(user=viewed, tenant=globex.tenant).update(role="viewer")
    data = {"title": "Mug", "price": "5", "status": "draft", "position": "0", "tenant": str(globex.tenant.pk)}
    client.post(url("catalog_product", "add"), data)
    assert not Product.objects.filter(title="Mug", tenant=globex.tenant).exists()


def test_a_product_stays_in_its_shop(acme: Any, globex: Any, person: Any, form_of: Callable[[Any], Any]) -> None:
    client = person("owner", acme, globex)
    target = url("catalog_product", "change", acme.product.pk)
    posted = form_of(client.get(target)) | {"tenant": str(globex.tenant.pk), "title": "Renamed"}
    assert client.post(target, posted).status_code == 302
    acme.product.refresh_from_db()
    assert (acme.product.tenant, acme.product.title) == (acme.tenant, "Renamed")


EDITOR_READS = ("revisions", "products", "receipt")
EDITOR_WRITES = ("draft", "keep", "publish", "unpublish", "retry", "share", "unshare", "schedule")
PAGE = {
    "days": 7,
    "publish": "2999-01-01T10:00",
    "version": 0,
    "page": {"sections": [{"kind": "hero", "heading": "Forged"}]},
}


def everything_of(shop: Any) -> tuple[Any, ...]:
    """All that the editor could change of a shop."""
    landing = Landing.objects.get(pk=shop.landing.pk)
    return (landing.page, landing.draft_version, landing.live_id, landing.publish_at, landing.unpublish_at,
            list(Revision.objects.filter(tenant=shop.tenant).values_list("number", flat=True)),
            list(ShareLink.objects.filter(tenant=shop.tenant).values_list("pk", flat=True)))  # fmt: skip


def editor_urls(shop: Any) -> list[tuple[str, bool]]:
    """Every address of the editor and whether it writes; a test below says that none is missing."""
    pk = shop.landing.pk
    found = [(url("tenants_landing", name, pk), False) for name in (*EDITOR_READS, "preview")]
    found += [(url("tenants_landing", name, pk), True) for name in EDITOR_WRITES]
    found += [(url("tenants_landing", name, pk, 1), False) for name in ("revision", "revision_page")]
    return [*found, (url("tenants_landing", "restore", pk, 1), True)]


def test_the_walk_knows_every_address_of_the_editor(acme: Any) -> None:
    routes = {pattern.name for pattern in admin.site.get_model_admin(Landing).get_urls() if pattern.name}
    django_own = {"changelist", "add", "history", "delete", "change", "publishing"}
    own = {name.removeprefix("tenants_landing_") for name in routes} - django_own
    assert own == {*EDITOR_READS, *EDITOR_WRITES, "preview", "revision", "revision_page", "restore"}


def test_a_viewer_of_the_editor_looks_and_changes_nothing(acme: Any, person: Any) -> None:
    viewer, before = person("viewer", acme), everything_of(acme)
    for target, writes in editor_urls(acme):
        answer = viewer.post(target, PAGE, "application/json")
        assert answer.status_code == 403 if writes else answer.status_code in (200, 405), target
    assert everything_of(acme) == before
    page = viewer.get(url("tenants_landing", "change", acme.landing.pk))
    assert page.status_code == 200
    assert not page.context["editor"]["mayChange"]


def test_a_link_of_another_shop_is_not_taken_back(acme: Any, globex: Any, owner: Client) -> None:
    theirs = ShareLink.objects.create(tenant=globex.tenant)
    target = url("tenants_landing", "unshare", acme.landing.pk)
    for forged in (str(theirs.pk), "no-id", None):
        owner.post(target, {"id": forged}, "application/json")
    assert ShareLink.objects.filter(pk=theirs.pk).exists()
    assert theirs.token not in owner.post(target, {"id": str(theirs.pk)}, "application/json").content.decode()


def test_an_editor_saves_and_publishes(acme: Any, person: Any) -> None:
    editor = person("editor", acme)
    for name in ("preview", "draft"):
        assert editor.post(url("tenants_landing", name, acme.landing.pk), PAGE, "application/json").status_code == 200
    answer = editor.post(url("tenants_landing", "publish", acme.landing.pk), {**PAGE, "version": 1}, "application/json")
    assert answer.json()["number"] == 2


def test_the_editor_takes_no_request_without_its_token(acme: Any) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(acme.owner)
    before = everything_of(acme)
    for target, writes in editor_urls(acme):
        if writes:
            assert client.post(target, PAGE, "application/json").status_code == 403
    assert everything_of(acme) == before


def test_the_product_picker_finds_only_products_of_the_shop(acme: Any, globex: Any, owner: Client) -> None:
    target = url("tenants_landing", "products", acme.landing.pk)
    assert [one["title"] for one in owner.get(target, {"q": "kettle"}).json()["products"]] == ["acme kettle"]
    assert [one["title"] for one in owner.get(target).json()["products"]] == ["acme kettle"]
    assert owner.get(target, {"ids": f"{globex.product.pk},x"}).json()["products"] == []


def test_another_shops_product_in_a_page_shows_nothing_of_it(acme: Any, globex: Any, owner: Client) -> None:
    sections = [{"kind": "featured_products", "product_ids": [str(globex.product.pk), str(acme.product.pk)]}]
    target = url("tenants_landing", "preview", acme.landing.pk)
    html = owner.post(target, {"page": {"sections": sections}}, "application/json").json()["html"]
    assert "acme kettle" in html
    assert "globex" not in html


def test_a_forged_membership_id_changes_nothing(
    acme: Any, globex: Any, owner: Client, form_of: Callable[[Any], Any]
) -> None:
    target, theirs = url("tenants_tenant", "change", acme.tenant.pk), globex.tenant.memberships.get()
    posted = form_of(owner.get(target))
    posted |= {"memberships-0-id": str(theirs.pk), "memberships-0-role": "viewer"}
    owner.post(target, posted)
    theirs.refresh_from_db()
    assert theirs.role == "owner"


def test_filters_show_only_own_shops(acme: Any, globex: Any, person: Any) -> None:
    third = Tenant.objects.create(slug="initech", name="Initech")
    page = person("owner", acme, globex).get(url("catalog_product", "changelist")).content.decode()
    assert "Globex" in page
    assert third.name not in page


def test_merchants_do_not_moderate(acme: Any, globex: Any, person: Any) -> None:
    client = person("owner", acme, globex)
    data = {"action": "suspend", "_selected_action": [str(acme.tenant.pk)]}
    client.post(url("tenants_tenant", "changelist"), data)
    client.post(url("tenants_tenant", "change", acme.tenant.pk), {"status": "suspended"})
    acme.tenant.refresh_from_db()
    assert acme.tenant.status == "active"
    assert client.post(url("tenants_tenant", "delete", acme.tenant.pk), {"post": "yes"}).status_code == 403


def test_the_outbox_is_read_only_and_retries_by_hand(acme: Any, staff: Client) -> None:
    row = StaleDocument.objects.order_by("pk")[0]
    StaleDocument.objects.filter(pk=row.pk).update(parked_at=row.due_at, error="Refused by the store")
    assert staff.get(url("publishing_staledocument", "changelist") + "?state=failed").status_code == 200
    assert staff.get(url("publishing_staledocument", "change", row.pk)).status_code == 200
    assert staff.get(url("publishing_staledocument", "add")).status_code == 403
    assert staff.post(url("publishing_staledocument", "delete", row.pk), {"post": "yes"}).status_code == 403
    data = {"action": "retry_now", "_selected_action": [str(row.pk)]}
    assert staff.post(url("publishing_staledocument", "changelist"), data).status_code == 302
    row.refresh_from_db()
    assert row.parked_at is None


def test_hosts_of_the_platform_stay(acme: Any, owner: Client) -> None:
    platform = Domain.objects.get(tenant=acme.tenant, is_platform=True)
    assert owner.post(url("tenants_domain", "delete", platform.pk), {"post": "yes"}).status_code == 403
    assert owner.post(url("tenants_domain", "change", platform.pk), {"is_primary": ""}).status_code == 403
    data = {"action": "delete_selected", "_selected_action": [str(platform.pk)], "post": "yes"}
    owner.post(url("tenants_domain", "changelist"), data)
    assert Domain.objects.filter(pk=platform.pk).exists()
