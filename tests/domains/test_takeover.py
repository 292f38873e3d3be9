"""Every way to get at another shop's host that we could think of: none of them leads to a page of one's own."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from tenants.documents import domain_records
from tenants.domains import names
from tenants.domains.reconciling import Run, claim
from tenants.models import Domain, ReleasedHost, Tenant
from tests.domains.conftest import HOST, World


def shown(host: str) -> str:
    return domain_records([host]).get(host, "")


def state(domain: Domain) -> tuple[str, str]:
    domain.refresh_from_db()
    return domain.state, domain.reason


def test_a_dangling_cname_serves_nobody_who_can_not_set_the_txt_record(
    world: World, shop: Tenant, other_shop: Tenant
) -> None:
    """The victim's shop is gone, its CNAME still points at us; another shop claims the host."""
    world.bring_live(shop)
    Tenant.objects.filter(pk=shop.pk).delete()
    thief = world.claim(other_shop)
    world.pass_time(10, days=1)
    assert state(thief) == ("unproven", "add_txt")
    assert other_shop.name not in shown(HOST)
    assert "unconnected" in shown(HOST)


def test_two_shops_may_claim_a_host_and_only_the_one_with_the_record_is_served(
    world: World, shop: Tenant, other_shop: Tenant
) -> None:
    honest, thief = world.claim(shop), world.claim(other_shop)
    world.set_txt(honest)
    world.point_here(honest)
    world.pass_time(5)
    assert state(honest) == ("live", "live")
    assert state(thief) == ("unproven", "add_txt")
    assert shop.name in shown(HOST)


def test_whoever_proves_second_waits_even_with_a_record_of_their_own(
    world: World, shop: Tenant, other_shop: Tenant
) -> None:
    first = world.bring_live(shop)
    second = world.claim(other_shop)
    world.set_txt(second)
    world.pass_time(5)
    assert state(second) == ("unproven", "taken")
    assert state(first) == ("live", "live")
    assert other_shop.name not in shown(HOST)


def test_a_race_of_two_proofs_has_one_winner(world: World, shop: Tenant, other_shop: Tenant) -> None:
    """Both tokens are in DNS, and two workers hold one claim each at the same moment."""
    one, two = world.claim(shop), world.claim(other_shop)
    world.set_txt(one)
    world.set_txt(two)
    rows = claim()
    assert len(rows) == 2
    Run().reconcile(rows[:1])
    Run().reconcile(rows[1:])
    assert sorted([state(one), state(two)]) == [("proven", "queued"), ("unproven", "taken")]


def test_the_database_itself_refuses_a_second_proof(shop: Tenant, other_shop: Tenant) -> None:
    for tenant in (shop, other_shop):
        Domain.objects.create(tenant=tenant, host=HOST)
    shop.domains.filter(host=HOST).update(proven_at=timezone.now())
    with pytest.raises(IntegrityError), transaction.atomic():
        other_shop.domains.filter(host=HOST).update(proven_at=timezone.now())


def test_a_host_that_was_released_is_kept_from_others_and_its_shop_may_have_it_back(
    world: World, shop: Tenant, other_shop: Tenant
) -> None:
    domain = world.bring_live(shop)
    domain.remove()
    world.pass_time(1)
    thief = world.claim(other_shop)
    world.set_txt(thief)  # as someone who can still write the zone might
    world.pass_time(2)
    assert state(thief) == ("unproven", "quarantined")
    again = world.bring_live(shop)
    assert state(again) == ("live", "live")
    assert state(thief)[0] == "unproven"


def test_the_quarantine_ends_and_then_a_fresh_proof_counts(world: World, shop: Tenant, other_shop: Tenant) -> None:
    domain = world.bring_live(shop)
    domain.remove()
    world.pass_time(1)
    world.later(days=3)
    assert not ReleasedHost.blocks(HOST, other_shop.pk, timezone.now())
    world.bring_live(other_shop)
    assert other_shop.name in shown(HOST)


