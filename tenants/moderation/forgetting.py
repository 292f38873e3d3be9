"""What is left of moderation when a shop is erased: that something was done, when and by whom, and no name."""

import uuid

from tenants.models import ActingSession, ClosingRequest


def forget(tenant_id: uuid.UUID) -> int:
    """Takes the shop's name, and what was written about it, out of the rows that outlive it. Returns how many."""
    nameless = {"shop": str(tenant_id), "reason": ""}
    rows = (model.objects.filter(tenant=tenant_id) for model in (ActingSession, ClosingRequest))
    return sum(found.update(**nameless) for found in rows)
