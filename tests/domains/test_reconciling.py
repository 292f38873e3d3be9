"""A domain's way from the claim to live and back, against the stand-in's DNS and hostnames."""

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


def test_from_the_claim_to_live(world: World, shop: Tenant) -> None:
    domain = world.claim(shop)
    world.reconcile()
    assert state(domain) == ("unproven", "add_txt")
    assert world.cloud.saas.store.count() == 0  # nothing is asked for that nobody has proven
    world.set_txt(domain)
    world.later(minutes=1)
    world.reconcile()
    assert state(domain) == ("issuing", "validating")
    world.later(seconds=10)
    world.reconcile()
    assert state(domain) == ("issuing", "add_cname")
    world.point_here(domain)
    world.pass_time(3)
    assert state(domain) == ("live", "live")
    assert domain.is_primary
    assert domain.is_served


def test_a_platform_host_is_live_from_the_start_and_never_looked_at(world: World, shop: Tenant) -> None:
    platform = shop.domains.get()
    world.later(days=400)
    assert claim() == []
    assert platform.is_served


def test_a_claim_shows_no_shop_until_it_is_live(world: World, shop: Tenant) -> None:
    domain = world.claim(shop)
    assert '"unconnected"' in domain_records([HOST])[HOST]
    world.set_txt(domain)
    world.later(minutes=1)
    world.reconcile()
    record = domain_records([HOST])[HOST]
    assert '"unconnected"' in record
    assert shop.name not in record
    world.point_here(domain)
    world.pass_time(3)
    assert shop.name in domain_records([HOST])[HOST]


def test_bookkeeping_publishes_nothing_and_going_live_does(world: World, shop: Tenant) -> None:
    domain = world.claim(shop)
    StaleDocument.objects.all().delete()
    world.pass_time(3)
    assert not StaleDocument.objects.exists()
    world.set_txt(domain)
    world.point_here(domain)
    world.pass_time(3)
    assert set(StaleDocument.objects.values_list("key", flat=True)) == {f"domain:{HOST}", "domain:acme.localhost"}


def test_the_old_primary_redirects_to_the_new_one(world: World, shop: Tenant) -> None:
    world.bring_live(shop)
    assert f'"redirect_to":"{HOST}"' in domain_records(["acme.localhost"])["acme.localhost"]
    record = domain_records([HOST])[HOST]
    assert "redirect_to" not in record
    assert f'"canonical_host":"{HOST}"' in record


def test_a_host_may_keep_serving_beside_the_primary(world: World, shop: Tenant) -> None:
    world.bring_live(shop)
    shop.domains.filter(is_platform=True).update(redirects=False)
    record = domain_records(["acme.localhost"])["acme.localhost"]
    assert "redirect_to" not in record
    assert f'"canonical_host":"{HOST}"' in record


def test_an_apex_is_here_by_the_platforms_own_addresses(world: World, shop: Tenant) -> None:
    domain = world.claim(shop, "nordkap-tee.de")
    world.set_txt(domain)
    world.cloud.zone_store.add_record("nordkap-tee.de", "A", "127.0.0.10")
    world.pass_time(4)
    assert state(domain) == ("live", "live")


@pytest.mark.parametrize("where", ["192.0.2.1", "127.0.0.10 and another"])
def test_a_host_that_leads_elsewhere_says_so(world: World, shop: Tenant, where: str) -> None:
    domain = world.claim(shop)
    world.set_txt(domain)
    for address in {"192.0.2.1": ["192.0.2.1"]}.get(where, ["127.0.0.10", "192.0.2.1"]):
        world.cloud.zone_store.add_record(HOST, "A", address)
    world.pass_time(3)
    assert state(domain) == ("issuing", "wrong_cname")
    assert "192.0.2.1" in domain.seen["dns"]


def test_a_caa_record_in_the_way_is_named_and_goes_on_by_itself_once_it_is_gone(world: World, shop: Tenant) -> None:
    domain = world.claim(shop)
    record = ("nordkap-tee.de", "CAA", '0 issue "other-ca.net"')
    world.cloud.zone_store.add_record(*record)
    world.set_txt(domain)
    world.point_here(domain)
    world.pass_time(3)
    assert state(domain) == ("issuing", "caa")
    world.cloud.zone_store.remove_record(*record)
    world.pass_time(3)
    assert state(domain) == ("live", "live")


def test_a_held_zone_needs_the_merchant_and_goes_on_once_it_is_released(world: World, shop: Tenant) -> None:
    domain = world.claim(shop)
    world.cloud.saas.held.add("nordkap-tee.de")
    world.set_txt(domain)
    world.point_here(domain)
    world.pass_time(3)
    assert state(domain) == ("issuing", "blocked")
    assert domain.words.kind == "you"
    world.cloud.saas.held.clear()
    world.pass_time(3, minutes=20)
    assert state(domain) == ("live", "live")


