import contextlib
import http.server
import json
import os
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from controlplane.adapters.errors import AdapterError
from controlplane.adapters.turso import Statement, TursoDatabase, Value
from controlplane.localcloud.sqld import Sqld


@pytest.fixture(params=["http", "ws"])
def database(request: pytest.FixtureRequest, sqld: Sqld, turso_database: TursoDatabase) -> Iterator[TursoDatabase]:
    """The same empty database through each transport."""
    if request.param == "http":
        yield turso_database
        return
    database = TursoDatabase(sqld.url.replace("http", "ws"), sqld.rw_token)
    yield database
    database.close()


def failure(database: TursoDatabase, *statements: Statement | str) -> AdapterError:
    with pytest.raises(AdapterError) as caught:
        database.batch(statements)
    database.close()
    return caught.value


@pytest.mark.parametrize(
    "value", [None, "", "Grüße 🪴", 0, -(2**63), 2**63 - 1, 0.1, 1.0, -5e-324, b"", b"\x00\xff\x10", b"ab"]
)
def test_every_value_comes_back_as_it_went(database: TursoDatabase, value: Value) -> None:
    row = database.execute("SELECT ? AS value, typeof(?1) AS kind", [value])[0]
    assert (row["value"], type(row[0])) == (value, type(value))


def test_values_without_a_place_in_sqlite_are_refused(turso_database: TursoDatabase) -> None:
    with pytest.raises(OverflowError):
        turso_database.execute("SELECT ?", [2**63])
    with pytest.raises(ValueError, match="NaN"):
        turso_database.execute("SELECT ?", [float("nan")])
    with pytest.raises(TypeError, match="list"):
        turso_database.execute("SELECT ?", [[1]])  # type: ignore[list-item]


def test_arguments_may_be_named(database: TursoDatabase) -> None:
    assert database.execute("SELECT :a || :b", {"a": "x", "b": "y"})[0].astuple() == ("xy",)


def test_a_result_tells_columns_rows_and_what_was_written(database: TursoDatabase) -> None:
    results = database.batch(
        [
            "CREATE TABLE pots (id INTEGER PRIMARY KEY, glaze TEXT)",
            Statement("INSERT INTO pots (glaze) VALUES (?), (?)", ["moss", "ash"]),
            "SELECT id, glaze FROM pots ORDER BY id",
        ]
    )
    assert (results[1].rows_affected, results[1].last_insert_rowid) == (2, 2)
    assert results[2].columns == ("id", "glaze")
    assert [row.asdict() for row in results[2]] == [{"id": 1, "glaze": "moss"}, {"id": 2, "glaze": "ash"}]


@pytest.mark.parametrize("bad", ["INSERT INTO pots VALUES (1)", "INSERT INTO nowhere VALUES (1)", "INSERT"])
def test_one_failing_statement_undoes_the_whole_batch(database: TursoDatabase, bad: str) -> None:
    database.execute("CREATE TABLE pots (id INTEGER PRIMARY KEY)")
    with pytest.raises(AdapterError) as caught:
        database.batch(["INSERT INTO pots VALUES (1)", bad, "INSERT INTO pots VALUES (2)"])
    assert caught.value.permanent
    assert database.execute("SELECT count(*) FROM pots")[0][0] == 0
    database.batch(["INSERT INTO pots VALUES (3)"])  # and no transaction was left open
    assert len(database.execute("SELECT * FROM pots")) == 1


@pytest.mark.parametrize("scheme", ["http", "ws"])
def test_a_read_only_token_reads_but_does_not_write(turso_database: TursoDatabase, sqld: Sqld, scheme: str) -> None:
    turso_database.execute("CREATE TABLE pots (id)")
    reader = TursoDatabase(sqld.url.replace("http", scheme), sqld.ro_token)
    assert len(reader.execute("SELECT * FROM pots")) == 0
    # Over a websocket sqld hangs up without saying why.
    assert failure(reader, "INSERT INTO pots VALUES (1)").permanent or scheme == "ws"
    assert len(turso_database.execute("SELECT * FROM pots")) == 0


