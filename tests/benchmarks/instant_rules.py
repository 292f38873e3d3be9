"""`python -m tests.benchmarks.instant_rules`: what permission rules cost a query of the stand-in.

One app, 20 active tenants of 500 products; the products of one tenant are read, by the admin and by a guest.
"""

import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from controlplane.localcloud.instant.cel.evaluation import Algebra, Compilation
from controlplane.localcloud.instant.engine import App, Engine
from controlplane.localcloud.instant.permissions import ADMIN, GUEST, Caller
from controlplane.localcloud.instant.schema import storefront_rules
from tests.plugins.instant import product, tenant

TENANTS, PRODUCTS, ROUNDS = 20, 500, 30


def fill(engine: Engine) -> str:
    """The id of the last tenant."""
    shop = ""
    for number in range(TENANTS):
        shop = str(uuid.UUID(int=number + 1))
        engine.transact(ADMIN, [["create", "tenants", shop, tenant(f"shop-{number}")]])
        for start in range(0, PRODUCTS, 100):
            steps: list[list[Any]] = []
            for n in range(start, start + 100):
                id_ = str(uuid.uuid4())
                steps += [["create", "products", id_, product(shop, n)], ["link", "products", id_, {"tenant": shop}]]
            engine.transact(ADMIN, steps)
    return shop


def milliseconds(run: Callable[[], object], rounds: int = ROUNDS) -> float:
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        run()
        times.append(time.perf_counter() - began)
    return median(times) * 1000


def main() -> None:
    rules = storefront_rules()
    slow = {**rules, "products": {"allow": {"view": "data.ref('tenant.status')[0] == 'active'", "$default": "false"}}}
    with tempfile.TemporaryDirectory() as directory:
        engine = Engine(App(), Path(directory) / "app.sqlite3")
        where = {"tenantId": fill(engine)}
        page = {"products": {"$": {"where": where, "order": {"position": "asc"}, "limit": 50}}}
        rows: list[tuple[str, float]] = []
        for name, who, pushed in (
            ("no rule (admin)", ADMIN, rules),
            ("as a where-clause", GUEST, rules),
            ("entity by entity", GUEST, slow),
        ):
            engine.push_rules(pushed)
            for what, query in (
                (f"{PRODUCTS} products", {"products": {"$": {"where": where}}}),
                ("a page of 50", page),
            ):
                rows.append((f"{what}, {name}", milliseconds(lambda who=who, query=query: engine.query(who, query))))  # type: ignore[misc]
        guest = Caller(user=engine.users.sign_in_guest())
        rows.append(
            ("all carts of a guest, 0 of 0", milliseconds(lambda: engine.query(guest, {"carts": {"items": {}}})))
        )
        engine.close()
    code = Compilation(Algebra(), ("data", "auth")).compile("auth.id != null && data.ownerId == auth.id")
    env = {"data": {"ownerId": "a"}, "auth": {"id": "a"}}
    rows.append(("a rule evaluated 1,000 times", milliseconds(lambda: [code(dict(env)) for _ in range(1000)])))
    sys.stdout.write("".join(f"{name:<48}{ms:8.2f} ms\n" for name, ms in rows))


if __name__ == "__main__":
    main()
