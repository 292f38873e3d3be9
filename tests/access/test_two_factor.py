"""A second factor: forced on the platform's staff, offered to merchants, asked at every door."""

import re
import time
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.conf import settings as configured
from django.contrib.auth.models import User
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from tests.signup.conftest import HOME, LOG_IN

EMAIL, PASSWORD = "sam@platform.example", "seven copper kettles"
SETUP, APP, CODE = reverse("mfa_index"), reverse("mfa_activate_totp"), reverse("mfa_authenticate")
AGAIN, CODES = reverse("account_reauthenticate"), reverse("mfa_view_recovery_codes")


@pytest.fixture
def superuser(db: None) -> User:
    user = User.objects.create_superuser(EMAIL, EMAIL, PASSWORD)
    EmailAddress.objects.create(user=user, email=EMAIL, verified=True, primary=True)
    return user


@pytest.fixture
def forced(settings: Any) -> None:
    settings.STAFF_TWO_FACTOR = True


def log_in(client: Client, password: str = PASSWORD, **more: Any) -> Any:
    return client.post(LOG_IN, {"login": EMAIL, "password": password, **more})


def code_for(secret: str, ahead: int = 0) -> str:
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30 + ahead)))


def set_up(client: Client) -> str:
    """Sets the app up through the pages; the secret that it was given."""
    page = client.get(APP)
    secret = str(page.context["form"].secret)
    assert secret in page.content.decode()
    assert client.post(APP, {"code": code_for(secret)})["Location"] == CODES
    return secret


def test_staff_without_a_second_factor_get_only_the_pages_to_set_one_up(forced: None, superuser: User) -> None:
    client = Client()
    assert log_in(client)["Location"] == HOME
    for target in (HOME, reverse("admin:tenants_tenant_changelist"), reverse("admin:auth_user_changelist")):
        assert client.get(target)["Location"] == SETUP
        assert client.post(target, {}).status_code == 403
    assert client.get("/api/shops/").status_code == 403
    assert "Set one up to go on" in client.get(SETUP).content.decode()
    set_up(client)
    assert client.get(HOME).status_code == 200
    assert client.get("/api/shops/").status_code == 200


@pytest.mark.parametrize("group", ["Support", "Moderator", "Administrator"])
def test_it_is_forced_on_every_group_and_on_no_merchant(
    group: str, forced: None, acme: Any, owner: Client, colleague: Any
) -> None:
    client = colleague(group)
    assert client.get(HOME)["Location"] == SETUP
    assert owner.get(HOME).status_code == 200
    user = User.objects.get(pk=client.session["_auth_user_id"])
    Authenticator.objects.create(user=user, type=Authenticator.Type.RECOVERY_CODES, data={})
    assert client.get(HOME)["Location"] == SETUP
    user.groups.clear()
    assert client.get(HOME).status_code == 200  # nobody special any more


def test_locally_the_demo_s_logins_go_straight_in(superuser: User) -> None:
    client = Client()
    log_in(client)
    assert client.get(HOME).status_code == 200


def test_the_second_step_is_asked_at_every_door(superuser: User) -> None:
    first = Client()
    log_in(first)
    secret = set_up(first)
    for door in (LOG_IN, reverse("admin:login")):
        client, page = Client(), None
        page = client.get(door, follow=True).request["PATH_INFO"]
        assert page == LOG_IN
        assert log_in(client)["Location"] == CODE
        assert client.get(HOME).status_code == 302
        assert "Second step" in client.get(CODE).content.decode()
    assert client.post(CODE, {"code": "000000"}).status_code == 200
    assert client.get(HOME).status_code == 302
    cache.clear()  # the code of the set-up is used up
    assert client.post(CODE, {"code": code_for(secret, ahead=1)})["Location"] == HOME
    assert client.get(HOME).status_code == 200


def test_a_code_works_once_and_is_guessed_five_times(superuser: User) -> None:
    first = Client()
    log_in(first)
    secret = set_up(first)
    code = code_for(secret, ahead=1)
    client, thief = Client(), Client()
    log_in(client)
    assert client.post(CODE, {"code": code})["Location"] == HOME
    log_in(thief)
    assert thief.post(CODE, {"code": code}).status_code == 200
    for _ in range(6):
        thief.post(CODE, {"code": "000000"})
    assert "Too many" in thief.post(CODE, {"code": code_for(secret)}).content.decode()


