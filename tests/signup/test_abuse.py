"""Limits per visitor and per address, throw-away addresses, robots."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client
from django.urls import reverse
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from controlplane.adapters.errors import AdapterError
from controlplane.adapters.turnstile import Turnstile
from tenants.models import Tenant
from tenants.signup.accounts import is_disposable
from tests.plugins.cloudflare import Serving
from tests.signup.conftest import ADDRESS, CONFIRM, LOG_IN, PASSWORD, SIGN_UP, open_shop, sign_up

pytestmark = pytest.mark.django_db


def test_sign_ups_are_limited_by_the_visitor_s_address() -> None:
    answers = [sign_up(Client(), f"p{number}@x.example").status_code for number in range(11)]
    assert answers == [302] * 10 + [429]
    refused = sign_up(Client(), "q@x.example").content.decode()
    assert "too many tries" in refused
    assert f'href="{SIGN_UP}"' in refused
    elsewhere = Client(REMOTE_ADDR="203.0.113.9")
    assert sign_up(elsewhere, "r@x.example").status_code == 302


def test_a_header_from_outside_changes_nobody_s_address() -> None:
    for number in range(10):
        sign_up(Client(), f"p{number}@x.example")
    assert sign_up(Client(HTTP_X_FORWARDED_FOR="203.0.113.9"), "q@x.example").status_code == 429


def test_behind_a_proxy_the_address_it_adds_counts(settings: Any) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    for number in range(11):  # what the visitor claims stands left of what the proxy saw
        answer = sign_up(Client(HTTP_X_FORWARDED_FOR=f"198.51.100.{number}, 203.0.113.9"), f"p{number}@x.example")
    assert answer.status_code == 429
    assert sign_up(Client(HTTP_X_FORWARDED_FOR="203.0.113.10"), "q@x.example").status_code == 302


def test_one_address_is_not_flooded_with_mail() -> None:
    for number in range(9):
        sign_up(Client(REMOTE_ADDR=f"203.0.113.{number}"), "ida@x.example")
    assert len(mail.outbox) == 1
    for number in range(9):
        Client(REMOTE_ADDR=f"203.0.113.{number}").post(reverse("account_reset_password"), {"email": "otto@x.example"})
    assert len(mail.outbox) == 1 + 4


def test_a_password_can_be_guessed_five_times(member: Callable[..., Client]) -> None:
    member("ida@x.example")
    for number in range(5):
        Client(REMOTE_ADDR=f"203.0.113.{number}").post(LOG_IN, {"login": "ida@x.example", "password": "guess"})
    right = Client(REMOTE_ADDR="203.0.113.99").post(LOG_IN, {"login": "ida@x.example", "password": PASSWORD})
    assert right.status_code == 200
    assert "Too many failed login attempts" in right.content.decode()


def test_looking_names_up_is_limited(member: Callable[..., Client]) -> None:
    client = member()
    answers = [client.post(ADDRESS, {"slug": f"tea-{number}"}).status_code for number in range(61)]
    assert answers == [200] * 60 + [429]


def test_nobody_opens_shops_by_the_dozen(member: Callable[..., Client]) -> None:
    client = member()
    answers = [open_shop(client, name=f"Tea {number}", slug=f"tea-{number}") for number in range(6)]
    assert [answer.status_code for answer in answers] == [302] * 5 + [422]
    assert "several shops" in answers[-1].content.decode()
    assert Tenant.objects.count() == 5


def test_throw_away_addresses_are_refused_where_the_operator_wants_that(client: Client, settings: Any) -> None:
    assert sign_up(client, "x@mailinator.com").status_code == 302
    settings.REFUSE_DISPOSABLE_EMAIL = True
    answer = sign_up(Client(), "y@eu.mailinator.com")
    assert answer.status_code == 200
    assert "disposable address" in answer.content.decode()
    assert sign_up(Client(), "y@tea-house.example").status_code == 302
    assert not is_disposable("ida@com")


# Turnstile: a server that answers as Cloudflare's does, by the documented fields.
TOKENS = {
    "good": {"success": True, "action": "signup", "hostname": "admin.example.com", "error-codes": []},
    "other-form": {"success": True, "action": "login", "error-codes": []},
    "test-key": {"success": True, "hostname": "example.com", "error-codes": []},
}
REFUSED = {"success": False, "error-codes": ["timeout-or-duplicate"]}


async def siteverify(request: Request) -> JSONResponse:
    asked = {key: values[0] for key, values in parse_qs((await request.body()).decode()).items()}
    if asked.get("secret") != "s3cret":
        return JSONResponse({"success": False, "error-codes": ["invalid-input-secret"]})
    return JSONResponse(TOKENS.get(asked.get("response", ""), REFUSED))


@pytest.fixture
def turnstile(settings: Any) -> Iterator[str]:
    with Serving(Starlette(routes=[Route("/siteverify", siteverify, methods=["POST"])])) as origin:
        settings.TURNSTILE_SITE_KEY, settings.TURNSTILE_SECRET = "0xSITE", "s3cret"
        settings.TURNSTILE_VERIFY_URL = f"{origin}/siteverify"
        yield settings.TURNSTILE_VERIFY_URL


def test_with_a_bot_check_only_who_passes_it_signs_up(turnstile: str) -> None:
    page = Client().get(SIGN_UP)
    assert 'data-sitekey="0xSITE"' in page.content.decode()
    assert "s3cret" not in page.content.decode()
    policy = page["Content-Security-Policy"]
    assert policy.count("https://challenges.cloudflare.com") == 2
    for token in ("", "forged", "other-form", "x" * 5000):
        answer = sign_up(Client(), **{"cf-turnstile-response": token})
        assert answer.status_code == 200
        assert "not a robot" in answer.content.decode()
    assert not User.objects.exists()
    assert sign_up(Client(), **{"cf-turnstile-response": "good"}).url == CONFIRM


def test_a_bot_check_that_cannot_be_asked_lets_nobody_in(turnstile: str, settings: Any) -> None:
    settings.TURNSTILE_VERIFY_URL = "http://127.0.0.1:9/siteverify"
    answer = sign_up(Client(), **{"cf-turnstile-response": "good"})
    assert "Try again in a minute" in answer.content.decode()
    assert not User.objects.exists()


def test_turnstile_s_answers_are_told_apart(turnstile: str) -> None:
    widget = Turnstile("s3cret", url=turnstile)
    assert widget.vouches("good", action="signup", ip="203.0.113.9")
    assert widget.vouches("test-key", action="signup")
    assert not widget.vouches("good", action="login")
    with pytest.raises(AdapterError, match="our secret"):
        Turnstile("wrong", url=turnstile).vouches("good", action="signup")
    for answer in (httpx.Response(502, text="<html>"), httpx.Response(200, json=[])):
        broken = Turnstile("s3cret", transport=httpx.MockTransport(lambda _, found=answer: found))
        with pytest.raises(AdapterError):
            broken.vouches("good", action="signup")
