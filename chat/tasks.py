"""Celery's side of the chat: every task may run twice, and at the same moment as another of its kind."""

import logging
import uuid
from collections.abc import Sequence

from celery import shared_task
from kombu.exceptions import OperationalError

from chat import embedding_switch, imports, inbox, retention, telemetry
from controlplane.adapters.errors import AdapterError

logger = logging.getLogger(__name__)


@shared_task
def read_source(pk: str) -> None:
    imports.read_source(uuid.UUID(pk))


@shared_task
def read_what_is_due() -> None:
    """Uploads whose task was lost, pages that are due again, readings that died."""
    send_readings(imports.due())


@shared_task
def collect_telemetry() -> None:
    """Brings the edge's conversations home, then groups the questions that had no answer."""
    try:
        telemetry.collect()
        inbox.group_new_questions()
    except AdapterError as error:
        logger.warning("Conversations are collected later: %s", error.message)


@shared_task
def follow_embedding_model() -> None:
    try:
        embedding_switch.advance()
    except AdapterError as error:
        logger.warning("The embedding model is followed later: %s", error.message)


@shared_task
def forget_old_conversations() -> None:
    retention.forget()


def send_readings(ids: Sequence[uuid.UUID]) -> None:
    """One task a source. The broker may be down: then beat's sweep finds them."""
    for pk in ids:
        try:
            read_source.apply_async((str(pk),), retry=False)
        except (OperationalError, OSError) as error:
            logger.warning("The broker can't be reached; files and pages wait for the next sweep: %s", error)
            return
