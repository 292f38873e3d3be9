"""A merchant's form, posted in the admin, delivered by the Celery task, seen at the edge."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from controlplane.publishing.tasks import deliver_due
from tenants.models import Membership, Section, Tenant
from tests.plugins.shops import make_product, publish
from tests.plugins.stores import Stores

pytestmark = pytest.mark.django_db

Edge = Callable[..., Any]


@pytest.fixture
def merchant(shop: Tenant, client: Client) -> Client:
    client.force_login(Membership.objects.get(tenant=shop).user)
    return client


def test_a_price_posted_in_the_admin_is_seen_at_the_edge(
    stores: Stores, edge: Edge, shop: Tenant, merchant: Client
) -> None:
    product = make_product(shop, "Copper kettle", price=4200)
    stores.drain()
    fields = {
        "title": "Copper kettle", "slug": product.slug, "description_html": "", "price": "43,50",
        "compare_at_price": "", "stock": "", "image_url": "", "image_alt": "", "status": "active", "tags": "copper",
        "position": "0",
    }  # fmt: skip
    answer = merchant.post(reverse("admin:catalog_product_change", args=[product.pk]), fields)
    assert answer.status_code == 302, answer.context["adminform"].errors
    for name in ("kv", "instant", "turso"):
        deliver_due.apply(args=(name,))
    assert "€43.50" in edge("acme.localhost", f"/products/{product.slug}").text


def test_a_headline_posted_in_the_admin_is_seen_at_the_edge(
    stores: Stores, edge: Edge, shop: Tenant, merchant: Client
) -> None:
    hero = Section.objects.get(landing__tenant=shop, kind="hero")
    answer = merchant.post(
        reverse("admin:tenants_section_change", args=[hero.pk]),
        {"heading": "Open <today>", "layout": "split", "text": "", "position": "0"},
    )
    assert answer.status_code == 302, answer.context["adminform"].errors
    publish(shop)
    deliver_due.apply(args=("kv",))
    assert "Open &lt;today&gt;" in edge("acme.localhost").text
