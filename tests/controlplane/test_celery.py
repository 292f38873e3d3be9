import pytest
from celery.signals import worker_ready

from controlplane.celery import app


def test_a_worker_collects_telemetry_as_soon_as_it_is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which makes the tables: the first turn of a new installation is not lost."""
    asked: list[str] = []
    monkeypatch.setattr(app, "send_task", lambda name, **_: asked.append(name))
    worker_ready.send(sender=None)
    assert asked == ["chat.tasks.collect_telemetry"]
    app.loader.import_default_modules()
    assert asked[0] in app.tasks