def test_the_text_of_an_old_claim_proves_nothing(world: World, shop: Tenant, other_shop: Tenant) -> None:
    """The old owner's TXT record and CNAME are still there, and public."""
    domain = world.bring_live(shop)
    old_token = domain.token
    domain.remove()
    world.pass_time(1)
    world.later(days=3)
    for tenant in (shop, other_shop):
        claimed = world.claim(tenant)
        world.pass_time(2)
        assert state(claimed) == ("unproven", "add_txt")
        assert claimed.token != old_token
    assert "unconnected" in shown(HOST)


def test_a_token_can_not_be_chosen_or_shared(world: World, shop: Tenant, other_shop: Tenant) -> None:
    mine = world.claim(shop)
    with pytest.raises(IntegrityError), transaction.atomic():
        world.claim(other_shop, token=mine.token)


def test_a_proof_of_one_host_proves_no_other(world: World, shop: Tenant) -> None:
    apex, sub = world.claim(shop, "nordkap-tee.de"), world.claim(shop, "a.nordkap-tee.de")
    world.set_txt(apex)
    world.cloud.zone_store.add_record("_storefront.a.nordkap-tee.de", "TXT", f"storefront-verification={apex.token}")
    world.pass_time(1)
    assert state(apex)[0] in ("proven", "issuing")
    assert state(sub) == ("unproven", "add_txt")


def test_a_text_that_only_contains_the_token_is_no_proof(world: World, shop: Tenant) -> None:
    domain = world.claim(shop)
    for text in (domain.token, f"x storefront-verification={domain.token}", f"storefront-verification={domain.token}0"):
        world.cloud.zone_store.add_record(f"_storefront.{HOST}", "TXT", text)
    world.pass_time(1)
    assert state(domain) == ("unproven", "add_txt")


def test_a_stopped_domain_can_be_proven_by_its_new_owner(world: World, shop: Tenant, other_shop: Tenant) -> None:
    """The domain was sold: its records are gone, a week later somebody else sets theirs."""
    old = world.bring_live(shop)
    world.cloud.point_away(HOST)
    world.drop_txt(old)
    world.pass_time(10, days=1)
    assert state(old) == ("stopped", "stopped")
    world.later(days=3)
    new = world.bring_live(other_shop)
    assert state(new) == ("live", "live")
    assert shop.name not in shown(HOST)


def test_an_expired_claim_that_starts_again_does_not_push_aside_who_has_it(
    world: World, shop: Tenant, other_shop: Tenant
) -> None:
    old = world.claim(shop)
    world.pass_time(4, days=10)
    assert state(old) == ("expired", "expired")
    world.bring_live(other_shop)
    old.refresh_from_db()
    old.start_again()
    world.set_txt(old)
    world.pass_time(3)
    assert state(old) == ("unproven", "taken")
    assert other_shop.name in shown(HOST)


def test_the_platforms_own_hosts_can_not_be_claimed_even_past_the_form(
    world: World, shop: Tenant, other_shop: Tenant
) -> None:
    thief = world.claim(other_shop, "acme.localhost")
    world.set_txt(thief)
    world.pass_time(3)
    assert state(thief)[0] == "unproven"
    assert shop.name in shown("acme.localhost")
    assert other_shop.name not in shown("acme.localhost")


def test_an_unproven_claim_says_nothing_about_who_made_it(world: World, shop: Tenant) -> None:
    world.claim(shop)
    record = shown(HOST)
    for secret in (shop.name, shop.slug, str(shop.pk)):
        assert secret not in record


def test_a_unicode_twin_is_another_name(world: World, shop: Tenant, other_shop: Tenant) -> None:
    original = world.bring_live(shop, "www.apple-kuchen.de")
    twin = names.parse("www.аpple-kuchen.de")  # its first letter is Cyrillic
    assert twin.host == "www.xn--pple-kuchen-45i.de" or twin.host.startswith("www.xn--")
    assert twin.host != original.host
    claimed = world.claim(other_shop, twin.host)
    world.pass_time(2)
    assert state(claimed)[0] == "unproven"
    assert shop.name in shown(original.host)


