"""`python -m tests.benchmarks.domains [count]`: ten thousand pending domains on the local cloud.

Measured: requests to Cloudflare's API in the busiest five minutes (1,200 are allowed), the time of a whole look at
everything, how long all of them take until they are live at the pace of certificates while one shop has four in five
of them, how long a newcomer waits for the proof to be seen while one shop's name servers never answer, and which
turn a newcomer gets among ten thousand that wait for a certificate. Cloudflare's time and ours are one simulated
clock; only the newcomer beside the silent name servers waits in real time.
"""

import asyncio
import contextlib
import os
import statistics
import sys
import tempfile
import threading
import time
import uuid
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

os.environ.update(
    DJANGO_SETTINGS_MODULE="controlplane.settings", ENVIRONMENT="local", REDIS_URL="memory://", LOG_LEVEL="ERROR",
    DATA_DIR=tempfile.mkdtemp(prefix="bench-domains-"), TURSO_AUTH_TOKEN="not needed",
)  # fmt: skip

import httpx

COUNT = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
SHOPS = 200
MINUTES = 10
NEWCOMERS = 8
SLOW = "never-answers.de"


class Counted:
    """The stand-in with a count of its API requests in simulated time."""

    def __init__(self, app: Any, now: Any) -> None:
        self.app, self.now = app, now
        self.at: list[float] = []
        self.refused = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/client/v4"):
            self.at.append(self.now())

            async def counting(message: Any) -> None:
                self.refused += message.get("status") == 429
                await send(message)

            await self.app(scope, receive, counting)
        else:
            await self.app(scope, receive, send)

    def forget(self) -> None:
        self.at, self.refused = [], 0

    def busiest(self, window: float) -> int:
        most, inside = 0, deque[float]()
        for at in self.at:
            inside.append(at)
            while at - inside[0] >= window:
                inside.popleft()
            most = max(most, len(inside))
        return most


class SlowNames(httpx.AsyncHTTPTransport):
    """A resolver that never answers for one shop's names."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if b"never-answers" in await request.aread():
            await asyncio.sleep(4)
            raise httpx.ReadTimeout("no answer", request=request)
        return await super().handle_async_request(request)


def main() -> None:
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    from controlplane.localcloud.cloudflare.app import app
    from controlplane.localcloud.cloudflare.clock import Clock
    from tests.plugins.cloudflare import Serving

    clock = Clock(real=lambda: 1_800_000_000.0)
    served = app(Path(tempfile.mkdtemp()) / "cloudflare.sqlite3", clock=clock, quota_clock=clock.now, hostnames=COUNT)
    counted = Counted(served, clock.now)
    with Serving(counted) as origin:
        point_at(origin)
        tenants = make_shops()
        print(f"{COUNT:,} domains of {SHOPS} shops")
        with simulated(clock):
            measure_requests(tenants, served.state.saas, counted)
            measure_until_live(tenants, served.state.saas, counted)
        measure_slow_shop(tenants, served.state.zone_store)
        measure_turn(tenants)


@contextlib.contextmanager
def simulated(clock: Any) -> Iterator[None]:
    """Our own time is the vendor's: what is counted in a window, or due, is so in one time only."""
    from django.utils import timezone

    real, timezone.now = timezone.now, lambda: datetime.fromtimestamp(clock.now(), UTC)
    try:
        yield
    finally:
        timezone.now = real


def point_at(origin: str) -> None:
    from django.conf import settings

    settings.CLOUDFLARE_API_URL = f"{origin}/client/v4"
    settings.DNS_RESOLVER_URL = f"{origin}/dns-query"


def make_shops() -> list[Any]:
    from django.contrib.auth.models import User

    from tenants.onboarding import open_shop

    owner = User.objects.create_user("owner", "owner@shops.example")
    return [open_shop(slug=f"shop-{number}", name=f"Shop {number}", owner=owner) for number in range(SHOPS)]


def make_domains(tenants: list[Any], count: int, zone: str = "tea-shop.de", **more: Any) -> list[Any]:
    from tenants.models import Domain

    rows = [
        Domain(
            tenant=tenants[number % len(tenants)], host=f"d{number}.{zone}", primary_when_live=False,
            hostname_id=str(uuid.uuid4()) if more.get("state") == "issuing" else "", **more,
        )
        for number in range(count)
    ]  # fmt: skip
    Domain._base_manager.bulk_create(rows, batch_size=500)
    return rows


