"""A domain's way from the claim to live and back, against the stand-in's DNS and hostnames."""

from collections.abc import Callable

import pytest

from controlplane.localcloud.faults import Fault
from controlplane.publishing.models import StaleDocument
from tenants.documents import domain_records
from tenants.domains.reconciling import claim
from tenants.models import Domain, Tenant
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
