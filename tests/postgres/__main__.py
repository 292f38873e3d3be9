"""`python -m tests.postgres [pytest's options]`: what depends on the database, on an embedded PostgreSQL."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.postgres.server import Postgres


def main() -> int:
    command = [sys.executable, "-m", "pytest", "-m", "postgres", *sys.argv[1:]]
    with tempfile.TemporaryDirectory(prefix="storefront-postgres-") as folder, Postgres(Path(folder)) as server:
        environment = {**os.environ, "DATABASE_URL": server.url, "DJANGO_SETTINGS_MODULE": "tests.settings"}
        return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
