"""`python -m tests.benchmarks.edge_throughput`: what a page costs on one core, and where the time goes.

A landing page with 8 sections and 24 products, in one run: ours under uvicorn (kept, and rendered each time), a static
file from the same server, the same page as a plain Django view from the database (the same templates). Server on one
core, clients on the other (`taskset`); without a second core the figures are only good as ratios. About two minutes.
Also: what reading and rendering a record costs, and the time to the first byte with a slow KV.
"""

import asyncio
import contextlib
import dataclasses
import os
import platform as machine
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

SECONDS = float(os.environ.get("BENCH_SECONDS", "4"))
CONCURRENCY = (1, 16, 64)
PORT = 8_797
HOST = "bench.test"
CASES = {
    "static file": "/static/storefront.css",
    "ours, kept": "/",
    "ours, rendered each time": "/?fresh",
}


# The servers -------------------------------------------------------------------------------------------------------


def edge() -> object:
    """uvicorn's factory: the Worker's app over a KV and an Instant in memory. BENCH_KV_MS is how slow KV is."""
    from storefront import local
    from storefront.http_bindings import LocalEnv

    class NoCache:
        async def match(self, _key: str) -> None:
            return None

        async def put(self, *_: object) -> None:
            pass

        async def delete(self, _key: str) -> None:
            pass

    class SlowKV:
        delay = float(os.environ.get("BENCH_KV_MS", "0")) / 1000
        value: str = record().to_json()

        async def get(self, _key: str) -> str:
            if self.delay:
                await asyncio.sleep(self.delay)
            return self.value

    def env() -> LocalEnv:
        return LocalEnv(kv=SlowKV(), ai=None, fetch=None, variables={"PUBLIC_SCHEME": "https"})  # type: ignore[arg-type]

    keeping, fresh = local.serve(env()), env()
    fresh.CACHE = NoCache()
    rendering = local.serve(fresh)

    async def app(scope, receive, send):  # type: ignore[no-untyped-def] # ASGI
        inner = rendering if scope.get("query_string") == b"fresh" else keeping
        await inner(scope, receive, send)

    return app


def django_view() -> object:
    """uvicorn's factory: one view that reads the shop from a database and renders the same templates."""
    import django
    from django.conf import settings

    django.setup()
    from django.core.handlers.asgi import ASGIHandler
    from django.http import HttpRequest, HttpResponse
    from django.urls import path

    from storefront import pages
    from tenants.documents import record_of
    from tenants.models import Tenant

    def view(_request: HttpRequest) -> HttpResponse:
        tenant = Tenant.objects.select_related("landing__live").get(slug="bench")
        page = pages.landing(record_of(tenant), origin="https://bench.test").encode()
        return HttpResponse(page, headers={"Content-Length": str(len(page))})

    module = type(sys)("bench_urls")
    module.urlpatterns = [path("", view)]  # type: ignore[attr-defined]
    sys.modules["bench_urls"] = module
    settings.ROOT_URLCONF, settings.MIDDLEWARE, settings.ALLOWED_HOSTS = "bench_urls", [], ["*"]
    return ASGIHandler()


def record() -> Any:
    """8 sections, 24 products, about 12 KB."""
    from tests.edge_worker.memory import EVERY_KIND, card, shop_record

    kinds = (
        "hero",
        "featured_products",
        "product_grid",
        "rich_text",
        "image_with_text",
        "testimonials",
        "faq",
        "contact",
    )
    chosen = [next(one for one in EVERY_KIND if one.kind == kind) for kind in kinds]
    cards = [tuple(card(number) for number in numbers) for numbers in (range(1, 13), range(13, 25))]
    filled = [
        dataclasses.replace(one, cards=cards.pop()) if hasattr(one, "cards") else one  # type: ignore[call-arg]
        for one in chosen
    ]
    return shop_record("Bench", sections=tuple(filled), canonical_host=HOST)


def fill_database() -> None:
    import django

    django.setup()
    from django.core.management import call_command

    from catalog.models import Product
    from tenants.models import Landing, Section, Tenant

    call_command("migrate", verbosity=0)
    tenant = Tenant.objects.create(slug="bench", name="Bench")
    landing = Landing.objects.create(tenant=tenant)
    products = [
        Product(tenant=tenant, title=f"Jug number {n}", slug=f"jug-{n}", price=1250 * n, status="active", position=n,
                image_url=f"/img/jug-{n}.svg", image_alt=f"Jug {n} on a table")
        for n in range(1, 25)
    ]  # fmt: skip
    Product.objects.bulk_create(products)
    from storefront.codec import encode

    for position, section in enumerate(record().sections):
        content = encode(dataclasses.replace(section, cards=()) if hasattr(section, "cards") else section)
        kind = content.pop("kind")
        if kind == "featured_products":
            content["product_ids"] = [str(one.pk) for one in products[:12]]
        if kind == "product_grid":
            content |= {"tag": "", "limit": 12}
        Section.objects.create(landing=landing, kind=kind, position=position, content=content)
    landing.publish(None)


