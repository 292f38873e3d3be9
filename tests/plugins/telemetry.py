"""A second libSQL server, for the chat's telemetry: `telemetry_sqld` once per worker process, `telemetry_database` with
its schema and no rows before every test. Its tokens open nothing else."""

from collections.abc import Iterator

import pytest

from controlplane.adapters.turso import TursoDatabase
from controlplane.localcloud.sqld import Sqld
from controlplane.publishing.telemetry import TelemetryStore


@pytest.fixture(scope="session")
def telemetry_sqld(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Sqld]:
    cache = pytestconfig.cache
    with Sqld(tmp_path_factory.mktemp("telemetry"), cache_dir=cache.mkdir("sqld") if cache else None) as server:
        yield server


@pytest.fixture
def telemetry_database(telemetry_sqld: Sqld) -> Iterator[TursoDatabase]:
    database = TursoDatabase(telemetry_sqld.url, telemetry_sqld.rw_token)
    TelemetryStore(database).ensure_schema()
    database.batch([f"DELETE FROM {table}" for table in ("turn", "rating", "usage")])
    yield database
    database.close()
