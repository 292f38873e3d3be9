"""A tenant's publishing state in one line, as merchants see it."""

import dataclasses
import uuid
from typing import Literal

from django.db.models import Count, Q

from controlplane.publishing.models import StaleDocument


@dataclasses.dataclass(frozen=True, kw_only=True)
class PublishingStatus:
    state: Literal["published", "publishing", "failed"]
    label: str
    waiting: int = 0
    failed: int = 0
    reason: str = ""


def status_of(tenant_id: uuid.UUID, *keys: str) -> PublishingStatus:
    """The state of all the tenant's documents, or of those with the given `keys`."""
    rows = StaleDocument.objects.filter(tenant_id=tenant_id)
    if keys:
        rows = rows.filter(key__in=keys)
    counts = rows.aggregate(
        waiting=Count("pk", filter=Q(parked_at=None)), failed=Count("pk", filter=~Q(parked_at=None))
    )
    if counts["failed"]:
        reason = rows.parked().order_by("parked_at").values_list("error", flat=True)[0]
        return PublishingStatus(state="failed", label=f"Failed: {reason}", reason=reason, **counts)
    if counts["waiting"]:
        reason = rows.exclude(error="").order_by("-attempts").values_list("error", flat=True).first() or ""
        label = f"Publishing… (trying again: {reason})" if reason else "Publishing…"
        return PublishingStatus(state="publishing", label=label, reason=reason, **counts)
    return PublishingStatus(state="published", label="Published")
