"""What only two real connections can show: claims, leases, edits and unique addresses under way at the same time."""

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from catalog.models import Product
from controlplane.publishing import delivery
from controlplane.publishing.models import StaleDocument
from tenants.models import Domain, Landing, Membership, Tenant
from tenants.signup.opening import open_shop_for
from tenants.signup.starters import starters
from tests.plugins.shops import make_product, make_shop
from tests.publishing import memory_store

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgres,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="needs PostgreSQL: python -m tests.postgres"),
]

PATIENCE = 20
"""Seconds after which a test that waits for another thread gives up; none should ever wait that long."""


@pytest.fixture(autouse=True)
def store(settings: Any) -> Any:
    settings.PUBLISHING_DESTINATIONS = dict.fromkeys(("kv", "instant", "turso"), memory_store.__name__)
    memory_store.reset()
    yield
    memory_store.reset()


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Runs each act in a thread with a connection of its own, begun together; their results, or what they raised."""
    results: list[Any] = [None] * len(acts)
    gate = threading.Barrier(len(acts), timeout=PATIENCE)

    def run(number: int) -> None:
        try:
            connection.ensure_connection()
            gate.wait()
            results[number] = acts[number]()
        except Exception as error:
            results[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,), daemon=True) for number in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive(), "a connection waits for ever"
    return results


def fall_due() -> None:
    StaleDocument.objects.update(due_at=timezone.now())


def rows_of(shop: Tenant, count: int) -> None:
    StaleDocument.objects.all().delete()
    StaleDocument.objects.bulk_create(
        StaleDocument(tenant=shop, destination="kv", key=f"domain:{number}.example") for number in range(count)
    )


def test_every_migration_has_been_applied_to_an_empty_postgresql() -> None:
    assert connection.vendor == "postgresql"
    executor = MigrationExecutor(connection)
    assert executor.migration_plan(executor.loader.graph.leaf_nodes()) == []


def test_workers_that_claim_at_the_same_moment_never_share_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "BATCH", 7)
    rows_of(make_shop("acme"), 400)

    def claim_all() -> list[int]:
        taken: list[int] = []
        while rows := delivery.claim("kv"):
            taken += [row.pk for row in rows]
        return taken

    claimed = at_once(*[claim_all] * 4)
    taken = [pk for one in claimed for pk in one]
    assert len(taken) == len(set(taken))
    assert StaleDocument.objects.due("kv").count() == 400 - len(taken)
    assert claim_all() or len(taken) == 400  # what all four skipped because another held it is there for the next


def test_a_claim_does_not_wait_for_a_save_under_way() -> None:
    shop = make_shop("acme")
    other = make_shop("globex")
    with transaction.atomic():
        other.name = "Globex 2"
        other.save()
        [keys] = at_once(lambda: {row.key for row in delivery.claim("kv")})
        assert keys == {"domain:acme.localhost"}
    assert {row.key for row in delivery.claim("kv")} == {"domain:globex.localhost"}
    assert shop.pk


def test_an_edit_that_commits_while_its_delivery_settles_stays_due() -> None:
    shop = make_shop("acme")
    rows = delivery.claim("kv")
    marked, settled = threading.Event(), threading.Event()

    def edit() -> None:
        with transaction.atomic():
            shop.name = "Newer"
            shop.save()
            marked.set()
            settled.wait(1)  # settling may have to wait for us: then this runs out

    def settle() -> None:
        assert marked.wait(PATIENCE)
        delivery.settle(rows, {})
        settled.set()

    assert at_once(edit, settle) == [None, None]
    assert [row.key for row in StaleDocument.objects.due("kv")] == ["domain:acme.localhost"]


def test_an_uncommitted_change_is_neither_due_nor_published() -> None:
    shop = make_shop("acme")
    delivery.deliver_all("kv")
    with transaction.atomic():
        shop.name = "Newer"
        shop.save()
        assert at_once(lambda: delivery.deliver_all("kv")) == [0]
        transaction.set_rollback(True)
    assert not StaleDocument.objects.filter(destination="kv").exists()
    assert "Newer" not in str(memory_store.documents)


def test_two_first_edits_of_one_document_make_one_row() -> None:
    shop = make_shop("acme")
    first, second = make_product(shop, "One"), make_product(shop, "Two")
    StaleDocument.objects.all().delete()

    def reprice(product: Product, price: int) -> None:
        product.price = price
        product.save()

    assert at_once(lambda: reprice(first, 1), lambda: reprice(second, 2)) == [None, None]
    assert StaleDocument.objects.filter(destination="kv").count() == 1
    assert StaleDocument.objects.count() == 5


def test_edits_of_the_same_products_in_opposite_order_never_deadlock() -> None:
    """As when two people save the product list's positions, or one of them while a file is imported."""
    shop = make_shop("acme")
    products = [make_product(shop, f"Product {number}") for number in range(12)]

    def save_all(ids: list[Any]) -> None:
        for round_ in range(8):
            with transaction.atomic():
                for product in [Product.objects.get(pk=pk) for pk in ids]:
                    product.position += round_ + 1
                    product.save()

    def update_all() -> None:
        for round_ in range(8):
            Product.objects.filter(tenant=shop).update(stock=round_)

    def deliver() -> None:
        for _ in range(30):
            for name in ("kv", "instant", "turso"):
                delivery.deliver_all(name)

    ids = [product.pk for product in products]
    acts = [lambda: save_all(ids), lambda: save_all(ids[::-1]), update_all, deliver, deliver]
    assert at_once(*acts) == [None] * len(acts)
    deliver()
    fall_due()
    deliver()
    assert not StaleDocument.objects.exists()


