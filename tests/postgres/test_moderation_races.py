"""Two colleagues at the same moment: one shop is suspended once, one request is decided once, never by who asked."""

from functools import partial

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import connection

from tenants.models import Appeal, ClosingRequest, Suspension, Tenant
from tests.plugins.shops import make_shop
from tests.postgres.test_races import at_once

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgres,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="needs PostgreSQL: python -m tests.postgres"),
]


def refused(results: list[object]) -> int:
    assert all(
        one is None or isinstance(one, Suspension | Appeal | ClosingRequest | ValidationError) for one in results
    )
    return sum(isinstance(one, ValidationError) for one in results)


def test_of_two_suspensions_or_restores_at_once_one_counts() -> None:
    shop = make_shop("acme")
    start = partial(Suspension.start, shop, None, category="spam", text="Spam.")
    assert refused(at_once(start, start, start)) == 2
    assert Suspension.objects.count() == 1
    lift = partial(Suspension.lift, shop, None)
    assert refused(at_once(lift, lift, lift)) == 2
    assert Tenant.objects.get().status == "active"


def test_of_two_appeals_at_once_one_is_sent() -> None:
    shop = make_shop("acme")
    suspension = Suspension.start(shop, None, category="spam", text="Spam.")
    send = partial(Appeal.send, suspension, User.objects.get(), "Why?")
    assert refused(at_once(send, send, send)) == 2
    assert Appeal.objects.count() == 1


def test_a_request_that_is_agreed_declined_and_withdrawn_at_once_is_decided_once() -> None:
    shop = make_shop("acme")
    ada, bob, eve = (User.objects.create_superuser(name) for name in ("ada", "bob", "eve"))
    asked = ClosingRequest.ask(shop, ada, "Fraud.")

    def again() -> ClosingRequest:
        return ClosingRequest.objects.get(pk=asked.pk)

    results = at_once(
        lambda: again().agree(bob), lambda: again().decline(eve), lambda: again().withdraw(ada),
        lambda: again().agree(ada),
    )  # fmt: skip
    assert refused(results) == 3
    asked.refresh_from_db()
    assert asked.decision in ("agreed", "declined", "withdrawn")
    assert (Tenant.objects.get().status == "closed") == (asked.decision == "agreed")


def test_of_two_who_ask_to_close_at_once_one_asks() -> None:
    shop = make_shop("acme")
    ada, bob = (User.objects.create_superuser(name) for name in ("ada", "bob"))
    asks = [partial(ClosingRequest.ask, shop, by, "Fraud.") for by in (ada, bob)]
    assert refused(at_once(*asks)) == 1
    assert ClosingRequest.objects.count() == 1
