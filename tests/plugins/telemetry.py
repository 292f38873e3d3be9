"""A second libSQL server, for the chat's telemetry: `telemetry_sqld` once per worker process, `telemetry_database` with
its tables and no rows before every test, as the settings name it. Its tokens open nothing else."""

from collections.abc import Iterator
from typing import Any

import pytest

from controlplane.adapters.turso import TursoDatabase
from controlplane.localcloud.sqld import Sqld
from controlplane.publishing import cells
from tests.plugins.turso import drop_everything


@pytest.fixture(scope="session")
def telemetry_sqld(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Sqld]:
    cache = pytestconfig.cache
    with Sqld(tmp_path_factory.mktemp("telemetry"), cache_dir=cache.mkdir("sqld") if cache else None) as server:
        yield server


@pytest.fixture
def telemetry_database(settings: Any, telemetry_sqld: Sqld) -> Iterator[TursoDatabase]:
    settings.TELEMETRY_DATABASE_URL = telemetry_sqld.url
    settings.TELEMETRY_AUTH_TOKEN = telemetry_sqld.rw_token
    database = TursoDatabase(telemetry_sqld.url, telemetry_sqld.rw_token)
    drop_everything(database)
    cells.close()
    cells.telemetry()  # its schema
    yield database
    cells.close()
    database.close()
