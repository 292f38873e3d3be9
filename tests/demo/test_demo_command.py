"""`manage.py demo` says which port is taken, stops at any moment, and names a part that stopped by itself."""

import contextlib
import io
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from controlplane.demo.management.commands import demo
from controlplane.localcloud import defaults

ROOT = Path(__file__).parents[2]
PATIENCE = 60
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM)

MANAGE = """
import sys
import django
django.setup()
from controlplane.demo.management.commands import demo
demo.announce = lambda manager: None
manager = demo.DemoManager(demo.QuietPrinter(sys.stdout))
for number, command in enumerate(sys.argv[1:]):
    manager.add_process(f"part{number}", command)
print("go", flush=True)
manager.loop()
print("culprit:", manager.culprit)
"""


def start(*commands: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    return subprocess.Popen(
        [sys.executable, "-c", MANAGE, *commands], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip


def test_a_taken_port_is_named_before_anything_starts(tmp_path: Path) -> None:
    with contextlib.ExitStack() as held:
        # A running demo holds it already: that is just as taken.
        with contextlib.suppress(OSError):
            held.enter_context(socket.create_server(("127.0.0.1", defaults.EDGE_PORT)))
        environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "controlplane.settings", "DATA_DIR": str(tmp_path)}
        command = [sys.executable, "manage.py", "demo"]
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE
        )
    assert done.returncode != 0
    assert f"{defaults.EDGE_PORT} (edge)" in done.stderr
    assert "Starting" not in done.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stop_while_it_still_starts_leaves_no_process_behind(number: signal.Signals, tmp_path: Path) -> None:
    pids = [tmp_path / name for name in ("one", "two")]
    process = start(*(f"echo $$ > {path}; exec sleep 300" for path in pids))
    assert process.stdout
    process.stdout.readline()
    os.killpg(process.pid, number)  # the whole foreground group, as a terminal does
    out, _ = process.communicate(timeout=PATIENCE)
    assert "culprit: \n" in out
    for path in pids:
        assert not path.exists() or not Path(f"/proc/{path.read_text().strip()}").exists()


def test_a_stop_before_anything_is_started_waits_until_it_can_be_stopped() -> None:
    before = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        manager = demo.DemoManager(demo.QuietPrinter(io.StringIO()))
        manager.add_process("part", "exec sleep 300")
        manager.terminate()  # as honcho's own handler does, which stands for a moment
        assert not manager.stopping
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 0
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)


def test_a_part_that_stops_by_itself_is_named_and_stops_the_others() -> None:
    process = start("exec sleep 300", "exit 3")
    out, _ = process.communicate(timeout=PATIENCE)
    assert "culprit: part1 (exit code 3)" in out
