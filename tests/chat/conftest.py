"""The telemetry database, which is another server than the vectors'."""

from collections.abc import Iterator
from typing import Any

import pytest

from controlplane.adapters.turso import TursoDatabase
from controlplane.localcloud.sqld import Sqld
from controlplane.publishing import cells
from tests.plugins.turso import _drop_everything


@pytest.fixture(scope="session")
def telemetry_server(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Sqld]:
    cache = pytestconfig.cache
    with Sqld(tmp_path_factory.mktemp("telemetry"), cache_dir=cache.mkdir("sqld") if cache else None) as server:
        yield server


@pytest.fixture
def telemetry(settings: Any, telemetry_server: Sqld) -> Iterator[TursoDatabase]:
    """Empty, with its tables, as the settings name it."""
    settings.TELEMETRY_DATABASE_URL = telemetry_server.url
    settings.TELEMETRY_AUTH_TOKEN = telemetry_server.rw_token
    database = TursoDatabase(telemetry_server.url, telemetry_server.rw_token)
    _drop_everything(database)
    cells.close()
    cells.telemetry()
    yield database
    cells.close()
    database.close()
