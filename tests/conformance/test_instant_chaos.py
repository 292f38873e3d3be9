"""The stand-in is killed twenty times while two genuine clients edit one cart: nothing that was confirmed is lost."""

import json
import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from instantdb import Instant

from controlplane.localcloud import defaults
from tests.plugins.node import NODE

ROOT = Path(__file__).parents[2]
MODULES = ROOT / "edge_worker"
KILLS, EDITS = 20, 200

pytestmark = pytest.mark.skipif(
    not (MODULES / "node_modules" / "@instantdb" / "core").is_dir(), reason="needs `make edge-tools`"
)


class Server:
    """The stand-in as a process of its own, on a port and a directory that outlive it."""

    def __init__(self, data: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.uri = f"http://127.0.0.1:{self.port}"
        self._command = [sys.executable, "-m", "controlplane.localcloud.instant", "--port", str(self.port)]
        self._command += ["--data", str(data)]
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, cwd=ROOT, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 30
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.02)
        raise AssertionError("the stand-in did not start")

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "instant")
    yield server
    server.kill()


def edits_under_fire(server: Server) -> dict[str, Any]:
    """What the clients report, after KILLS restarts at random moments between their edits."""
    script = ROOT / "tests/conformance/chaos.mjs"
    command = [str(part) for part in (NODE, script, MODULES, server.uri, defaults.INSTANT_APP_ID, EDITS)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as clients:
        assert clients.stdin
        assert clients.stdout
        assert clients.stdout.readline() == "ready\n"
        chance = random.Random(1)
        for _ in range(KILLS):
            for _ in range(3):  # in full swing
                assert clients.stdout.readline() == "synced\n"
            time.sleep(chance.uniform(0, 0.2))
            server.kill()
            server.start()
        clients.stdin.write("enough\n")
        clients.stdin.flush()
        while (line := clients.stdout.readline()) == "synced\n":
            pass
        answer: dict[str, Any] = json.loads(line)
        return answer


def test_both_clients_converge_and_keep_everything_that_was_confirmed(server: Server) -> None:
    report = edits_under_fire(server)
    with Instant(app_id=defaults.INSTANT_APP_ID, admin_token=defaults.INSTANT_ADMIN_TOKEN, api_uri=server.uri) as sdk:
        stored = {line["id"]: line["quantity"] for line in sdk.query({"cartItems": {}})["cartItems"]}
    for client in report.values():
        assert (client["connected"], client["waiting"]) == (True, False)
        assert client["seen"] == stored
        assert set(client["refused"]) <= {"transaction timed out"}
        for line, possible in possible_values(client["made"]).items():
            assert stored.get(line) in possible


def possible_values(made: list[dict[str, Any]]) -> dict[str, list[int | None]]:
    """By line, what it may hold in the end: what was confirmed last, or anything that its client wrote after that."""
    possible: dict[str, list[int | None]] = {}
    for write in made:
        before = [] if write["confirmed"] else possible.get(write["line"], [None])
        possible[write["line"]] = [*before, write["quantity"]]
    return possible