def test_a_recovery_code_works_once(superuser: User) -> None:
    first = Client()
    log_in(first)
    set_up(first)
    codes = re.findall(r"<code>(\d+)</code>", first.get(CODES).content.decode())
    assert len(codes) == 10
    assert first.get(reverse("mfa_download_recovery_codes"))["Content-Type"].startswith("text/plain")
    for location in (HOME, None):
        client = Client()
        log_in(client)
        assert client.post(CODE, {"code": codes[0]}).headers.get("Location") == location


def test_the_password_reset_is_no_way_around_it(superuser: User) -> None:
    first = Client()
    log_in(first)
    set_up(first)
    client = Client()
    client.post(reverse("account_reset_password"), {"email": EMAIL})
    found = re.search(r"http://testserver(/\S+)", str(mail.outbox[-1].body))
    assert found
    form = client.get(found[1], follow=True).redirect_chain[-1][0]
    client.post(form, {"password1": "eight tin buckets", "password2": "eight tin buckets"})
    assert client.get(HOME).status_code == 302
    assert log_in(client, "eight tin buckets")["Location"] == CODE


def test_the_secret_is_encrypted_and_old_keys_still_read_it(superuser: User, settings: Any) -> None:
    client = Client()
    log_in(client)
    secret = set_up(client)
    row = Authenticator.objects.get(type="totp")
    assert secret not in str(row.data)
    old, settings.SECRET_KEY = settings.SECRET_KEY, "another " * 8
    settings.SECRET_KEY_FALLBACKS = [old]
    assert row.wrap().validate_code(code_for(secret, ahead=1))


def test_important_changes_ask_for_the_password_again(superuser: User) -> None:
    client = Client()
    log_in(client)
    secret = set_up(client)
    forget_the_password(client)
    off = reverse("mfa_deactivate_totp")
    for target in (off, reverse("mfa_add_webauthn"), reverse("mfa_generate_recovery_codes")):
        assert "authenticate" in client.post(target, {})["Location"], target
    changed = client.post(reverse("account_email"), {"action_add": "", "email": "new@platform.example"})
    assert "authenticate" in changed["Location"]
    assert Authenticator.objects.filter(user=superuser, type="totp").exists()
    assert client.post(AGAIN, {"password": "wrong"}).status_code == 200
    assert "authenticate" in client.post(off, {})["Location"]
    assert secret
    assert client.post(AGAIN, {"password": PASSWORD, "next": SETUP}).status_code == 302
    assert client.post(off, {}).status_code == 302
    assert not Authenticator.objects.filter(user=superuser).exists()
    assert any("eactivated" in message.subject for message in mail.outbox)


def forget_the_password(client: Client) -> None:
    """As if ten minutes had passed since it was typed."""
    session = client.session
    records = session["account_authentication_methods"]
    session["account_authentication_methods"] = [{**one, "at": one["at"] - 600} for one in records]
    session.save()


def test_the_pages_run_under_the_strict_policy_and_without_inline_scripts(superuser: User) -> None:
    client = Client()
    log_in(client)
    pages = [client.get(APP)]
    set_up(client)
    names = (
        "mfa_index", "mfa_list_webauthn", "mfa_add_webauthn", "mfa_view_recovery_codes", "mfa_deactivate_totp",
        "mfa_generate_recovery_codes", "account_email", "account_change_password", "usersessions_list",
        "account_reauthenticate", "mfa_reauthenticate",
    )  # fmt: skip
    pages += [client.get(reverse(name)) for name in names]
    other = Client()
    pages += [other.get(LOG_IN), other.get(reverse("account_signup_by_passkey"))]
    log_in(other)
    pages.append(other.get(CODE))
    for page in pages:
        assert page.status_code == 200, page.request["PATH_INFO"]
        assert "unsafe" not in page["Content-Security-Policy"]
        text = page.content.decode()
        assert 'class="sheet' in text
        scripts = re.findall(r"<script([^>]*)>", text)
        assert all("src=" in one or "application/json" in one for one in scripts), page.request["PATH_INFO"]
        assert not re.search(r"\son\w+=|style=", text)


def test_the_menu_under_the_name_leads_to_the_account(acme: Any, owner: Client) -> None:
    page = owner.get(HOME).content.decode()
    for name in ("account_email", "account_change_password", "mfa_index", "mfa_list_webauthn", "usersessions_list"):
        assert f'href="{reverse(name)}"' in page
    assert owner.get(reverse("admin:password_change"))["Location"] == reverse("account_change_password")
    assert configured.STAFF_TWO_FACTOR is False