def test_an_edit_sees_the_one_it_waited_for() -> None:
    """What counts as changed is compared with the committed row, not with what was there before waiting."""
    product = make_product(make_shop("acme"), "Kettle", price=1)
    StaleDocument.objects.all().delete()
    stale_copy = Product.objects.get(pk=product.pk)  # read when the price was 1
    Product.objects.filter(pk=product.pk).update(price=2)
    StaleDocument.objects.all().delete()
    stale_copy.save()  # back to 1: nothing differs from what was read, but from what is stored
    assert StaleDocument.objects.filter(destination="instant").exists()


@pytest.mark.parametrize("table", ["tenant", "host", "product", "membership"])
def test_of_two_who_take_the_same_address_one_is_told(table: str) -> None:
    shop, other = make_shop("acme"), make_shop("globex")
    owner = other.memberships.get().user
    takes: dict[str, Callable[[], Any]] = {
        "tenant": lambda: Tenant.objects.create(slug="taken", name="Taken"),
        "host": lambda: Domain.objects.create(tenant=shop, host="taken.example"),
        "product": lambda: make_product(shop, "Kettle", slug="taken"),
        "membership": lambda: shop.memberships.create(user=owner),
    }
    results = at_once(takes[table], takes[table])
    assert sorted(isinstance(result, IntegrityError) for result in results) == [False, True], results


def test_two_new_products_of_one_title_get_two_addresses() -> None:
    shop = make_shop("acme")
    at_once(lambda: make_product(shop, "Kettle"), lambda: make_product(shop, "Kettle"))
    assert set(shop.products.values_list("slug", flat=True)) == {"kettle", "kettle-2"}


def test_of_two_sign_ups_for_one_name_one_opens_a_shop_and_the_other_wrote_nothing() -> None:
    people = [User.objects.create_user(f"person{number}@tea.example") for number in range(2)]
    food = starters()["food"]
    results = at_once(*(partial(open_shop_for, one, name="Tea", slug="tea-house", starter=food) for one in people))
    (loser,) = [number for number in range(2) if not isinstance(results[number], Tenant)]
    assert isinstance(results[loser], ValidationError), results[loser]
    assert results[loser].message_dict == {"slug": ["This name is taken. Choose another one."]}
    assert Tenant.objects.count() == Domain.objects.count() == Landing.objects.count() == 1
    assert Membership.objects.get().user == people[1 - loser]
    people[loser].refresh_from_db()
    assert not people[loser].is_staff
