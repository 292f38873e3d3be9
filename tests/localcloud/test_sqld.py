import hashlib
import os
import platform
import signal
import subprocess
import sys
from pathlib import Path

import jwt
import pytest

from controlplane.adapters.errors import AdapterError
from controlplane.adapters.turso import TursoDatabase
from controlplane.localcloud.sqld import ServerError, Sqld, binary, free_port, tokens


def read_one(server: Sqld) -> object:
    database = TursoDatabase(server.url, server.ro_token)
    try:
        return database.execute("SELECT note FROM notes")[0]["note"]
    finally:
        database.close()


def test_data_and_tokens_survive_a_restart(tmp_path: Path, sqld: Sqld) -> None:
    with Sqld(tmp_path, cache_dir=sqld.cache_dir) as first:
        database = TursoDatabase(first.url, first.rw_token)
        database.batch(["CREATE TABLE notes (note)", "INSERT INTO notes VALUES ('still here')"])
        database.close()
        token = first.rw_token
    with Sqld(tmp_path, cache_dir=sqld.cache_dir) as second:
        assert second.rw_token == token
        assert read_one(second) == "still here"


def test_the_module_runs_the_server_in_the_foreground_until_it_is_told_to_end(tmp_path: Path, sqld: Sqld) -> None:
    (tmp_path / "cache").symlink_to(sqld.cache_dir)
    server = Sqld(tmp_path, free_port())
    command = [
        sys.executable,
        "-m",
        "controlplane.localcloud.sqld",
        "--port",
        str(server.port),
        "--data",
        str(tmp_path),
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    server._process = process
    try:
        server.wait_ready()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    finally:
        server.stop()


def test_a_server_that_cannot_start_is_reported_with_its_own_words(sqld: Sqld, tmp_path: Path) -> None:
    with pytest.raises(ServerError, match="in use"):
        Sqld(tmp_path, sqld.port, cache_dir=sqld.cache_dir).__enter__()


def test_a_stopped_server_is_gone(tmp_path: Path, sqld: Sqld) -> None:
    with Sqld(tmp_path, cache_dir=sqld.cache_dir) as server:
        pid = server.pid
    assert pid is not None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(AdapterError, match="reached"):
        read_one(server)


def test_another_servers_token_is_refused(tmp_path: Path, sqld: Sqld) -> None:
    database = TursoDatabase(sqld.url, tokens(tmp_path).read_write)
    with pytest.raises(AdapterError) as caught:
        database.execute("SELECT 1")
    database.close()
    assert caught.value.permanent


def test_every_process_gets_the_same_tokens_and_only_the_owner_can_read_the_key(tmp_path: Path) -> None:
    script = (
        "import pathlib, sys; from controlplane.localcloud.sqld import tokens;"
        "print(tokens(pathlib.Path(sys.argv[1])).read_only)"
    )
    first, second = (subprocess.Popen([sys.executable, "-c", script, tmp_path], stdout=subprocess.PIPE) for _ in "ab")
    assert first.communicate()[0] == second.communicate()[0] == tokens(tmp_path).read_only.encode() + b"\n"
    assert (tmp_path / "jwt-private-key.pem").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["jwt-private-key.pem"]


def test_tokens_name_their_access_and_do_not_show_in_a_repr(tmp_path: Path) -> None:
    made = tokens(tmp_path)
    assert jwt.decode(made.read_write, options={"verify_signature": False}) == {"a": "rw"}
    assert jwt.decode(made.read_only, options={"verify_signature": False}) == {"a": "ro"}
    assert made.read_write not in repr(made)


def test_a_damaged_binary_is_unpacked_again(tmp_path: Path) -> None:
    path = binary(tmp_path)
    intact = hashlib.sha256(path.read_bytes()).hexdigest()
    path.write_bytes(b"damaged")
    assert binary(tmp_path) == path
    assert hashlib.sha256(path.read_bytes()).hexdigest() == intact
    assert list(tmp_path.iterdir()) == [path]


def test_another_platform_is_told_to_name_a_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    with pytest.raises(ServerError, match=r"riscv64.*TURSO_DATABASE_URL"):
        binary(tmp_path)
