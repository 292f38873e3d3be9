"""Long lists: pages by the row they begin after, searches and filters of staff, the switch between one's shops."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from catalog.models import Product
from controlplane.publishing import keyset
from controlplane.publishing.models import StaleDocument
from tenants.admin import shop_list
from tenants.admin.shops import TenantAdmin
from tenants.models import Domain, Membership, Tenant
from tests.admin.conftest import make

SHOPS = reverse("admin:tenants_tenant_changelist")
PRODUCTS = reverse("admin:catalog_product_changelist")

pytestmark = pytest.mark.postgres


@pytest.fixture
def many(db: None, monkeypatch: Any) -> list[str]:
    monkeypatch.setattr(TenantAdmin, "list_per_page", 4)
    slugs = [f"shop-{number:02}" for number in range(10)]
    Tenant._base_manager.bulk_create(Tenant(slug=slug, name=slug.title()) for slug in slugs)
    return slugs


def page(client: Client, url: str) -> Any:
    answer = client.get(url)
    assert answer.status_code == 200
    return answer.context["cl"]


def slugs_of(cl: Any) -> list[str]:
    return [row.slug for row in cl.result_list]


def test_next_and_previous_lead_through_every_row_once(many: list[str], staff: Client) -> None:
    cl, seen = page(staff, SHOPS), []
    assert not cl.previous_link
    while True:
        seen.append(slugs_of(cl))
        if not cl.next_link:
            break
        cl = page(staff, SHOPS + cl.next_link)
    assert seen == [many[:4], many[4:8], many[8:]]
    cl = page(staff, SHOPS + cl.previous_link)
    assert slugs_of(cl) == many[4:8]
    cl = page(staff, SHOPS + cl.previous_link)
    assert slugs_of(cl) == many[:4]
    assert not cl.previous_link
    assert 'rel="next"' in staff.get(SHOPS).content.decode()


def test_rows_that_come_and_go_neither_repeat_nor_hide_others(many: list[str], staff: Client) -> None:
    cl = page(staff, SHOPS)
    Tenant._base_manager.create(slug="aaa", name="Before all")
    Tenant._base_manager.filter(slug=many[3]).delete()  # the very row that the next page begins after
    assert slugs_of(page(staff, SHOPS + cl.next_link)) == many[4:8]


@pytest.mark.parametrize("cursor", ["3", "after-", "after-%00", "before-!!!", "after-bnVsbA", "after-WyJhIiwgMV0",
                                    "after-W3siYSI6MX1d", "after-" + "W" * 5000, "before-WyJcdTAwMDAiXQ"])  # fmt: skip
def test_an_address_made_up_shows_the_first_page(cursor: str, many: list[str], staff: Client) -> None:
    assert slugs_of(page(staff, f"{SHOPS}?p={cursor}")) == many[:4]


def test_rows_without_a_value_come_last_and_are_reached(acme: Any) -> None:
    """Ordering by a column that may be empty, up and down, forward and backward."""
    for number in range(9):
        Product.objects.create(tenant=acme.tenant, title=f"P{number}", price=1, stock=[None, 1, 2][number % 3])
    for direction in ("stock", "-stock"):
        keys = keyset.keys_of(Product, [direction, "-pk"])
        forward = Product.objects.order_by(*(key.order(backward=False) for key in keys))
        rows = list(forward)
        assert [row.stock for row in rows][-3:] == [None] * 3
        for at, row in enumerate(rows):
            values = keyset.decoded(keys, keyset.encoded(keys, row))
            assert values is not None
            assert list(forward.filter(keyset.beyond(keys, values, backward=False))) == rows[at + 1 :]
            back = Product.objects.order_by(*(key.order(backward=True) for key in keys))
            assert list(back.filter(keyset.beyond(keys, values, backward=True))) == rows[:at][::-1]
    with pytest.raises(TypeError):
        keyset.keys_of(Product, [(F("price") + 1).asc()])


def test_nothing_is_counted_to_the_end(many: list[str], staff: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr(keyset.counted, "__defaults__", (6,))
    staff.get(SHOPS)  # the first page of a session also notes where it comes from
    with CaptureQueriesContext(connection) as queries:
        html = staff.get(SHOPS).content.decode()
    assert "More than 6 shops" in html
    assert all("LIMIT" in query["sql"] for query in queries if "COUNT(" in query["sql"])
    assert len(queries) <= 9
    assert page(staff, SHOPS).result_count == 4  # no "select all" beyond what is counted


@pytest.mark.parametrize("term", ["acme", "ACM", "acme.tea-shop.de", "https://acme.tea-shop.de/products", "acme.tea",
                                  "owner@acme.example", "Owner@ACME", "Name of Ac"])  # fmt: skip
def test_staff_find_a_shop_by_slug_host_name_and_owner(term: str, acme: Any, globex: Any, staff: Client) -> None:
    User.objects.filter(pk=acme.owner.pk).update(email="Owner@Acme.example")
    Tenant.objects.filter(pk=acme.tenant.pk).update(name="Name of Acme")
    assert slugs_of(page(staff, f"{SHOPS}?q={term}")) == ["acme"]
    found = staff.get(reverse("admin:autocomplete"), {
        "app_label": "catalog", "model_name": "product", "field_name": "tenant", "term": term}).json()  # fmt: skip
    assert [row["id"] for row in found["results"]] == [str(acme.tenant.pk)]


def test_an_editors_e_mail_does_not_find_the_shop_and_the_exact_slug_is_always_found(
    acme: Any, staff: Client, monkeypatch: Any
) -> None:
    editor = User.objects.create_user("ed", "ed@paper.example", is_staff=True)
    Membership.objects.create(user=editor, tenant=acme.tenant, role="editor")
    assert slugs_of(page(staff, f"{SHOPS}?q=ed@paper.example")) == []
    monkeypatch.setattr(shop_list, "MOST_FOUND", 1)
    for number in range(5):
        Tenant._base_manager.create(slug=f"acme-{number}", name="x")
    assert acme.tenant.pk in shop_list.shops_found("acme")


def test_staff_filter_by_status_and_failures(acme: Any, globex: Any, staff: Client) -> None:
    Tenant._base_manager.filter(pk=globex.tenant.pk).update(status="suspended")
    assert slugs_of(page(staff, SHOPS + "?status__exact=suspended")) == ["globex"]
    StaleDocument.objects.filter(tenant=acme.tenant).update(parked_at="2026-01-01T00:00Z")
    cl = page(staff, SHOPS + "?publishing=failed")
    assert slugs_of(cl) == ["acme"]
    states = {row.slug: row.publishing_state for row in page(staff, SHOPS).result_list}
    assert states == {"acme": "failed", "globex": "publishing"}


def test_a_chooser_loads_on_without_a_count(many: list[str], staff: Client) -> None:
    Tenant._base_manager.bulk_create(Tenant(slug=f"more-{n:02}", name="More") for n in range(30))
    wanted = {"app_label": "catalog", "model_name": "product", "field_name": "tenant"}
    with CaptureQueriesContext(connection) as queries:
        first = staff.get(reverse("admin:autocomplete"), wanted).json()
    assert not [query for query in queries if "COUNT(" in query["sql"]]
    second = staff.get(reverse("admin:autocomplete"), wanted | {"page": "2"}).json()
    assert (len(first["results"]), first["pagination"]["more"]) == (20, True)
    assert (len(second["results"]), second["pagination"]["more"]) == (20, False)


@pytest.mark.parametrize("name", ["tenants_tenant", "tenants_domain", "catalog_product", "chat_knowledgesource",
                                  "tenants_landing"])  # fmt: skip
def test_a_page_takes_few_queries(name: str, acme: Any, owner: Client, staff: Client) -> None:
    for client in (owner, staff):
        change = reverse(f"admin:{name}_change", args=[acme.objects[name].pk])
        shown = client.get(reverse(f"admin:{name}_changelist"), follow=True)  # with one shop there may be no list
        for url in (shown.request["PATH_INFO"], change):
            with CaptureQueriesContext(connection) as queries:
                assert client.get(url).status_code == 200
            assert len(queries) <= 22, (url, [query["sql"][:120] for query in queries])


def test_the_stock_filter_shows_what_is_nearly_sold_out(acme: Any, owner: Client) -> None:
    made = {stock: Product.objects.create(tenant=acme.tenant, title=f"S{stock}", price=1, status="active", stock=stock)
            for stock in (0, 5, 6)}  # fmt: skip
    Product.objects.create(tenant=acme.tenant, title="Draft", price=1, stock=1)
    assert set(page(owner, PRODUCTS + "?stock=low").result_list) == {made[0], made[5]}
    assert set(page(owner, PRODUCTS + "?stock=out").result_list) == {made[0]}


# The switch between shops


def test_the_shop_of_the_address_is_remembered_and_stands_in_the_address(acme: Any, globex: Any, person: Any) -> None:
    client = person("editor", acme, globex)
    assert {row.tenant.slug for row in page(client, PRODUCTS).result_list} == {"acme", "globex"}
    assert [row.tenant.slug for row in page(client, PRODUCTS + "?shop=acme").result_list] == ["acme"]
    answer = client.get(PRODUCTS)
    assert parse_qs(urlsplit(answer["Location"]).query) == {"shop": ["acme"]}
    knowledge = client.get(reverse("admin:chat_knowledgesource_changelist") + "?q=ships", follow=True)
    assert knowledge.request["QUERY_STRING"] == "q=ships&shop=acme"
    assert [row.tenant.slug for row in knowledge.context["cl"].result_list] == ["acme"]
    home = client.get(reverse("admin:index"))
    assert [card["tenant"].slug for card in home.context["shop_cards"]] == ["acme"]
    assert home.context["shop_switcher"]["current"] == "Acme"
    assert page(client, PRODUCTS + "?shop=").result_count == 2
    assert client.get(PRODUCTS).status_code == 200


def test_a_remembered_shop_fills_in_the_form_but_never_moves_a_save(
    acme: Any, globex: Any, person: Any, form_of: Any
) -> None:
    client = person("editor", acme, globex)
    add = reverse("admin:catalog_product_add")
    page(client, PRODUCTS + "?shop=acme")
    form = client.get(add)
    assert form.context["adminform"].form.initial["tenant"] == acme.tenant.pk
    posted = form_of(form) | {"title": "Mine", "price": "1.00", "tenant": str(globex.tenant.pk)}
    client.post(add, posted)
    assert Product.objects.get(title="Mine").tenant == globex.tenant
    target = reverse("admin:catalog_product_change", args=[globex.product.pk])
    client.post(target, form_of(client.get(target)) | {"title": "Renamed"})
    globex.product.refresh_from_db()
    assert (globex.product.title, globex.product.tenant) == ("Renamed", globex.tenant)


def test_a_shop_that_is_not_theirs_is_not_remembered_and_one_that_was_is_forgotten(
    acme: Any, globex: Any, person: Any
) -> None:
    other = make("third")
    client = person("editor", acme, other)
    assert not page(client, PRODUCTS + "?shop=globex").result_list
    assert "globex" not in str(dict(client.session))
    page(client, PRODUCTS + "?shop=acme")
    Tenant._base_manager.filter(pk=acme.tenant.pk).update(slug="renamed")
    assert page(client, PRODUCTS).result_count == 2
    assert "shop" not in client.session


def test_staff_and_people_of_one_shop_have_no_switch(acme: Any, owner: Client, staff: Client) -> None:
    for client in (owner, staff):
        assert "shop_switcher" not in client.get(reverse("admin:index")).context
        page(client, PRODUCTS + "?shop=acme")
        assert client.get(PRODUCTS).status_code == 200


def test_hosts_are_found_as_they_are_stored(acme: Any) -> None:
    Domain.objects.filter(pk=acme.domain.pk).update(host="xn--mnchen-3ya.de")
    assert shop_list.shops_found("münchen.de") == {acme.tenant.pk}
