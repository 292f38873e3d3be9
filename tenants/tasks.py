"""Celery's side of landing pages: schedules by beat, publications followed to the edge."""

from celery import shared_task

from controlplane.publishing.tasks import send
from tenants.models import Landing
from tenants.receipts import receipt_of
from tenants.schedules import run_due

LOOKS = (0.5, 0.5, 1, 1, 2, 3, 5, 10, 15, 20, 30, 30, 60)
"""Seconds between two looks at the edge; about three minutes in all, three times what KV needs at worst."""


@shared_task
def run_schedule() -> None:
    run_due()


@shared_task
def follow_publication(landing_id: str, look: int = 0) -> None:
    """Looks once where the page has got to, and comes back until the edge shows it."""
    landing = Landing.objects.select_related("tenant", "live").filter(pk=landing_id).first()
    receipt = receipt_of(landing) if landing else None
    if receipt and not receipt.done and look < len(LOOKS):
        send(follow_publication, landing_id, look + 1, countdown=LOOKS[look])
