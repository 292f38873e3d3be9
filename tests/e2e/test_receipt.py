"""A publish followed to the end: the outbox, the real stand-in of KV, the edge asked by HTTP."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from controlplane.localcloud.faults import Fault
from controlplane.publishing import delivery
from controlplane.publishing.models import StaleDocument
from tenants.models import Landing, Membership, Revision, Section, Tenant
from tenants.receipts import STUCK, Receipt, receipt_of
from tenants.tasks import follow_publication
from tests.plugins.cloudflare import Serving
from tests.plugins.shops import make_product, publish
from tests.plugins.stores import Stores

pytestmark = pytest.mark.django_db


def change(shop: Tenant, heading: str) -> None:
    section = Section.objects.get(landing__tenant=shop)
    section.content = {"heading": heading}
    section.save()
    publish(shop)


def receipt(shop: Tenant) -> Receipt:
    found = receipt_of(Landing.objects.select_related("tenant", "live").get(tenant=shop))
    assert found is not None
    return found


def test_a_publish_is_queued_then_stored_then_seen(stores: Stores, edge_server: Serving, shop: Tenant) -> None:
    stores.drain()
    change(shop, "New")
    queued = receipt(shop)
    assert (queued.number, queued.stored_after, queued.seen_after, queued.problem) == (2, None, None, "")
    stores.drain()
    seen = receipt(shop)
    assert seen.done
    assert seen.stored_after is not None
    assert seen.seen_after is not None
    assert 0 <= seen.stored_after <= seen.seen_after
    make_product(shop, "Later")  # what happens afterwards changes no receipt
    assert receipt(shop) == seen


def test_the_worker_follows_until_the_edge_shows_it(stores: Stores, edge_server: Serving, shop: Tenant) -> None:
    change(shop, "New")
    stores.drain()
    follow_publication.apply(args=(str(shop.landing.pk),))
    assert Revision.objects.get(tenant=shop, number=2).seen_at is not None


def test_a_failed_delivery_says_why_and_is_retried_by_hand(
    stores: Stores, edge_server: Serving, shop: Tenant, client: Client
) -> None:
    stores.drain()
    stores.cloudflare.faults.set([Fault(path="/storage/kv", kind="status", status=403)])
    change(shop, "New")
    stores.cloudflare.forget_pace()
    StaleDocument.objects.update(due_at="2000-01-01T00:00Z")
    delivery.deliver_all("kv")
    failed = receipt(shop)
    assert failed.problem
    assert (failed.can_retry, failed.stored_after) == (True, None)
    stores.cloudflare.faults.clear()
    client.force_login(Membership.objects.get(tenant=shop).user)
    target = reverse("admin:tenants_landing_retry", args=[shop.landing.pk])
    assert client.post(target, {}, "application/json").json() == {"retried": 1}
    stores.drain()
    assert receipt(shop).done


def test_an_edge_that_is_away_or_behind_is_not_taken_for_seen(
    stores: Stores, edge_server: Serving, shop: Tenant, settings: object
) -> None:
    stores.drain()
    change(shop, "New")
    StaleDocument.objects.filter(destination="kv").delete()  # as if KV had it, and the edge still read the old value
    assert not receipt(shop).done
    Revision.objects.filter(tenant=shop).update(stored_at=timezone.now() - 2 * STUCK)
    assert "still shows the page before" in receipt(shop).problem
    settings.EDGE_ADDRESS = "http://127.0.0.1:9"  # type: ignore[attr-defined]
    assert "did not answer" in receipt(shop).problem


def test_a_suspended_shop_has_no_page_to_be_seen(stores: Stores, edge_server: Serving, shop: Tenant) -> None:
    change(shop, "New")
    Tenant.objects.filter(pk=shop.pk).update(status="suspended")
    stores.drain()
    assert "suspended" in receipt(shop).problem
