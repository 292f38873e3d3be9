"""What every page of the admin shows: publishing state, escaped texts, few queries, no inline script."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from catalog.models import Product
from chat.models import KnowledgeSource
from controlplane.publishing.models import StaleDocument
from storefront.documents import SECTIONS
from tenants.content import editable_fields, item_type
from tenants.models import Domain, Landing, Revision, Section, Tenant

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
RAW = re.compile(r"<script>alert|<img src=x|\"'><")
LISTS = ("tenants_tenant", "tenants_landing", "tenants_domain", "catalog_product",
         "chat_knowledgesource", "publishing_staledocument")  # fmt: skip


def hostile_content(cls: type) -> dict[str, Any]:
    """Every field that takes any text holds the hostile one, in every item too."""
    content: dict[str, Any] = {}
    for field in editable_fields(cls):
        kind = field.metadata["input"]
        if kind == "items":
            content[field.name] = [hostile_content(item_type(cls, field))]
        elif kind in ("text", "paragraph", "rich"):
            content[field.name] = HOSTILE[: field.metadata["max_length"]]
        elif kind in ("image", "link"):
            content[field.name] = "/x\"'><img/src=x>"
    return content


@pytest.fixture
def hostile(acme: Any) -> Any:
    Tenant.objects.filter(pk=acme.tenant.pk).update(name=HOSTILE)
    Landing.objects.filter(pk=acme.landing.pk).update(seo_title=HOSTILE, seo_description=HOSTILE, seo_image_url=HOSTILE)
    Product.objects.filter(pk=acme.product.pk).update(
        title=HOSTILE, description_html=HOSTILE, image_url=HOSTILE, image_alt=HOSTILE, tags=[HOSTILE], slug=HOSTILE
    )
    KnowledgeSource.objects.filter(pk=acme.knowledge.pk).update(title=HOSTILE, body=HOSTILE, url=HOSTILE)
    Domain.objects.filter(pk=acme.domain.pk).update(host=HOSTILE)
    StaleDocument.objects.update(error=HOSTILE)
    StaleDocument.objects.filter(pk=StaleDocument.objects.order_by("pk")[0].pk).update(key=HOSTILE)
    acme.owner.first_name = HOSTILE
    acme.owner.save()
    for position, (kind, cls) in enumerate(SECTIONS.items(), 1):
        Section.objects.bulk_create(
            [Section(landing=acme.landing, kind=kind, position=position, content=hostile_content(cls))]
        )
    page = Landing.objects.get(pk=acme.landing.pk).page
    Revision.freeze(acme.tenant, page, acme.owner, HOSTILE)
    return acme


@pytest.mark.parametrize("who", ["owner", "viewer", "staff"])
def test_hostile_text_is_text_on_every_page(who: str, hostile: Any, owner: Client, staff: Client, person: Any) -> None:
    client = {"owner": owner, "staff": staff}.get(who) or person("viewer", hostile)
    pages = [reverse("admin:index")]
    for name, obj in hostile.objects.items():
        pages.append(reverse(f"admin:{name}_changelist"))
        views = ("change", "history") if who == "viewer" else ("change", "history", "delete")
        pages += [reverse(f"admin:{name}_{view}", args=[obj.pk]) for view in views]
    pages += [reverse("admin:tenants_landing_revisions", args=[hostile.landing.pk])]
    for against in ("", "?against=draft"):
        pages += [reverse("admin:tenants_landing_revision", args=[hostile.landing.pk, 2]) + against]
    if who == "staff":
        rows = StaleDocument.objects.all()
        pages += [reverse("admin:publishing_staledocument_changelist")]
        pages += [reverse("admin:publishing_staledocument_change", args=[row.pk]) for row in rows]
    seen = 0
    for page in pages:
        answer = client.get(page, follow=True)
        text = answer.content.decode()
        assert not RAW.search(text), page
        seen += "&lt;script&gt;alert(1)" in text
    assert seen > 10


def test_a_saved_hostile_name_is_text_in_messages_and_history(acme: Any, owner: Client, form_of: Any) -> None:
    target = reverse("admin:chat_knowledgesource_change", args=[acme.knowledge.pk])
    posted = form_of(owner.get(target)) | {"title": HOSTILE}
    text = owner.post(target, posted, follow=True).content.decode()
    assert "&lt;script&gt;" in text
    assert not RAW.search(text)
    assert not RAW.search(owner.get(reverse("admin:index")).content.decode())


def test_our_templates_hold_no_inline_script(acme: Any, owner: Client) -> None:
    landing = acme.landing.pk
    for page in (
        reverse("admin:index"),
        reverse("admin:catalog_product_changelist"),
        reverse("admin:catalog_product_change", args=[acme.product.pk]),
        reverse("admin:tenants_landing_change", args=[landing]),
        reverse("admin:tenants_landing_revision", args=[landing, 1]),
    ):
        answer = owner.get(page)
        html = answer.content.decode()
        assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)[^>]*>", html), page
        assert not re.search(r"\son(click|load|change|error)=", html), page
        policy = {directive.strip() for directive in answer["Content-Security-Policy"].split(";")}
        assert {"script-src 'self' 'unsafe-eval'", "frame-ancestors 'none'"} <= policy
        assert answer["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("kind", ["tenants_tenant", "tenants_domain",
                                  "catalog_product", "chat_knowledgesource"])  # fmt: skip
def test_every_form_says_whether_it_is_published(kind: str, acme: Any, owner: Client) -> None:
    target = reverse(f"admin:{kind}_change", args=[acme.objects[kind].pk])
    assert "Publishing…" in owner.get(target).content.decode()
    StaleDocument.objects.update(error="Too large", parked_at="2026-01-01T00:00:00Z")
    assert "Failed: Too large" in owner.get(target).content.decode()
    StaleDocument.objects.all().delete()
    page = owner.get(target).content.decode()
    assert ">Published<" in page
    assert 'href="http://acme.localhost:8787/"' in page
    answer = owner.get(reverse(f"admin:{kind}_publishing", args=[acme.objects[kind].pk])).json()
    assert answer == {"state": "published", "label": "Published"}


@pytest.mark.postgres
def test_the_list_shows_each_objects_own_state(acme: Any, owner: Client) -> None:
    fine = Product.objects.create(tenant=acme.tenant, title="Fine", price=1)
    StaleDocument.objects.exclude(key=f"products:{acme.product.pk}").delete()
    StaleDocument.objects.update(parked_at="2026-01-01T00:00:00Z")
    rows = owner.get(reverse("admin:catalog_product_changelist")).context["cl"].result_list
    assert {row.pk: row.publishing_state for row in rows} == {acme.product.pk: "failed", fine.pk: "published"}


@pytest.mark.postgres
@pytest.mark.parametrize("kind", LISTS)
def test_lists_take_the_same_queries_for_many_rows(kind: str, acme: Any, globex: Any, staff: Client) -> None:
    target = reverse(f"admin:{kind}_changelist")
    staff.get(target)
    with CaptureQueriesContext(
        connection,
    ) as few:
        assert staff.get(target).status_code == 200
    for number in range(12):
        shop = Tenant.objects.create(slug=f"more-{number}", name=f"More {number}")
        page = Landing.objects.create(tenant=shop)
        Section.objects.create(landing=page, kind="faq", content={})
        Product.objects.create(tenant=shop, title="More", price=1)
        KnowledgeSource.objects.create(tenant=shop, title="More", body="More")
    with CaptureQueriesContext(connection) as many:
        assert staff.get(target).status_code == 200
    assert len(many) <= len(few) + 1, [query["sql"] for query in many]
    assert len(many) < 25


def test_the_front_page_leads_a_merchant_to_their_work(acme: Any, owner: Client, staff: Client) -> None:
    page = owner.get(reverse("admin:index")).content.decode()
    for name in ("catalog_product_changelist", "chat_knowledgesource_changelist"):
        assert reverse(f"admin:{name}") in page
    assert reverse("admin:tenants_landing_change", args=[acme.landing.pk]) in page
    assert "View shop" in page
    assert "waiting" in staff.get(reverse("admin:index")).content.decode()
