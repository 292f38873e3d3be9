"""`python -m tests.benchmarks.tenant_list [sizes …]`: staff's list of shops with 1,000, 100,000 and 1,000,000 of them.

On an embedded PostgreSQL, filled by SQL; every shop has an owner with an account of their own, a host, a page and a
product. Measured in process, from the request to the rendered page: p50 and p95 of each view, the database's part of
them (p50), its number of queries, and the 8 KB blocks that the database touched: those are the same on a busy machine.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.postgres.server import Postgres

SIZES = [int(size) for size in sys.argv[1:]] or [1_000, 100_000, 1_000_000]
ROUNDS = 40


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="bench-tenants-") as folder, Postgres(Path(folder)) as server:
        os.environ.update(
            DJANGO_SETTINGS_MODULE="tests.settings", DATABASE_URL=server.url, LOG_LEVEL="ERROR",
        )  # fmt: skip
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        measure()


def measure() -> None:
    from django.contrib.auth.models import User
    from django.db import connection

    from tenants.onboarding import open_shop

    owner = User.objects.create_user("owner-0", "owner-0@shops.example", is_staff=True)
    template = open_shop(slug="template", name="Template", owner=owner)
    template.products.create(title="Kettle", price=100, status="active")
    staff = User.objects.create_superuser("staff", "staff@platform.example", "pass")
    results: dict[str, list[str]] = {}
    filled = 0
    for size in SIZES:
        began = time.perf_counter()
        fill(template, owner, filled + 1, size)
        filled = size
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = origin")
            cursor.execute("VACUUM ANALYZE")
        print(f"{size:,} shops are there after {time.perf_counter() - began:.0f} s", flush=True)
        for name, took, database, queries, blocks in timed(staff, size):
            p50, of_database = statistics.median(took), statistics.median(database)
            cell = f"{p50:.0f} / {p95(took):.0f} ({of_database:.1f}) ms, {queries} q, {blocks:,} b"
            results.setdefault(name, []).append(cell)
    print("p50 / p95 (database), queries, blocks".ljust(38) + "".join(f"{size:>34,}" for size in SIZES))
    for name, cells in results.items():
        print(name.ljust(38) + "".join(cell.rjust(34) for cell in cells))


def p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


def fill(template: Any, owner: Any, first: int, last: int) -> None:
    """Shops number `first` to `last`: copies of the template's rows, with ids and names of their own."""
    from django.contrib.auth.models import User
    from django.db import connection

    from catalog.models import Product
    from controlplane.publishing.models import StaleDocument
    from tenants.models import Domain, Landing, Membership, Tenant

    shop = "md5('shop-' || n)::uuid"
    status = "CASE WHEN mod(n, 100) = 7 THEN 'suspended' ELSE 'active' END"
    host = "'shop-' || lpad(n::text, 7, '0') || '.localhost'"
    failed = "CASE WHEN mod(n, 1000) = 7 THEN now() END"
    # Users get numbers far from those that sequences give.
    copies = [
        (User, owner.pk, {"id": "1000000 + n", "username": "'owner-' || n",
                          "email": "'owner-' || n || '@shops.example'"}),
        (Tenant, template.pk, {"id": shop, "slug": "'shop-' || lpad(n::text, 7, '0')", "name": "'Shop Number ' || n",
                               "status": status}),
        (Domain, template.domains.get().pk, {"id": "md5('domain-' || n)::uuid", "tenant_id": shop, "host": host,
                                             "token": "md5('token-' || n)"}),
        (Landing, template.landing.pk, {"id": "md5('landing-' || n)::uuid", "tenant_id": shop}),
        (Membership, template.memberships.get().pk, {"id": "1000000 + n", "user_id": "1000000 + n", "tenant_id": shop}),
        (Product, template.products.get().pk, {"id": "md5('product-' || n)::uuid", "tenant_id": shop}),
        (StaleDocument, StaleDocument.objects.first().pk, {  # type: ignore[union-attr]
            "id": "1000000 + n", "tenant_id": shop, "key": "'key-' || n", "parked_at": failed}),
    ]  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")  # no look at a foreign key for each of the rows
        for model, pk, changes in copies:
            columns = [str(field.column) for field in model._meta.concrete_fields]
            values = ", ".join(changes.get(column, f't."{column}"') for column in columns)
            names = ", ".join(f'"{column}"' for column in columns)
            some = " WHERE mod(n, 20) = 7" if model is StaleDocument else ""
            cursor.execute(
                f"INSERT INTO {model._meta.db_table} ({names}) SELECT {values} FROM generate_series(%s, %s) n "
                f"JOIN {model._meta.db_table} t ON t.{model._meta.pk.column} = %s{some}",
                [first, last, pk],
            )


