"""A closed shop leaves every store, and only a look that finds nothing says so."""

import io
import uuid
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import CommandError

from controlplane.adapters.errors import AdapterError
from controlplane.localcloud.faults import Fault
from controlplane.publishing import cells
from controlplane.publishing.models import StaleDocument
from tenants import closing, exporting
from tenants.erasing import machine, shop, stores
from tenants.models import ClosedShop, Domain, Erasure, ReleasedHost, Tenant
from tests.lifecycle.conftest import HOST, World

pytestmark = pytest.mark.django_db


def look(tenant_id: uuid.UUID) -> str:
    out = io.StringIO()
    try:
        call_command("leftovers", str(tenant_id), stdout=out)
    except CommandError as error:
        return out.getvalue() + str(error)
    return out.getvalue()


def end(tenant: Tenant) -> Erasure:
    closing.begin(tenant)
    return closing.erase(tenant)


def test_the_look_finds_a_shop_in_every_store(world: World, full_shop: Tenant) -> None:
    exporting.ask(full_shop, None)
    exporting.run_due()
    found = look(full_shop.pk)
    for store in (
        "Database: 1 shop", "Database: 1 products", "Cloudflare KV", "Custom hostnames: 1",
        "Instant (default): 1 carts", "Instant (default): 1 cartItems", "Instant (default): 1 products",
        "rows of chunk", "rows of chunk_vec", "rows of chunk_fts", "Telemetry: 1 rows of turn",
        "Telemetry: 1 rows of rating", "Telemetry: 1 rows of usage",
        "Files: 1 files",
    ):  # fmt: skip
        assert store in found, (store, found)
    assert "Not nothing" in found


def test_an_erased_shop_is_in_no_store_and_its_neighbour_in_all(
    world: World, full_shop: Tenant, neighbour: Tenant, told: Any
) -> None:
    exporting.ask(full_shop, None)
    exporting.run_due()
    before = look(neighbour.pk)
    erasure = end(full_shop)
    mails = told(world.run)
    erasure.refresh_from_db()
    assert erasure.finished_at, (erasure.error, erasure.done)
    assert erasure.inventory == {}
    assert "Nothing is left" in look(full_shop.pk)
    assert look(neighbour.pk) == before
    assert Tenant.objects.get() == neighbour
    assert not LogEntry.objects.filter(object_repr="Kettle", object_id=str(full_shop.pk)).exists()
    assert LogEntry.objects.filter(object_repr="Kettle").count() == 1  # the neighbour's
    assert mails == ["Acme has been erased"]
    assert {c["tenantId"] for c in world.stores.instant.entities("carts").values()} == {str(neighbour.pk)}
    tombstone = ClosedShop.objects.get(pk=full_shop.pk)
    assert tombstone.state == "erased"
    assert tombstone.erased_at
    text = str([*ClosedShop.objects.values(), *Erasure.objects.values()])
    assert all(word not in text.lower() for word in ("acme", HOST, "kettle", "@"))
    assert ReleasedHost.objects.filter(host=HOST, tenant_id=full_shop.pk).exists()  # kept from others
    assert User.objects.filter(username="owner@acme.example").exists()  # a person is not a shop


