"""Drafts, revisions and what becomes of them: nothing live by accident, nothing lost."""

import importlib
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

from storefront.documents import DomainRecord, Link, Section, Seo, Theme
from storefront.sections import Hero
from tenants.documents import domain_records
from tenants.models import ConflictError, Landing, Revision, Tenant
from tenants.page import Block, Page
from tests.plugins.shops import make_shop

pytestmark = pytest.mark.django_db

ONE, TWO, THREE = (f"00000000-0000-4000-8000-00000000000{number}" for number in (1, 2, 3))


def landing_of(shop: Tenant) -> Landing:
    return Landing.objects.get(tenant=shop)


def page(*headings: str, **more: Any) -> Page:
    ids = (ONE, TWO, THREE)
    return Page(blocks=tuple(Block(id=ids[n], section=Hero(heading=text)) for n, text in enumerate(headings)), **more)


def live_record(shop: Tenant) -> DomainRecord:
    return DomainRecord.from_json(domain_records([f"{shop.slug}.localhost"])[f"{shop.slug}.localhost"])


def headings(record: DomainRecord) -> list[str]:
    return [getattr(section, "heading", "") for section in record.sections]


def test_a_draft_reads_back_as_it_was_saved(shop: Tenant) -> None:
    everything = page(
        "One", "Two", seo=Seo(title="T", noindex=True), theme=Theme(accent="#123456", logo_url="/logo.svg"),
        navigation=(Link(label="All", url="/products"),),
    )  # fmt: skip
    landing = landing_of(shop)
    assert landing.save_draft(everything, None, 0) == 1
    assert landing_of(shop).page == everything
    assert Page.from_json(everything.to_json()) == everything


def test_a_save_is_not_live_until_it_is_published(shop: Tenant) -> None:
    landing_of(shop).save_draft(page("Later"), None, 0)
    assert landing_of(shop).state == "changed"
    assert headings(live_record(shop)) == ["Acme"]
    revision = landing_of(shop).publish(None)
    assert (revision.number, landing_of(shop).state) == (2, "live")
    assert headings(live_record(shop)) == ["Later"]


def test_publishing_the_same_again_makes_no_revision(shop: Tenant) -> None:
    assert landing_of(shop).publish(None) == landing_of(shop).publish(None)
    assert Revision.objects.filter(tenant=shop).count() == 1


def test_the_second_of_two_saves_is_refused_and_writes_nothing(shop: Tenant) -> None:
    ada, bob = (User.objects.create_user(name) for name in ("ada", "bob"))
    landing_of(shop).save_draft(page("Ada's"), ada, 0)
    with pytest.raises(ConflictError):
        landing_of(shop).save_draft(page("Bob's"), bob, 0)
    stored = landing_of(shop)
    assert (stored.page, stored.edited_by) == (page("Ada's"), ada)


def test_a_draft_that_moved_on_is_not_published_unseen(shop: Tenant) -> None:
    landing_of(shop).save_draft(page("Unseen"), None, 0)
    with pytest.raises(ConflictError):
        landing_of(shop).publish(None, version=0)
    assert headings(live_record(shop)) == ["Acme"]


def test_hidden_sections_stay_in_the_draft_and_off_the_page(shop: Tenant) -> None:
    draft = Page(blocks=(Block(id=ONE, section=Hero(heading="Shown")), Block(id=TWO, section=Hero(), hidden=True)))
    landing_of(shop).save_draft(draft, None, 0)
    landing_of(shop).publish(None)  # although the hidden one is unfinished
    assert headings(live_record(shop)) == ["Shown"]
    assert len(landing_of(shop).page.blocks) == 2


def test_a_restore_is_a_new_revision_and_keeps_the_changed_draft(shop: Tenant) -> None:
    first = landing_of(shop).publish(None)
    landing_of(shop).save_draft(page("Second"), None, 0)
    landing_of(shop).publish(None)
    landing_of(shop).save_draft(page("Unpublished work"), None, 1)
    restored = landing_of(shop).restore(first, None, publish=True)
    assert restored is not None
    kept = Revision.objects.get(tenant=shop, published_at=None)
    assert (kept.number, restored.number) == (3, 4)
    assert kept.page == page("Unpublished work")
    assert restored.page == first.page
    assert headings(live_record(shop)) == ["Acme"]
    assert landing_of(shop).state == "live"


