"""Platform staff see the admin as a merchant: what they reach, what is refused, when it ends."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from catalog.models import Product
from tenants.models import ActingSession, Landing, Membership, Tenant
from tenants.moderation import acting
from tests.admin.conftest import Shop, logged_in
from tests.admin.test_moderation import suspend, url
from tests.admin.walk import everything


@pytest.fixture
def looking(acme: Shop, globex: Shop, moderator: Client) -> Client:
    assert moderator.post(url("act", acme.tenant.pk)).status_code == 302
    return moderator


@pytest.fixture
def changing(looking: Client) -> Client:
    assert looking.post(url("acting_write"), {"reason": "They asked by phone."}).status_code == 302
    return looking


def listed() -> Iterator[str]:
    for found in admin.site._registry.values():
        yield reverse(f"admin:{found.opts.app_label}_{found.opts.model_name}_changelist")


def test_who_acts_sees_one_shop_only_and_a_banner_on_every_page(looking: Client, acme: Shop, globex: Shop) -> None:
    seen = 0
    for target in (*listed(), reverse("admin:index"), url("change", acme.tenant.pk)):
        page = looking.get(target, follow=True)
        assert page.status_code in (200, 403, 404), target
        text = page.content.decode()
        assert "globex" not in text.lower(), target
        if page.status_code == 200:
            seen += 1
            assert "You see the admin as the merchant of" in text, target
    assert seen >= 9
    for name, obj in globex.objects.items():
        assert looking.get(reverse(f"admin:{name}_change", args=[obj.pk])).status_code == 404, name
    for name in ("auth_user", "auth_group", "publishing_staledocument", "tenants_actingsession", "tenants_appeal"):
        assert looking.get(reverse(f"admin:{name}_changelist")).status_code == 403, name
    assert [one["slug"] for one in looking.get("/api/shops/").json()] == ["acme"]
    assert looking.get("/api/shops/globex/publishing").status_code == 404
    term = {"app_label": "catalog", "model_name": "product", "field_name": "tenant", "term": ""}
    assert "Globex" not in looking.get(reverse("admin:autocomplete"), term).content.decode()


def test_looking_only_refuses_every_post(looking: Client, acme: Shop) -> None:
    before = snapshot()
    walked = 0
    for name in {one.name for one in everything() if one.name} - acting.ALWAYS - acting.WRITES_NOTHING:
        for args in (
            [],
            [acme.tenant.pk],
            [acme.landing.pk],
            [acme.product.pk],
            [acme.tenant.pk, 1],
            [acme.landing.pk, 1],
        ):
            try:
                target = reverse(name, args=args)
            except Exception:
                continue
            for method in ("post", "put", "patch", "delete"):
                answer = getattr(looking, method)(target, {}, content_type="application/json")
                assert answer.status_code in (403, 404), (method, target, answer.status_code)
            walked += 1
    assert walked > 100
    for name, obj in acme.objects.items():
        posted = looking.post(reverse(f"admin:{name}_change", args=[obj.pk]), {"name": "Taken", "title": "Taken"})
        assert posted.status_code == 403, name
    ids = {"_selected_action": [acme.product.pk], "action": "delete_selected", "post": "yes"}
    assert looking.post(reverse("admin:catalog_product_changelist"), ids).status_code == 403
    assert snapshot() == before


def snapshot() -> list[object]:
    models = [model for model in admin.site._registry if model is not ActingSession]
    return [
        sorted(map(str, model._default_manager.values_list()))  # type: ignore[attr-defined]
        for model in [*models, Membership]
    ]


def test_the_preview_that_writes_nothing_works_while_looking(looking: Client, acme: Shop) -> None:
    landing = Landing.objects.get(pk=acme.landing.pk)
    target = reverse("admin:tenants_landing_preview", args=[landing.pk])
    sent = {"page": landing.page.to_json(), "version": landing.draft_version}
    assert "html" in looking.post(target, sent, content_type="application/json").json()


def test_changes_take_a_reason_and_are_the_colleagues_own(changing: Client, acme: Shop, globex: Shop, mo: User) -> None:
    edit = reverse("admin:catalog_product_change", args=[acme.product.pk])
    text = changing.get(edit).content.decode()
    assert "Changes are allowed" in text
    deleted = changing.post(reverse("admin:catalog_product_delete", args=[acme.product.pk]), {"post": "yes"})
    assert deleted.status_code == 302
    assert not Product.objects.filter(pk=acme.product.pk).exists()
    assert mo.logentry_set.filter(object_id=str(acme.product.pk)).exists()
    assert (
        changing.post(reverse("admin:catalog_product_delete", args=[globex.product.pk]), {"post": "yes"}).status_code
        == 404
    )
    reason = ActingSession.objects.get(mode="write")
    assert (reason.reason, reason.staff, reason.tenant) == ("They asked by phone.", mo, acme.tenant)
    assert list(ActingSession.objects.filter(mode="read").values_list("ended_how", flat=True)) == ["switched"]


def test_changes_without_a_reason_or_by_support_are_refused(acme: Shop, looking: Client) -> None:
    assert looking.post(url("acting_write"), {"reason": " "}).status_code == 200
    support = User.objects.create_user("sue", is_staff=True)
    support.user_permissions.add(Permission.objects.get(codename="support_tenant"))
    with pytest.raises(PermissionDenied):
        ActingSession.start(support, acme.tenant, "write", "Please")
    assert not ActingSession.objects.filter(mode="write").exists()


def test_no_lasting_place_in_the_shop_and_no_word_in_its_name_comes_of_changing(
    changing: Client, acme: Shop, mo: User
) -> None:
    suspend(acme)
    assert changing.post(url("appeal", acme.tenant.pk), {"text": "Fine by me"}).status_code == 403
    assert 'name="text"' not in changing.get(url("suspension", acme.tenant.pk)).content.decode()
    page = changing.get(url("change", acme.tenant.pk))
    assert "memberships-" not in page.content.decode()
    forged = {
        "name": "Acme", "slug": "acme", "currency": "EUR", "locale": "en", "timezone": "UTC",
        "memberships-TOTAL_FORMS": 1, "memberships-INITIAL_FORMS": 0, "memberships-0-person": "mo",
        "memberships-0-role": "owner",
    }  # fmt: skip
    changing.post(url("change", acme.tenant.pk), forged)
    assert not Membership.objects.filter(user=mo).exists()
    for target in (url("suspend"), url("unsuspend")):
        assert changing.post(target, {"ids": acme.tenant.pk}).status_code == 404
    assert changing.post(url("delete", acme.tenant.pk), {"post": "yes"}).status_code == 403
    assert changing.get(reverse("admin:password_change")).status_code == 403
    mo.refresh_from_db()
    assert mo.is_superuser


def test_it_ends_by_the_button_and_the_colleague_has_the_power_back(looking: Client, globex: Shop, acme: Shop) -> None:
    stopped = looking.post(url("acting_stop"))
    assert stopped["location"] == url("change", acme.tenant.pk)
    assert ActingSession.objects.get().ended_how == "stopped"
    page = looking.get(url("change", globex.tenant.pk))
    assert page.status_code == 200
    assert "as the merchant of" not in page.content.decode()


def test_it_ends_after_half_an_hour_and_what_is_sent_then_is_not_saved_as_staff(changing: Client, acme: Shop) -> None:
    running = ActingSession.objects.get(mode="write")
    assert running.ends_at - running.started_at <= timedelta(minutes=30, seconds=1)
    ActingSession.objects.filter(pk=running.pk).update(ends_at=timezone.now())
    target = reverse("admin:catalog_product_delete", args=[acme.product.pk])
    assert changing.post(target, {"post": "yes"}).status_code == 403
    assert Product.objects.filter(pk=acme.product.pk).exists()
    running.refresh_from_db()
    assert running.ended_how == "timed_out"
    assert changing.get(url("changelist")).status_code == 200


def test_a_page_after_the_half_hour_says_so(looking: Client, acme: Shop) -> None:
    ActingSession.objects.update(ends_at=timezone.now())
    page = looking.get(reverse("admin:index"), follow=True)
    assert page.redirect_chain == [(url("change", acme.tenant.pk), 302)]
    assert "The half hour is over" in page.content.decode()


def test_a_demoted_colleague_loses_it_at_once(changing: Client, mo: User, acme: Shop) -> None:
    User.objects.filter(pk=mo.pk).update(is_superuser=False)
    target = reverse("admin:catalog_product_delete", args=[acme.product.pk])
    assert changing.post(target, {"post": "yes"}).status_code == 403
    assert ActingSession.objects.get(mode="write").ended_how == "refused"
    assert changing.get(url("change", acme.tenant.pk)).status_code == 404


def test_logging_out_ends_it_and_nobody_else_takes_it_over(looking: Client, mo: User) -> None:
    looking.post(reverse("admin:logout"))
    assert ActingSession.objects.get().ended_how == "logged_out"
    looking.force_login(mo)
    assert "as the merchant of" not in looking.get(reverse("admin:index")).content.decode()
    other = User.objects.create_superuser("other")
    started = ActingSession.start(mo, Tenant.objects.get(slug="acme"))
    client = logged_in(other)
    session = client.session
    session[acting.KEY] = str(started.pk)  # as if another's cookie could be mixed in
    session.save()
    assert "as the merchant of" not in client.get(reverse("admin:index"), follow=True).content.decode()


def test_the_log_of_views_is_for_looking_only(looking: Client, staff: Client) -> None:
    row = ActingSession.objects.get()
    page = staff.get(reverse("admin:tenants_actingsession_changelist")).content.decode()
    assert "Acme (acme)" in page
    for name in ("change", "delete"):
        assert (
            staff.post(reverse(f"admin:tenants_actingsession_{name}", args=[row.pk]), {"post": "yes"}).status_code
            == 403
        )
    bulk = {"action": "delete_selected", "post": "yes", "_selected_action": [row.pk]}
    staff.post(reverse("admin:tenants_actingsession_changelist"), bulk)
    assert ActingSession.objects.filter(pk=row.pk).exists()


def test_the_session_gets_a_new_key_when_it_begins(acme: Shop, moderator: Client) -> None:
    before = moderator.session.session_key
    moderator.post(url("act", acme.tenant.pk))
    assert moderator.session.session_key != before
