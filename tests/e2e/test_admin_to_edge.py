"""A merchant's form, posted in the admin, delivered by the Celery task, seen at the edge."""

import dataclasses
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from controlplane.publishing.tasks import deliver_due
from tenants.models import Membership, Tenant
from tests.edge_worker.memory import EVERY_KIND
from tests.plugins.shops import make_product
from tests.plugins.stores import Stores

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]

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
    landing = shop.landing
    page = {"sections": [{"kind": "hero", "heading": "Open <today>"}]}
    target = reverse("admin:tenants_landing_publish", args=[landing.pk])
    assert merchant.post(target, {"version": 0, "page": page}, "application/json").status_code == 200
    deliver_due.apply(args=("kv",))
    assert "Open &lt;today&gt;" in edge("acme.localhost").text


def test_the_preview_is_the_live_page_byte_for_byte(stores: Stores, edge: Edge, shop: Tenant, merchant: Client) -> None:
    make_product(shop, "Copper kettle", price=4200, tags=["copper"])
    kinds = [dataclasses.replace(section) for section in EVERY_KIND]
    hidden = {"kind": "hero", "heading": "Not for you", "hidden": True}
    sections = [{**section.encode(), "cards": [], "product_ids": []} for section in kinds] + [hidden]
    page = {"seo": {"title": "Acme & Sons"}, "theme": {"accent": "#123456"}, "sections": sections}
    draft = {"version": 0, "page": page}
    preview = merchant.post(reverse("admin:tenants_landing_preview", args=[shop.landing.pk]), draft, "application/json")
    published = merchant.post(
        reverse("admin:tenants_landing_publish", args=[shop.landing.pk]), draft, "application/json"
    )
    assert published.status_code == 200, published.json()
    deliver_due.apply(args=("kv",))
    marked = preview.json()["html"]
    assert marked.count("<!--section:") == len(kinds)
    assert re.sub("<!--section:[0-9a-f-]{36}-->", "", marked) == edge("acme.localhost").text
