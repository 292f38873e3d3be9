"""The outbox's promises, with a destination in memory: nothing is lost, nothing stale is published."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from controlplane.adapters.errors import AdapterError
from controlplane.publishing import delivery
from controlplane.publishing.delivery import Later
from controlplane.publishing.models import StaleDocument
from controlplane.publishing.status import status_of
from tenants.models import Tenant
from tests.plugins.shops import make_product
from tests.publishing import memory_store

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]

HOME = "domain:acme.localhost"


@pytest.fixture(autouse=True)
def store(settings: Any) -> Iterator[Any]:
    settings.PUBLISHING_DESTINATIONS = {"kv": memory_store.__name__}
    memory_store.reset()
    yield memory_store
    memory_store.reset()


@pytest.fixture
def row(shop: Tenant) -> StaleDocument:
    StaleDocument.objects.exclude(destination="kv").delete()
    return StaleDocument.objects.get(key=HOME)


def home() -> str:
    return str(memory_store.documents[HOME])


def fall_due() -> None:
    StaleDocument.objects.update(due_at=timezone.now() - timedelta(seconds=1))


def test_a_delivered_row_is_deleted_and_the_document_stored(row: StaleDocument) -> None:
    assert delivery.deliver_all("kv") == 1
    assert "Acme" in home()
    assert not StaleDocument.objects.exists()


def test_ten_edits_become_one_delivery(shop: Tenant, row: StaleDocument) -> None:
    for number in range(10):
        shop.name = f"Acme {number}"
        shop.save()
    delivery.deliver_all("kv")
    assert memory_store.writes == [HOME]
    assert "Acme 9" in home()


def test_an_edit_during_delivery_is_not_lost(shop: Tenant, row: StaleDocument) -> None:
    def edit() -> None:
        Tenant.objects.filter(pk=shop.pk).update(name="Newer")

    memory_store.meanwhile.append(edit)
    delivery.deliver_batch("kv")
    assert "Newer" not in home()  # the delivery had read the database before the edit
    assert StaleDocument.objects.due("kv").count() == 1
    delivery.deliver_batch("kv")
    assert "Newer" in home()


def test_an_edit_during_delivery_starts_no_second_delivery_beside_it(shop: Tenant, row: StaleDocument) -> None:
    def edit_and_try() -> None:
        Tenant.objects.filter(pk=shop.pk).update(name="Newer")
        assert delivery.claim("kv") == []

    memory_store.meanwhile.append(edit_and_try)
    delivery.deliver_batch("kv")
    assert not memory_store.meanwhile


def test_a_crash_during_delivery_is_delivered_again_when_the_lease_ends(row: StaleDocument) -> None:
    assert delivery.claim("kv")  # and then the process dies
    assert delivery.deliver_all("kv") == 0
    fall_due()
    assert delivery.deliver_all("kv") == 1


def test_two_workers_never_claim_the_same_row(row: StaleDocument) -> None:
    assert [len(delivery.claim("kv")), len(delivery.claim("kv"))] == [1, 0]


def test_a_passing_failure_waits_longer_each_time(row: StaleDocument) -> None:
    memory_store.outage.append(AdapterError("KV is down", permanent=False))
    waits = []
    for _ in range(4):
        fall_due()
        delivery.deliver_batch("kv")
        row.refresh_from_db()
        waits.append((row.due_at - timezone.now()).total_seconds())
    assert waits == sorted(waits)
    assert row.attempts == 4
    assert row.error == "KV is down"


def test_the_store_s_wish_to_wait_is_honoured(row: StaleDocument) -> None:
    memory_store.outage.append(AdapterError("too many requests", permanent=False, retry_after=300))
    delivery.deliver_batch("kv")
    row.refresh_from_db()
    assert 295 < (row.due_at - timezone.now()).total_seconds() <= 300


def test_an_edit_does_not_cut_a_back_off_short(shop: Tenant, row: StaleDocument) -> None:
    memory_store.outage.append(AdapterError("too many requests", permanent=False, retry_after=300))
    delivery.deliver_batch("kv")
    shop.name = "Newer"
    shop.save()
    assert delivery.deliver_all("kv") == 0


def test_a_permanent_failure_is_parked_and_told_to_the_merchant(shop: Tenant, row: StaleDocument) -> None:
    memory_store.refusals[HOME] = AdapterError("The page is too large.", permanent=True)
    delivery.deliver_all("kv")
    assert status_of(shop.pk).label == "Failed: The page is too large."
    fall_due()
    assert delivery.deliver_all("kv") == 0


def test_an_edit_brings_a_parked_row_back(shop: Tenant, row: StaleDocument) -> None:
    memory_store.refusals[HOME] = AdapterError("The page is too large.", permanent=True)
    delivery.deliver_all("kv")
    memory_store.refusals.clear()
    shop.name = "Shorter"
    shop.save()
    StaleDocument.objects.exclude(destination="kv").delete()
    assert status_of(shop.pk).state == "publishing"
    delivery.deliver_all("kv")
    assert status_of(shop.pk).label == "Published"


def test_retry_by_hand_brings_a_parked_row_back(shop: Tenant, row: StaleDocument) -> None:
    memory_store.refusals[HOME] = AdapterError("no", permanent=True)
    delivery.deliver_all("kv")
    memory_store.refusals.clear()
    StaleDocument.objects.parked().retry()
    assert delivery.deliver_all("kv") == 1


def test_one_bad_document_does_not_hold_up_the_others(shop: Tenant, other_shop: Tenant) -> None:
    memory_store.refusals[HOME] = AdapterError("no", permanent=True)
    delivery.deliver_all("kv")
    assert "domain:globex.localhost" in memory_store.documents


def test_pace_is_no_failure(row: StaleDocument) -> None:
    memory_store.refusals[HOME] = Later(1)
    delivery.deliver_batch("kv")
    row.refresh_from_db()
    assert (row.attempts, row.error) == (0, "")
    assert 0 < (delivery.seconds_until_due("kv") or 0) <= 1


def test_a_bug_in_a_builder_is_retried_and_not_lost(shop: Tenant, row: StaleDocument, settings: Any) -> None:
    settings.PRODUCT_CARDS = "catalog.documents.no_such_function"
    delivery.deliver_all("kv")
    row.refresh_from_db()
    assert row.error.startswith("Internal error")


def test_a_deleted_product_leaves_the_page(shop: Tenant) -> None:
    from tenants.models import Section

    product = make_product(shop, "Kettle of ours")
    Section.objects.create(landing=shop.landing, kind="product_grid", content={"heading": "All"})
    shop.landing.publish(None)
    delivery.deliver_all("kv")
    assert "Kettle of ours" in home()
    product.delete()
    delivery.deliver_all("kv")
    assert "Kettle of ours" not in home()
