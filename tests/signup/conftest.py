"""A visitor who signs up: `visitor`, with the helpers that read their mail."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

SIGN_UP, LOG_IN = reverse("account_signup"), reverse("account_login")
CONFIRM, SHOP, ADDRESS = (
    reverse("account_email_verification_sent"),
    reverse("signup_shop"),
    reverse("signup_address"),
)
HOME = reverse("admin:index")
EMAIL, PASSWORD = "ida@tea-house.example", "seven copper kettles"


@pytest.fixture(autouse=True)
def no_limits_left_over() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def sign_up(client: Client, email: str = EMAIL, **more: Any) -> Any:
    return client.post(SIGN_UP, {"email": email, "password1": PASSWORD, **more})


def code() -> str:
    """The code in the last mail."""
    found = re.search(r"^    (\S+)$", str(mail.outbox[-1].body), re.MULTILINE)
    assert found, mail.outbox[-1].body
    return found[1]


def confirm(client: Client, text: str = "") -> Any:
    return client.post(CONFIRM, {"code": text or code()})


@pytest.fixture
def member(db: None) -> Callable[..., Client]:
    """`member("ida@…")` → signed up and confirmed, without a shop."""

    def make(email: str = EMAIL) -> Client:
        client = Client()
        sign_up(client, email)
        confirm(client)
        return client

    return make


def open_shop(client: Client, name: str = "Ida's Tea", slug: str = "idas-tea", starter: str = "food") -> Any:
    return client.post(SHOP, {"name": name, "slug": slug, "starter": starter})
