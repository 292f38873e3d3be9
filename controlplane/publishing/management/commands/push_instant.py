"""`manage.py push_instant`: edge_worker/'s schema and rules into every realtime cell, by the vendor's instant-cli."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

CLI = Path("node_modules/instant-cli/bin/index.js")


class Command(BaseCommand):
    help = "Pushes instant.schema.ts and instant.perms.ts to the Instant app of every realtime cell."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--wait", type=float, default=0, help="Seconds to wait for the server to come up.")

    def handle(self, *args: Any, **options: Any) -> None:
        directory = settings.BASE_DIR / "edge_worker"
        node = shutil.which("node", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
        if node is None or not (directory / CLI).exists():
            raise CommandError("Node or instant-cli is missing: run `make edge-tools`.")
        for name, cell in settings.REALTIME_CELLS.items():
            wait_for(cell["api_uri"], options["wait"])
            self.push(node, directory, name, cell)

    def push(self, node: str, directory: Path, name: str, cell: dict[str, str]) -> None:
        """The admin token travels in the environment: arguments show up in the process list."""
        command = [node, str(CLI), "push", "all", "--yes"]
        done = subprocess.run(  # noqa: S603 - our own node and the locked package
            command,
            cwd=directory,
            env=environment(cell),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        said = "\n".join(line for line in (done.stdout + done.stderr).splitlines() if line.strip())
        if done.returncode:
            raise CommandError(f"Instant cell {name}: instant-cli failed.\n{said}")
        self.stdout.write(f"Instant cell {name}: schema and permissions are those of edge_worker/.")


def environment(cell: dict[str, str]) -> dict[str, str]:
    return {
        **os.environ,
        "INSTANT_CLI_API_URI": cell["api_uri"],
        "INSTANT_CLI_NO_BROWSER": "1",
        "INSTANT_APP_ID": cell["app_id"],
        "INSTANT_APP_ADMIN_TOKEN": cell["admin_token"],
        "INSTANT_SCHEMA_FILE_PATH": "instant.schema.ts",
        "INSTANT_PERMS_FILE_PATH": "instant.perms.ts",
    }


def wait_for(api_uri: str, seconds: float) -> None:
    """Until something listens there, or until the time is up: then instant-cli says what is wrong."""
    address, until = urlsplit(api_uri), time.monotonic() + seconds
    port = address.port or (443 if address.scheme == "https" else 80)
    while time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection((address.hostname or "", port), timeout=1):
            return
        time.sleep(0.2)
