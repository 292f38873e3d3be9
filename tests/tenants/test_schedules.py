"""Schedules in the shop's time zone: done once, on time, and said where they could not be."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from storefront.sections import Hero
from tenants.models import Landing, Tenant
from tenants.page import Block, Page
from tenants.schedules import moment_of, run_due, schedule

pytestmark = pytest.mark.django_db

ID = "00000000-0000-4000-8000-000000000001"


def landing_of(shop: Tenant) -> Landing:
    return Landing.objects.get(tenant=shop)


def draft(shop: Tenant, heading: str) -> None:
    landing = landing_of(shop)
    landing.save_draft(Page(blocks=(Block(id=ID, section=Hero(heading=heading)),)), None, landing.draft_version)


def heading(shop: Tenant) -> Any:
    live = landing_of(shop).live
    return live and getattr(live.page.sections[0], "heading", None)


def test_a_local_time_is_kept_in_utc_in_winter_and_summer() -> None:
    assert moment_of("2999-01-15T09:00", "Europe/Berlin") == datetime(2999, 1, 15, 8, tzinfo=UTC)
    assert moment_of("2030-07-15T09:00", "Europe/Berlin") == datetime(2030, 7, 15, 7, tzinfo=UTC)
    assert moment_of("", "Europe/Berlin") is None


@pytest.mark.parametrize(
    ("text", "said"),
    [("2030-03-31T02:30", "clocks skip"), ("2020-01-01T00:00", "over"), ("soon", "day and a time")],
)
def test_times_that_are_none_are_refused_with_a_sentence(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        moment_of(text, "Europe/Berlin")


def test_offline_before_live_is_refused(shop: Tenant) -> None:
    now = timezone.now()
    with pytest.raises(ValueError, match="after it is published"):
        schedule(landing_of(shop), None, now + timedelta(hours=2), now + timedelta(hours=1))


def test_what_the_draft_holds_when_it_is_due_goes_live_once(shop: Tenant) -> None:
    ada = User.objects.create_user("ada")
    draft(shop, "Not this")
    schedule(landing_of(shop), ada, timezone.now() + timedelta(hours=1), None)
    assert run_due() == 0
    draft(shop, "But this")
    Landing.objects.update(publish_at=timezone.now())
    assert (run_due(), run_due()) == (1, 0)
    live = landing_of(shop).live
    assert live is not None
    assert (heading(shop), live.author, live.note) == ("But this", ada, "Published by schedule")
    assert landing_of(shop).publish_at is None


def test_a_page_goes_offline_on_time(shop: Tenant) -> None:
    schedule(landing_of(shop), None, None, timezone.now() + timedelta(hours=1))
    Landing.objects.update(unpublish_at=timezone.now())
    assert run_due() == 1
    assert landing_of(shop).state == "draft"


def test_a_page_that_may_not_go_live_says_why_and_the_others_do(shop: Tenant, other_shop: Tenant) -> None:
    draft(shop, "")
    draft(other_shop, "On time")
    Landing.objects.update(publish_at=timezone.now())
    run_due()
    assert "Headline: Please fill this in." in landing_of(shop).schedule_problem
    assert (heading(shop), heading(other_shop)) == ("Acme", "On time")


def test_beat_looks_often_enough_to_be_a_minute_late_at_most(settings: Any) -> None:
    entry = settings.CELERY_BEAT_SCHEDULE["run-schedule"]
    assert entry["schedule"] <= 30
    assert entry["task"] == "tenants.tasks.run_schedule"
