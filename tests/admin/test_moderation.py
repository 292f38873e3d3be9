"""Moderation in the admin: reasons, appeals, four eyes."""

from collections.abc import Callable

from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from tenants.models import Appeal, ClosingRequest, Erasure, Landing, Suspension, Tenant
from tests.admin.conftest import Shop


def url(name: str, *args: object) -> str:
    return reverse(f"admin:tenants_tenant_{name}", args=args)


def suspend(shop: Shop) -> Suspension:
    return Suspension.start(shop.tenant, None, category="spam", text="You link to malware.", note="Seen by Ada")


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


def test_a_suspended_merchant_still_sees_the_draft_while_editing(acme: Shop, owner: Client) -> None:
    suspend(acme)
    landing = Landing.objects.get(pk=acme.landing.pk)
    sent = {"page": landing.page.to_json(), "version": landing.draft_version}
    target = reverse("admin:tenants_landing_preview", args=[landing.pk])
    preview = owner.post(target, sent, content_type="application/json").json()
    assert "<!--section:" in preview["html"]
    assert preview["problems"] == {}
    tried = owner.post(
        reverse("admin:tenants_landing_publish", args=[landing.pk]), sent, content_type="application/json"
    )
    assert tried.status_code == 422
    assert "suspended" in tried.json()["messages"][0]


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
    with django_assert_max_num_queries(36):  # with the panels of plans, invitations and flags
        moderator.get(url("change", acme.tenant.pk))
    with django_assert_max_num_queries(22):  # half of it sidebar and shop switcher
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
