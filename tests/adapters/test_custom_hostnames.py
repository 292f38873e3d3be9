"""Custom hostnames by the official SDK against the stand-in, on a clock that is stepped."""

from collections.abc import Callable

import pytest

from controlplane.adapters.custom_hostnames import (
    BadHostnameError,
    CustomHostnames,
    DuplicateHostnameError,
    Hostname,
    Quota,
    QuotaError,
)
from controlplane.adapters.errors import AdapterError
from controlplane.localcloud import defaults
from controlplane.localcloud.faults import Fault
from tests.plugins.cloudflare import CloudflareCloud

HOST = "shop.nordkap-tee.de"
DAY = 86_400


@pytest.fixture
def hostnames(cloudflare_cloud: CloudflareCloud) -> CustomHostnames:
    return cloudflare_cloud.custom_hostnames()


def read(hostnames: CustomHostnames, made: Hostname) -> tuple[str, str]:
    found = hostnames.get(made.id)
    assert found is not None
    return found.status, found.ssl_status


def test_a_hostname_becomes_active_and_its_certificate_after_it(
    cloudflare_cloud: CloudflareCloud, hostnames: CustomHostnames
) -> None:
    cloudflare_cloud.point_here(HOST)
    made = hostnames.create(HOST)
    assert (made.host, made.status, made.ssl_status) == (HOST, "pending", "initializing")
    assert made.ownership_name == f"_cf-custom-hostname.{HOST}"
    seen = [(made.status, made.ssl_status)]
    for _ in range(40):
        cloudflare_cloud.clock.step(1)
        if (now := read(hostnames, made)) != seen[-1]:
            seen.append(now)
    assert seen[-1] == ("active", "active")
    assert [ssl for _, ssl in seen if ssl != "initializing"][:1] == ["pending_validation"]
    assert ("active", "pending_validation") in seen  # the two statuses move separately
    assert ("active", "pending_issuance") in seen


def test_without_a_record_it_stays_pending_says_why_and_is_gone_after_two_weeks(
    cloudflare_cloud: CloudflareCloud, hostnames: CustomHostnames
) -> None:
    made = hostnames.create(HOST)
    cloudflare_cloud.clock.step(3600)
    pending = hostnames.get(made.id)
    assert pending is not None
    assert (pending.status, pending.ssl_status) == ("pending", "pending_validation")
    assert any("does not CNAME" in error for error in pending.errors)
    cloudflare_cloud.clock.step(8 * DAY)
    assert read(hostnames, made) == ("moved", "validation_timed_out")
    cloudflare_cloud.clock.step(7 * DAY)
    assert hostnames.get(made.id) is None
    assert hostnames.refresh(made.id) is None


def test_a_refresh_starts_validation_anew(cloudflare_cloud: CloudflareCloud, hostnames: CustomHostnames) -> None:
    made = hostnames.create(HOST)
    cloudflare_cloud.clock.step(8 * DAY)
    assert read(hostnames, made)[0] == "moved"
    cloudflare_cloud.point_here(HOST)
    again = hostnames.refresh(made.id)
    assert again is not None
    assert again.status == "pending"
    cloudflare_cloud.clock.step(60)
    assert read(hostnames, made) == ("active", "active")


def test_a_host_that_points_away_is_moved(cloudflare_cloud: CloudflareCloud, hostnames: CustomHostnames) -> None:
    cloudflare_cloud.point_here(HOST)
    made = hostnames.create(HOST)
    cloudflare_cloud.clock.step(60)
    cloudflare_cloud.point_away(HOST)
    cloudflare_cloud.clock.step(5 * 3600)
    assert read(hostnames, made)[0] == "moved"


def test_caa_records_of_the_parent_hold_the_certificate_back(
    cloudflare_cloud: CloudflareCloud, hostnames: CustomHostnames
) -> None:
    cloudflare_cloud.point_here(HOST)
    cloudflare_cloud.zone_store.add_record("nordkap-tee.de", "CAA", '0 issue "other-ca.net"')
    made = hostnames.create(HOST)
    cloudflare_cloud.clock.step(120)
    found = hostnames.get(made.id)
    assert found is not None
    assert (found.status, found.ssl_status) == ("active", "pending_validation")
    assert any("caa" in error.lower() for error in found.errors)


