"""The Worker as wrangler bundles it in real Pyodide, in one Node process that lives as long as the test run."""

import base64
import json
import os
import subprocess
import threading
import uuid
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

from controlplane.deploy.edge import WORKER, configuration, wrangler
from tests.edge_worker.runtimes.asked import Asked, Told
from tests.edge_worker.runtimes.simulator import Simulator
from tests.plugins.node import NODE

SERVE = Path(__file__).parents[1] / "pyodide" / "serve.mjs"
NAMESPACE = "5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e"


def bundle(out: Path, environment: str = "") -> subprocess.CompletedProcess[str]:
    """What `wrangler deploy` would upload, into `out`."""
    for needed in ("node_modules/wrangler", "python_modules/workers"):
        assert (WORKER / needed).exists(), f"edge_worker/{needed} is missing: run `make edge-tools`"
    quiet = {"CI": "true", "WRANGLER_SEND_METRICS": "false", "WRANGLER_LOG_PATH": str(out.parent / "wrangler-logs")}
    command = wrangler("deploy", "--dry-run", "--env", environment, "--outdir", str(out))
    return subprocess.run(command, cwd=WORKER, env=os.environ | quiet, capture_output=True, text=True, check=False)


class Pyodide:
    """Starts in about ten seconds, half of them Cloudflare's simulator; `facts` is what the process said of itself."""

    name = "pyodide"

    def __init__(self, bundled: Path, variables: dict[str, str]) -> None:
        configured = configuration((WORKER / "wrangler.jsonc").read_text("utf-8"))
        assets = configured["assets"]
        names = {key: value for key, value in assets.items() if key != "directory"}
        self._task = {
            "vars": variables,
            "namespaces": {"KV": NAMESPACE},
            "limits": configured["ratelimits"],
            "assets": {"directory": str(WORKER / assets["directory"]), "assetConfig": names},
        }
        self._command = [NODE, SERVE, WORKER, bundled]
        self._client = httpx.Client(timeout=60)
        self.log: deque[str] = deque(maxlen=200)
        self.facts: dict[str, Any] = {}
        self.last: dict[str, Any] = {}

    def __enter__(self) -> "Pyodide":
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self._process.stdin
        assert self._process.stdout
        self._reader = threading.Thread(target=self._keep_log, daemon=True)
        self._reader.start()
        self._process.stdin.write(json.dumps(self._task) + "\n")
        self._process.stdin.flush()
        said = self._process.stdout.readline()
        assert said, "\n".join(self.log)[-3000:]
        self.facts = json.loads(said)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._client.close()
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()  # its sign to end
        try:
            self._process.wait(timeout=20)
        finally:
            self._process.kill()
            self._reader.join()
            self._process.stdout.close()

    def _keep_log(self) -> None:
        assert self._process.stderr
        with self._process.stderr as lines:
            self.log.extend(line.rstrip() for line in lines)

    @property
    def front(self) -> str:
        """The Worker behind workerd's HTTP server, with its static assets."""
        return str(self.facts["front"])

    def kv(self) -> Simulator:
        """The Worker's KV, as Django reaches it."""
        return Simulator(self.facts["explorer"], NAMESPACE)

    def ask(self, asked: Asked) -> Told:
        task = {
            "method": asked.method, "url": asked.url, "headers": asked.sent_headers,
            "body": base64.b64encode(asked.body).decode(), "vars": dict(asked.variables),
            "down": ["KV"] if asked.kv_is_down else [], "cache": asked.cache or uuid.uuid4().hex,
        }  # fmt: skip
        lines = self._lines(task)
        head = next(lines)
        return Told(status=head["status"], headers=[(k, v) for k, v in head["headers"]], parts=self._parts(lines))

    def _lines(self, task: dict[str, Any]) -> Iterator[dict[str, Any]]:
        with self._client.stream("POST", self.facts["control"], json=task) as answer:
            for text in answer.iter_lines():
                line: dict[str, Any] = json.loads(text)
                assert "failed" not in line, line["failed"][-3000:]
                yield line

    def _parts(self, lines: Iterator[dict[str, Any]]) -> Iterator[bytes]:
        for line in lines:
            if "body" in line:
                yield base64.b64decode(line["body"])
            else:
                self.last = line
