"""Mail to a shop's owners about a domain: what changed, and reminders of what is left to do."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F
from django.urls import reverse
from django.utils import timezone

from tenants.domains.names import unicode_of
from tenants.domains.records import letter
from tenants.domains.states import State
from tenants.mail import sent
from tenants.models import Domain, owners_addresses

REMINDERS = (timedelta(days=1), timedelta(days=7), timedelta(days=14))

NEWS = {
    State.LIVE: ("{host} works", "Your shop {shop} is now reached under {host}, with a certificate."),
    State.STRAYING: (
        "{host} no longer leads to your shop",
        "The DNS records of {host} now point elsewhere. If that is not meant, set them again within seven days; after "
        "that we stop serving {shop} under this name.",
    ),
    State.STOPPED: (
        "{host} has been disconnected",
        "{host} has pointed elsewhere for a week, so {shop} is no longer served under it. Your other addresses work.",
    ),
    State.EXPIRED: (
        "{host} was not connected",
        "{host} was not connected within 30 days, so we have stopped trying. You can start again at any time.",
    ),
}


def on_change(row: Domain, state: str) -> None:
    """Tells the owners of a change that matters to them; a first way to LIVE is news, a way back is not."""
    if state not in NEWS or (state == State.LIVE and row.live_at is not None and row.state != State.STRAYING):
        return
    subject, text = (part.format(host=unicode_of(row.host), shop=row.tenant.name) for part in NEWS[state])
    _send(row, subject, text)


def remind(now: datetime | None = None) -> int:
    """Reminds of claims that wait for their merchant, after 1, 7 and 14 days. Returns how many were sent."""
    now = now or timezone.now()
    count = 0
    for number, after in enumerate(REMINDERS):
        waiting = Domain.objects.filter(
            is_platform=False, live_at=None, reminders=number, waiting_since__lte=now - after,
            state__in=(State.UNPROVEN, State.PROVEN, State.ISSUING),
        ).select_related("tenant")  # fmt: skip
        for row in waiting.iterator():
            # Counted first, in one statement: two beats at once must not write twice.
            counted = Domain._base_manager.filter(pk=row.pk, reminders=number).update(reminders=F("reminders") + 1)
            if counted and row.words.kind == "you":
                count += _send(row, f"{unicode_of(row.host)} waits for you", f"{row.words.text}\n\n{letter(row)}")
    return count


def _send(row: Domain, subject: str, text: str) -> bool:
    link = settings.ADMIN_URL + reverse("admin:tenants_domain_change", args=[row.pk])
    went = [sent(subject, f"{text}\n\n{link}\n", address) for address in owners_addresses(row.tenant_id)]
    return bool(went) and all(went)
