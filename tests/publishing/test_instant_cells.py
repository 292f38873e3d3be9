"""Realtime cells: each tenant's products in its own Instant app, moved and rebuilt without a trace."""

import io
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from django.core.management import call_command

from catalog.models import Product
from controlplane.publishing.models import StaleDocument
from tenants.models import Tenant
from tests.plugins.instant import InstantCloud
from tests.plugins.shops import make_product
from tests.plugins.stores import Stores

pytestmark = pytest.mark.django_db(transaction=True)

Edge = Callable[..., httpx.Response]


@pytest.fixture
def eu(stores: Stores, settings: Any) -> InstantCloud:
    second = stores.instant.second_app()
    cell = {**settings.REALTIME_CELLS["default"], "app_id": second.app_id, "admin_token": second.admin_token}
    settings.REALTIME_CELLS = {**settings.REALTIME_CELLS, "eu": cell}
    return second


def move(tenant: Tenant, cell: str) -> None:
    tenant.realtime_cell = cell
    tenant.save()


def test_the_edge_reads_a_tenants_products_from_its_own_cell(
    stores: Stores, eu: InstantCloud, edge: Edge, shop: Tenant, other_shop: Tenant
) -> None:
    move(shop, "eu")
    kettle, lamp = make_product(shop, "Kettle"), make_product(other_shop, "Lamp")
    stores.drain()
    assert list(eu.entities("products")) == [str(kettle.pk)]
    assert list(stores.instant.entities("products")) == [str(lamp.pk)]
    assert "Kettle" in edge("acme.localhost", "/products").text
    assert edge("acme.localhost", f"/products/{kettle.slug}").status_code == 200
    assert edge("acme.localhost", f"/products/{lamp.slug}").status_code == 404


def test_a_tenant_that_moves_leaves_nothing_in_its_old_cell(
    stores: Stores, eu: InstantCloud, edge: Edge, shop: Tenant
) -> None:
    kettle = make_product(shop, "Kettle")
    stores.drain()
    move(shop, "eu")
    stores.drain()
    assert (stores.instant.entities("products"), stores.instant.entities("tenants")) == ({}, {})
    assert (list(eu.entities("products")), list(eu.entities("tenants"))) == ([str(kettle.pk)], [str(shop.pk)])
    assert "Kettle" in edge("acme.localhost", "/products").text


def test_a_cell_that_is_down_fails_nobody_elses_documents(
    stores: Stores, eu: InstantCloud, settings: Any, shop: Tenant, drain: Callable[[], None]
) -> None:
    settings.REALTIME_CELLS["eu"]["api_uri"] = "http://127.0.0.1:9"
    kettle = make_product(shop, "Kettle")
    drain()
    assert list(stores.instant.entities("products")) == [str(kettle.pk)]
    waiting = StaleDocument.objects.get(destination="instant", key=f"products:{kettle.pk}")
    assert (waiting.error, waiting.attempts, waiting.parked_at) == ("", 0, None)


def test_a_wiped_app_is_rebuilt_and_what_the_database_does_not_know_is_removed(
    stores: Stores, eu: InstantCloud, shop: Tenant, other_shop: Tenant
) -> None:
    move(other_shop, "eu")
    many = (Product(tenant=shop, title=f"P{n}", slug=f"p{n}", price=n, status="active") for n in range(250))
    Product.objects.bulk_create(many)
    make_product(other_shop, "Lamp")
    stores.drain()
    before = [stores.instant.entities(kind) | eu.entities(kind) for kind in ("tenants", "products")]
    stores.instant.post("/admin/transact", {"steps": [["delete", "tenants", str(shop.pk)]]})  # the products go with it
    stranger = "00000000-0000-4000-8000-000000000001"
    for cloud in (stores.instant, eu):
        values = {**next(iter(before[1].values())), "id": stranger}
        values.pop("tenant")
        assert cloud.post("/admin/transact", {"steps": [["update", "products", stranger, values]]}).status_code == 200
    said = io.StringIO()
    call_command("republish", destination=["instant"], stdout=said)
    assert [stores.instant.entities(kind) | eu.entities(kind) for kind in ("tenants", "products")] == before
    assert f"[{'█' * 30}] 254/254" in said.getvalue()


def test_publishing_twice_writes_the_same(stores: Stores, shop: Tenant) -> None:
    make_product(shop, "Kettle")
    stores.drain()
    before = stores.instant.entities("products")
    call_command("republish", destination=["instant"], stdout=io.StringIO())
    assert stores.instant.entities("products") == before
