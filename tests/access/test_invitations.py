"""An owner invites by e-mail; only the invited address comes in, once, in time, and with no more than was offered."""

import re
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import User
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tenants.models import Invitation, Membership
from tests.admin.conftest import logged_in
from tests.signup.conftest import CONFIRM, EMAIL, HOME, LOG_IN, PASSWORD, SIGN_UP, confirm


def url(name: str, *args: Any) -> str:
    return reverse(f"admin:tenants_tenant_{name}", args=args)


def invite(client: Client, shop: Any, email: str = EMAIL, role: str = "editor") -> Any:
    return client.post(url("invite", shop.tenant.pk), {"email": email, "role": role}, follow=True)


def link() -> str:
    """The path of the link in the last mail."""
    found = re.search(r"https?://[^/]+(/accounts/invitation/\S+)", str(mail.outbox[-1].body))
    assert found, mail.outbox[-1].body
    return found[1]


def role_of(email: str, shop: Any) -> str:
    found = Membership.objects.filter(user__email=email, tenant=shop.tenant).first()
    return found.role if found else ""


def test_a_stranger_signs_up_by_the_link_and_lands_in_the_shop(acme: Any, owner: Client, client: Client) -> None:
    page = invite(owner, acme).content.decode()
    assert "is invited" in page
    assert f"Take back the invitation of {EMAIL}" in page
    assert mail.outbox[-1].to == [EMAIL]
    target = link()
    welcome = client.get(target).content.decode()
    assert "Acme" in welcome
    form = client.get(SIGN_UP, {"email": EMAIL, "next": target}).content.decode()
    assert f'value="{EMAIL}"' in form
    client.post(SIGN_UP, {"email": EMAIL, "password1": PASSWORD, "next": target})
    assert role_of(EMAIL, acme) == ""
    assert confirm(client)["Location"] == target
    assert "Accept" in client.get(target).content.decode()
    assert role_of(EMAIL, acme) == ""
    assert client.post(target)["Location"] == HOME
    assert role_of(EMAIL, acme) == "editor"
    assert "Acme" in client.get(HOME).content.decode()
    assert client.get(target)["Location"] == HOME


def test_a_merchant_of_another_shop_signs_in_and_accepts(acme: Any, owner: Client, member: Any) -> None:
    member()
    invite(owner, acme, EMAIL.upper(), "viewer")
    target, other = link(), Client()
    cache.clear()
    answer = other.post(LOG_IN, {"login": EMAIL, "password": PASSWORD, "next": target})
    assert answer["Location"] == target
    other.post(target)
    assert role_of(EMAIL, acme) == "viewer"


def test_the_secret_is_nowhere_but_in_the_mail(acme: Any, owner: Client) -> None:
    page = invite(owner, acme).content.decode()
    token = link().rstrip("/").rpartition("/")[2]
    assert len(token) >= 43
    assert token not in page
    assert token not in str(Invitation.objects.values().get())


def test_nobody_else_uses_the_link(acme: Any, owner: Client, member: Any) -> None:
    thief = member("eve@x.example")
    invite(owner, acme)
    target = link()
    page = thief.get(target).content.decode()
    assert "eve@x.example" in page
    assert EMAIL in page
    assert thief.post(target).status_code == 403
    claimant = User.objects.create_user("ida", EMAIL, "pw")
    EmailAddress.objects.create(user=claimant, email=EMAIL, verified=False)
    assert logged_in(claimant).post(target).status_code == 403
    Client().post(target)
    assert Membership.objects.filter(tenant=acme.tenant).count() == 1


