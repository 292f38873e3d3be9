"""Suspensions, appeals and their letters, on the models."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from controlplane.publishing.models import StaleDocument
from tenants import closing
from tenants.models import Appeal, Landing, Revision, Section, Suspension, Tenant
from tenants.models.moderation import MOST_APPEALS
from tenants.moderation import letters
from tenants.schedules import run_due
from tests.plugins.shops import publish

pytestmark = pytest.mark.django_db


@pytest.fixture
def moderator() -> User:
    return User.objects.create_superuser("mo", "mo@example.com")


@pytest.fixture
def merchant(shop: Tenant) -> User:
    return User.objects.get(memberships__tenant=shop)


def suspend(shop: Tenant, by: User | None = None, text: str = "You sell forged kettles.") -> Suspension:
    return Suspension.start(shop, by, category="fraud", text=text, note="Seen by Ada")


def test_a_suspension_marks_everything_of_the_shop_stale_with_it(shop: Tenant, moderator: User) -> None:
    StaleDocument.objects.all().delete()
    suspension = suspend(shop, moderator)
    assert Tenant.objects.get(pk=shop.pk).status == "suspended"
    assert (suspension.by, suspension.lifted_at, suspension.dark_after) == (moderator, None, None)
    keys = set(StaleDocument.objects.filter(tenant=shop).values_list("key", flat=True))
    assert {"domain:acme.localhost", f"tenants:{shop.pk}"} <= keys


def test_a_shop_is_suspended_once_and_comes_back_once(shop: Tenant, moderator: User) -> None:
    suspend(shop)
    with pytest.raises(ValidationError, match="not active"):
        suspend(shop)
    with pytest.raises(IntegrityError), transaction.atomic():
        Suspension.objects.create(tenant=shop, category="spam", text="Again")
    lifted = Suspension.lift(shop, moderator)
    assert lifted is not None
    assert (lifted.lifted_by, Tenant.objects.get(pk=shop.pk).status) == (moderator, "active")
    with pytest.raises(ValidationError, match="not suspended"):
        Suspension.lift(shop, moderator)


def test_a_suspension_without_words_for_the_merchant_leaves_the_shop_alone(shop: Tenant) -> None:
    for text in ("  ", "x" * 2001):
        with pytest.raises(ValidationError):
            suspend(shop, text=text)
    assert Tenant.objects.get(pk=shop.pk).status == "active"


def test_a_shop_without_a_record_of_its_suspension_comes_back_too(shop: Tenant) -> None:
    Tenant.objects.filter(pk=shop.pk).update(status="suspended")
    assert Suspension.lift(shop, None) is None
    assert Tenant.objects.get(pk=shop.pk).status == "active"


def test_a_closed_shop_is_not_restored_and_reopens_suspended_if_it_was(shop: Tenant) -> None:
    suspend(shop)
    closing.begin(shop)
    with pytest.raises(ValidationError, match="not suspended"):
        Suspension.lift(shop, None)
    assert closing.restore(shop).status == "suspended"
    assert Suspension.of(shop) is not None


def test_a_suspended_merchant_edits_the_draft_and_publishes_after_the_return(shop: Tenant) -> None:
    before = Landing.objects.get(tenant=shop).live
    suspend(shop)
    Section.objects.filter(landing__tenant=shop).update(content={"heading": "Put right"})
    with pytest.raises(ValidationError, match="suspended"):
        publish(shop)
    assert Landing.objects.get(tenant=shop).live == before
    assert Revision.objects.filter(tenant=shop).count() == 1
    Suspension.lift(shop, None)
    assert Landing.objects.get(tenant=shop).live == before
    publish(shop)
    assert Landing.objects.get(tenant=shop).live != before


def test_a_planned_publish_does_not_go_past_a_suspension(shop: Tenant) -> None:
    before = Landing.objects.get(tenant=shop).live
    Section.objects.filter(landing__tenant=shop).update(content={"heading": "Sale"})
    suspend(shop)
    Landing.objects.filter(tenant=shop).update(publish_at=timezone.now())
    run_due()
    landing = Landing.objects.get(tenant=shop)
    assert landing.live == before
    assert "suspended" in landing.schedule_problem


def test_one_appeal_waits_at_a_time_and_a_few_go_in_a_day(shop: Tenant, merchant: User, moderator: User) -> None:
    suspension = suspend(shop)
    for number in range(MOST_APPEALS):
        appeal = Appeal.send(suspension, merchant, f"Please look again, {number}")
        with pytest.raises(ValidationError, match="not been answered"):
            Appeal.send(suspension, merchant, "And again")
        appeal.answer_with(moderator, "No.")
        with pytest.raises(ValidationError, match="answered this already"):
            appeal.answer_with(moderator, "Yes.")
    with pytest.raises(ValidationError, match="within a day"):
        Appeal.send(suspension, merchant, "One more")
    Appeal.objects.update(at=timezone.now() - timedelta(days=2))
    for text in (" ", "x" * 2001):
        with pytest.raises(ValidationError):
            Appeal.send(suspension, merchant, text)
    Appeal.send(suspension, merchant, "One more")
    assert set(Appeal.objects.exclude(answer="").values_list("answer", flat=True)) == {"No."}


def test_the_days_limit_outlives_a_restore_and_another_suspension(
    shop: Tenant, merchant: User, moderator: User
) -> None:
    for _ in range(MOST_APPEALS):
        Appeal.send(suspend(shop), merchant, "Why?")
        Suspension.lift(shop, moderator)
    with pytest.raises(ValidationError, match="within a day"):
        Appeal.send(suspend(shop), merchant, "Why?")


def test_a_restore_answers_the_appeal_that_waits_and_ends_appealing(
    shop: Tenant, merchant: User, moderator: User
) -> None:
    suspension = suspend(shop)
    appeal = Appeal.send(suspension, merchant, "It is put right.")
    Suspension.lift(shop, moderator)
    appeal.refresh_from_db()
    assert (appeal.answered_by, appeal.answer) == (moderator, "The shop has been restored.")
    with pytest.raises(ValidationError, match="not suspended any more"):
        Appeal.send(suspension, merchant, "Thanks")


@pytest.fixture
def no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the broker were down: what would be sent by a worker is done at once."""
    monkeypatch.setattr("controlplane.publishing.tasks._quiet_until", float("inf"))