def measure_requests(tenants: list[Any], saas: Any, counted: Counted) -> None:
    """Everything is pending and due at once, as after an outage of ours; ten minutes of beats."""
    from django.utils import timezone

    from tenants.domains.issuing import reconcile_all
    from tenants.models import Domain

    now = timezone.now()
    rows = make_domains(tenants, COUNT, state="issuing", reason="add_cname", proven_at=now)
    for day in range(30):  # of all ages
        some = [row.pk for row in rows[day::30]]
        for start in range(0, len(some), 500):
            Domain._base_manager.filter(pk__in=some[start : start + 500]).update(
                state_since=now - timedelta(days=day), next_check_at=now
            )
    at = saas.clock.now()
    saas.store.save(
        [
            {"id": row.hostname_id, "hostname": row.host, "created_at": at, "status": "pending", "errors": [],
             "token": row.token, "attempts": 0, "next_at": at + 60, "method": "http", "ssl": "pending_validation",
             "ssl_errors": [], "ssl_attempts": 0, "ssl_next_at": at + 60, "ssl_token": ""}
            for row in rows
        ]
    )  # fmt: skip
    took, looked, waited = [], 0, 0.0
    for _ in range(MINUTES * 6):
        began = time.perf_counter()
        looked += reconcile_all()
        took.append(time.perf_counter() - began)
        step(saas, 10)  # beat's interval; the run itself counts as no time, which is the harder case
        overdue = Domain.objects.due(timezone.now() - timedelta(seconds=10)).order_by("next_check_at")
        if first := overdue.values_list("next_check_at", flat=True).first():
            waited = max(waited, (timezone.now() - first).total_seconds())
    busiest = counted.busiest(300)
    print(f"  looks in {MINUTES} simulated minutes: {looked:,}; a run takes p50 {statistics.median(took):.1f} s, "
          f"max {max(took):.1f} s")  # fmt: skip
    print(f"  API requests in the busiest 5 minutes: {busiest} of 1,200; refused: {counted.refused}")
    print(f"  longest that a due domain waited for its look: {waited:.0f} s (simulated)", flush=True)
    clear(saas)


