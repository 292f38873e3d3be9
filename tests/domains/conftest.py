"""A world for domains: the stand-in's DNS and hostnames, and time that moves for everyone at once."""

import dataclasses
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from controlplane.publishing import cells
from tenants.domains.issuing import reconcile_all
from tenants.domains.records import proof_name, proof_value
from tenants.models import Allowance, Domain, ReleasedHost, Tenant
from tests.plugins.cloudflare import CloudflareCloud

TIMES = ("proven_at", "live_at", "away_since", "waiting_since", "state_since", "next_check_at", "requested_at")
HOST = "shop.nordkap-tee.de"


@dataclasses.dataclass(frozen=True)
class World:
    cloud: CloudflareCloud

    def claim(self, tenant: Tenant, host: str = HOST, **more: Any) -> Domain:
        domain: Domain = Domain.objects.create(tenant=tenant, host=host, **more)
        return domain

    def set_txt(self, domain: Domain) -> None:
        domain.refresh_from_db()
        self.cloud.zone_store.add_record(proof_name(domain.host), "TXT", proof_value(domain.token))

    def drop_txt(self, domain: Domain) -> None:
        for record in self.cloud.zone_store.records(proof_name(domain.host)):
            self.cloud.zone_store.remove_record(*record)

    def point_here(self, domain: Domain) -> None:
        self.cloud.point_here(domain.host)

    def later(self, **delta: float) -> None:
        """Time goes by, here and at the vendor: every stored time lies that much further back."""
        passed = timedelta(**delta)
        for domain in Domain.objects.filter(is_platform=False):
            moved = {name: getattr(domain, name) - passed for name in TIMES if getattr(domain, name) is not None}
            Domain._base_manager.filter(pk=domain.pk).update(**moved)
        for released in ReleasedHost.objects.all():
            ReleasedHost.objects.filter(pk=released.pk).update(until=released.until - passed)
        for allowance in Allowance.objects.all():
            taken = [[when - passed.total_seconds(), count] for when, count in allowance.taken]
            Allowance.objects.filter(pk=allowance.pk).update(taken=taken)
        self.cloud.clock.step(passed.total_seconds())

    def reconcile(self) -> None:
        reconcile_all()

    def pass_time(self, rounds: int = 12, **delta: float) -> None:
        """Several looks, `delta` apart."""
        for _ in range(rounds):
            self.later(**(delta or {"minutes": 2}))
            self.reconcile()

    def bring_live(self, tenant: Tenant, host: str = HOST, **more: Any) -> Domain:
        domain = self.claim(tenant, host, **more)
        self.set_txt(domain)
        self.point_here(domain)
        self.pass_time(4)
        domain.refresh_from_db()
        assert domain.state == "live", (domain.state, domain.reason, domain.seen)
        return domain


@pytest.fixture
def world(db: None, settings: Any, cloudflare_cloud: CloudflareCloud) -> Iterator[World]:
    settings.CLOUDFLARE_API_URL = cloudflare_cloud.base_url
    settings.DNS_RESOLVER_URL = cloudflare_cloud.resolver_url
    yield World(cloudflare_cloud)
    cells.close()