def timed(staff: Any, size: int) -> list[tuple[str, list[float], list[float], int, int]]:
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext
    from django.urls import reverse

    from controlplane.publishing.keyset import encoded, keys_of
    from tenants.models import Tenant

    client = Client(SERVER_NAME="localhost")
    client.force_login(staff)
    shops = reverse("admin:tenants_tenant_changelist")
    autocomplete = reverse("admin:autocomplete") + "?app_label=catalog&model_name=product&field_name=tenant"

    def number(turn: int) -> int:
        return 1 + turn * 7919 % size

    def shop(turn: int) -> Any:
        return Tenant.objects.get(slug=f"shop-{number(turn):07}")

    def deep(turn: int) -> str:
        row = Tenant.objects.get(slug=f"shop-{max(1, size * 9 // 10 - turn):07}")
        return encoded(keys_of(Tenant, ["slug"]), row)

    views: dict[str, Callable[[int], str]] = {
        "list, first page": lambda turn: shops,
        "list, deep page, next": lambda turn: f"{shops}?p=after-{deep(turn)}",
        "list, deep page, previous": lambda turn: f"{shops}?p=before-{deep(turn)}",
        "search: slug": lambda turn: f"{shops}?q=shop-{number(turn):07}",
        "search: beginning of all slugs": lambda turn: f"{shops}?q=shop",
        "search: host": lambda turn: f"{shops}?q=shop-{number(turn):07}.localhost",
        "search: owner's e-mail": lambda turn: f"{shops}?q=owner-{number(turn)}@shops.example",
        "search: beginning of an e-mail": lambda turn: f"{shops}?q=OWNER-{number(turn)}",
        "search: name": lambda turn: f"{shops}?q=shop number {number(turn)}",
        "search: nothing there": lambda turn: f"{shops}?q=nowhere-{turn}",
        "filter: suspended": lambda turn: f"{shops}?status__exact=suspended",
        "filter: publishing failed": lambda turn: f"{shops}?publishing=failed",
        "change page": lambda turn: reverse("admin:tenants_tenant_change", args=[shop(turn).pk]),
        "delete confirmation": lambda turn: reverse("admin:tenants_tenant_delete", args=[shop(turn).pk]),
        "autocomplete, empty": lambda turn: autocomplete,
        "autocomplete, a slug": lambda turn: f"{autocomplete}&term=shop-{number(turn):07}",
        "home": lambda turn: reverse("admin:index"),
    }
    found = []
    for name, address in views.items():
        urls = [address(turn) for turn in range(ROUNDS)]
        client.get(urls[-1])  # templates are compiled once
        took, database = [], []
        for url in urls:
            spent = Stopwatch()
            began = time.perf_counter()
            with connection.execute_wrapper(spent):
                answer = client.get(url)
            took.append((time.perf_counter() - began) * 1000)
            database.append(spent.total * 1000)
            assert answer.status_code == 200, (name, answer.status_code)
        before = blocks_touched()
        with CaptureQueriesContext(connection) as queries:
            client.get(urls[0])
        found.append((name, took, database, len(queries), blocks_touched() - before))
    return found


def blocks_touched() -> int:
    """By all statements so far; asking for it costs a few itself."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT blks_hit + blks_read FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


class Stopwatch:
    """How long the database took; with SLOW set to milliseconds each query that took longer is printed."""

    total = 0.0

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            spent = time.perf_counter() - began
            self.total += spent
            if (limit := os.environ.get("SLOW")) and spent * 1000 > float(limit):
                print(f"  {spent * 1000:.0f} ms: {sql[:600]} {params}")


if __name__ == "__main__":
    main()