# The clients -------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def server(factory: str, **variables: str) -> Iterator[None]:
    command = [sys.executable, "-m", "uvicorn", f"tests.benchmarks.edge_throughput:{factory}", "--factory", "--port",
               str(PORT), "--log-level", "error", "--no-access-log"]  # fmt: skip
    process = subprocess.Popen([*on_core(0), *command], env=os.environ | variables)
    try:
        for _ in range(600):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", PORT), 1):
                break
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(10)


def on_core(number: int) -> list[str]:
    return ["taskset", "-c", str(number)] if shutil.which("taskset") and (os.cpu_count() or 1) > 1 else []


async def one_client(path: str, until: float, times: list[float]) -> None:
    """A keep-alive connection that asks again and again. By hand: a client library would cost more than the server."""
    head = f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
    while (began := time.perf_counter()) < until:
        writer.write(head)
        answer = await reader.readuntil(b"\r\n\r\n")
        if not answer.startswith(b"HTTP/1.1 200"):
            sys.exit(answer.decode())
        length = int(answer.lower().split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
        await reader.readexactly(length)
        times.append(time.perf_counter() - began)
    writer.close()


async def load(path: str, clients: int) -> list[float]:
    times: list[float] = []
    until = time.perf_counter() + SECONDS
    await asyncio.gather(*(one_client(path, until, times) for _ in range(clients)))
    return times


def row(name: str, path: str) -> None:
    asyncio.run(load(path, 1))  # warm
    cells = []
    for clients in CONCURRENCY:
        times = asyncio.run(load(path, clients))
        cuts = statistics.quantiles(times, n=20)
        cells.append(f"{len(times) / SECONDS:7.0f}/s p50 {cuts[9] * 1000:6.1f} p95 {cuts[18] * 1000:6.1f} ms")
    print(f"{name:32}" + " | ".join(cells), flush=True)


def main() -> None:
    print(
        f"{machine.machine()}, {os.cpu_count()} cores, Python {machine.python_version()}, load {os.getloadavg()[0]:.1f}"
    )
    print(f"{'':32}" + " | ".join(f"{clients:>2} clients{'':31}" for clients in CONCURRENCY))
    if (os.cpu_count() or 1) > 1 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {1})
    with server("edge"):
        for name, path in CASES.items():
            row(name, path)
    with tempfile.TemporaryDirectory() as folder:
        database = {"DATABASE_URL": f"sqlite:///{Path(folder) / 'bench.sqlite3'}", "REDIS_URL": "memory://",
                    "DJANGO_SETTINGS_MODULE": "controlplane.settings"}  # fmt: skip
        fill = "from tests.benchmarks.edge_throughput import fill_database; fill_database()"
        subprocess.run([sys.executable, "-c", fill], env=os.environ | database, check=True)
        with server("django_view", **database):
            row("Django view, from the database", "/")
    costs()
    for delay in (5, 50, 250):
        with server("edge", BENCH_KV_MS=str(delay)):
            first_byte(delay)


def costs() -> None:
    """What a record costs by itself, here: no server, no sockets."""
    from storefront import pages
    from storefront.documents import DomainRecord
    from storefront.sections import RichText

    plain = record()
    room = 20_400 - len(plain.to_json().encode())
    full = dataclasses.replace(plain, sections=(*plain.sections, RichText(body_html="<p>" + "so " * (room // 3 - 30))))
    for name, one in (("record", plain), ("20 KB record", DomainRecord.from_json(full.to_json()))):
        value = one.to_json()
        reading = timed(lambda value=value: DomainRecord.from_json(value))
        rendering = timed(lambda one=one: pages.landing(one, origin="https://bench.test"))
        print(f"{name} of {len(value.encode())} bytes: read {reading:.2f} ms, rendered {rendering:.2f} ms")


def timed(work, times: int = 200) -> float:  # type: ignore[no-untyped-def]
    work()
    took = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)
    return statistics.median(took) * 1000


def first_byte(delay: int) -> None:
    """With a page that is kept and one that is not; KV is waited for, whatever is kept."""
    for name, path in (("kept", "/"), ("rendered", "/?fresh")):
        took = []
        with httpx.Client(base_url=f"http://127.0.0.1:{PORT}", headers={"host": HOST}) as client:
            client.get(path)
            for _ in range(20):
                began = time.perf_counter()
                with client.stream("GET", path) as answer:
                    took.append(time.perf_counter() - began)
                    answer.read()
        print(f"KV at {delay} ms, {name}: first byte after p50 {statistics.median(took) * 1000:.0f} ms")


if __name__ == "__main__":
    main()
