"""Which address a new shop gets: what is refused, what is offered instead, and who wins a race."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tenants.models import Tenant
from tenants.signup.addresses import free_address, problem_with
from tests.plugins.shops import make_shop
from tests.signup.conftest import ADDRESS, open_shop


@pytest.mark.django_db
@pytest.mark.parametrize(
    "slug",
    ["ab", "-tea", "Tea House", "tea.house", "admin", "adm1n", "paypal-login", "paypa1", "arnazon", "fuck-tea",
     "xn--tea", "аpple", "www", "a" * 41, ""],
)  # fmt: skip
def test_a_reserved_rude_or_look_alike_name_is_refused_with_a_reason(slug: str, member: Callable[..., Client]) -> None:
    assert problem_with(slug)
    if slug:
        answer = open_shop(member(), slug=slug) if slug != "Tea House" else open_shop(member(), slug="tea house")
        assert answer.status_code == 422
        assert answer.context["form"].errors["slug"]
        assert not Tenant.objects.exists()
        assert not User.objects.get().is_staff


@pytest.mark.django_db
def test_the_live_check_says_what_is_free(member: Callable[..., Client]) -> None:
    client = member()
    free = client.post(ADDRESS, {"name": "Ida's Tea"}).json()
    assert free == {"slug": "idas-tea", "host": "idas-tea.localhost", "problem": "", "suggestion": ""}
    make_shop("idas-tea")
    taken = client.post(ADDRESS, {"slug": "idas-tea"}).json()
    assert taken["problem"] == "This name is taken. Choose another one."
    assert taken["suggestion"] == "idas-tea-shop"
    assert client.post(ADDRESS, {"name": "Ida's Tea"}).json()["slug"] == "idas-tea-shop"
    assert client.post(ADDRESS, {"slug": "PayPal-Login"}).json()["suggestion"] == ""
    assert client.post(ADDRESS, {"name": "茶"}).json()["host"] == ""
    assert client.get(ADDRESS).status_code == 405


@pytest.mark.django_db
def test_a_long_name_s_suggestions_fit() -> None:
    name = "a very long name " * 6
    first = free_address(name)
    make_shop(first)
    assert not problem_with(free_address(name))


@pytest.mark.django_db
def test_a_name_that_somebody_gave_up_stays_theirs(member: Callable[..., Client]) -> None:
    make_shop("acme").delete()
    answer = open_shop(member(), name="Acme", slug="acme")
    assert answer.status_code == 422
    assert "acme-shop" in answer.content.decode()


@pytest.mark.django_db
def test_whoever_is_late_is_told_and_offered_another(member: Callable[..., Client], monkeypatch: Any) -> None:
    """The check passes, and somebody else opens the shop before we do."""
    client = member()
    from tenants.signup import forms

    def check_then_lose(slug: str) -> str:
        make_shop(slug)
        monkeypatch.undo()
        return ""

    monkeypatch.setattr(forms, "problem_with", check_then_lose)
    answer = open_shop(client, slug="idas-tea")
    assert answer.status_code == 422
    assert answer.context["form"].errors["slug"] == ["This name is taken. Choose another one."]
    assert "idas-tea-shop" in answer.content.decode()
    assert Tenant.objects.count() == 1
