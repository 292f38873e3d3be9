"""From nobody to a live shop: every step through the pages, and what must not work on the way."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings as configured
from django.contrib.auth.models import User
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from tenants.models import Membership, Tenant
from tests.plugins.stores import Stores
from tests.signup.conftest import (
    ADDRESS,
    CONFIRM,
    EMAIL,
    HOME,
    LOG_IN,
    PASSWORD,
    SHOP,
    SIGN_UP,
    code,
    confirm,
    open_shop,
    sign_up,
)  # fmt: skip

pytestmark = pytest.mark.django_db


def test_a_visitor_becomes_a_merchant_whose_shop_is_live(
    stores: Stores, edge: Callable[..., Any], client: Client
) -> None:
    assert sign_up(client)["Location"] == CONFIRM
    assert EMAIL in client.get(CONFIRM).content.decode()
    assert mail.outbox[-1].to == [EMAIL]
    assert confirm(client)["Location"] == SHOP
    page = client.get(SHOP).content.decode()
    assert 'name="starter"' in page
    assert 'role="status"' not in page  # the step itself shows what was done
    assert open_shop(client)["Location"] == HOME
    stores.drain()
    live = edge("idas-tea.localhost")
    assert live.status_code == 200
    assert "Come hungry" in live.text
    home = client.get(HOME).content.decode()
    assert "Ida&#x27;s Tea is open at idas-tea.localhost" in home
    assert "Getting ready: 1 of 6" in home
    owner = Membership.objects.get(tenant__slug="idas-tea")
    assert (owner.role, owner.user.username, owner.user.is_superuser) == (Membership.Role.OWNER, EMAIL, False)


@pytest.mark.parametrize("starter", ["general", "fashion", "food", "home", "outdoor", "services"])
def test_each_trade_s_page_is_rendered_by_the_edge(
    stores: Stores, edge: Callable[..., Any], member: Callable[..., Client], starter: str
) -> None:
    name = "<b>Ö & Söhne</b> " + "x" * 63
    assert open_shop(member(), name=name, slug="oe-soehne", starter=starter).status_code == 302
    stores.drain()
    page = edge("oe-soehne.localhost").text
    assert "{shop}" not in page
    assert "<b>Ö" not in page


def test_without_a_slug_the_first_free_one_is_taken(member: Callable[..., Client]) -> None:
    open_shop(member(), slug="")
    assert Tenant.objects.get().slug == "idas-tea"
    open_shop(member("otto@tea.example"), slug="")
    assert set(Tenant.objects.values_list("slug", flat=True)) == {"idas-tea", "idas-tea-shop"}


def test_a_second_click_opens_no_second_shop(member: Callable[..., Client]) -> None:
    client = member()
    assert open_shop(client, slug="")["Location"] == HOME
    assert open_shop(client, slug="")["Location"] == HOME
    assert Tenant.objects.count() == 1


def test_without_the_code_a_user_gets_nowhere(client: Client) -> None:
    sign_up(client)
    for url in (SHOP, HOME, reverse("admin:tenants_tenant_changelist")):
        answer = client.get(url)
        assert answer.status_code == 302
        assert "login" in answer["Location"]
    assert client.post(ADDRESS, {"slug": "idas-tea"}).status_code == 403
    assert client.post(SHOP, {"name": "Ida", "slug": "idas-tea", "starter": "food"}).status_code == 302
    # Neither by the password alone, at both doors:
    other = Client()
    cache.clear()  # ten seconds later
    assert other.post(LOG_IN, {"login": EMAIL, "password": PASSWORD})["Location"] == CONFIRM
    assert LOG_IN in other.post(reverse("admin:login"), {"username": EMAIL, "password": PASSWORD})["Location"]
    assert "login" in other.get(HOME)["Location"]
    assert other.get(SHOP).status_code == 302
    assert not Tenant.objects.exists()


def test_a_logged_in_user_without_a_proven_address_opens_no_shop(client: Client) -> None:
    client.force_login(User.objects.create_user("eve", "eve@x.example", "pw"), configured.AUTHENTICATION_BACKENDS[0])
    assert client.get(SHOP).status_code == 403
    assert open_shop(client).status_code == 403


def test_a_wrong_code_may_be_guessed_three_times(client: Client) -> None:
    sign_up(client)
    right = code()
    for _ in range(3):
        confirm(client, "WRONG1")
    assert confirm(client, right)["Location"] != SHOP
    assert client.get(SHOP).status_code == 302


def test_another_browser_cannot_use_the_code(client: Client) -> None:
    sign_up(client)
    other = Client()
    assert confirm(other, code())["Location"] == LOG_IN
    assert other.get(SHOP).status_code == 302


def test_signing_in_gives_a_new_session(client: Client) -> None:
    sign_up(client)
    planted = client.cookies[configured.SESSION_COOKIE_NAME].value
    confirm(client)
    assert client.cookies[configured.SESSION_COOKIE_NAME].value != planted
    thief = Client()
    thief.cookies[configured.SESSION_COOKIE_NAME] = planted
    assert thief.get(SHOP).status_code == 302


def test_the_known_and_the_unknown_address_get_the_same_answers(member: Callable[..., Client]) -> None:
    member()
    mail.outbox.clear()
    cache.clear()  # ten seconds later
    known, unknown = Client(), Client()
    first, second = sign_up(known), sign_up(unknown, "nobody@x.example")
    assert (first.status_code, first["Location"]) == (second.status_code, second["Location"])
    pages = [client.get(CONFIRM).content.decode() for client in (known, unknown)]
    assert without_tokens(pages[0], EMAIL) == without_tokens(pages[1], "nobody@x.example")
    assert [message.subject for message in mail.outbox] == ["You have an account already", "Your code for Storefront"]
    reset = reverse("account_reset_password")
    first, second = (Client().post(reset, {"email": email}) for email in (EMAIL, "somebody@x.example"))
    assert (first.status_code, first["Location"]) == (second.status_code, second["Location"])
    first, second = (
        Client().post(LOG_IN, {"login": email, "password": "wrong"}) for email in (EMAIL, "somebody@x.example")
    )
    assert without_tokens(first.content.decode(), EMAIL) == without_tokens(
        second.content.decode(), "somebody@x.example"
    )


def without_tokens(page: str, email: str) -> str:
    import re

    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page).replace(email, "")


def test_the_reset_link_in_the_mail_sets_a_password(member: Callable[..., Client], client: Client) -> None:
    import re

    member()
    client.post(reverse("account_reset_password"), {"email": EMAIL})
    found = re.search(r"http://testserver(/\S+)", str(mail.outbox[-1].body))
    assert found
    form = client.get(found[1], follow=True)
    done = client.post(form.redirect_chain[-1][0], {"password1": "eight tin buckets", "password2": "eight tin buckets"})
    assert done["Location"] == reverse("account_reset_password_from_key_done")
    assert client.get(done["Location"]).status_code == 200
    assert "no longer good" in Client().get(found[1], follow=True).content.decode()
    assert client.post(LOG_IN, {"login": EMAIL, "password": "eight tin buckets"})["Location"] == SHOP


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "javascript:alert(1)", r"\\evil.example"]
)
def test_next_leads_nowhere_else(client: Client, target: str) -> None:
    assert "evil" not in client.get(LOG_IN, {"next": target}).content.decode().replace(target, "")
    sign_up(client, next=target)
    assert confirm(client)["Location"] == SHOP
    client.post(reverse("account_logout"))
    answer = client.post(LOG_IN, {"login": EMAIL, "password": PASSWORD, "next": target})
    assert answer["Location"] == SHOP


def test_every_form_wants_its_token(member: Callable[..., Client]) -> None:
    picky = Client(enforce_csrf_checks=True)
    assert sign_up(picky).status_code == 403
    assert picky.post(LOG_IN, {"login": EMAIL, "password": PASSWORD}).status_code == 403
    picky.cookies = member().cookies
    assert open_shop(picky).status_code == 403
    assert picky.post(ADDRESS, {"slug": "x"}).status_code == 403
    assert not Tenant.objects.exists()


def test_pages_run_under_a_strict_policy(member: Callable[..., Client]) -> None:
    client = member()
    for url in (SIGN_UP, LOG_IN, SHOP):
        for visitor in (client, Client()):
            policy = visitor.get(url)["Content-Security-Policy"]
            assert "unsafe" not in policy
            assert "challenges" not in policy


def test_signing_out_is_asked_and_then_done(member: Callable[..., Client]) -> None:
    client = member()
    assert client.get(reverse("account_logout")).status_code == 200
    assert client.post(reverse("account_logout"))["Location"] == LOG_IN
    assert client.get(SHOP).status_code == 302


def test_a_merchant_signs_in_at_both_doors(member: Callable[..., Client], client: Client) -> None:
    open_shop(member())
    assert client.post(LOG_IN, {"login": EMAIL.title(), "password": PASSWORD})["Location"] == HOME
    other = Client()
    door = other.get(HOME, follow=True)
    assert "Open a shop" in door.content.decode()
    assert "E-mail address" in door.content.decode()
    other.post(door.redirect_chain[-1][0], {"login": EMAIL, "password": PASSWORD, "next": HOME})
    assert other.get(HOME).status_code == 200


def test_who_is_signed_in_is_led_on_from_every_other_page(member: Callable[..., Client]) -> None:
    client = member()
    assert client.get(CONFIRM)["Location"] == reverse("account_email")
    for url in ("/accounts/", SIGN_UP, LOG_IN):
        assert client.get(url, follow=True).redirect_chain[-1][0] == SHOP, url
    open_shop(client)
    assert client.get(LOG_IN)["Location"] == HOME
    assert reverse("admin:login") in member("otto@tea.example").get(HOME)["Location"]
    assert Client().get("/accounts/")["Location"] == LOG_IN
