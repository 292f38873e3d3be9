"""Moderation in the admin: reasons, appeals, four eyes, and seeing it as the merchant does."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from catalog.models import Product
from tenants.models import ActingSession, Appeal, ClosingRequest, Erasure, Landing, Membership, Suspension, Tenant
from tenants.moderation import acting
from tests.admin.conftest import Shop, logged_in


def url(name: str, *args: object) -> str:
    return reverse(f"admin:tenants_tenant_{name}", args=args)


def suspend(shop: Shop) -> Suspension:
    return Suspension.start(shop.tenant, None, category="spam", text="You link to malware.", note="Seen by Ada")


@pytest.fixture
def mo(db: None) -> User:
    return User.objects.create_superuser("mo", password="pass")


@pytest.fixture
def moderator(mo: User) -> Client:
    return logged_in(mo)


# Suspending and restoring


def test_the_bulk_action_asks_for_a_reason_and_then_suspends(acme: Shop, globex: Shop, moderator: Client) -> None:
    chosen = [str(acme.tenant.pk), str(globex.tenant.pk)]
    asked = moderator.post(
        reverse("admin:tenants_tenant_changelist"), {"action": "suspend", "_selected_action": chosen}
    )
    page = moderator.get(asked["location"]).content.decode()
    assert "Acme" in page
    assert "Globex" in page
    assert not Suspension.objects.exists()
    sent = {"ids": ",".join(chosen), "category": "spam", "text": ""}
    assert "required" in moderator.post(url("suspend"), sent).content.decode()
    assert not Suspension.objects.exists()
    moderator.post(url("suspend"), {**sent, "text": "You link to malware.", "note": "n"})
    assert set(Tenant.objects.values_list("status", flat=True)) == {"suspended"}
    assert set(Suspension.objects.values_list("by__username", "category", "note")) == {("mo", "spam", "n")}
    again = moderator.post(url("suspend"), {**sent, "text": "Again"}, follow=True)
    assert "is not active" in again.content.decode()
    moderator.post(url("unsuspend"), {"ids": ",".join(chosen)})
    assert set(Tenant.objects.values_list("status", flat=True)) == {"active"}


def test_nobody_but_moderators_suspends_answers_or_asks_to_close(acme: Shop, person: Callable[..., Client]) -> None:
    suspension = suspend(acme)
    Appeal.send(suspension, acme.owner, "Why?")
    posts = [
        (url("suspend"), {"ids": acme.tenant.pk, "category": "spam", "text": "t"}),
        (url("unsuspend"), {"ids": acme.tenant.pk}),
        (url("answer", acme.tenant.pk), {"answer": "No"}),
        (url("darkness", acme.tenant.pk), {}),
        (url("ask_to_close", acme.tenant.pk), {"reason": "r"}),
        (url("closing", acme.tenant.pk), {"request": "x", "verb": "agree"}),
        (url("act", acme.tenant.pk), {}),
    ]
    for client in (person(), person("owner", acme), person("viewer", acme)):
        for target, data in posts:
            assert client.post(target, data).status_code == 404, target
        for name in ("suspend", "unsuspend"):
            assert client.get(url(name), {"ids": str(acme.tenant.pk)}).status_code == 404
    suspension.refresh_from_db()
    assert suspension.lifted_at is None
    assert Appeal.objects.get().answered_at is None
    assert not ClosingRequest.objects.exists()


def test_the_shops_page_shows_staff_reason_note_darkness_and_appeal(acme: Shop, moderator: Client) -> None:
    suspension = suspend(acme)
    Appeal.send(suspension, acme.owner, "<script>alert(1)</script>")
    page = moderator.get(url("change", acme.tenant.pk)).content.decode()
    for text in ("You link to malware.", "Seen by Ada", "Not dark yet", "still served", "&lt;script&gt;alert(1)"):
        assert text in page
    assert "<script>alert(1)" not in page
    Suspension.objects.update(page_dark_after=0.4, chat_dark_after=1.5, products_dark_after=0.8)
    fragment = moderator.get(url("darkness", acme.tenant.pk)).content.decode()
    assert "Dark after 1.5 s" in fragment
    assert "hx-get" not in fragment
    for text in ("0.4 s", "0.8 s"):
        assert text in fragment


def test_staff_answer_an_appeal_once(acme: Shop, moderator: Client) -> None:
    appeal = Appeal.send(suspend(acme), acme.owner, "Why?")
    assert "Why?" in moderator.get(reverse("admin:tenants_appeal_changelist")).content.decode()
    moderator.post(url("answer", acme.tenant.pk), {"answer": " "})
    appeal.refresh_from_db()
    assert appeal.answered_at is None
    moderator.post(url("answer", acme.tenant.pk), {"answer": "Remove the link."})
    moderator.post(url("answer", acme.tenant.pk), {"answer": "Never."})
    appeal.refresh_from_db()
    assert appeal.answer == "Remove the link."


# What the merchant sees


def test_a_suspended_merchant_reads_why_on_every_page_and_never_the_note(
    acme: Shop, globex: Shop, person: Callable[..., Client]
) -> None:
    suspend(acme)
    client = person("viewer", acme, globex)
    for page in (reverse("admin:index"), url("changelist"), url("change", acme.tenant.pk),
                 url("suspension", acme.tenant.pk), reverse("admin:catalog_product_change", args=[acme.product.pk]),
                 reverse("admin:tenants_landing_change", args=[acme.landing.pk])):  # fmt: skip
        text = client.get(page).content.decode()
        assert "Acme is suspended" in text, page
        assert "You link to malware." in text, page
        assert "Seen by Ada" not in text, page
    for page in (url("change", globex.tenant.pk), reverse("admin:catalog_product_change", args=[globex.product.pk])):
        assert "is suspended" not in client.get(page).content.decode(), page
    assert "is suspended" not in person("owner", globex).get(reverse("admin:index")).content.decode()


def test_an_owner_appeals_and_reads_the_answer(acme: Shop, owner: Client, moderator: Client) -> None:
    suspend(acme)
    target, page = url("appeal", acme.tenant.pk), url("suspension", acme.tenant.pk)
    assert owner.post(target, {"text": "It is gone."}).status_code == 302
    second = owner.post(target, {"text": "Hello?"}).content.decode()
    assert "not been answered" in second
    assert Appeal.objects.count() == 1
    moderator.post(url("answer", acme.tenant.pk), {"answer": "Not from the footer."})
    text = owner.get(page).content.decode()
    assert "It is gone." in text
    assert "Not from the footer." in text
    assert owner.post(target, {"text": "x" * 2001}).status_code == 200
    assert Appeal.objects.count() == 1
    assert owner.post(target, {"text": "Now it is."}).status_code == 302


def test_only_owners_appeal_and_strangers_find_nothing(
    acme: Shop, person: Callable[..., Client], moderator: Client
) -> None:
    suspend(acme)
    for client, code in (
        (person("editor", acme), 403),
        (person("viewer", acme), 403),
        (person(), 404),
        (moderator, 403),
    ):
        assert client.post(url("appeal", acme.tenant.pk), {"text": "Why?"}).status_code == code
    assert person().get(url("suspension", acme.tenant.pk)).status_code == 404
    assert not Appeal.objects.exists()


def test_banners_and_panel_cost_a_bounded_number_of_queries(
    acme: Shop, owner: Client, moderator: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(8):
        suspend(acme)
        Suspension.lift(acme.tenant, None)
    suspension = suspend(acme)
    for _ in range(3):
        Appeal.send(suspension, acme.owner, "Why?").answer_with(acme.owner, "So.")
    with django_assert_max_num_queries(24):
        moderator.get(url("change", acme.tenant.pk))
    with django_assert_max_num_queries(11):
        owner.get(url("suspension", acme.tenant.pk))


# The end of a shop


def test_closing_takes_two_people_whatever_is_posted(acme: Shop, moderator: Client, staff: Client) -> None:
    target = url("closing", acme.tenant.pk)
    moderator.post(url("ask_to_close", acme.tenant.pk), {"reason": "Fraud."})
    asked = ClosingRequest.objects.get()
    own = moderator.get(url("change", acme.tenant.pk)).content.decode()
    assert "Withdraw" in own
    assert "Agree and close" not in own
    for verb in ("agree", "decline", "_settle", "delete"):
        moderator.post(target, {"request": asked.pk, "verb": verb})
    asked.refresh_from_db()
    assert asked.decision == ""
    assert staff.post(target, {"request": "1", "verb": "agree"}).status_code == 404
    assert "Agree and close" in staff.get(url("change", acme.tenant.pk)).content.decode()
    staff.post(target, {"request": asked.pk, "verb": "agree"})
    acme.tenant.refresh_from_db()
    assert acme.tenant.status == "closed"


def test_a_request_of_another_shop_is_not_agreed_on_by_this_shops_page(
    acme: Shop, globex: Shop, mo: User, staff: Client
) -> None:
    asked = ClosingRequest.ask(globex.tenant, mo, "Fraud.")
    assert staff.post(url("closing", acme.tenant.pk), {"request": asked.pk, "verb": "agree"}).status_code == 404
    asked.refresh_from_db()
    assert asked.decision == ""


def test_a_shop_is_deleted_only_after_two_agreed(acme: Shop, globex: Shop, mo: User, staff: Client) -> None:
    bulk = {"action": "delete_selected", "post": "yes"}
    changelist = url("changelist")
    ClosingRequest.ask(globex.tenant, mo, "Fraud.").agree(User.objects.get(username="staff"))
    both = [acme.tenant.pk, globex.tenant.pk]
    assert staff.post(url("delete", acme.tenant.pk), {"post": "yes"}).status_code == 403
    assert staff.post(changelist, {**bulk, "_selected_action": both}).status_code == 403
    assert Tenant.objects.count() == 2
    assert staff.post(changelist, {**bulk, "_selected_action": both[1:]}).status_code == 302
    assert [one.subject for one in Erasure.objects.all()] == [str(globex.tenant.pk)]  # goes on in every store


# View as merchant


@pytest.fixture
def looking(acme: Shop, globex: Shop, moderator: Client) -> Client:
    assert moderator.post(url("act", acme.tenant.pk)).status_code == 302
    return moderator


@pytest.fixture
def changing(looking: Client) -> Client:
    assert looking.post(url("acting_write"), {"reason": "They asked by phone."}).status_code == 302
    return looking


def listed() -> Iterator[str]:
    for model, found in admin.site._registry.items():
        yield reverse(f"admin:{found.opts.app_label}_{found.opts.model_name}_changelist")
        assert model


def test_who_acts_sees_one_shop_only_and_a_banner_on_every_page(looking: Client, acme: Shop, globex: Shop) -> None:
    seen = 0
    for target in (*listed(), reverse("admin:index"), url("change", acme.tenant.pk)):
        page = looking.get(target, follow=True)
        assert page.status_code in (200, 403), target
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


def routes(patterns: list[Any], prefix: str = "") -> Iterator[str]:
    """Every URL name of the admin and the API."""
    for one in patterns:
        if isinstance(one, URLResolver):
            inner = f"{one.namespace}:" if one.namespace else ""
            yield from routes(one.url_patterns, prefix + inner)
        elif isinstance(one, URLPattern) and one.name:
            yield f"{prefix}{one.name}"


def test_looking_only_refuses_every_post(looking: Client, acme: Shop) -> None:
    before = snapshot()
    walked = 0
    for name in set(routes(get_resolver().url_patterns)) - acting.ALWAYS - acting.WRITES_NOTHING:
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
