"""The landing editor's page and requests: forms from declarations, previews, conflicts, revisions, few queries."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.db import connection
from django.template.loader import get_template
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from storefront.documents import MAX_RECORD_BYTES, SECTIONS
from tenants.checks import contrast_problems
from tenants.models import Landing, Revision
from tenants.section_forms import Field, forms, page_fields
from tenants.themes import PRESETS

Post = Callable[..., Any]


@pytest.fixture
def post(acme: Any, owner: Client) -> Post:
    def send(name: str, sections: Any = (), client: Client = owner, version: int = 0, **page: Any) -> Any:
        target = reverse(f"admin:tenants_landing_{name}", args=[acme.landing.pk])
        return client.post(
            target, {"version": version, "page": {"sections": list(sections), **page}}, "application/json"
        )

    return send


def hero(heading: str = "Hello", **more: Any) -> dict[str, Any]:
    return {"id": "00000000-0000-4000-8000-000000000001", "kind": "hero", "heading": heading, **more}


def every_field() -> list[Field]:
    own = [field for form in forms() for field in form.fields]
    own += [field for panel in page_fields().values() for field in panel]
    return own + [inner for field in own for inner in field.fields]


def test_every_declared_input_has_a_template_and_every_kind_a_picture_and_a_form(acme: Any, owner: Client) -> None:
    for field in every_field():
        get_template(field.template)
    html = owner.get(reverse("admin:tenants_landing_change", args=[acme.landing.pk])).content.decode()
    for form in forms():
        assert finders.find(form.picture), form.kind
        assert f'data-form="{form.kind}"' in html
        assert form.description.replace("'", "&#x27;") in html
    assert {form.kind for form in forms()} == set(SECTIONS)


def test_no_script_of_the_editor_writes_html_or_runs_text() -> None:
    folder = Path(settings.BASE_DIR) / "tenants" / "static" / "tenants" / "editor"
    for script in folder.glob("*.js"):
        source = script.read_text()
        for dangerous in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"):
            assert dangerous not in source, script


def test_a_preview_shows_what_is_typed_and_writes_nothing(acme: Any, post: Post) -> None:
    before = Landing.objects.get(pk=acme.landing.pk)
    answer = post("preview", [hero("Typing <b>"), {"kind": "faq", "items": [{"question": "Unfinished"}]}]).json()
    assert "Typing &lt;b&gt;" in answer["html"]
    assert any(path.endswith("items.0.answer") for path in answer["problems"])
    after = Landing.objects.get(pk=acme.landing.pk)
    assert (after.page, after.draft_version) == (before.page, before.draft_version)


def test_the_meter_counts_what_kv_would_hold(post: Post) -> None:
    small = post("preview", [hero()]).json()
    large = post("preview", [hero(), {"kind": "rich_text", "body_html": "<p>" + "ä" * 1000 + "</p>"}]).json()
    assert large["limit"] == MAX_RECORD_BYTES
    assert large["size"] - small["size"] >= 2000
    assert max(large["sizes"].values()) >= 2000


def test_a_page_over_the_limit_is_kept_and_not_published(acme: Any, post: Post) -> None:
    parts = [{"kind": "rich_text", "heading": f"Part {n}", "body_html": f"<p>{'x' * 5900}</p>"} for n in range(4)]
    refused = post("publish", parts)
    assert refused.status_code == 422
    assert f"{MAX_RECORD_BYTES:,}" in refused.json()["messages"][0]
    assert "Part 0" in refused.json()["messages"][0]
    stored = Landing.objects.get(pk=acme.landing.pk)
    assert (len(stored.page.blocks), stored.draft_version) == (4, refused.json()["version"])
    assert Revision.objects.filter(tenant=acme.tenant).count() == 1


@pytest.mark.parametrize(
    "body", ["", "[]", "{", '{"page": 3}', "[" * 100_000, '{"page": {"x": "' + "y" * 300_000 + '"}}']
)
def test_a_body_that_is_no_page_is_refused_with_a_sentence(body: str, acme: Any, owner: Client) -> None:
    target = reverse("admin:tenants_landing_draft", args=[acme.landing.pk])
    answer = owner.generic("POST", target, body, "application/json")
    assert answer.status_code == 400
    assert answer.json()["message"]


def test_the_slower_of_two_people_sees_both_versions_and_loses_nothing(acme: Any, post: Post, person: Any) -> None:
    other = person("editor", acme)
    assert post("draft", [hero("Ada's words")]).json() == {"version": 1, "state": "changed"}
    refused = post("draft", [hero("Bob's words")], client=other)
    assert refused.status_code == 409
    theirs = refused.json()
    assert theirs["page"]["sections"][0]["heading"] == "Ada's words"
    assert ["Hero “Ada's words”", "Headline", [["gone", "Bob's "], ["new", "Ada's "], ["same", "words"]]] in theirs[
        "changes"
    ]
    kept = post("keep", [hero("Bob's words")], client=other).json()
    assert Revision.objects.get(tenant=acme.tenant, number=kept["number"]).page.sections[0].heading == "Bob's words"  # type: ignore[attr-defined]
    assert post("publish", [hero("Bob's words")], client=other).status_code == 409
    assert post("draft", [hero("Bob's words")], client=other, version=theirs["version"]).json()["version"] == 2


def test_revisions_tell_who_and_what_and_come_back(acme: Any, owner: Client, post: Post) -> None:
    post("publish", [hero("First words", text="Same")])
    post("publish", [hero("Second words", text="Same")], version=1)
    page = owner.get(reverse("admin:tenants_landing_revisions", args=[acme.landing.pk])).content.decode()
    assert page.count("acme-owner") >= 3
    assert page.count("Live now") == 1
    detail = owner.get(reverse("admin:tenants_landing_revision", args=[acme.landing.pk, 3])).content.decode()
    assert "What changed since revision 2" in detail
    assert "<del>First </del><ins>Second </ins>words" in detail
    html = owner.get(reverse("admin:tenants_landing_revision_page", args=[acme.landing.pk, 2])).json()["html"]
    assert "First words" in html
    restore = reverse("admin:tenants_landing_restore", args=[acme.landing.pk, 2])
    assert owner.get(restore).status_code == 405
    assert owner.post(restore).status_code == 302
    stored = Landing.objects.get(pk=acme.landing.pk)
    assert stored.live is not None
    assert (stored.live.number, stored.live.note) == (4, "Restored revision 2")
    assert owner.get(reverse("admin:tenants_landing_revision", args=[acme.landing.pk, 99])).status_code == 404


def test_a_revision_that_may_not_go_live_is_not_restored(acme: Any, owner: Client, post: Post) -> None:
    number = post("keep", [hero("")]).json()["number"]
    page = owner.post(reverse("admin:tenants_landing_restore", args=[acme.landing.pk, number]), follow=True)
    assert "Headline: Please fill this in." in page.content.decode()
    assert Landing.objects.get(pk=acme.landing.pk).state == "live"
    owner.post(reverse("admin:tenants_landing_restore", args=[acme.landing.pk, number]), {"draft": "1"})
    assert Landing.objects.get(pk=acme.landing.pk).state == "changed"


def test_pictures_are_those_of_the_shop(acme: Any, globex: Any, owner: Client) -> None:
    for shop in (acme, globex):
        type(shop.product).objects.filter(pk=shop.product.pk).update(image_url=f"https://{shop.tenant.slug}.test/a.png")
    answer = owner.get(reverse("admin:tenants_picture_library"), {"shop": str(acme.tenant.pk)}).json()
    assert answer["used"] == [{"url": "https://acme.test/a.png", "title": "acme kettle"}]


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_every_preset_can_be_read_in_light_and_dark(preset: Any) -> None:
    assert contrast_problems(preset.theme) == {}


def test_the_editor_and_its_requests_take_few_queries(acme: Any, owner: Client, post: Post) -> None:
    sections = [{"kind": "faq", "heading": f"Part {n}", "items": []} for n in range(40)]
    version = post("draft", sections).json()["version"]
    budgets = {"tenants_landing_change": 16, "tenants_landing_revisions": 12}
    for name, most in budgets.items():
        with CaptureQueriesContext(connection) as queries:
            assert owner.get(reverse(f"admin:{name}", args=[acme.landing.pk])).status_code == 200
        assert len(queries) <= most, [query["sql"][:120] for query in queries]
    stored = Landing.objects.get(pk=acme.landing.pk).page.to_json()["sections"]
    stored[3]["heading"] = "One change"
    for name, most in {"preview": 13, "draft": 38}.items():
        with CaptureQueriesContext(connection) as queries:
            assert post(name, stored, version=version).status_code == 200
        assert len(queries) <= most, [query["sql"][:120] for query in queries]


def test_links_to_the_draft_are_made_told_and_taken_back(acme: Any, owner: Client) -> None:
    def ask(name: str, **body: Any) -> Any:
        return owner.post(reverse(f"admin:tenants_landing_{name}", args=[acme.landing.pk]), body, "application/json")

    assert ask("share", days=0).json() == {"links": []}
    (link,) = ask("share", days=7).json()["links"]
    assert link["url"].startswith("http://acme.localhost:8787/preview/")
    assert len(link["url"].rpartition("/")[2]) >= 43
    assert ask("share", days=3650).status_code == 400
    assert ask("unshare", id=link["id"]).json() == {"links": []}


def test_a_schedule_is_told_in_the_shops_time(acme: Any, owner: Client) -> None:
    type(acme.tenant).objects.filter(pk=acme.tenant.pk).update(timezone="America/New_York")
    target = reverse("admin:tenants_landing_schedule", args=[acme.landing.pk])
    answer = owner.post(target, {"publish": "2999-01-01T09:00", "unpublish": ""}, "application/json")
    assert answer.json() == {"publish": "2999-01-01T09:00", "unpublish": ""}
    stored = Landing.objects.get(pk=acme.landing.pk)
    assert stored.publish_at is not None
    assert stored.publish_at.isoformat() == "2999-01-01T14:00:00+00:00"
    assert owner.post(target, {"publish": "1999-01-01T09:00"}, "application/json").status_code == 400
    assert owner.post(target, {}, "application/json").json() == {"publish": "", "unpublish": ""}


def test_staff_give_a_shop_without_a_page_one(staff: Client, acme: Any) -> None:
    shop = type(acme.tenant).objects.create(slug="bare", name="Bare")
    add = reverse("admin:tenants_landing_add")
    assert staff.get(add).status_code == 200
    assert staff.post(add, {"tenant": str(shop.pk)}).status_code == 302
    assert Landing.objects.get(tenant=shop).state == "draft"
    assert staff.get(reverse("admin:tenants_landing_change", args=[shop.landing.pk])).status_code == 200