def test_an_old_revision_may_be_loaded_into_the_draft_only(shop: Tenant) -> None:
    first = landing_of(shop).publish(None)
    landing_of(shop).save_draft(page("Second"), None, 0)
    second = landing_of(shop).publish(None)
    assert landing_of(shop).restore(first, None, publish=False) is None
    stored = landing_of(shop)
    assert (stored.live, stored.state) == (second, "changed")
    assert stored.page == first.page


def test_an_unpublished_page_keeps_its_clothes_and_its_draft(shop: Tenant) -> None:
    landing_of(shop).save_draft(page("Hello", theme=Theme(accent="#123456")), None, 0)
    landing_of(shop).publish(None)
    landing_of(shop).unpublish(None)
    record = live_record(shop)
    assert (record.sections, record.theme.accent, record.seo.noindex) == ((), "#123456", True)
    assert (landing_of(shop).state, landing_of(shop).page.sections) == ("draft", page("Hello").sections)


def test_publishing_names_everything_that_must_be_put_right(shop: Tenant) -> None:
    bad = page(
        "", theme=Theme(text="#888888", accent_dark="#222222"), navigation=(Link(label="X", url="javascript:1"),)
    )
    landing_of(shop).save_draft(bad, None, 0)
    with pytest.raises(ValidationError) as refused:
        landing_of(shop).publish(None)
    said = " ".join(refused.value.messages)
    assert "Headline: Please fill this in." in said
    assert "Text on background in the light look has a contrast of 3.5 to 1" in said
    assert "Accent on background in the dark look" in said
    assert "Link: Begin a link with /" in said
    assert landing_of(shop).page == bad  # nothing typed is lost


def test_ids_of_another_shops_sections_name_new_rows(shop: Tenant, other_shop: Tenant) -> None:
    theirs = other_shop.landing.sections.get()
    forged = Page(blocks=(Block(id=str(theirs.pk), section=Hero(heading="Stolen")),))
    landing_of(shop).save_draft(forged, None, 0)
    theirs.refresh_from_db()
    assert theirs.content["heading"] == "Globex"
    assert landing_of(shop).sections.get().pk != theirs.pk


def test_whatever_a_browser_sends_becomes_a_harmless_page() -> None:
    html = "<p>Hi</p><script>alert(1)</script>"
    hero = {"id": ONE, "kind": "hero", "heading": 7, "layout": "sideways", "hidden": "yes"}
    sent: dict[str, Any] = {
        "seo": {"title": ["no"], "noindex": 1}, "theme": {"accent": "red;}", "radius": "9"}, "navigation": ["x", {}],
        "sections": [
            hero, hero, {"kind": "hologram"}, 3, {"kind": "rich_text", "body_html": html},
            {"kind": "featured_products", "product_ids": ["x", ONE], "cards": [{"id": "forged"}]},
            {"kind": "faq", "items": [{"question": "Half"}, "no"]},
        ],
    }  # fmt: skip
    edited = Page.from_editor(sent)
    assert (edited.theme, edited.seo) == (Theme(), Seo())
    kinds = [block.section.kind for block in edited.blocks]
    assert kinds == ["hero", "hero", "rich_text", "featured_products", "faq"]
    assert len({block.id for block in edited.blocks}) == 5
    assert edited.blocks[2].content["body_html"] == "<p>Hi</p>"
    assert edited.blocks[3].content["product_ids"] == [ONE]
    assert edited.blocks[4].content["items"] == [{"question": "Half", "answer": ""}]
    assert not edited.blocks[0].hidden
    assert Page.from_editor(edited.to_json()) == edited
    assert all(isinstance(section, Section) for section in edited.sections)


def test_a_shop_may_open_unpublished(db: None) -> None:
    shop = make_shop("initech", publish=False)
    assert (landing_of(shop).state, live_record(shop).sections) == ("draft", ())


def test_pages_from_before_there_were_drafts_become_their_first_revision(shop: Tenant) -> None:
    migration = importlib.import_module("tenants.migrations.0007_first_revisions")
    migration.forget(apps, None)
    assert landing_of(shop).state == "draft"
    migration.publish_what_is_live(apps, None)
    stored = landing_of(shop)
    assert stored.live is not None
    assert (stored.live.number, stored.state) == (1, "live")
    assert headings(live_record(shop)) == ["Acme"]
