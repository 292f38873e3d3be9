"""The front page: what is left to do, what needs the merchant, what happened; of their own shops only."""

from datetime import UTC, date, datetime
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from controlplane.publishing import keyset
from controlplane.publishing.models import StaleDocument
from tenants.charts import charts_of
from tenants.models import Domain, Landing, Revision, Tenant
from tests.admin.conftest import logged_in, make
from tests.plugins.shops import make_shop

HOME = reverse("admin:index")


def card(client: Client) -> Any:
    return client.get(HOME).context["shop_cards"][0]


def test_a_new_shop_is_led_to_its_first_publish(db: None) -> None:
    shop = make_shop("fresh", publish=False)
    owner = logged_in(shop.memberships.get().user)
    page = owner.get(HOME).content.decode()
    assert "Getting ready: 0 of 6" in page
    for words in ("Add your first product", "Publish", "coming soon"):
        assert words in page
    assert card(owner)["state"] == "draft"


def test_the_sidebar_counts_unanswered_questions_and_shows_no_empty_badge(acme: Any, owner: Client) -> None:
    def badges() -> list[str]:
        groups = owner.get(HOME).context["sidebar_navigation"]
        return [item["badge"] for group in groups for item in group["items"] if "badge" in item]

    assert badges() == ["1"]
    acme.group.turns.all().delete()
    assert badges() == []


def test_what_is_done_is_ticked(acme: Any, owner: Client) -> None:
    done = {step.title: step.done for step in card(owner)["steps"]}
    assert done == {
        "Give it a logo": False, "Add your first product": True, "Make the landing page yours": False,
        "Answer what people ask": True, "Connect your own domain": True, "Publish": True,
    }  # fmt: skip
    Landing.objects.filter(pk=acme.landing.pk).update(logo_url="/logo.svg", draft_version=1)
    Domain.objects.create(tenant=acme.tenant, host="acme.example.org")
    assert "Getting ready" not in owner.get(HOME).content.decode()


def test_what_needs_the_merchant_is_said(acme: Any, owner: Client) -> None:
    StaleDocument.objects.all().delete()
    acme.group.turns.all().delete()
    assert card(owner)["notices"] == []
    StaleDocument.objects.create(tenant=acme.tenant, destination="kv", key="domain:x", parked_at="2026-01-01T00:00Z")
    Landing.objects.filter(pk=acme.landing.pk).update(seo_title="New", schedule_problem="Not published as planned.")
    type(acme.product).objects.filter(pk=acme.product.pk).update(stock=1)
    said = [notice.text for notice in card(owner)["notices"]]
    assert said == [
        "One change could not be published.", "Not published as planned.",
        "The landing page has changes that are not published.", "One product is nearly or wholly sold out.",
    ]  # fmt: skip
    low = owner.get(card(owner)["notices"][-1].url).context["cl"].result_list
    assert [row.pk for row in low] == [acme.product.pk]
    Tenant.objects.filter(pk=acme.tenant.pk).update(status="suspended")
    assert "suspended" in card(owner)["notices"][0].text


def test_recent_changes_are_those_of_the_own_shops(acme: Any, globex: Any, owner: Client) -> None:
    for shop, client in ((acme, owner), (globex, logged_in(globex.owner))):
        body = {"version": 0, "page": {"sections": [{"kind": "hero", "heading": shop.tenant.slug}]}}
        client.post(reverse("admin:tenants_landing_publish", args=[shop.landing.pk]), body, "application/json")
    page = owner.get(HOME).content.decode()
    assert "published the landing page of Acme" in page
    assert "acme-owner" in page
    assert "globex" not in page.lower()


def test_the_front_page_takes_the_same_queries_for_many_shops(acme: Any, person: Any) -> None:
    single = person("owner", acme)
    single.get(HOME)
    with CaptureQueriesContext(connection) as few:
        assert single.get(HOME).status_code == 200
    several = [make(f"shop-{number}") for number in range(8)]
    client = person("owner", acme, *several)
    client.get(HOME)  # notes the session, once in five minutes
    with CaptureQueriesContext(connection) as many:
        assert client.get(HOME).status_code == 200
    assert len(many) <= len(few) + 2, [query["sql"][:150] for query in many]
    assert len(many) <= 20


def test_unanswered_questions_are_counted_as_in_their_list(acme: Any, owner: Client) -> None:
    (notice,) = [notice for notice in card(owner)["notices"] if "question" in notice.text]
    assert notice.text == "One question of shoppers had no answer."
    assert len(owner.get(notice.url).context["cl"].result_list) == 1


def test_charts_show_what_was_asked_and_published_by_the_shops_own_days(acme: Any, globex: Any) -> None:
    for zone, day in (("UTC", date(2026, 3, 10)), ("Pacific/Auckland", date(2026, 3, 11))):
        acme.tenant.timezone = zone
        moment = datetime(2026, 3, 10, 20, 0, tzinfo=UTC)
        Revision.objects.filter(tenant=acme.tenant).update(published_at=None)
        acme.group.turns.update(at=moment, answered=False)
        (chart,) = charts_of([acme.tenant], now=moment)[acme.tenant.pk]
        assert chart.series == (("answered", 0), ("not answered", 1))
        assert chart.last == day
        (bar,) = chart.bars
        assert bar.words == f"{day:%d %b}: 1 not answered"
    charts = charts_of([acme.tenant, globex.tenant])
    assert [chart.title for chart in charts[globex.tenant.pk]] == ["Questions to the chat", "Published"]


def test_charts_are_drawn_without_a_script_and_said_in_words(acme: Any, owner: Client) -> None:
    page = owner.get(HOME).content.decode()
    assert 'role="img" aria-label="Published in the last 14 days: 1 new version"' in page
    assert "<canvas" not in page


def test_staff_see_cheap_numbers(acme: Any, staff: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr(keyset.counted, "__defaults__", (2,))
    staff.get(HOME)  # the first page of a session also notes where it comes from
    with CaptureQueriesContext(connection) as queries:
        page = staff.get(HOME)
    assert page.context["outbox"] == {"waiting": "more than 2", "failed": "0"}
    assert len(queries) <= 8
    StaleDocument.objects.all().delete()
    words = staff.get(reverse("admin:publishing_staledocument_changelist")).content.decode()
    assert "Nothing waits" in words
    assert "Create a new item" not in words
