"""One login for all doors: guessing is slowed, sessions are one's own, nothing leads elsewhere."""

import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.conf import settings as configured
from django.contrib.auth.models import User
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from tests.signup.conftest import CONFIRM, HOME, LOG_IN, confirm, open_shop

EMAIL, PASSWORD = "ida@tea-house.example", "seven copper kettles"
ADMIN, SESSIONS = reverse("admin:login"), reverse("usersessions_list")


@pytest.fixture
def merchant(member: Any) -> User:
    open_shop(member(EMAIL))
    cache.clear()
    return User.objects.get(email=EMAIL)


def log_in(client: Client, password: str = PASSWORD, **more: Any) -> Any:
    return client.post(LOG_IN, {"login": EMAIL, "password": password, **more})


def test_the_admin_s_own_login_takes_no_password(merchant: User) -> None:
    client = Client()
    answer = client.post(ADMIN, {"username": EMAIL, "password": PASSWORD, "next": HOME})
    assert answer["Location"].startswith(LOG_IN)
    assert "_auth_user_id" not in client.session
    page = client.get(reverse("admin:tenants_tenant_changelist"), follow=True).content.decode()
    assert "E-mail address" in page
    assert "Username" not in page
    assert 'name="next" value="/admin/tenants/tenant/"' in page
    assert log_in(client, next="/admin/tenants/tenant/")["Location"] == "/admin/tenants/tenant/"


def test_a_guessing_run_against_one_address_is_stopped_from_wherever_it_comes(merchant: User) -> None:
    for number in range(5):
        log_in(Client(REMOTE_ADDR=f"203.0.113.{number}"), f"guess {number}")
    refused = log_in(Client(REMOTE_ADDR="203.0.113.99"))
    assert "Too many failed login attempts" in refused.content.decode()
    assert Client(REMOTE_ADDR="203.0.113.99").get(HOME).status_code == 302


def test_a_guessing_run_from_one_place_is_stopped_whatever_addresses_it_tries(merchant: User) -> None:
    client = Client()
    for number in range(10):
        client.post(LOG_IN, {"login": f"p{number}@x.example", "password": "password1"})
    assert "Too many failed login attempts" in log_in(client).content.decode()
    cache.clear()  # a minute later
    assert log_in(client)["Location"] == HOME


def test_a_planted_session_is_not_the_one_that_is_signed_in(merchant: User) -> None:
    client = Client()
    client.get(LOG_IN)
    session = client.session
    session["planted"] = True
    session.save()
    planted = session.session_key
    client.cookies[configured.SESSION_COOKIE_NAME] = planted
    log_in(client)
    assert client.cookies[configured.SESSION_COOKIE_NAME].value != planted
    thief = Client()
    thief.cookies[configured.SESSION_COOKIE_NAME] = planted
    assert thief.get(HOME).status_code == 302


def test_one_sees_one_s_sessions_and_ends_one_of_them(merchant: User, member: Any) -> None:
    laptop, phone = Client(HTTP_USER_AGENT="Laptop/1"), Client(HTTP_USER_AGENT="Phone/2", REMOTE_ADDR="203.0.113.7")
    log_in(laptop)
    log_in(phone)
    page = laptop.get(SESSIONS).content.decode()
    for words in ("Laptop/1", "Phone/2", "203.0.113.7", "this one"):
        assert words in page
    row = UserSession.objects.get(user_agent="Phone/2")
    stranger = member("eve@x.example")
    stranger.post(reverse("end_session", args=[row.pk]))
    assert phone.get(HOME).status_code == 200
    assert "Phone/2" not in stranger.get(SESSIONS).content.decode()
    assert laptop.get(reverse("end_session", args=[row.pk])).status_code == 405
    laptop.post(reverse("end_session", args=[row.pk]))
    assert phone.get(HOME).status_code == 302
    assert laptop.get(HOME).status_code == 200
    own = UserSession.objects.get(user=merchant, user_agent="Laptop/1")
    laptop.post(reverse("end_session", args=[own.pk]))
    assert laptop.get(HOME).status_code == 200