def test_the_hostname_goes_before_the_record_and_the_quarantine_comes_last(
    world: World, full_shop: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[str] = []
    real_delete, real_keep = type(cells.hostnames()).delete, ReleasedHost.keep

    def delete(self: Any, id_: str) -> None:
        kept = world.stores.cloudflare.kv().get([f"domain:{HOST}"])
        events.append(f"hostname, record {'there' if kept else 'gone'}")
        real_delete(self, id_)

    def keep(domains: Any) -> None:
        rows = list(domains)
        if any(row.host == HOST for row in rows):
            events.append("quarantine")
        real_keep(rows)

    monkeypatch.setattr(type(cells.hostnames()), "delete", delete)
    monkeypatch.setattr(ReleasedHost, "keep", keep)
    end(full_shop)
    world.run()
    assert events[:2] == ["hostname, record there", "quarantine"]


@pytest.mark.parametrize("step", [*shop.STEPS])
def test_a_crash_in_any_step_goes_on_after_it(
    step: str, world: World, full_shop: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies after the step has done its work and before it says so."""
    died: list[str] = []
    real = shop.STEPS[step]

    def dies(erasure: Erasure) -> int:
        count = real(erasure)
        if not died:
            died.append(step)
            raise SystemExit
        return count

    monkeypatch.setattr(shop, "STEPS", {**shop.STEPS, step: dies})
    erasure = end(full_shop)
    for _ in range(6):
        world.hours_later(2)
        try:
            machine.run_due()
        except SystemExit:
            erasure.refresh_from_db()
            assert step not in erasure.done
        world.stores.drain()
    erasure.refresh_from_db()
    assert died == [step]
    assert erasure.finished_at, (erasure.error, erasure.done)
    assert "Nothing is left" in look(full_shop.pk)


@pytest.mark.parametrize(
    ("store", "broken"),
    [("kv", "Cloudflare KV"), ("instant", "Instant"), ("hostnames", "Custom hostnames")],
)
def test_while_a_store_is_away_nothing_says_it_is_done(
    store: str, broken: str, world: World, full_shop: Tenant
) -> None:
    faults = world.stores.instant.faults if store == "instant" else world.stores.cloudflare.faults
    route = {"kv": "/storage/kv/", "instant": "/admin", "hostnames": "/custom_hostnames"}[store]
    erasure = end(full_shop)
    faults.set([Fault(path=route, kind="status", status=503)])
    for _ in range(3):
        world.hours_later(2)
        machine.run_due()
    erasure.refresh_from_db()
    assert erasure.finished_at is None
    assert erasure.error
    assert erasure.attempts > 1
    assert broken in look(full_shop.pk)
    assert "could not be asked" in look(full_shop.pk)
    faults.clear()
    world.run()
    erasure.refresh_from_db()
    assert erasure.finished_at, erasure.error
    assert "Nothing is left" in look(full_shop.pk)


def test_what_is_written_after_its_step_is_found_and_named(
    world: World, full_shop: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shopper's browser that was open the whole time writes its cart once more, after carts were erased."""
    late = str(uuid.uuid4())
    once: list[int] = []
    real = shop.STEPS["database"]

    def database(erasure: Erasure) -> int:
        if not once:
            once.append(1)
            values = {"tenantId": str(full_shop.pk), "ownerId": late, "createdAt": 1_795_000_000_000}
            cells.realtime("default").put("carts", {late: values})
        return real(erasure)

    monkeypatch.setattr(shop, "STEPS", {**shop.STEPS, "database": database})
    erasure = end(full_shop)
    for _ in range(2):
        world.hours_later(2)
        machine.run_due()
        world.stores.drain()
        erasure.refresh_from_db()
        if erasure.error:
            break
    assert "Instant (default): 1 carts" in erasure.error
    assert erasure.finished_at is None
    world.run()
    erasure.refresh_from_db()
    assert erasure.finished_at, erasure.error


def test_a_shop_that_is_deleted_at_a_stroke_leaves_the_other_stores_too(
    world: World, full_shop: Tenant, neighbour: Tenant
) -> None:
    tenant_id = full_shop.pk
    Tenant.objects.filter(pk=tenant_id).delete()
    assert "Instant (default): 1 carts" in look(tenant_id)
    world.run()
    assert "Nothing is left" in look(tenant_id)
    assert ClosedShop.objects.get(pk=tenant_id).state == "erased"
    assert Domain.objects.filter(tenant=neighbour).count() == 3


def test_a_host_that_another_shop_has_taken_since_stays_theirs(
    world: World, full_shop: Tenant, neighbour: Tenant
) -> None:
    Domain.objects.filter(tenant=full_shop, host=f"claimed.{HOST}").delete()
    claim = Domain.objects.create(tenant=neighbour, host=HOST)
    world.stores.drain()
    end(full_shop)
    world.run()
    assert Domain.objects.filter(pk=claim.pk).exists()
    assert "unconnected" in world.stores.cloudflare.kv().get([f"domain:{HOST}"])[f"domain:{HOST}"]
    assert "Nothing is left" in look(full_shop.pk)


def test_two_workers_do_not_take_the_same_erasure(world: World, full_shop: Tenant) -> None:
    end(full_shop)
    assert machine.claim()
    assert machine.claim() is None


def test_an_unreachable_store_is_never_nothing() -> None:
    def away() -> Any:
        raise AdapterError("no answer", permanent=False)

    (left,) = machine.asked("Somewhere", away)
    assert "could not be asked" in str(left)
    assert stores.OWNED["carts"] == "tenantId"
    assert not StaleDocument.objects.exists()
