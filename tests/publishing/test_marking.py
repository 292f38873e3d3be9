"""What each kind of write marks stale, in the same transaction, by every way Django can write."""

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction

from catalog.models import FormerSlug, Product
from chat.models import ChatProfile, EmbeddingState, KnowledgeSource
from controlplane.publishing.models import StaleDocument
from tenants.models import Domain, Landing, Plan, Section, ShareLink, Tenant
from tests.plugins.shops import make_knowledge, make_product

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]

HOME = "domain:acme.localhost"


def stale() -> set[str]:
    return set(StaleDocument.objects.values_list("key", flat=True))


@pytest.fixture
def product(shop: Tenant) -> Product:
    product = make_product(shop)
    StaleDocument.objects.all().delete()
    return product


def documents_of(product: Product) -> set[str]:
    return {f"products:{product.pk}", f"product:{product.pk}", HOME}


def test_a_saved_product_marks_its_entity_its_chunks_and_the_pages(product: Product) -> None:
    product.price = 1
    product.save()
    assert stale() == documents_of(product)


def test_a_save_without_a_change_marks_nothing(product: Product) -> None:
    Product.objects.get(pk=product.pk).save()
    assert stale() == set()


def test_update_marks_what_it_changed(product: Product) -> None:
    Product.objects.filter(pk=product.pk).update(price=1)
    assert stale() == documents_of(product)


def test_update_marks_rows_that_leave_its_own_filter(product: Product) -> None:
    Product.objects.filter(status="active").update(status="draft")
    assert stale() == documents_of(product)


def test_bulk_update_marks_what_it_changed(product: Product) -> None:
    product.title = "Pot"
    Product.objects.bulk_update([product], ["title"])
    assert stale() == documents_of(product)


def test_bulk_create_marks_the_new_rows(shop: Tenant) -> None:
    StaleDocument.objects.all().delete()
    [product] = Product.objects.bulk_create([Product(tenant=shop, title="Cup", slug="cup", price=5)])
    assert stale() == documents_of(product)


def test_delete_marks_what_is_gone(product: Product) -> None:
    expected = documents_of(product)
    product.delete()
    assert stale() == expected


def test_queryset_delete_marks_what_is_gone(product: Product) -> None:
    expected = documents_of(product)
    Product.objects.all().delete()
    assert stale() == expected


def test_a_change_through_a_related_manager_marks(shop: Tenant, product: Product) -> None:
    shop.products.update(stock=0)
    assert stale() == documents_of(product)


def test_a_rolled_back_change_marks_nothing(product: Product) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        product.price = 1
        product.save()
        raise RuntimeError
    assert stale() == set()


def test_a_renamed_host_marks_the_old_key_and_the_new_one(shop: Tenant) -> None:
    StaleDocument.objects.all().delete()
    shop.slug = "zenith"
    shop.save()
    assert {HOME, "domain:zenith.localhost"} <= stale()


def test_a_host_marks_its_siblings_because_it_may_be_their_canonical_host(shop: Tenant) -> None:
    StaleDocument.objects.all().delete()
    Domain.objects.create(tenant=shop, host="acme.example")
    assert stale() == {HOME, "domain:acme.example"}


def test_a_suspended_shop_marks_everything_it_has(shop: Tenant, product: Product) -> None:
    source = make_knowledge(shop)
    StaleDocument.objects.all().delete()
    Tenant.objects.filter(pk=shop.pk).update(status="suspended")
    assert stale() == documents_of(product) | {f"knowledge:{source.pk}", f"tenants:{shop.pk}"}


def test_a_new_name_marks_pages_and_entity_but_no_product(shop: Tenant, product: Product) -> None:
    shop.name = "Zenith"
    shop.save()
    assert stale() == {HOME, f"tenants:{shop.pk}"}


def test_a_deleted_shop_marks_everything_it_had_and_the_rows_survive_it(shop: Tenant, product: Product) -> None:
    expected = documents_of(product) | {f"tenants:{shop.pk}"}
    shop.delete()
    assert stale() == expected


def test_knowledge_marks_its_chunks_only(shop: Tenant) -> None:
    StaleDocument.objects.all().delete()
    source = make_knowledge(shop)
    assert stale() == {f"knowledge:{source.pk}"}


def test_an_edit_of_the_draft_marks_nothing_and_publishing_marks_the_pages(shop: Tenant) -> None:
    for change in (
        lambda: Landing.objects.filter(tenant=shop).update(seo_title="New"),
        lambda: Section.objects.create(landing=shop.landing, kind="hero", content={"heading": "Hi"}),
        lambda: Section.objects.filter(landing=shop.landing).delete(),
    ):
        StaleDocument.objects.all().delete()
        change()
        assert stale() == set()
    Landing.objects.get(tenant=shop).publish(None)
    assert stale() == {HOME}
    StaleDocument.objects.all().delete()
    Landing.objects.get(tenant=shop).unpublish(None)
    assert stale() == {HOME}


def test_a_refused_publish_marks_nothing(shop: Tenant) -> None:
    Section.objects.create(landing=shop.landing, kind="hero", content={"heading": ""})
    StaleDocument.objects.all().delete()
    with pytest.raises(ValidationError, match="Headline"):
        Landing.objects.get(tenant=shop).publish(None)
    assert stale() == set()


def test_a_shared_draft_is_marked_by_edits_of_the_draft_and_of_products(shop: Tenant, product: Product) -> None:
    link = ShareLink.objects.create(tenant=shop)
    draft = f"draft:{link.token}"
    assert draft in stale()
    for change in (
        lambda: Landing.objects.filter(tenant=shop).update(seo_title="New"),
        lambda: Section.objects.filter(landing=shop.landing).update(position=7),
        lambda: Product.objects.filter(pk=product.pk).update(price=1),
        link.delete,
    ):
        StaleDocument.objects.all().delete()
        change()
        assert draft in stale()


def test_a_renamed_product_marks_its_former_address(shop: Tenant, product: Product) -> None:
    StaleDocument.objects.all().delete()
    former, product.slug = product.slug, "renamed"
    product.save()
    assert f"redirect:{shop.pk}:/products/{former}" in stale()
    StaleDocument.objects.all().delete()
    Product.objects.filter(pk=product.pk).update(status="draft")
    assert f"redirect:{shop.pk}:/products/{former}" in stale()


def test_every_model_that_shows_up_somewhere_is_publishable() -> None:
    """What a cascade from a shop deletes must be covered by the shop's own documents or show up nowhere."""
    from django.apps import apps

    from controlplane.publishing.models import Publishable

    shown = {
        Tenant, Domain, Plan, Landing, Section, ShareLink, Product, FormerSlug, KnowledgeSource, ChatProfile,
        EmbeddingState,
    }  # fmt: skip
    ours = [model for app in ("tenants", "catalog", "chat") for model in apps.get_app_config(app).get_models()]
    assert {model for model in ours if issubclass(model, Publishable)} == shown
