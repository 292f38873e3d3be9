"""How a domain ends: expired, removed, after a crash; and who is told of it."""

from collections.abc import Callable
from typing import Any

import pytest

from controlplane.localcloud.faults import Fault
from controlplane.publishing.models import StaleDocument
from tenants.documents import domain_records
from tenants.domains import orphans
from tenants.domains.letters import remind
from tenants.domains.reconciling import Run, claim
from tenants.domains.states import State
from tenants.models import Domain, ReleasedHost, Tenant
from tests.domains.conftest import HOST, World

Told = Callable[..., list[str]]


def state(domain: Domain) -> tuple[str, str]:
    domain.refresh_from_db()
    return domain.state, domain.reason


def test_a_claim_that_is_not_proven_expires_after_thirty_days(world: World, shop: Tenant, told: Told) -> None:
    domain = world.claim(shop)
    world.pass_time(3, days=9)
    assert state(domain) == ("unproven", "add_txt")
    world.later(days=4)
    assert told(world.reconcile) == [f"{HOST} was not connected"]
    assert state(domain) == ("expired", "expired")


def test_a_proven_claim_that_never_points_here_expires_and_frees_its_quota(world: World, shop: Tenant) -> None:
    domain = world.claim(shop)
    world.set_txt(domain)
    world.pass_time(10, days=4)
    assert state(domain) == ("expired", "expired")
    assert world.cloud.saas.store.count() == 0
    assert domain.proven_at is None


def test_starting_again_needs_a_new_token(world: World, shop: Tenant) -> None:
    domain = world.claim(shop)
    world.pass_time(4, days=10)
    old = domain.token
    domain.refresh_from_db()
    domain.start_again()
    assert domain.token != old
    assert state(domain) == ("unproven", "add_txt")
    world.cloud.zone_store.add_record(f"_storefront.{HOST}", "TXT", f"storefront-verification={old}")
    world.pass_time(2)
    assert state(domain) == ("unproven", "add_txt")


def test_removing_deletes_the_hostname_first_then_the_record_then_quarantines(
    world: World, shop: Tenant, other_shop: Tenant
) -> None:
    domain = world.bring_live(shop)
    world.cloud.faults.set([Fault(kind="status", status=503, path="/custom_hostnames")])
    domain.remove()
    world.pass_time(2)
    assert state(domain) == ("removing", "removing")  # the vendor still has it, so the record must stay
    assert HOST in domain_records([HOST])
    world.cloud.faults.clear()
    StaleDocument.objects.all().delete()
    world.pass_time(1, hours=1)
    assert not Domain.objects.filter(host=HOST).exists()
    assert world.cloud.saas.store.count() == 0
    assert StaleDocument.objects.filter(key=f"domain:{HOST}").exists()
    assert domain_records([HOST]) == {}
    released = ReleasedHost.objects.get(host=HOST)
    assert released.tenant_id == shop.pk
    assert shop.domains.get(is_primary=True).is_platform


def test_removing_an_unproven_claim_is_immediate(world: World, shop: Tenant) -> None:
    domain = world.claim(shop)
    domain.remove()
    assert not Domain.objects.filter(pk=domain.pk).exists()


def test_a_crash_after_asking_for_the_hostname_finds_it_again(
    world: World, shop: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    domain = world.claim(shop)
    world.set_txt(domain)

    monkeypatch.setattr("tenants.domains.issuing._ask", _asks_and_dies)
    with pytest.raises(KeyboardInterrupt):
        world.reconcile()
    monkeypatch.undo()
    assert world.cloud.saas.store.count() == 1
    assert state(domain)[0] == "proven"
    assert domain.hostname_id == ""
    world.point_here(domain)
    world.pass_time(4, minutes=5)
    assert state(domain) == ("live", "live")
    assert world.cloud.saas.store.count() == 1


def _asks_and_dies(run: Run, row: Domain) -> bool:
    run.api.create(row.host)
    raise KeyboardInterrupt


def test_removing_after_such_a_crash_leaves_no_hostname_behind(world: World, shop: Tenant) -> None:
    domain = world.claim(shop)
    world.set_txt(domain)
    Run().api.create(HOST)
    Domain.objects.filter(pk=domain.pk).update(state=State.PROVEN, proven_at="2026-01-01T00:00Z")
    domain.refresh_from_db()
    domain.remove()
    world.pass_time(1)
    assert world.cloud.saas.store.count() == 0


def test_what_a_merchant_does_during_a_look_wins(world: World, shop: Tenant) -> None:
    domain = world.bring_live(shop)
    world.later(days=2)
    rows = claim()
    domain.refresh_from_db()
    domain.remove()
    Run().reconcile(rows)
    assert state(domain) == ("removing", "removing")


def test_two_workers_never_look_at_the_same_domain(world: World, shop: Tenant) -> None:
    world.claim(shop)
    assert len(claim()) == 1
    assert claim() == []


def test_reminders_go_to_the_owners_after_one_seven_and_fourteen_days(
    world: World, shop: Tenant, mailoutbox: list[Any]
) -> None:
    domain = world.claim(shop)
    sent = []
    for day in range(1, 31):
        world.later(days=1)
        if remind():
            sent.append(day)
    assert sent == [1, 7, 14]
    mail = mailoutbox[0]
    assert mail.to == ["owner@acme.example"]
    assert domain.token in mail.body
    assert f"/admin/tenants/domain/{domain.pk}/change/" in mail.body


def test_nobody_is_reminded_of_what_waits_for_us(world: World, shop: Tenant, mailoutbox: list[Any]) -> None:
    world.cloud.saas.hard_cap = 0
    domain = world.claim(shop)
    world.set_txt(domain)
    world.pass_time(2)
    world.later(days=2)
    remind()
    assert mailoutbox == []


def test_a_mail_server_that_is_down_stops_nothing(
    world: World, shop: Tenant, settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_PORT = 1
    with django_capture_on_commit_callbacks(execute=True):
        world.bring_live(shop)


def test_the_sweep_removes_hostnames_that_no_shop_has(world: World, shop: Tenant) -> None:
    domain = world.bring_live(shop)
    Run().api.create("left.nordkap-tee.de")
    world.later(hours=1)
    assert orphans.sweep(pause=lambda _: None) == 1
    assert world.cloud.saas.store.hostname(host="left.nordkap-tee.de") is None
    assert world.cloud.saas.store.hostname(host=domain.host) is not None


def test_many_due_domains_are_read_as_a_list_and_few_one_by_one(world: World, shop: Tenant) -> None:
    for number in range(14):
        world.set_txt(world.claim(shop, f"shop-{number}.nordkap-tee.de"))
    world.pass_time(2)
    world.later(hours=1)
    run = Run()
    run.reconcile(claim())
    assert run.budget.spent == 2
    assert Domain.objects.filter(state="issuing", reason="add_cname").count() == 14
