"""What a plan allows, and the end of a shop, with two real connections at the same moment."""

from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction

from catalog.models import Product
from catalog.product_import import store
from catalog.shopify import Reading, ReadProduct
from chat.imports import accept_pages
from tenants import closing
from tenants.admin.domains import NewDomainForm
from tenants.erasing import machine, person
from tenants.models import ClosedShop, Domain, Erasure, Membership, Plan, Tenant
from tenants.plans import PlanLimitError, use_of
from tests.plugins.shops import make_product, make_shop
from tests.postgres.test_races import at_once

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgres,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="needs PostgreSQL: python -m tests.postgres"),
]


def shop_with(**limits: int) -> Tenant:
    shop = make_shop("acme")
    Tenant.objects.filter(pk=shop.pk).update(plan=Plan.objects.create(name="Small", **limits))
    return shop


def refused(results: list[Any]) -> int:
    assert all(not isinstance(one, Exception) or isinstance(one, PlanLimitError) for one in results), results
    return sum(isinstance(one, PlanLimitError) for one in results)


def test_saves_at_once_never_exceed_a_plan() -> None:
    shop = shop_with(products=3)
    results = at_once(*(partial(make_product, shop, f"Cup {number}") for number in range(8)))
    assert refused(results) == 5
    assert use_of(shop.pk, "products").used == 3


def test_a_save_and_an_import_at_once_never_exceed_a_plan() -> None:
    shop = shop_with(products=5)
    rows = [ReadProduct(line, f"cup-{line}", {"title": f"Cup {line}", "price": 5}) for line in range(2, 7)]
    acts = [partial(store, shop, Reading(products=rows)), *(partial(make_product, shop, f"Pot {n}") for n in range(3))]
    outcome, *saves = at_once(*acts)
    assert use_of(shop.pk, "products").used == 5
    assert outcome.created + len(outcome.skipped) == 5
    assert refused(saves) + len(outcome.skipped) == 3


def test_imports_of_pages_at_once_take_all_or_none() -> None:
    shop = shop_with(knowledge=3)
    acts = [partial(accept_pages, shop, [f"https://tea.example/{n}/{m}" for m in range(2)], "never") for n in range(3)]
    assert refused(at_once(*acts)) == 2
    assert use_of(shop.pk, "knowledge").used == 2


def test_the_forms_own_look_holds_until_it_is_saved() -> None:
    """As the admin does it: validated and saved in one transaction."""
    shop = shop_with(domains=1)

    def add(host: str) -> bool:
        with transaction.atomic():
            form = NewDomainForm({"host": host, "primary_when_live": "on"}, instance=Domain(tenant=shop))
            form.shop = shop
            del form.fields["tenant"]
            if not form.is_valid():
                return False
            form.save()
            return True

    results = at_once(*(partial(add, f"tea-{number}.de") for number in range(4)))
    assert sorted(results) == [False, False, False, True]
    assert use_of(shop.pk, "domains").used == 1


def test_of_two_workers_one_begins_an_erasure_and_one_takes_it() -> None:
    shop = make_shop("acme")
    closing.begin(shop)
    ClosedShop.objects.update(erase_at="2000-01-01T00:00Z")
    assert sorted(at_once(*[closing.run_due] * 3)) == [0, 0, 1]
    assert Erasure.objects.count() == 1
    assert sum(one is not None for one in at_once(*[machine.claim] * 3)) == 1


def test_restoring_and_ending_at_once_leaves_a_shop_or_an_erasure_never_both() -> None:
    shop = make_shop("acme")
    closing.begin(shop)
    ClosedShop.objects.update(erase_at="2000-01-01T00:00Z")
    at_once(partial(closing.restore, shop), closing.run_due)
    active = Tenant.objects.get(pk=shop.pk).status == "active"
    assert active != Erasure.objects.exists()
    assert active != ClosedShop.objects.exists()


def test_two_last_owners_who_are_erased_at_once_do_not_leave_a_shop_alone() -> None:
    shop = make_shop("acme")
    second = User.objects.create_user("second@acme.example", "second@acme.example", is_staff=True)
    Membership.objects.create(user=second, tenant=shop, role="owner")
    erasures = [person.begin(address) for address in ("owner@acme.example", "second@acme.example")]
    at_once(*(partial(machine.advance, erasure) for erasure in erasures))
    assert Membership.objects.filter(tenant=shop, role="owner").count() == 1
    assert Erasure.objects.filter(finished_at=None).count() == 1
    assert Product.objects.count() == 0
