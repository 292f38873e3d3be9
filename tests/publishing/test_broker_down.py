"""Valkey stopped during a save: the save succeeds, and a sweep publishes it later."""

import os
import subprocess
import sys
from pathlib import Path

from controlplane.localcloud.sqld import free_port

ROOT = Path(__file__).parents[2]

SAVE = """
from controlplane.publishing.models import StaleDocument
from tenants.models import Tenant
tenant = Tenant.objects.create(slug="acme", name="Acme")
print("waiting:", StaleDocument.objects.filter(tenant=tenant).count())
"""


def test_a_save_succeeds_while_the_broker_is_down(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "controlplane.settings",
        "DATA_DIR": str(tmp_path),
        "REDIS_URL": f"redis://127.0.0.1:{free_port()}/0",
    }
    outputs = []
    for arguments in (["migrate", "--verbosity=0"], ["shell", "--verbosity=0", "-c", SAVE]):
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        outputs.append(done)
    assert "waiting: 2" in outputs[1].stdout
    assert "The broker can't be reached" in outputs[1].stderr
