"""The Celery application: `celery -A controlplane worker` and `celery -A controlplane beat`."""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_ready

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "controlplane.settings")

app = Celery("controlplane")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_ready.connect
def collect_telemetry(**_: Any) -> None:
    """Not only with beat's first tick: collecting makes the tables, and a turn that is told before they are is lost."""
    app.send_task("chat.tasks.collect_telemetry")