def test_a_hostname_that_moved_for_want_of_a_record_is_restarted_when_it_is_there(world: World, shop: Tenant) -> None:
    domain = world.claim(shop)
    world.set_txt(domain)
    world.pass_time(2)
    world.later(days=9)
    world.reconcile()
    assert state(domain) == ("issuing", "add_cname")
    assert domain.seen["status"] == "moved"
    world.point_here(domain)
    Domain.objects.filter(pk=domain.pk).check_now()
    world.reconcile()
    assert state(domain) == ("issuing", "restarted")
    world.pass_time(2, minutes=90)
    assert state(domain) == ("live", "live")


def test_a_hostname_that_the_vendor_has_dropped_is_made_anew(world: World, shop: Tenant) -> None:
    domain = world.claim(shop)
    world.set_txt(domain)
    world.pass_time(2)
    domain.refresh_from_db()
    world.cloud.saas.store.delete(domain.hostname_id)
    world.point_here(domain)
    world.pass_time(4)
    assert state(domain) == ("live", "live")


def test_a_full_quota_is_our_problem_and_clears_by_itself(world: World, shop: Tenant) -> None:
    world.cloud.saas.hard_cap = 0
    domain = world.claim(shop)
    world.set_txt(domain)
    world.point_here(domain)
    world.pass_time(2)
    assert state(domain) == ("proven", "no_room")
    assert domain.words.kind == "soon"
    world.cloud.saas.hard_cap = 10
    world.pass_time(4, minutes=15)
    assert state(domain) == ("live", "live")


def test_a_name_that_is_never_taken_says_so(world: World, shop: Tenant) -> None:
    domain = world.claim(shop, "shop.example.com")
    world.set_txt(domain)
    world.pass_time(2)
    assert state(domain) == ("proven", "refused")
    assert domain.words.kind == "you"


@pytest.mark.parametrize("how", ["dns", "api", "servfail"])
def test_an_outage_changes_no_state_and_is_never_called_a_failure(world: World, shop: Tenant, how: str) -> None:
    live = world.bring_live(shop, "www.nordkap-tee.de")
    waiting = world.claim(shop)
    world.set_txt(waiting)
    if how == "servfail":
        for host in (HOST, f"_storefront.{HOST}", live.host, f"_storefront.{live.host}"):
            world.cloud.zone_store.add_record(host, "SERVFAIL", "")
    else:
        world.cloud.faults.set([Fault(kind="status", status=503, path="/dns-query" if how == "dns" else "/client/v4")])
    world.pass_time(6, days=1)
    assert state(live)[0] == "live"
    assert live.is_served
    assert live.words.kind != "you"
    assert state(waiting)[0] in ("unproven", "proven")
    assert waiting.words.kind == "soon"
    world.cloud.faults.clear()
    for name in (HOST, f"_storefront.{HOST}", live.host, f"_storefront.{live.host}"):
        world.cloud.zone_store.remove_record(name, "SERVFAIL", "")
    world.point_here(waiting)
    world.pass_time(6, minutes=30)
    assert state(waiting) == ("live", "live")


def test_a_live_domain_that_points_away_is_warned_kept_for_a_week_and_stopped(
    world: World, shop: Tenant, told: Told
) -> None:
    domain = world.bring_live(shop)
    world.cloud.point_away(HOST)
    world.drop_txt(domain)
    world.later(days=1.2)
    assert told(world.reconcile) == [f"{HOST} no longer leads to your shop"]
    assert state(domain) == ("straying", "away")
    assert domain.is_served
    world.pass_time(6, days=1)
    assert state(domain) == ("straying", "away")
    world.later(days=1.2)
    assert told(world.reconcile) == [f"{HOST} has been disconnected"]
    assert state(domain) == ("stopped", "stopped")
    assert not domain.is_served
    assert not domain.is_primary
    assert shop.domains.get(is_primary=True).is_platform
    assert world.cloud.saas.store.count() == 0
    assert '"unconnected"' in domain_records([HOST])[HOST]


def test_a_domain_that_comes_back_within_the_grace_is_live_again(world: World, shop: Tenant, told: Told) -> None:
    domain = world.bring_live(shop)
    world.cloud.point_away(HOST)
    world.drop_txt(domain)
    world.pass_time(3, days=1)
    assert state(domain)[0] == "straying"
    world.point_here(domain)
    assert "works" in str(told(lambda: world.pass_time(3, hours=2)))
    assert state(domain) == ("live", "live")
    assert domain.away_since is None


def test_behind_another_proxy_the_token_and_the_vendors_word_keep_it_live(world: World, shop: Tenant) -> None:
    domain = world.bring_live(shop)
    row = world.cloud.saas.store.hostname(host=HOST)
    assert row is not None
    world.cloud.saas.force(row, "active", "active", [])
    world.cloud.point_away(HOST)
    world.cloud.zone_store.add_record(HOST, "A", "198.51.100.7")
    world.pass_time(4, days=3)
    assert state(domain) == ("live", "live")


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
