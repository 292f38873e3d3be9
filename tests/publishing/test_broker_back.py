"""A real Celery worker and beat on a real Valkey that is stopped during a save and comes back."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from controlplane.localcloud.valkey import Valkey
from tests.plugins.cloudflare import CloudflareCloud

ROOT = Path(__file__).parents[2]
PATIENCE = 180
"""Seconds until the test gives up; it takes about ten."""

SAVE = """
from tenants.models import Tenant
Tenant.objects.create(slug="{slug}", name="{slug}")
"""


@pytest.fixture
def environment(tmp_path: Path, cloudflare_cloud: CloudflareCloud) -> dict[str, str]:
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "controlplane.settings",
        "DATA_DIR": str(tmp_path / "data"),
        "DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}",
        "CLOUDFLARE_API_URL": cloudflare_cloud.base_url,
    }


def manage(environment: dict[str, str], *arguments: str) -> None:
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@contextlib.contextmanager
def celery(environment: dict[str, str], schedule: Path) -> Iterator[None]:
    """Worker and beat in one process, as `-B` runs them."""
    command = ["celery", "--quiet", "-A", "controlplane", "worker", "-B", f"--schedule={schedule}", "--pool=solo"]
    with schedule.with_suffix(".log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", *command], cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def is_published(cloud: CloudflareCloud, key: str) -> bool:
    return cloud.store.get(cloud.namespace_id, key) is not None


def wait_for(cloud: CloudflareCloud, key: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_published(cloud, key):
        assert time.monotonic() < deadline, f"{key} was never published"
        time.sleep(0.1)


def test_what_was_saved_without_a_broker_is_published_when_it_is_back(
    tmp_path: Path, environment: dict[str, str], cloudflare_cloud: CloudflareCloud
) -> None:
    valkey = Valkey(tmp_path / "valkey")
    environment["REDIS_URL"] = valkey.url
    manage(environment, "migrate", "--verbosity=0")
    with celery(environment, tmp_path / "beat"):
        with valkey:
            manage(environment, "shell", "--verbosity=0", "-c", SAVE.format(slug="before"))
            wait_for(cloudflare_cloud, "domain:before.localhost")
        manage(environment, "shell", "--verbosity=0", "-c", SAVE.format(slug="meanwhile"))
        assert not is_published(cloudflare_cloud, "domain:meanwhile.localhost")
        with valkey:
            wait_for(cloudflare_cloud, "domain:meanwhile.localhost")
