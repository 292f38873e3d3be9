"""Valkey down, mail down, two at once, never confirmed: nobody sees an error, nothing is half written."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import User
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tenants.models import Membership, Tenant
from tenants.signup.places import guess
from tenants.signup.sweeping import sweep
from tests.signup.conftest import CONFIRM, EMAIL, HOME, LOG_IN, PASSWORD, SHOP, confirm, open_shop, sign_up

pytestmark = pytest.mark.django_db
DEAD_CACHE = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:9"}}
SMTP = "django.core.mail.backends.smtp.EmailBackend"


def test_with_valkey_down_every_page_says_so_and_nobody_is_signed_up(settings: Any, member: Any) -> None:
    client = member("otto@x.example")
    live = settings.CACHES
    settings.CACHES = DEAD_CACHE
    for answer in (
        sign_up(Client()),
        Client().post(LOG_IN, {"login": EMAIL, "password": PASSWORD}),
        Client().post(reverse("account_reset_password"), {"email": EMAIL}),
        open_shop(client),
    ):
        assert answer.status_code == 503
        assert "nothing of what you sent was kept" in answer.content.decode()
        assert "unsafe" not in answer["Content-Security-Policy"]
    assert not User.objects.filter(email=EMAIL).exists()
    assert not Tenant.objects.exists()
    settings.CACHES = live


def test_with_mail_down_nobody_is_half_signed_up(settings: Any) -> None:
    client, working = Client(), settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = SMTP, "127.0.0.1", 9
    assert sign_up(client).status_code == 503
    assert not User.objects.exists()
    assert not EmailAddress.objects.exists()
    assert client.get(CONFIRM)["Location"] == LOG_IN
    settings.EMAIL_BACKEND = working
    cache.clear()
    assert sign_up(client)["Location"] == CONFIRM
    assert confirm(client)["Location"] == SHOP


def test_a_user_who_is_there_stays_when_mail_fails(settings: Any, member: Any) -> None:
    member()
    cache.clear()
    settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = SMTP, "127.0.0.1", 9
    assert sign_up(Client()).status_code == 503
    assert Client().post(reverse("account_reset_password"), {"email": EMAIL}).status_code == 503
    assert User.objects.get().email == EMAIL


class Meanwhile:
    """Asked for a password once the address was found free: just then somebody else signs up with it."""

    answers: ClassVar[list[Any]] = []
    pending = False

    def validate(self, password: str, user: Any = None) -> None:
        if Meanwhile.pending:
            Meanwhile.pending = False
            Meanwhile.answers.append(sign_up(Client()))

    def get_help_text(self) -> str:
        return ""


def test_of_two_sign_ups_at_the_same_moment_one_is_told_of_the_other(settings: Any) -> None:
    settings.AUTH_PASSWORD_VALIDATORS = [{"NAME": "tests.signup.test_outages.Meanwhile"}]
    Meanwhile.pending = True
    answers = [sign_up(Client()), Meanwhile.answers.pop()]
    assert answers[1]["Location"] == CONFIRM
    # As for everybody who asks for a second code within ten seconds; the address gets one mail.
    assert answers[0].status_code == 429
    assert "Wait a little" in answers[0].content.decode()
    assert len(mail.outbox) == 1
    assert User.objects.get().email == EMAIL
    assert EmailAddress.objects.count() == 1
    assert confirm_first(answers[1].client)["Location"] == SHOP


def confirm_first(client: Client) -> Any:
    import re

    found = re.search(r"^    (\S+)$", str(mail.outbox[0].body), re.MULTILINE)
    assert found
    return client.post(CONFIRM, {"code": found[1]})


def test_who_never_confirmed_is_swept_after_a_week_and_nobody_else(member: Callable[..., Client]) -> None:
    sign_up(Client())
    confirmed = member("otto@x.example")
    User.objects.create_user("from-before", "old@x.example", "pw")
    merchant = User.objects.create_user("merchant", "m@x.example", "pw", is_staff=True)
    EmailAddress.objects.create(user=merchant, email="m@x.example", verified=False)
    now = timezone.now()
    assert sweep(now + timedelta(days=6)) == 0
    assert sweep(now + timedelta(days=8)) == 1
    assert set(User.objects.values_list("username", flat=True)) == {"otto@x.example", "from-before", "merchant"}
    assert confirmed.get(SHOP).status_code == 200
    cache.clear()
    assert sign_up(Client())["Location"] == CONFIRM
    assert mail.outbox[-1].subject == "Your code for Storefront"


def test_sessions_that_are_over_are_swept(member: Callable[..., Client]) -> None:
    client = member()
    sweep()
    assert client.get(SHOP).status_code == 200
    sweep(timezone.now() + timedelta(days=400))
    assert client.get(SHOP).status_code == 302


@pytest.mark.parametrize(
    ("header", "locale", "currency"),
    [
        ("de", "de", "EUR"), ("de-CH,de;q=0.9", "de-CH", "CHF"), ("en-GB,en;q=0.5", "en-GB", "GBP"),
        ("en-US", "en-US", "USD"), ("ja,en;q=0.5", "ja", "JPY"), ("nn-NO,nb;q=0.8", "nb", "NOK"),
        ("en-AU", "en", "AUD"), ("xx-YY,fr-FR;q=0.3", "fr", "EUR"), ("", "en", "EUR"), ("*;q=1", "en", "EUR"),
        ("'; drop", "en", "EUR"), ("x" * 100_000, "en", "EUR"),
    ],
)  # fmt: skip
def test_language_and_currency_are_guessed_from_the_browser(header: str, locale: str, currency: str) -> None:
    assert guess(header) == (locale, currency)


def test_language_and_currency_are_chosen_at_sign_up(member: Callable[..., Client]) -> None:
    client = member()
    page = client.get(SHOP, headers={"Accept-Language": "de-CH"}).content.decode()
    assert '<option value="CHF" selected>' in page
    assert '<option value="de-CH" selected>' in page
    data = {"name": "Ida's Tea", "slug": "idas-tea", "starter": "food", "locale": "fr", "currency": "JPY"}
    assert client.post(SHOP, data | {"currency": "XXX"}).status_code == 422
    assert client.post(SHOP, data)["Location"] == HOME
    shop = Membership.objects.get().tenant
    assert (shop.locale, shop.currency) == ("fr", "JPY")