def test_all_others_are_ended_at_once(merchant: User) -> None:
    clients = [Client() for _ in range(3)]
    for client in clients:
        log_in(client)
    clients[0].post(SESSIONS)
    assert [client.get(HOME).status_code for client in clients] == [200, 302, 302]


def test_a_session_is_noted_once_in_five_minutes(merchant: User, django_assert_num_queries: Any) -> None:
    client = Client()
    log_in(client)
    client.get(SESSIONS)
    seen = UserSession.objects.filter(user=merchant).latest("created_at").last_seen_at
    client.get(HOME)
    assert UserSession.objects.filter(user=merchant).latest("created_at").last_seen_at == seen
    session = client.session
    session["seen"] = 0
    session.save()
    client.get(HOME)
    assert UserSession.objects.filter(user=merchant).latest("created_at").last_seen_at > seen


def test_a_new_password_ends_the_other_sessions_and_is_told_by_mail(merchant: User) -> None:
    here, there = Client(), Client()
    log_in(here)
    log_in(there)
    target = reverse("account_change_password")
    new = {"password1": "eight tin buckets", "password2": "eight tin buckets"}
    assert here.post(target, {"oldpassword": "wrong", **new}).status_code == 200
    assert there.get(HOME).status_code == 200
    assert here.post(target, {"oldpassword": PASSWORD, **new}).status_code == 302
    assert here.get(HOME).status_code == 200
    assert there.get(HOME).status_code == 302
    assert mail.outbox[-1].to == [EMAIL]
    assert "127.0.0.1" in str(mail.outbox[-1].body)
    assert Client().get(target).status_code == 302


def test_a_new_address_counts_once_it_is_proven_and_frees_the_old_one(merchant: User) -> None:
    client, new = Client(), "ida@new.example"
    log_in(client)
    assert client.post(reverse("account_reauthenticate"), {"password": PASSWORD, "next": HOME}).status_code == 302
    client.post(reverse("account_email"), {"action_add": "", "email": new})
    merchant.refresh_from_db()
    assert merchant.email == EMAIL
    assert confirm(client).status_code == 302
    merchant.refresh_from_db()
    assert (merchant.email, merchant.username) == (new, new)
    assert list(EmailAddress.objects.filter(user=merchant).values_list("email", "verified")) == [(new, True)]
    cache.clear()
    assert Client().post(LOG_IN, {"login": new, "password": PASSWORD})["Location"] == HOME
    other = Client()
    signed_up = other.post(reverse("account_signup"), {"email": EMAIL, "password1": PASSWORD})
    assert signed_up["Location"] == CONFIRM
    assert User.objects.filter(email=EMAIL).exists()


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "//evil.example", "javascript:alert(1)", r"\\evil.example", "/\t/evil.example",
     "https:evil.example", "http://testserver@evil.example/"],
)  # fmt: skip
def test_next_leads_nowhere_else_from_any_door(merchant: User, target: str) -> None:
    door = Client().get(ADMIN, {"next": target})["Location"]
    assert door == f"{LOG_IN}?next=%2Fadmin%2F"
    client = Client()
    assert log_in(client, next=target)["Location"] == HOME
    assert client.get(ADMIN, {"next": target})["Location"] == HOME
    assert client.get(LOG_IN, {"next": target})["Location"] == HOME
    again = client.post(reverse("account_reauthenticate"), {"password": PASSWORD, "next": target})
    assert "evil" not in again["Location"]
    assert "evil" not in client.post(reverse("account_logout"), {"next": target})["Location"]


def test_whoever_never_proved_their_address_is_asked_for_a_code(db: None) -> None:
    """Users from before, and those whom an administrator made."""
    User.objects.create_user(EMAIL, EMAIL, PASSWORD, is_staff=True)
    client = Client()
    assert log_in(client)["Location"] == CONFIRM
    assert client.get(HOME).status_code == 302
    assert re.search(r"^    \S+$", str(mail.outbox[-1].body), re.MULTILINE)
    assert confirm(client).status_code == 302
    assert client.get(HOME).status_code == 200
