"""The page of a domain: what a merchant reads, copies and presses, and what staff see."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from controlplane.localcloud.faults import Fault
from controlplane.publishing import cells
from tenants.domains.states import State
from tenants.domains.words import WORDS
from tenants.models import Domain, ReleasedHost
from tests.plugins.cloudflare import CloudflareCloud


def url(name: str, *args: Any) -> str:
    return reverse(f"admin:tenants_domain_{name}", args=args)


def put(domain: Domain, state: str, reason: str, **more: Any) -> None:
    Domain.objects.filter(pk=domain.pk).update(state=state, reason=reason, **more)


@pytest.fixture(autouse=True)
def cloud(settings: Any, cloudflare_cloud: CloudflareCloud) -> Iterator[CloudflareCloud]:
    cache.clear()
    settings.CLOUDFLARE_API_URL = cloudflare_cloud.base_url
    yield cloudflare_cloud
    cells.close()


def test_the_page_shows_the_records_in_both_spellings_with_copy_buttons(acme: Any, owner: Client) -> None:
    page = owner.get(url("change", acme.domain.pk)).content.decode()
    for copied in (
        "_storefront.acme.tea-shop.de", "_storefront.acme", f"storefront-verification={acme.domain.token}",
        "acme.tea-shop.de", "connect.localhost",
    ):  # fmt: skip
        assert f'data-copy="{copied}"' in page
    assert "Someone else looks after our DNS" in page
    assert "if the zone is added by itself: _storefront.acme" in page


def test_an_apex_is_written_as_at_and_by_addresses(acme: Any, owner: Client) -> None:
    owner.post(url("add"), {"host": "nordkap-tee.de"})
    apex = Domain.objects.get(host="nordkap-tee.de")
    page = owner.get(url("change", apex.pk)).content.decode()
    assert 'data-copy="@"' in page
    assert 'data-copy="127.0.0.10"' in page


def test_an_apex_without_addresses_of_the_platform_gets_an_alias(acme: Any, owner: Client, settings: Any) -> None:
    settings.CUSTOM_HOSTNAME_ADDRESSES = []
    apex = Domain.objects.create(tenant=acme.tenant, host="nordkap-tee.de")
    page = owner.get(url("change", apex.pk)).content.decode()
    assert "ALIAS, ANAME" in page
    assert "127.0.0.10" not in page


@pytest.mark.parametrize(("host", "made"), [("nordkap-tee.de", 2), ("www.nordkap-tee.de", 2), ("a.nordkap-tee.de", 1)])
def test_apex_and_www_can_be_added_in_one_go(acme: Any, owner: Client, host: str, made: int) -> None:
    answer = owner.post(url("add"), {"host": host, "with_twin": "on", "primary_when_live": "on"})
    domain = Domain.objects.get(host=host)
    assert answer["Location"] == url("change", domain.pk)
    added = Domain.objects.filter(tenant=acme.tenant, host__endswith="nordkap-tee.de")
    assert added.count() == made
    assert list(added.filter(primary_when_live=True)) == [domain]


def test_two_shops_may_claim_the_same_host_and_one_shop_only_once(
    acme: Any, globex: Any, owner: Client, person: Any
) -> None:
    assert owner.post(url("add"), {"host": globex.domain.host}).status_code == 302
    again = owner.post(url("add"), {"host": globex.domain.host})
    assert "has this domain already" in str(again.context["adminform"].form.errors)


def test_a_host_that_another_shop_just_gave_up_must_wait(acme: Any, globex: Any, owner: Client) -> None:
    until = timezone.now() + timedelta(days=1)
    ReleasedHost.objects.create(host="free.tea-shop.de", tenant_id=globex.tenant.pk, until=until)
    refused = owner.post(url("add"), {"host": "free.tea-shop.de"})
    assert "Another shop gave this name up" in str(refused.context["adminform"].form.errors)


@pytest.mark.parametrize("reason", WORDS)
def test_every_reason_has_its_words_on_the_page(acme: Any, owner: Client, reason: str) -> None:
    put(acme.domain, State.UNPROVEN, reason)
    page = owner.get(url("change", acme.domain.pk)).content.decode()
    assert f'data-kind="{WORDS[reason].kind}"' in page
    assert f"<h2>{WORDS[reason].title}</h2>" in page


def test_what_may_fail_a_certificate_is_shown_with_the_records_that_allow_it(acme: Any, owner: Client) -> None:
    put(acme.domain, State.ISSUING, "caa")
    page = owner.get(url("change", acme.domain.pk)).content.decode()
    assert "0 issue &quot;letsencrypt.org&quot;" in page


def test_check_now_makes_it_due(acme: Any, owner: Client) -> None:
    put(acme.domain, State.ISSUING, "validating", next_check_at=timezone.now() + timedelta(days=1))
    assert owner.get(url("check", acme.domain.pk)).status_code == 405
    assert owner.post(url("check", acme.domain.pk)).status_code == 302
    assert acme.domain in Domain.objects.due(timezone.now())


def test_starting_again_is_offered_when_it_is_over_and_only_then(acme: Any, owner: Client) -> None:
    assert "Start again" not in owner.get(url("change", acme.domain.pk)).content.decode()
    owner.post(url("restart", acme.domain.pk))
    assert Domain.objects.get(pk=acme.domain.pk).token == acme.domain.token
    put(acme.domain, State.EXPIRED, "expired")
    assert "Start again" in owner.get(url("change", acme.domain.pk)).content.decode()
    owner.post(url("restart", acme.domain.pk))
    again = Domain.objects.get(pk=acme.domain.pk)
    assert (again.state, again.token != acme.domain.token) == ("unproven", True)


def test_a_domain_is_primary_only_when_it_works(acme: Any, owner: Client) -> None:
    owner.post(url("change", acme.domain.pk), {"is_primary": "on", "redirects": "on"})
    assert Domain.objects.get(tenant=acme.tenant, is_primary=True).is_platform
    now = timezone.now()
    put(acme.domain, State.LIVE, "live", proven_at=now, live_at=now)
    owner.post(url("change", acme.domain.pk), {"is_primary": "on", "redirects": "on"})
    assert Domain.objects.get(tenant=acme.tenant, is_primary=True) == acme.domain


def test_deleting_a_proven_domain_hands_it_to_the_reconciler(acme: Any, owner: Client) -> None:
    now = timezone.now()
    put(acme.domain, State.LIVE, "live", proven_at=now, live_at=now, hostname_id="x")
    owner.post(reverse("admin:tenants_domain_delete", args=[acme.domain.pk]), {"post": "yes"})
    assert Domain.objects.get(pk=acme.domain.pk).state == "removing"


def test_an_editor_and_a_viewer_read_but_do_not_press(acme: Any, person: Any) -> None:
    for role in ("editor", "viewer"):
        client = person(role, acme)
        assert "Check now" not in client.get(url("change", acme.domain.pk)).content.decode()
        assert client.get(url("panel", acme.domain.pk)).status_code == 200
        for name in ("check", "restart"):
            assert client.post(url(name, acme.domain.pk)).status_code == 403


def test_a_stranger_finds_none_of_it(acme: Any, globex: Any, person: Any) -> None:
    stranger = person("owner", globex)
    assert stranger.get(url("panel", acme.domain.pk)).status_code == 404
    for name in ("check", "restart"):
        assert stranger.post(url(name, acme.domain.pk)).status_code == 404


def test_staff_see_the_quota_and_that_it_could_not_be_asked(
    acme: Any, staff: Client, owner: Client, cloud: CloudflareCloud
) -> None:
    assert "custom hostnames in use, 100 paid for" in staff.get(url("changelist")).content.decode()
    assert "custom hostnames in use" not in owner.get(url("changelist")).content.decode()
    cache.clear()
    cloud.faults.set([Fault(kind="status", status=503)])
    assert "could not be asked" in staff.get(url("changelist")).content.decode()


def test_staff_find_a_domain_by_host_and_shop_and_check_many_at_once(acme: Any, globex: Any, staff: Client) -> None:
    for query in ("acme.tea", "acme"):
        found = staff.get(url("changelist") + f"?q={query}").content.decode()
        assert "acme.tea-shop.de" in found
        assert "globex.tea-shop.de" not in found
    later = timezone.now() + timedelta(days=1)
    Domain.objects.update(next_check_at=later)
    chosen = [str(acme.domain.pk), str(globex.domain.pk)]
    staff.post(url("changelist"), {"action": "check_now", "_selected_action": chosen})
    assert Domain.objects.due(timezone.now()).count() == 2
