"""Plans: told of from 80 %, refused at the limit by every way in, never taking anything away."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import ProtectedError
from django.test import Client
from django.urls import reverse

from catalog.models import Product
from catalog.product_import import store
from catalog.shopify import Reading, ReadProduct
from chat.models import ChatProfile, KnowledgeSource
from controlplane.publishing.models import StaleDocument
from tenants.documents import record_of
from tenants.models import Domain, Plan, Tenant
from tenants.plans import PlanLimitError, make_room, use_of
from tests.plugins.shops import make_knowledge, make_product, make_shop

pytestmark = pytest.mark.django_db


def limit(tenant: Tenant, **limits: int | None) -> Plan:
    plan = Plan.objects.create(name=f"Plan of {tenant.slug}", **limits)
    Tenant.objects.filter(pk=tenant.pk).update(plan=plan)
    tenant.refresh_from_db()
    return plan


def url(name: str, *args: Any) -> str:
    return reverse(f"admin:{name}", args=args)


def texts(response: Any) -> str:
    return " ".join(str(message) for message in response.context["messages"]) if response.context else ""


def test_a_new_shop_has_the_default_plan_and_a_plan_with_shops_can_not_be_deleted() -> None:
    shop = make_shop("acme")
    assert shop.plan == Plan.objects.get(is_default=True)
    other = Plan.objects.create(name="Large", is_default=True)
    assert [plan.name for plan in Plan.objects.filter(is_default=True)] == ["Large"]
    assert make_shop("globex").plan == other
    with pytest.raises(ProtectedError):
        shop.plan.delete()


def test_the_add_form_of_products_refuses_at_the_limit_and_warns_before(owner: Client, acme: Any) -> None:
    limit(acme.tenant, products=3)
    form = {"title": "Second", "price": "5", "status": "active", "position": "0"}
    page = owner.post(url("catalog_product_add"), form, follow=True)
    assert "of your plan’s" not in texts(page)  # 2 of 3
    page = owner.post(url("catalog_product_add"), {**form, "title": "Third"}, follow=True)
    assert "Your plan’s 3 products are used" in texts(page)
    page = owner.post(url("catalog_product_add"), {**form, "title": "Fourth"})
    assert page.status_code == 200
    assert "Your plan includes 3 products, and the shop has 3." in page.content.decode()
    assert Product.objects.filter(tenant=acme.tenant).count() == 3


def test_every_model_refuses_by_itself_whoever_creates_it(acme: Any) -> None:
    limit(acme.tenant, domains=1, products=1, knowledge=1)
    with pytest.raises(PlanLimitError):
        make_product(acme.tenant, "One too many")
    with pytest.raises(PlanLimitError):
        make_knowledge(acme.tenant, "One too many?")
    with pytest.raises(PlanLimitError):
        Domain.objects.create(tenant=acme.tenant, host="one-too-many.de")
    acme.product.title = "Renamed"
    acme.product.save()  # what is there can be worked on
    acme.tenant.slug = "acme-2"
    acme.tenant.save()  # a former address on the platform is no domain of the merchant's


def test_domains_are_refused_and_a_twin_without_room_is_left_out(owner: Client, acme: Any) -> None:
    limit(acme.tenant, domains=2)
    page = owner.post(url("tenants_domain_add"), {"host": "tea-and-more.de", "with_twin": "on"}, follow=True)
    assert "www.tea-and-more.de was not added" in texts(page)
    assert use_of(acme.tenant.pk, "domains").used == 2
    page = owner.post(url("tenants_domain_add"), {"host": "another.de"})
    assert "Your plan includes 2 own domains" in page.content.decode()
    Domain.objects.get(host="tea-and-more.de").remove()
    assert use_of(acme.tenant.pk, "domains").used == 1


def test_an_upload_takes_the_files_that_fit_and_names_the_others(owner: Client, acme: Any) -> None:
    limit(acme.tenant, knowledge=2)
    files = [SimpleUploadedFile(f"{name}.txt", b"Words.") for name in ("one", "two")]
    page = owner.post(url("chat_knowledgesource_upload"), {"documents": files}, follow=True)
    assert "two.txt was not taken: Your plan includes 2 knowledge entries" in texts(page)
    again = SimpleUploadedFile("one.txt", b"Newer words.")
    page = owner.post(url("chat_knowledgesource_upload"), {"documents": [again]}, follow=True)
    assert "not taken" not in texts(page)  # it replaces one that is there
    assert KnowledgeSource.objects.filter(tenant=acme.tenant).count() == 2


def test_pages_are_taken_all_or_none(owner: Client, acme: Any) -> None:
    limit(acme.tenant, knowledge=2)
    form = {"urls": "https://tea.example/a\nhttps://tea.example/b", "refresh": "never"}
    page = owner.post(url("chat_knowledgesource_pages"), form)
    assert "There is room for 1 more, not for 2." in page.content.decode()
    assert KnowledgeSource.objects.filter(tenant=acme.tenant).count() == 1


def test_an_answer_from_the_inbox_is_refused_with_the_question_still_open(owner: Client, acme: Any) -> None:
    limit(acme.tenant, knowledge=1)
    form = {"title": "Kayaks?", "body": "No.", "url": "", "_publish": "1"}
    page = owner.post(url("chat_questiongroup_answer", acme.group.pk), form)
    assert "Your plan includes 1 knowledge entry" in page.content.decode()
    acme.group.refresh_from_db()
    assert acme.group.state == "open"


def test_an_import_takes_what_fits_and_reports_each_line_of_the_rest(acme: Any) -> None:
    limit(acme.tenant, products=3)
    rows = [ReadProduct(line, f"cup-{line}", {"title": f"Cup {line}", "price": 5}) for line in range(2, 6)]
    rows.append(ReadProduct(6, acme.product.slug, {"title": "Renamed", "price": 7}))
    outcome = store(acme.tenant, Reading(products=rows))
    assert (outcome.created, outcome.updated) == (2, 1)
    assert [(remark.line, remark.value) for remark in outcome.skipped] == [(4, "cup-4"), (5, "cup-5")]
    assert all("plan includes no more products" in remark.reason for remark in outcome.skipped)
    assert use_of(acme.tenant.pk, "products").used == 3


def test_a_lower_plan_takes_nothing_away(owner: Client, acme: Any) -> None:
    for number in range(4):
        make_product(acme.tenant, f"Cup {number}")
    limit(acme.tenant, products=2)
    assert Product.objects.filter(tenant=acme.tenant).count() == 5
    assert use_of(acme.tenant.pk, "products").percent == 100
    with pytest.raises(ValidationError, match="includes 2 products, and the shop has 5"):
        make_room(acme.tenant.pk, "products")


def test_the_plan_caps_the_chats_budget_and_a_change_of_it_is_published(acme: Any) -> None:
    plan = limit(acme.tenant, daily_messages=100)
    ChatProfile.objects.filter(pk=acme.tenant.pk).update(daily_messages=400, daily_tokens=7)
    tenant = Tenant.objects.get(pk=acme.tenant.pk)
    assert (record_of(tenant).config.chat.daily_messages, record_of(tenant).config.chat.daily_tokens) == (100, 7)
    StaleDocument.objects.all().delete()
    plan.daily_messages = 50
    plan.save()
    assert StaleDocument.objects.filter(key="domain:acme.localhost").exists()
    assert record_of(Tenant.objects.get(pk=tenant.pk)).config.chat.daily_messages == 50


def test_merchants_see_their_plan_and_only_administrators_change_it(
    owner: Client, staff: Client, acme: Any, form_of: Any
) -> None:
    large = limit(acme.tenant, products=1)
    page = owner.get(url("tenants_tenant_change", acme.tenant.pk))
    assert "Plan and usage" in page.content.decode()
    assert "Your plan’s 1 product is used" in page.content.decode()
    assert "plan" not in page.context["adminform"].form.fields
    other = Plan.objects.create(name="Other")
    owner.post(url("tenants_tenant_change", acme.tenant.pk), {**form_of(page), "plan": other.pk})
    assert Tenant.objects.get(pk=acme.tenant.pk).plan == large
    page = staff.get(url("tenants_tenant_change", acme.tenant.pk))
    staff.post(url("tenants_tenant_change", acme.tenant.pk), {**form_of(page), "plan": other.pk})
    assert Tenant.objects.get(pk=acme.tenant.pk).plan == other
    assert owner.get(url("tenants_plan_changelist")).status_code == 403
    assert staff.get(url("tenants_plan_changelist")).status_code == 200


def test_the_front_page_tells_of_a_plan_that_is_nearly_used(owner: Client, acme: Any) -> None:
    limit(acme.tenant, products=5, knowledge=1)
    for number in range(3):
        make_product(acme.tenant, f"Cup {number}")
    page = owner.get(url("index")).content.decode()
    assert "4 of your plan’s 5 products are used." in page
    assert "Your plan’s 1 knowledge entry is used" in page


def test_an_unlimited_plan_refuses_nothing(acme: Any) -> None:
    limit(acme.tenant)
    make_product(acme.tenant, "Another")
    assert use_of(acme.tenant.pk, "products").state == "fine"
    assert User.objects.count()