@pytest.mark.parametrize("scheme", ["http", "ws"])
@pytest.mark.parametrize("token", ["wrong", None, "line\nbreak"])
def test_a_refused_token_is_a_permanent_error_that_does_not_repeat_it(
    sqld: Sqld, scheme: str, token: str | None
) -> None:
    error = failure(TursoDatabase(sqld.url.replace("http", scheme), token), "SELECT 1")
    assert error.permanent
    assert str(token) not in error.message


@pytest.mark.parametrize("scheme", ["http", "ws"])
def test_an_unreachable_server_is_a_transient_error(scheme: str) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    assert not failure(TursoDatabase(f"{scheme}://127.0.0.1:{port}", "token"), "SELECT 1").permanent


@pytest.mark.parametrize("scheme", ["http", "ws"])
def test_a_silent_server_is_a_transient_error(scheme: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        database = TursoDatabase(f"{scheme}://127.0.0.1:{silent.getsockname()[1]}", "token", timeout=0.05)
        error = failure(database, "SELECT 1")
    assert (error.message, error.permanent) == ("Turso did not answer in time.", False)


@pytest.mark.parametrize(
    ("code", "permanent"),
    [
        ("SQLITE_BUSY", False),
        ("TRANSACTION_TIMEOUT", False),
        ("SQLITE_CONSTRAINT", True),
        ("BLOCKED", True),
        (None, True),
    ],
)
def test_sql_errors_are_permanent_and_a_busy_database_is_not(code: str | None, permanent: bool) -> None:
    error = {"message": "database is locked", "code": code}
    with answering(200, body={"results": [{"type": "error", "error": error}]}) as url:
        raised = failure(TursoDatabase(url, "token"), "SELECT 1")
    assert (raised.message, raised.permanent) == (f"Turso: database is locked ({code or 'UNKNOWN'})", permanent)


@pytest.mark.parametrize(
    ("status", "retry_after", "permanent"),
    [
        (429, "7", False),
        (503, None, False),
        (500, "soon", False),
        (400, None, True),
        (404, None, True),
        (505, None, True),
    ],
)
def test_http_statuses_are_permanent_or_transient(status: int, retry_after: str | None, permanent: bool) -> None:
    with answering(status, retry_after) as url:
        error = failure(TursoDatabase(url, "token"), "SELECT 1")
    assert (error.permanent, error.retry_after) == (permanent, 7.0 if retry_after == "7" else None)


def test_an_answer_that_is_no_hrana_is_a_transient_error() -> None:
    with answering(200) as url:
        assert not failure(TursoDatabase(url, "token"), "SELECT 1").permanent


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # Celery forks all the same
def test_a_forked_child_uses_a_connection_of_its_own(database: TursoDatabase) -> None:
    database.execute("CREATE TABLE pots (id)")
    child = os.fork()
    if child == 0:
        signal.alarm(10)  # a client shared with the parent would wait for ever
        try:
            database.batch(["INSERT INTO pots VALUES (1)"])
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    assert len(database.execute("SELECT * FROM pots")) == 1


@pytest.mark.parametrize("scheme", ["http", "ws"])
def test_a_server_that_was_restarted_is_found_again(tmp_path: Path, sqld: Sqld, scheme: str) -> None:
    server = Sqld(tmp_path, cache_dir=sqld.cache_dir)
    database = TursoDatabase(server.url.replace("http", scheme), server.rw_token)
    with server:
        database.execute("SELECT 1")
    with pytest.raises(AdapterError) as caught:
        database.execute("SELECT 1")
    assert not caught.value.permanent
    with server:
        assert database.execute("SELECT 2")[0][0] == 2
    database.close()


@pytest.mark.parametrize(
    "url", ["file:shop.db", "", "https://", "libsql://user:secret@host", "libsql://host?authToken=secret", "http://h#x"]
)
def test_a_url_that_names_no_server_or_carries_a_secret_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="A Turso URL") as caught:
        TursoDatabase(url, "token")
    assert "secret" not in str(caught.value)


@contextlib.contextmanager
def answering(status: int, retry_after: str | None = None, body: object = None) -> Iterator[str]:
    """The URL of a server that gives every request this answer: sqld can't be made to give them at will."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            if retry_after:
                self.send_header("Retry-After", retry_after)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_request(self, *args: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