def test_old_used_withdrawn_and_foreign_links_say_what_they_are(acme: Any, owner: Client, member: Any) -> None:
    ida = member()
    invite(owner, acme)
    target, row = link(), Invitation.objects.get()
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    for answer in (ida.get(target), ida.post(target)):
        assert answer.status_code == 410
        assert "too old" in answer.content.decode()
    owner.post(url("resend_invitation", acme.tenant.pk, row.pk))
    assert "don&#x27;t know this link" in ida.get(target).content.decode().replace("'", "&#x27;")
    renewed = link()
    owner.post(url("revoke_invitation", acme.tenant.pk, row.pk))
    assert "taken back" in ida.post(renewed).content.decode()
    invite(owner, acme)
    used = link()
    assert ida.post(used).status_code == 302
    assert "used already" in Client().get(used).content.decode()
    assert ida.get("/accounts/invitation/nonsense/").status_code == 404
    Membership.objects.filter(user__email=EMAIL).delete()
    assert "used already" in ida.post(used).content.decode()
    assert role_of(EMAIL, acme) == ""


@pytest.mark.parametrize("role", ["viewer", "editor"])
def test_only_owners_invite(role: str, acme: Any, globex: Any, owner: Client, person: Any, colleague: Any) -> None:
    invite(owner, acme)
    row = Invitation.objects.get()
    for client in (person(role, acme), colleague("Support"), colleague("Moderator")):
        for target in (
            url("invite", acme.tenant.pk),
            url("resend_invitation", acme.tenant.pk, row.pk),
            url("revoke_invitation", acme.tenant.pk, row.pk),
        ):
            assert client.post(target, {"email": "x@x.example", "role": "owner"}).status_code == 403
    assert "people-button" not in person(role, acme).get(url("change", acme.tenant.pk)).content.decode()
    stranger = person("owner", globex)
    assert stranger.post(url("invite", acme.tenant.pk), {"email": "x@x.example", "role": "owner"}).status_code == 404
    assert stranger.post(url("revoke_invitation", acme.tenant.pk, row.pk)).status_code == 404
    assert stranger.post(url("revoke_invitation", globex.tenant.pk, row.pk)).status_code == 404
    assert stranger.get(url("invite", globex.tenant.pk)).status_code == 403
    assert len(mail.outbox) == 1
    row.refresh_from_db()
    assert row.state == "open"
    assert colleague("Administrator").post(url("revoke_invitation", acme.tenant.pk, row.pk)).status_code == 302


def test_a_member_is_named_and_an_account_elsewhere_is_not(acme: Any, globex: Any, owner: Client, member: Any) -> None:
    User.objects.filter(pk=acme.owner.pk).update(email="boss@x.example")
    assert "works in this shop already" in invite(owner, acme, "Boss@x.example").content.decode()
    member("known@x.example")
    pages = [invite(owner, acme, email).content.decode() for email in ("known@x.example", "other@x.example")]
    said = [re.findall(r"(\S+@\S+ is invited[^<]*)", page)[-1].partition(" ")[2] for page in pages]
    assert said[0] == said[1]
    assert [message.subject for message in mail.outbox[-2:]] == ["Your invitation to Acme"] * 2


def test_whoever_may_no_longer_invite_leaves_no_door_open(acme: Any, globex: Any, owner: Client, member: Any) -> None:
    ida = member()
    Membership.objects.create(user=globex.owner, tenant=acme.tenant, role="owner")
    invite(logged_in(globex.owner), acme, role="owner")
    target = link()
    Membership.objects.get(user=globex.owner, tenant=acme.tenant).delete()
    assert ida.post(target).status_code == 410
    assert role_of(EMAIL, acme) == ""
    invite(owner, acme)
    target = link()
    held = Membership.objects.get(user=acme.owner)
    held.role = "editor"
    held.save()
    assert ida.post(target).status_code == 410


def test_accepting_takes_nothing_away_and_counts_once(acme: Any, owner: Client, member: Any) -> None:
    ida = member()
    invite(owner, acme, role="viewer")
    row = Invitation.objects.get()
    user = User.objects.get(email=EMAIL)
    Membership.objects.create(user=user, tenant=acme.tenant, role="owner")
    assert ida.post(link()).status_code == 302
    assert role_of(EMAIL, acme) == "owner"
    assert row.accept(acme.owner) is None  # a second one with the row as it was


