"""The search over everything: quick, bounded, and of one's own shops only."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from catalog.models import Product
from tenants.admin import search
from tenants.models import Membership, Section

SEARCH = reverse("admin:search")


def found(client: Client, term: str) -> list[tuple[str, str]]:
    answer = client.get(SEARCH, {"s": term, "extended": "1"})
    assert answer.status_code == 200
    return [(result.title, result.link) for result in answer.context["results"]]


def test_a_merchant_finds_what_is_in_their_shop(acme: Any, owner: Client) -> None:
    Section.objects.create(landing=acme.landing, kind="hero", content={"heading": "Handgemachte Töpfe"})
    expected = {
        "kettle": ("acme kettle", reverse("admin:catalog_product_change", args=[acme.product.pk])),
        "ships": ("acme ships?", reverse("admin:chat_knowledgesource_change", args=[acme.knowledge.pk])),
        "tea-shop": ("acme.tea-shop.de", reverse("admin:tenants_domain_change", args=[acme.domain.pk])),
        "töpfe": ("Hero: Handgemachte Töpfe", reverse("admin:tenants_landing_change", args=[acme.landing.pk])),
        "Acm": ("Acme", reverse("admin:tenants_tenant_change", args=[acme.tenant.pk])),
        "product": ("Products", reverse("admin:catalog_product_changelist")),
    }
    for term, result in expected.items():
        assert result in found(owner, term), term
        assert owner.get(result[1]).status_code in (200, 302)


@pytest.mark.parametrize("term", ["globex", "kettle", "ships", "tea-shop", "owner@globex", "o"])
def test_nothing_of_another_shop_is_found(term: str, acme: Any, globex: Any, owner: Client, person: Any) -> None:
    User.objects.filter(pk=globex.owner.pk).update(email="owner@globex.example")
    Section.objects.filter(landing=globex.landing).update(content={"heading": "globex kettle ships"})
    assert "globex" not in str(found(owner, term)).lower()
    assert found(person("viewer"), term) == []  # of no shop
    assert Client().get(SEARCH, {"s": term}).status_code == 302


def test_what_was_found_before_is_gone_with_the_membership(acme: Any, globex: Any, person: Any) -> None:
    client = person("viewer", acme, globex)
    assert "globex kettle" in str(found(client, "kettle"))
    Membership.objects.filter(tenant=globex.tenant).exclude(user=globex.owner).delete()
    assert "globex" not in str(found(client, "kettle"))


def test_staff_find_shops_only(acme: Any, staff: Client) -> None:
    User.objects.filter(pk=acme.owner.pk).update(email="owner@acme.example")
    target = ("Acme", reverse("admin:tenants_tenant_change", args=[acme.tenant.pk]))
    for term in ("acm", "acme.tea-shop.de", "owner@acme"):
        assert found(staff, term) == [target]
    assert found(staff, "kettle") == []


def test_the_answer_is_bounded_and_takes_few_queries(acme: Any, owner: Client) -> None:
    Product.objects.bulk_create(
        Product(tenant=acme.tenant, title=f"Mug {n}", slug=f"mug-{n}", price=1) for n in range(50)
    )
    found(owner, "mug")  # the first page of a session also notes where it comes from
    with CaptureQueriesContext(connection) as queries:
        assert len(found(owner, "mug")) == search.MOST
    assert len(queries) <= 14, [query["sql"][:100] for query in queries]


@pytest.mark.parametrize("term", ["", "x", "\0\0\0", "%", "_" * 500, "<script>alert(1)</script>", "'; --"])
def test_odd_terms_find_nothing(term: str, acme: Any, owner: Client) -> None:
    assert found(owner, term) == []
    assert owner.get(SEARCH, {"s": "kettle", "page": "abc"}).status_code == 200


def test_hostile_titles_are_text(acme: Any, owner: Client) -> None:
    Product.objects.filter(pk=acme.product.pk).update(title="<img src=x onerror=alert(1)> kettle")
    answer = owner.get(SEARCH, {"s": "kettle"}).content.decode()
    assert "<img" not in answer
    assert "&lt;img" in answer


def test_the_palette_is_there_for_the_keyboard(acme: Any, owner: Client) -> None:
    page = owner.get(reverse("admin:index")).content.decode()
    assert '<button type="button" class="open-search"' in page
    assert "searchCommand()" in page
