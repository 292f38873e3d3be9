"""A real libSQL server for tests: `sqld` once per worker process, `turso_database` emptied before every test."""

from collections.abc import Iterator

import pytest

from controlplane.adapters.turso import TursoDatabase
from controlplane.localcloud.sqld import Sqld


@pytest.fixture(scope="session")
def sqld(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Sqld]:
    """A running server. Its 42 MB binary is unpacked once into pytest's cache, not once per run and worker."""
    cache = pytestconfig.cache
    with Sqld(tmp_path_factory.mktemp("sqld"), cache_dir=cache.mkdir("sqld") if cache else None) as server:
        yield server


@pytest.fixture
def turso_database(sqld: Sqld) -> Iterator[TursoDatabase]:
    """The server's one database without any table, opened with the read-write token."""
    database = TursoDatabase(sqld.url, sqld.rw_token)
    drop_everything(database)
    yield database
    database.close()


def drop_everything(database: TursoDatabase) -> None:
    # Virtual tables first: they own the shadow tables, which then are gone, hence IF EXISTS.
    tables = database.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT GLOB 'sqlite_*' AND name NOT GLOB 'libsql_*'"
        " ORDER BY sql LIKE 'CREATE VIRTUAL%' DESC"
    )
    if tables.rows:
        database.batch([f"DROP TABLE IF EXISTS {row['name']!s}" for row in tables])
