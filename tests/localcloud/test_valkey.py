import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import redis

from controlplane.localcloud.sqld import ServerError, free_port
from controlplane.localcloud.valkey import Valkey


def test_queues_survive_a_restart(tmp_path: Path) -> None:
    with Valkey(tmp_path) as server, redis.Redis.from_url(server.url) as client:
        client.lpush("queue", "task")
    with Valkey(tmp_path) as server, redis.Redis.from_url(server.url) as client:
        assert client.lrange("queue", 0, -1) == [b"task"]


def test_the_module_runs_the_server_in_the_foreground_until_it_is_told_to_end(tmp_path: Path) -> None:
    server = Valkey(tmp_path, free_port())
    command = [
        sys.executable,
        "-m",
        "controlplane.localcloud.valkey",
        "--port",
        str(server.port),
        "--data",
        str(tmp_path),
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    server._process = process
    try:
        server.wait_ready()
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
    finally:
        server.stop()


def test_a_taken_port_is_reported_with_the_servers_own_words(tmp_path: Path) -> None:
    with Valkey(tmp_path / "a") as server, pytest.raises(ServerError, match="in use"):
        Valkey(tmp_path / "b", server.port).__enter__()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no parent-death signal")
def test_the_server_does_not_outlive_a_parent_that_was_killed(tmp_path: Path) -> None:
    script = (
        "import os, pathlib, signal, sys; from controlplane.localcloud.valkey import Valkey;"
        "Valkey(pathlib.Path(sys.argv[1]), int(sys.argv[2])).__enter__(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    port = free_port()
    killed = subprocess.run([sys.executable, "-c", script, tmp_path, str(port)], check=False)
    assert killed.returncode == -signal.SIGKILL
    deadline = time.monotonic() + 10
    while is_listening(port) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not is_listening(port)


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
