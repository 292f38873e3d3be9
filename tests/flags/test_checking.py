"""What goes live is checked: refused with a sentence, or published and flagged; merchants see no flag."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from catalog.models import Product
from catalog.product_import import store
from catalog.shopify import Reading, ReadProduct
from chat import imports
from chat.models import KnowledgeSource
from tenants.models import ContentRule, Flag, Landing, Section, Tenant
from tenants.schedules import run_due
from tests.plugins.shops import make_knowledge, make_product, publish

pytestmark = pytest.mark.django_db
Block = Callable[..., ContentRule]


def section(shop: Tenant, **content: Any) -> Section:
    return Section.objects.create(landing=shop.landing, kind="rich_text", content=content)


def flags(shop: Tenant) -> list[tuple[str, str]]:
    return list(Flag.objects.filter(tenant=shop).order_by("path").values_list("kind", "path"))


def test_a_refused_word_keeps_the_page_from_going_live_and_is_named_with_its_field(shop: Tenant, block: Block) -> None:
    block("viagra", refuse=True)
    publish(shop)
    row = section(shop, heading="Our V1agra", body_html="<p>Fine</p>")
    with pytest.raises(ValidationError) as refused:
        publish(shop)
    assert refused.value.messages == [
        "Heading: the word “V1agra” is not allowed on this platform. Remove it and try again."
    ]
    assert flags(shop) == []
    row.content = {"heading": "Our tea", "body_html": "<p>Fine</p>"}
    row.save()
    publish(shop)
    assert Landing.objects.get(tenant=shop).state == "live"


def test_the_preview_tells_the_merchant_while_they_type(shop: Tenant, block: Block) -> None:
    block("viagra", refuse=True)
    row = section(shop, heading="Viagra")
    client = Client()
    client.force_login(User.objects.get(memberships__tenant=shop))
    sent = json.dumps({"page": shop.landing.page.to_json(), "version": 0})
    url = reverse("admin:tenants_landing_preview", args=[shop.landing.pk])
    problems = client.post(url, sent, content_type="application/json").json()["problems"]
    assert "viagra" in problems[f"sections.{row.pk}.heading"].lower()


def test_a_hidden_section_is_not_looked_at(shop: Tenant, block: Block) -> None:
    block("viagra", refuse=True)
    Section.objects.create(landing=shop.landing, kind="rich_text", content={"heading": "Viagra"}, hidden=True)
    publish(shop)


def test_a_flagged_word_goes_live_and_opens_one_flag(shop: Tenant, other_shop: Tenant, block: Block) -> None:
    block("casino")
    row = section(shop, heading="Casino nights", body_html="<p>Casino <strong>casino</strong></p>")
    publish(shop)
    publish(other_shop)
    flag, other = Flag.objects.filter(tenant=shop).order_by("path")
    assert (flag.kind, flag.source, flag.status, flag.count) == ("word", "rule", "open", 1)
    assert (flag.subject, flag.subject_id) == ("section", str(row.pk))
    assert flag.path.endswith("› Heading") or flag.path.endswith("› Text")
    assert "asino" in flag.excerpt
    assert other.path != flag.path
    assert flags(other_shop) == []
    assert list(Tenant.objects.flagged()) == [shop]


def test_every_place_on_the_page_is_read(shop: Tenant, block: Block) -> None:
    block("casino")
    page = shop.landing
    page.seo_title, page.navigation = "Casino", [{"label": "Casino", "url": "/x"}]
    page.save()
    faq = {"heading": "x", "items": [{"question": "Casino?", "answer": "Yes"}]}
    Section.objects.create(landing=page, kind="faq", content=faq)
    button = {"heading": "x", "button_label": "Go", "button_url": "https://203.0.113.9/x"}
    Section.objects.create(landing=page, kind="call_to_action", content=button)
    publish(shop)
    assert {kind for kind, _ in flags(shop)} == {"word", "link"}
    assert len(flags(shop)) == 4
    assert any("Question" in path for _, path in flags(shop))


def test_publishing_again_adds_no_flag_and_brings_back_what_was_resolved_only(
    shop: Tenant, block: Block, admin_user: User
) -> None:
    block("casino")
    row = section(shop, heading="Casino", body_html="<p>zero</p>")

    def again(text: str) -> Flag:
        row.content = {"heading": "Casino", "body_html": text}
        row.save()
        publish(shop)
        return Flag.objects.get(tenant=shop)

    publish(shop)
    flag = again("<p>one</p>")
    assert flag.status == "open"
    flag.dismiss(admin_user, "A board game")
    assert again("<p>two</p>").status == "dismissed"
    row.content = {"heading": "Casino, real money", "body_html": "<p>two</p>"}
    row.save()
    publish(shop)
    flag.refresh_from_db()
    assert flag.status == "open"  # other words around it
    flag.resolve(admin_user, "Removed")
    flag = again("<p>three</p>")
    assert (flag.status, flag.assignee) == ("open", None)
    assert flag.notes.last().text == "Opened again: it was published again."


def test_a_scheduled_publish_is_refused_and_says_why(shop: Tenant, block: Block) -> None:
    block("viagra", refuse=True)
    section(shop, heading="Viagra")
    Landing.objects.filter(tenant=shop).update(publish_at=timezone.now() - timedelta(seconds=1))
    run_due()
    landing = Landing.objects.get(tenant=shop)
    assert "“Viagra” is not allowed" in landing.schedule_problem
    assert landing.state != "live"


def test_script_that_a_browser_sent_is_stripped_and_flagged(shop: Tenant) -> None:
    landing, client = shop.landing, Client()
    client.force_login(User.objects.get(memberships__tenant=shop))
    page = landing.page.to_json()
    evil = '<p>Hi<img src=x onerror="alert(1)"></p><script>alert(2)</script>'
    page["sections"] = [{"kind": "rich_text", "heading": "<script>as text</script>", "body_html": evil}]
    for _ in range(2):
        version = Landing.objects.get(pk=landing.pk).draft_version
        sent = json.dumps({"page": page, "version": version})
        url = reverse("admin:tenants_landing_draft", args=[landing.pk])
        assert client.post(url, sent, content_type="application/json").status_code == 200
    assert "script" not in Section.objects.get(landing=landing).content["body_html"]
    assert next(kind for kind, _ in flags(shop)) == "script"


# --- products ---


def test_a_product_is_refused_when_it_is_to_go_live(shop: Tenant, block: Block) -> None:
    block("viagra", refuse=True)
    product = Product(tenant=shop, title="Viagra", price=1, status="draft")
    product.full_clean()
    product.status = "active"
    with pytest.raises(ValidationError, match="Title: the word “Viagra” is not allowed"):
        product.full_clean()


def test_a_live_product_is_flagged_and_a_draft_is_not(shop: Tenant, block: Block) -> None:
    block("casino")
    block("bad.example", kind="host")
    product = make_product(shop, "Casino chips", status="draft", description_html='<a href="https://bad.example">x</a>')
    assert flags(shop) == []
    product.status = "active"
    product.save()
    assert flags(shop) == [
        ("link", "Product “Casino chips” › Description"), ("word", "Product “Casino chips” › Title"),
    ]  # fmt: skip


def test_script_in_a_description_is_stripped_and_flagged_even_in_a_draft(shop: Tenant) -> None:
    product = make_product(shop, status="draft", description_html="<p onclick=x()>Hi</p>")
    assert product.description_html == "<p>Hi</p>"
    assert flags(shop) == [("script", "Product “Kettle” › Description")]


def test_a_save_that_finds_nothing_costs_no_query(shop: Tenant, block: Block, django_assert_num_queries: Any) -> None:
    from tenants.flags import checking

    block("casino")
    product = make_product(shop)
    with django_assert_num_queries(0):
        checking.flag(shop.pk, product.texts)


def test_made_active_in_the_list_products_are_checked_too(shop: Tenant, block: Block) -> None:
    block("viagra", refuse=True)
    block("casino")
    named = {title: make_product(shop, title, status="draft") for title in ("Viagra", "Casino", "Kettle")}
    client = Client()
    client.force_login(User.objects.get(memberships__tenant=shop))
    data = {"action": "make_active", "_selected_action": [str(one.pk) for one in named.values()]}
    page = client.post(reverse("admin:catalog_product_changelist"), data, follow=True).content.decode()
    assert "Product “Viagra”, Title: the word “Viagra” is not allowed" in page
    statuses = dict(Product.objects.filter(tenant=shop).values_list("title", "status"))
    assert statuses == {"Viagra": "draft", "Casino": "active", "Kettle": "active"}
    assert flags(shop) == [("word", "Product “Casino” › Title")]


def test_imported_products_are_checked_too(shop: Tenant, block: Block) -> None:
    block("viagra", refuse=True)
    block("casino")
    read = [
        ReadProduct(line=n, slug=title.lower(), values={"title": title, "price": 100, "status": "active"})
        for n, title in enumerate(("Viagra", "Casino"), 2)
    ]
    outcome = store(shop, Reading(products=read))
    assert [(remark.line, "not allowed" in remark.reason) for remark in outcome.skipped] == [(2, True)]
    assert list(Product.objects.filter(tenant=shop).values_list("title", flat=True)) == ["Casino"]
    assert flags(shop) == [("word", "Product “Casino” › Title")]


# --- knowledge ---


def test_knowledge_is_refused_and_flagged_alike(shop: Tenant, block: Block) -> None:
    block("viagra", refuse=True)
    block("casino")
    source = KnowledgeSource(tenant=shop, title="Do you?", body="Yes, viagra.")
    with pytest.raises(ValidationError, match="Text: the word “viagra”"):
        source.full_clean()
    make_knowledge(shop, "Casino?")
    assert flags(shop) == [("word", "Knowledge “Casino?” › Title")]


def test_a_file_with_refused_words_is_not_taken(shop: Tenant, block: Block) -> None:
    block("viagra", refuse=True)
    block("casino")
    bad = imports.accept_file(shop, "bad.txt", b"All about viagra.")
    good = imports.accept_file(shop, "good.txt", b"All about the casino.")
    for source in (bad, good):
        imports.read_source(source.pk)
        source.refresh_from_db()
    assert (bad.reading, bad.body) == ("failed", "")
    assert "“viagra” is not allowed" in bad.error
    assert good.reading == "done"
    assert flags(shop) == [("word", "Knowledge “good” › Text")]