def test_a_second_invitation_replaces_the_first(acme: Any, owner: Client, member: Any) -> None:
    ida = member()
    invite(owner, acme, role="owner")
    first = link()
    invite(owner, acme, role="viewer")
    assert Invitation.objects.open().count() == 1
    assert "taken back" in ida.post(first).content.decode()
    ida.post(link())
    assert role_of(EMAIL, acme) == "viewer"


def test_nobody_is_flooded_with_invitations(acme: Any, owner: Client) -> None:
    pages = [invite(owner, acme).content.decode() for _ in range(7)]
    assert len(mail.outbox) == 6
    assert "many invitations" in pages[-1]


def test_mail_that_cannot_be_sent_is_said_and_can_be_sent_again(acme: Any, owner: Client, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    page = invite(owner, acme).content.decode()
    assert "could not be sent" in page
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    owner.post(url("resend_invitation", acme.tenant.pk, Invitation.objects.get().pk))
    assert Client().get(link()).status_code == 200


def test_names_of_shops_and_people_do_no_harm(acme: Any, owner: Client) -> None:
    acme.tenant.name = "<b>Acme\r\nBcc: x@x.example"
    acme.tenant.save()
    acme.owner.first_name = "<script>"
    acme.owner.save()
    invite(owner, acme)
    assert "\n" not in mail.outbox[-1].subject
    assert mail.outbox[-1].recipients() == [EMAIL]
    page = Client().get(link()).content.decode()
    assert "<b>Acme" not in page
    assert "<script>" not in page


def test_two_owners_cannot_remove_each_other(acme: Any, globex: Any, owner: Client) -> None:
    """The form of the second was made before the first was saved."""
    first = Membership.objects.get(tenant=acme.tenant)
    second = Membership.objects.create(user=globex.owner, tenant=acme.tenant, role="owner")
    posted = {
        "name": "Acme", "slug": "acme", "currency": "EUR", "locale": "en", "timezone": "UTC",
        "memberships-TOTAL_FORMS": "2", "memberships-INITIAL_FORMS": "2",
        "memberships-0-id": str(first.pk), "memberships-0-tenant": str(acme.tenant.pk), "memberships-0-role": "owner",
        "memberships-1-id": str(second.pk), "memberships-1-tenant": str(acme.tenant.pk), "memberships-1-role": "owner",
    }  # fmt: skip
    target = url("change", acme.tenant.pk)
    other = logged_in(globex.owner)
    assert other.post(target, posted | {"memberships-0-DELETE": "on"}).status_code == 302
    owner.post(target, posted | {"memberships-1-DELETE": "on"})
    assert list(acme.tenant.memberships.values_list("user__username", flat=True)) == ["globex-owner"]


def test_owners_add_nobody_by_user_name(acme: Any, globex: Any, owner: Client) -> None:
    held = Membership.objects.get(tenant=acme.tenant)
    posted = {
        "name": "Acme", "slug": "acme", "currency": "EUR", "locale": "en", "timezone": "UTC",
        "memberships-TOTAL_FORMS": "2", "memberships-INITIAL_FORMS": "1",
        "memberships-0-id": str(held.pk), "memberships-0-tenant": str(acme.tenant.pk), "memberships-0-role": "owner",
        "memberships-1-tenant": str(acme.tenant.pk), "memberships-1-person": "globex-owner",
        "memberships-1-role": "owner",
    }  # fmt: skip
    owner.post(url("change", acme.tenant.pk), posted)
    assert acme.tenant.memberships.count() == 1


def test_the_waiting_page_after_sign_up_is_reached(acme: Any, owner: Client, client: Client) -> None:
    invite(owner, acme)
    target = link()
    assert client.post(SIGN_UP, {"email": EMAIL, "password1": PASSWORD, "next": target})["Location"].startswith(CONFIRM)
