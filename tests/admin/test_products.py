from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from catalog.forms import minor_units
from catalog.models import Product

Read = Callable[[Any], dict[str, Any]]
ADD = "/admin/catalog/product/add/"


@pytest.mark.parametrize(
    ("text", "currency", "amount"),
    [
        ("12.50", "EUR", 1250), ("12,50", "EUR", 1250), ("12", "EUR", 1200), ("12.5", "EUR", 1250), ("0", "EUR", 0),
        ("1.234,50", "EUR", 123450), ("1,234.50", "USD", 123450), ("1 234,50", "EUR", 123450),
        ("1’234.50", "CHF", 123450), ("1.234.567,8", "EUR", 123456780), ("0.29", "EUR", 29), ("1.15", "EUR", 115),
        ("1250", "JPY", 1250), ("12.345", "KWD", 12345), ("1", "KWD", 1000),
        ("4503599627370.97", "EUR", 450359962737097),
    ],
)  # fmt: skip
def test_prices_are_read_exactly(text: str, currency: str, amount: int) -> None:
    assert minor_units(text, currency) == amount


@pytest.mark.parametrize(
    ("text", "currency"),
    [("12.505", "EUR"), ("1.234", "EUR"), ("12.5", "JPY"), ("1.2345", "KWD"), ("-1", "EUR"), ("1e3", "EUR"),
     ("€12", "EUR"), ("١٢", "EUR"), ("NaN", "EUR"), ("1,23,456.00", "EUR"), (".50", "EUR"), ("9" * 29, "EUR")],
)  # fmt: skip
def test_what_is_no_exact_price_is_refused(text: str, currency: str) -> None:
    with pytest.raises(ValidationError):
        minor_units(text, currency)


def test_a_form_shows_prices_and_tags_as_they_are_typed(acme: Any, owner: Client, form_of: Read) -> None:
    Product.objects.filter(pk=acme.product.pk).update(compare_at_price=1999, tags=["tea", "gift"])
    target = reverse("admin:catalog_product_change", args=[acme.product.pk])
    page = owner.get(target)
    assert 'value="12.50"' in page.content.decode()
    posted = form_of(page)
    assert (posted["price"], posted["compare_at_price"], posted["tags"]) == ("12.50", "19.99", "tea, gift")
    assert owner.post(target, posted | {"price": "13,40", "tags": " tea ,, gift , tea, new  year"}).status_code == 302
    acme.product.refresh_from_db()
    assert (acme.product.price, acme.product.tags) == (1340, ["tea", "gift", "new year"])


def test_the_chosen_shops_currency_counts(acme: Any, staff: Client) -> None:
    acme.tenant.products.all().delete()
    acme.tenant.currency = "JPY"
    acme.tenant.save()
    values = {"tenant": str(acme.tenant.pk), "title": "Mug", "status": "draft", "position": "0"}
    refused = staff.post(ADD, values | {"price": "12.50"})
    assert "no decimals" in str(refused.context["adminform"].form.errors["price"])
    assert staff.post(ADD, values | {"price": "1250"}).status_code == 302
    assert Product.objects.get().price == 1250


def test_a_taken_address_is_refused_at_its_field(acme: Any, owner: Client) -> None:
    values = {"title": "Kettle", "slug": acme.product.slug, "price": "1", "status": "draft", "position": "0"}
    assert "slug" in owner.post(ADD, values).context["adminform"].form.errors


@pytest.mark.parametrize("price", ["", "abc", "99999999999999"])
def test_a_wrong_price_is_an_error_at_the_price(price: str, acme: Any, owner: Client) -> None:
    values = {"title": "Kettle", "price": price, "status": "draft", "position": "0"}
    assert "price" in owner.post(ADD, values).context["adminform"].form.errors


def test_the_list_shows_money_and_searches(acme: Any, owner: Client) -> None:
    Product.objects.create(tenant=acme.tenant, title="Blue cup", price=5, tags=["gift"])
    target = reverse("admin:catalog_product_changelist")
    assert "€12.50" in owner.get(target).content.decode()
    for term in ("blue", "blue-cup", "gift"):
        assert [row.title for row in owner.get(target, {"q": term}).context["cl"].result_list] == ["Blue cup"]


def test_actions_change_the_status_and_mark_documents_stale(acme: Any, owner: Client) -> None:
    acme.tenant.stale_documents.all().delete()
    data = {"action": "archive", "_selected_action": [str(acme.product.pk)]}
    assert owner.post(reverse("admin:catalog_product_changelist"), data).status_code == 302
    acme.product.refresh_from_db()
    assert acme.product.status == "archived"
    assert acme.tenant.stale_documents.filter(key=f"products:{acme.product.pk}").exists()


def test_positions_are_edited_in_the_list(acme: Any, owner: Client) -> None:
    data = {"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "form-0-id": str(acme.product.pk),
            "form-0-position": "7", "_save": "Save"}  # fmt: skip
    assert owner.post(reverse("admin:catalog_product_changelist"), data).status_code == 302
    acme.product.refresh_from_db()
    assert acme.product.position == 7


@pytest.mark.postgres
@pytest.mark.parametrize("words", ["Wärme", "wärme für", "kettle", "KETTLE", "50 %"])
def test_the_list_is_searched_by_title_and_tag_alike_on_every_database(acme: Any, owner: Client, words: str) -> None:
    Product.objects.filter(pk=acme.product.pk).update(tags=["Wärme für drinnen", "50 % Wolle"])
    Product.objects.create(tenant=acme.tenant, title="Mug", price=1, tags=["Warme", "50 Gramm"])
    found = owner.get(reverse("admin:catalog_product_changelist"), {"q": words}).context["cl"].result_list
    assert [product.pk for product in found] == [acme.product.pk]
