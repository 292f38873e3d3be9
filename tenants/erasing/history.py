"""The logs of who did what: Django's own, and the audit log where it is installed."""

from collections.abc import Iterator
from typing import Any

from django.apps import apps

LOGS = ("admin", "auditlog")


def logs() -> Iterator[Any]:
    """Their models, each called LogEntry."""
    for label in LOGS:
        if apps.is_installed("django.contrib.admin" if label == "admin" else label):
            yield apps.get_model(label, "LogEntry")


def column_of_object(log: Any) -> str:
    return "object_id" if log._meta.app_label == "admin" else "object_pk"
