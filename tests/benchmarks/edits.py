"""`python -m tests.benchmarks.edits`, beside a running `make demo`: how long a saved edit takes to reach a shopper.

Each edit is saved as the admin saves it (model, outbox row, nudge to the worker) and the edge is asked until its HTML
shows the new text. Shops take turns and pause like people do: KV takes one write a second per key.
"""

import itertools
import os
import platform
import random
import statistics
import sys
import time

import httpx

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "controlplane.settings")

EDITS = 100


def main() -> None:
    import django

    django.setup()
    from catalog.models import Product
    from tenants.models import Section, Tenant

    tenants = list(Tenant.objects.filter(status="active").order_by("slug"))
    if not tenants:
        sys.exit("No shop found: start `make demo` in another terminal first.")
    took: dict[str, list[float]] = {"headline → landing page (KV)": [], "price → product page (Instant)": []}
    with httpx.Client(timeout=10) as client:
        for number, tenant in zip(range(EDITS), itertools.cycle(tenants), strict=False):
            if number % 2:
                product = Product.objects.live().filter(tenant=tenant).order_by("?")[0]
                before_price, product.price = product.price, 10_000 + number
                began, path = time.perf_counter(), f"/products/{product.slug}"
                product.save()
                mark = f"{product.price / 100:.2f}"
                took["price → product page (Instant)"].append(until_shown(client, tenant.slug, path, mark, began))
                product.price = before_price
                product.save()
            else:
                hero = Section.objects.filter(landing__tenant=tenant, kind="hero")[0]
                before = dict(hero.content)
                mark = f"Measured {random.randrange(10**9)}"
                hero.content = {**before, "heading": mark}
                began = time.perf_counter()
                hero.save()
                tenant.landing.publish(None)
                took["headline → landing page (KV)"].append(until_shown(client, tenant.slug, "/", mark, began))
                hero.content = before
                time.sleep(1.1)
                hero.save()
                tenant.landing.publish(None)
            time.sleep(random.uniform(0.4, 0.8))
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {EDITS} edits")
    for name, values in took.items():
        cuts = statistics.quantiles(values, n=20)
        print(f"{name}: p50 {statistics.median(values):.3f} s, p95 {cuts[18]:.3f} s, max {max(values):.3f} s")


def until_shown(client: httpx.Client, slug: str, path: str, mark: str, began: float) -> float:
    """Seconds from `began` until the edge's page holds `mark`; after 30 s the run is given up."""
    while True:
        page = client.get(f"http://127.0.0.1:8787{path}", headers={"Host": f"{slug}.localhost:8787"}).text
        if mark in page or mark.replace(".", ",") in page:
            return time.perf_counter() - began
        if time.perf_counter() - began > 30:
            sys.exit(f"{slug}{path} never showed {mark!r}.")
        time.sleep(0.01)


if __name__ == "__main__":
    main()
