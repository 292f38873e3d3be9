"""Publishing and taking offline at a time that a merchant chose, in the shop's time zone."""

import uuid
import zoneinfo
from collections.abc import Callable
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from controlplane.publishing.models import take_turns
from tenants.models import Landing, Person


def moment_of(text: str, zone: str) -> datetime | None:
    """A local time such as "2026-11-25T09:00" in `zone`; None for an empty one.

    Raises ValueError with a sentence: no time, a time that is over, or one that the clocks skip.
    """
    if not text:
        return None
    try:
        local = datetime.fromisoformat(text).replace(tzinfo=zoneinfo.ZoneInfo(zone), second=0, microsecond=0)
    except ValueError:
        raise ValueError("Type a day and a time.") from None
    moment = local.astimezone(zoneinfo.ZoneInfo("UTC"))
    if moment.astimezone(local.tzinfo).replace(tzinfo=None) != local.replace(tzinfo=None):
        raise ValueError("The clocks skip this time on that day. Choose another one.")
    if moment <= timezone.now():
        raise ValueError("This time is over. Choose a later one.")
    return moment


def schedule(landing: Landing, by: Person, publish_at: datetime | None, unpublish_at: datetime | None) -> None:
    """Replaces the page's schedule. Raises ValueError with a sentence where it makes no sense."""
    if publish_at and unpublish_at and unpublish_at <= publish_at:
        raise ValueError("Take the page offline after it is published, not before.")
    Landing.objects.filter(pk=landing.pk).update(
        publish_at=publish_at, unpublish_at=unpublish_at, scheduled_by=getattr(by, "pk", None), schedule_problem=""
    )


def run_due() -> int:
    """Does what is due, the longest due first. Returns how many. May run twice at once: each is done once."""
    now = timezone.now()
    publish = Landing.objects.filter(publish_at__lte=now).order_by("publish_at").values_list("pk", flat=True)
    done = sum(_claim(pk, "publish_at", _publish) for pk in publish)
    unpublish = Landing.objects.filter(unpublish_at__lte=now).order_by("unpublish_at").values_list("pk", flat=True)
    return done + sum(_claim(pk, "unpublish_at", _unpublish) for pk in unpublish)


@transaction.atomic
def _claim(pk: uuid.UUID, field: str, act: Callable[[Landing], None]) -> bool:
    take_turns(Landing.objects.filter(pk=pk).values_list("tenant_id", flat=True))
    landing = Landing.objects.select_for_update().filter(pk=pk, **{f"{field}__lte": timezone.now()}).first()
    if landing is None:  # another worker was faster, or the merchant thought better of it
        return False
    setattr(landing, field, None)
    landing.save(update_fields=[field, "updated_at"])
    act(landing)
    return True


def _publish(landing: Landing) -> None:
    try:
        landing.publish(landing.scheduled_by, note="Published by schedule")
    except ValidationError as error:
        landing.schedule_problem = "The page was not published as planned. " + " ".join(error.messages)
        landing.save(update_fields=["schedule_problem", "updated_at"])


def _unpublish(landing: Landing) -> None:
    landing.unpublish(landing.scheduled_by)
