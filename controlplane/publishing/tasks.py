"""Celery's side of publishing: nudged on commit, swept by beat, idempotent, told nothing but a destination."""

import logging
import time
from typing import Any

from celery import shared_task
from django.conf import settings
from kombu.exceptions import OperationalError

from controlplane.publishing import delivery

logger = logging.getLogger(__name__)

SOON = 10.0
"""Seconds: what falls due sooner than this gets a task of its own; the rest waits for beat."""

QUIET = 3.0
"""Seconds without a try after the broker could not be reached; less than beat's sweep would take anyway."""


@shared_task
def deliver_due(destination: str) -> None:
    """Delivers what is due to one destination, then comes back when the next row falls due, if that is soon."""
    delivery.deliver_all(destination)
    wait = delivery.seconds_until_due(destination)
    if wait is not None and wait < SOON:
        send(deliver_due, destination, countdown=wait)


_quiet_until = 0.0
"""Until then (monotonic seconds) this process does not try the broker again: a save must not wait for it."""


def nudge() -> None:
    """Sends one delivery task a destination. The broker may be down: then beat's sweep delivers later."""
    for destination in settings.PUBLISHING_BUILDERS:
        if not send(deliver_due, destination):
            return


def send(task: Any, *arguments: object, countdown: float = 0) -> bool:
    """Hands a task to the workers; False where the broker is down or was a moment ago. Never waits for it."""
    global _quiet_until  # noqa: PLW0603 - what this process knows of the broker
    if time.monotonic() < _quiet_until:
        return False
    try:
        task.apply_async(arguments, countdown=countdown, retry=False)
    except (OperationalError, OSError) as error:
        _quiet_until = time.monotonic() + QUIET
        logger.warning("The broker can't be reached; what was to be done waits for the next sweep: %s", error)
        return False
    return True