def test_owners_get_a_mail_on_suspend_answer_and_restore(
    shop: Tenant, merchant: User, moderator: User, no_broker: None,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:  # fmt: skip
    Tenant.objects.filter(pk=shop.pk).update(name="Käse {text} <b>")
    shop.refresh_from_db()
    User.objects.create_user("stranger", "stranger@example.com")
    with django_capture_on_commit_callbacks(execute=True):
        suspension = suspend(shop, moderator)
        assert mail.outbox == []  # not before it is true
    with django_capture_on_commit_callbacks(execute=True):
        Appeal.send(suspension, merchant, "Why?").answer_with(moderator, "Because.")
    with django_capture_on_commit_callbacks(execute=True):
        Suspension.lift(shop, moderator)
    assert [one.to for one in mail.outbox] == [[merchant.email]] * 3
    suspended, answered, restored = mail.outbox
    assert suspended.subject == "Your shop Käse {text} <b> is suspended"
    assert "You sell forged kettles." in suspended.body
    assert f"/admin/tenants/tenant/{shop.pk}/suspension/" in suspended.body
    assert "Because." in answered.body
    assert "is back" in restored.subject
    assert not any("Ada" in one.body or "mo@" in one.body for one in mail.outbox)


def test_a_mail_server_that_is_away_stops_no_suspension_and_is_tried_again(
    shop: Tenant, merchant: User, no_broker: None, settings: Any,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:  # fmt: skip
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    with django_capture_on_commit_callbacks(execute=True):
        suspension = suspend(shop)
    assert Tenant.objects.get(pk=shop.pk).status == "suspended"
    assert letters.write("suspended", str(suspension.pk)) == [merchant.email]
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert letters.write("suspended", str(suspension.pk), [merchant.email]) == []
    assert len(mail.outbox) == 1