@pytest.mark.parametrize(
    ("typed", "host"),
    [
        ("Shop.Nordkap-Tee.DE", HOST),
        (" shop.nordkap-tee.de. ", HOST),
        ("shop.nordkap-tee.de:8443", HOST),
        ("https://shop.nordkap-tee.de/", HOST),
        ("shop。nordkap-tee．de", HOST),  # the dots of East Asian keyboards
        ("ｓｈｏｐ.nordkap-tee.de", HOST),  # full-width letters
        ("käse.de", "xn--kse-qla.de"),
        ("KÄSE.de", "xn--kse-qla.de"),
        ("ka\u0308se.de", "xn--kse-qla.de"),  # a and a combining diaeresis
        ("xn--kse-qla.de", "xn--kse-qla.de"),
        ("straße.de", "xn--strae-oqa.de"),
        ("日本語.jp", "xn--wgv71a119e.jp"),
    ],
)
def test_ways_to_write_a_host_end_in_one_form(typed: str, host: str) -> None:
    assert names.parse(typed).host == host


@pytest.mark.parametrize(
    "typed",
    [
        "", ".", "shop", "localhost", "a.localhost", "acme.localhost", "connect.localhost", "shop.test", "a.local",
        "x.onion", "10.0.0.1", "127.1", "0x7f.0.0.1", "[::1]", "::1", "2001:db8::1", "*.nordkap-tee.de", "*",
        "shop.*.de", "shop.nordkap-tee.de/products", "shop.nordkap-tee.de?x", "a@b.de", "user:pw@b.de", "a b.de",
        "a\x00b.de", "a\u202eb.de", "a\u200bb..de", "-a.de", "a-.de", "a..de", "co.uk", "de", "github.io",
        "shop.example.com", "example.org", "a" * 64 + ".de", "a." * 150 + "de", "x" * 300, "a_b.de", "ftp://a.de",
        "xn--a.de", "xn--80ak6aa92e\u0430.de", "a.de:80:90", "shop.nordkap-tee.de\\x", "shop.nordkap-tee.de#x",
    ],
)  # fmt: skip
def test_what_is_no_host_of_ones_own_is_refused_with_a_sentence(typed: str) -> None:
    with pytest.raises(ValidationError) as refused:
        names.parse(typed)
    assert refused.value.messages[0].endswith(".")
    assert len(refused.value.messages[0]) > 20


@pytest.mark.parametrize(
    ("host", "zone", "twin"),
    [
        ("nordkap-tee.de", "nordkap-tee.de", "www.nordkap-tee.de"),
        ("www.nordkap-tee.de", "nordkap-tee.de", "nordkap-tee.de"),
        (HOST, "nordkap-tee.de", ""),
        ("shop.tea.co.uk", "tea.co.uk", ""),
        ("tea.co.uk", "tea.co.uk", "www.tea.co.uk"),
        ("acme.github.io", "acme.github.io", "www.acme.github.io"),
    ],
)
def test_the_zone_is_what_was_registered(host: str, zone: str, twin: str) -> None:
    name = names.parse(host)
    assert (name.zone, name.twin) == (zone, twin)


def test_quarantine_is_by_host_and_shop(db: None, shop: Tenant, other_shop: Tenant) -> None:
    now = timezone.now()
    ReleasedHost.objects.create(host=HOST, tenant_id=shop.pk, until=now + timedelta(days=1))
    assert ReleasedHost.blocks(HOST, other_shop.pk, now)
    assert not ReleasedHost.blocks(HOST, shop.pk, now)
    assert not ReleasedHost.blocks("www." + HOST, other_shop.pk, now)
    assert not ReleasedHost.blocks(HOST, other_shop.pk, now + timedelta(days=2))