def measure_until_live(tenants: list[Any], saas: Any, counted: Counted) -> None:
    """All proven at one moment, with DNS that points here: four in five are one shop's, the rest everybody's."""
    from django.utils import timezone

    from controlplane.localcloud import defaults
    from tenants.domains.issuing import reconcile_all
    from tenants.domains.records import proof_name, proof_value
    from tenants.models import Domain

    counted.forget()
    began, at = time.perf_counter(), timezone.now()
    proven = {"state": "proven", "reason": "queued", "proven_at": at, "state_since": at, "next_check_at": at}
    large = make_domains(tenants[:1], COUNT * 4 // 5, zone="one-shop.de", **proven)
    small = make_domains(tenants[1:], COUNT // 5, zone="many-shops.de", **proven)
    saas.store.add_records([(row.host, "CNAME", defaults.CUSTOM_HOSTNAME_TARGET) for row in [*large, *small]])
    saas.store.add_records([(proof_name(row.host), "TXT", proof_value(row.token)) for row in [*large, *small]])
    own = {row.pk for row in large}
    live: dict[Any, float] = {}
    while len(live) < COUNT and (timezone.now() - at) < timedelta(hours=30):
        reconcile_all()
        step(saas, 65)  # the pace's window: a step brings fifteen certificates
        passed = (timezone.now() - at).total_seconds()
        now_live = Domain._base_manager.filter(state="live", is_platform=False).values_list("pk", flat=True)
        live |= {pk: passed for pk in now_live if pk not in live}
    waits = sorted(live.values())
    others = sorted(wait for pk, wait in live.items() if pk not in own)
    print(f"  {len(live):,} of {COUNT:,} certificates at fifteen in {65} s: all live after {hours(waits[-1])}, "
          f"p50 {hours(quantile(waits, 0.5))}, p95 {hours(quantile(waits, 0.95))} (simulated; "
          f"{time.perf_counter() - began:.0f} s real)")  # fmt: skip
    print(f"  of these the {len(others):,} of {SHOPS - 1} shops beside the one with {len(own):,}: "
          f"p50 {hours(quantile(others, 0.5))}, p95 {hours(quantile(others, 0.95))}, last {hours(others[-1])}; "
          f"each shop's first: last {hours(firsts(small, live))}")  # fmt: skip
    print(f"  API requests in the busiest 5 minutes meanwhile: {counted.busiest(300)} of 1,200; "
          f"refused: {counted.refused}", flush=True)  # fmt: skip
    clear(saas)


def firsts(rows: list[Any], live: dict[Any, float]) -> float:
    """When the last of the shops had its first domain live."""
    by_shop: dict[Any, float] = {}
    for row in rows:
        by_shop[row.tenant_id] = min(by_shop.get(row.tenant_id, 1e9), live.get(row.pk, 1e9))
    return max(by_shop.values())


def quantile(values: list[float], share: float) -> float:
    return values[min(len(values) - 1, int(len(values) * share))]


def hours(seconds: float) -> str:
    return f"{seconds / 3600:.1f} h" if seconds >= 7200 else f"{seconds / 60:.0f} min"


_listed_at = 0.0


def step(saas: Any, seconds: float) -> None:
    """Time goes by for the vendor and for us; the kept list, whose lifetime is real time, with it."""
    global _listed_at  # noqa: PLW0603
    from django.core.cache import cache

    saas.clock.step(seconds)
    if saas.clock.now() - _listed_at >= 90:
        _listed_at = saas.clock.now()
        cache.delete("custom-hostnames")


def clear(saas: Any) -> None:
    from django.core.cache import cache

    from tenants.models import Allowance, Domain

    cache.clear()
    Allowance.objects.all().delete()
    Domain._base_manager.filter(is_platform=False).delete()
    for row in saas.store.hostnames(-1, 0):
        saas.store.delete(row["id"])
    saas.clock.step(600)


def measure_slow_shop(tenants: list[Any], zone_store: Any) -> None:
    """Newcomers with their TXT record set, while 4 in 10 of all domains belong to a shop whose DNS never answers."""
    from django.db import connections

    from controlplane.adapters.dns_over_https import Resolver
    from controlplane.publishing import cells
    from tenants.domains.issuing import reconcile_all
    from tenants.domains.records import proof_name, proof_value
    from tenants.models import Domain

    url = cells.resolver()._url
    cells.resolver = lambda: Resolver(url, SlowNames())
    make_domains(tenants[:1], COUNT * 4 // 10, zone=SLOW)
    stop = threading.Event()

    def beat() -> None:
        while not stop.is_set():
            reconcile_all()
            stop.wait(1)
        connections.close_all()

    worker = threading.Thread(target=beat)
    worker.start()
    waits = []
    for number in range(NEWCOMERS):
        time.sleep(3)
        domain = Domain.objects.create(tenant=tenants[1 + number], host=f"new{number}.tea-shop.de")
        zone_store.add_record(proof_name(domain.host), "TXT", proof_value(domain.token))
        began = time.perf_counter()
        while Domain.objects.get(pk=domain.pk).proven_at is None and time.perf_counter() - began < 300:
            time.sleep(0.05)
        waits.append(time.perf_counter() - began)
    stop.set()
    worker.join()
    print(f"  one shop with {COUNT * 4 // 10:,} domains whose DNS never answers: a newcomer's proof is seen after "
          f"p50 {statistics.median(waits):.1f} s, max {max(waits):.1f} s (real)")  # fmt: skip
    Domain._base_manager.filter(is_platform=False).delete()


def measure_turn(tenants: list[Any]) -> None:
    from django.utils import timezone

    from tenants.domains.issuing import in_turn
    from tenants.models import Domain

    long_ago = timezone.now() - timedelta(days=1)
    make_domains(tenants[:-1], COUNT, state="proven", reason="queued", proven_at=long_ago, requested_at=long_ago)
    newcomer = Domain.objects.create(
        tenant=tenants[-1], host="newcomer.de", state="proven", reason="queued", proven_at=timezone.now()
    )
    began = time.perf_counter()
    turn = in_turn(timezone.now()).index(newcomer.pk) + 1
    print(f"  certificates: of {COUNT:,} waiting, a newcomer is number {turn}; the order takes "
          f"{(time.perf_counter() - began) * 1000:.0f} ms")  # fmt: skip


if __name__ == "__main__":
    main()