def test_a_held_zone_is_blocked_until_it_is_released_and_refreshed(
    cloudflare_cloud: CloudflareCloud, hostnames: CustomHostnames
) -> None:
    cloudflare_cloud.point_here(HOST)
    cloudflare_cloud.saas.held.add("nordkap-tee.de")
    made = hostnames.create(HOST)
    cloudflare_cloud.clock.step(60)
    assert read(hostnames, made)[0] == "blocked"
    cloudflare_cloud.saas.held.clear()
    cloudflare_cloud.clock.step(DAY)
    assert read(hostnames, made)[0] == "blocked"  # terminal by itself
    hostnames.refresh(made.id)
    cloudflare_cloud.clock.step(60)
    assert read(hostnames, made)[0] == "active"


def test_the_same_host_twice_is_a_duplicate_that_can_be_found(hostnames: CustomHostnames) -> None:
    made = hostnames.create(HOST)
    with pytest.raises(DuplicateHostnameError):
        hostnames.create(HOST)
    found = hostnames.find(HOST)
    assert found is not None
    assert found.id == made.id
    assert hostnames.find("www." + HOST) is None


@pytest.mark.parametrize(
    "host",
    ["192.0.2.1", "localhost", "a.example", "shop.example.com", "*.nordkap-tee.de", "käse.de", "a b.de", "x" * 300],
)
def test_names_that_cloudflare_never_takes_are_refused_for_good(hostnames: CustomHostnames, host: str) -> None:
    with pytest.raises(BadHostnameError) as refused:
        hostnames.create(host)
    assert refused.value.permanent


def test_a_long_host_is_taken_with_cloudflares_own_common_name(hostnames: CustomHostnames) -> None:
    assert hostnames.create(f"{'a' * 60}.nordkap-tee.de").status == "pending"


def test_over_the_hard_cap_is_a_quota_error(cloudflare_cloud: CloudflareCloud, hostnames: CustomHostnames) -> None:
    cloudflare_cloud.saas.hard_cap = 1
    hostnames.create(HOST)
    with pytest.raises(QuotaError) as refused:
        hostnames.create("www." + HOST)
    assert not refused.value.permanent
    assert hostnames.quota() == Quota(used=1, allocated=100, hard_cap=1)


def test_the_sixteenth_certificate_in_a_minute_must_wait(
    cloudflare_cloud: CloudflareCloud, hostnames: CustomHostnames
) -> None:
    for number in range(15):
        hostnames.create(f"shop-{number}.nordkap-tee.de")
    with pytest.raises(AdapterError) as refused:
        hostnames.create(HOST)
    assert (refused.value.permanent, refused.value.retry_after) == (False, 30)
    cloudflare_cloud.clock.step(31)
    hostnames.create(HOST)


def test_deleting_may_be_repeated(hostnames: CustomHostnames) -> None:
    made = hostnames.create(HOST)
    hostnames.delete(made.id)
    hostnames.delete(made.id)
    assert hostnames.get(made.id) is None


def test_pages_hold_every_hostname_once(cloudflare_cloud: CloudflareCloud, hostnames: CustomHostnames) -> None:
    for number in range(103):
        if number % 15 == 0:
            cloudflare_cloud.clock.step(61)
        hostnames.create(f"shop-{number}.nordkap-tee.de")
    cloudflare_cloud.clock.step(60)
    pages = list(hostnames.pages())
    assert [len(page) for page in pages] == [50, 50, 3]
    assert len({one.host for page in pages for one in page}) == 103


@pytest.mark.parametrize("status", [500, 503, 429])
def test_an_outage_is_never_an_answer(
    cloudflare_cloud: CloudflareCloud, hostnames: CustomHostnames, status: int
) -> None:
    made = hostnames.create(HOST)
    cloudflare_cloud.faults.set([Fault(kind="status", status=status, retry_after=7)])
    calls: list[Callable[[], object]] = [
        lambda: hostnames.get(made.id), lambda: hostnames.find(HOST), lambda: hostnames.delete(made.id),
        lambda: hostnames.refresh(made.id), lambda: hostnames.create(HOST), hostnames.quota,
        lambda: list(hostnames.pages()),
    ]  # fmt: skip
    for call in calls:
        with pytest.raises(AdapterError) as failed:
            call()
        assert not failed.value.permanent


def test_a_token_that_reads_kv_can_not_touch_hostnames(cloudflare_cloud: CloudflareCloud) -> None:
    for changed in ({"api_token": defaults.CLOUDFLARE_BINDING_TOKEN}, {"zone_id": "f" * 32}):
        with pytest.raises(AdapterError) as refused:
            cloudflare_cloud.custom_hostnames(**changed).quota()
        assert refused.value.permanent
