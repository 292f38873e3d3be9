"""The server that the vendor's clients are tried on: ours on a free port, or whatever the environment names.

INSTANT_CONFORMANCE_URI names a running server, _WEBSOCKET_URI its websocket (default: the same host), _APP_ID and
_ADMIN_TOKEN an app that may be overwritten (default: a new ephemeral one). See docs/conformance.md.
"""

import dataclasses
import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from controlplane.localcloud.instant.schema import EMPTY, storefront, storefront_rules
from tests.plugins.instant import serving
from tests.plugins.node import NODE

ROOT = Path(__file__).parents[2]
EDGE_WORKER = ROOT / "edge_worker"


@dataclasses.dataclass(frozen=True)
class Target:
    """An app of a running server."""

    api_uri: str
    websocket_uri: str
    app_id: str
    admin_token: str

    def push(self, schema: Any, rules: Any) -> None:
        """What instant-cli does, in two requests: for tests of what comes after it."""
        headers = {"authorization": f"Bearer {self.admin_token}"}
        one = f"{self.api_uri}/superadmin/apps/{self.app_id}"
        body = {"schema": schema, "check_types": True, "supports_background_updates": False}
        httpx.post(f"{one}/schema/push/apply", json=body, headers=headers, timeout=60).raise_for_status()
        httpx.post(f"{one}/perms", json={"code": rules}, headers=headers, timeout=60).raise_for_status()

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "PATH": f"{NODE.parent}{os.pathsep}{os.environ['PATH']}",
            "INSTANT_CONFORMANCE_URI": self.api_uri,
            "INSTANT_CONFORMANCE_WEBSOCKET_URI": self.websocket_uri,
            "INSTANT_CONFORMANCE_APP_ID": self.app_id,
            "INSTANT_CONFORMANCE_ADMIN_TOKEN": self.admin_token,
        }


def ephemeral(api_uri: str) -> Mapping[str, str]:
    """A new app, which any server that allows it makes without sign-in."""
    answer = httpx.post(f"{api_uri}/dash/apps/ephemeral", json={"title": "conformance"}, timeout=30)
    assert answer.status_code == 200, f"name an app in INSTANT_CONFORMANCE_APP_ID: {answer.text}"
    app: Mapping[str, str] = answer.json()["app"]
    return app


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """(API, websocket) addresses."""
    if uri := os.environ.get("INSTANT_CONFORMANCE_URI"):
        websocket = re.sub("^http", "ws", uri) + "/runtime/session"
        yield uri, os.environ.get("INSTANT_CONFORMANCE_WEBSOCKET_URI", websocket)
        return
    with serving(tmp_path_factory.mktemp("conformance"), apps=()) as uri:
        yield uri, re.sub("^http", "ws", uri) + "/runtime/session"


@pytest.fixture(scope="module")
def target(server: tuple[str, str]) -> Target:
    """An app for one module of tests, empty unless the environment names one."""
    uri, websocket = server
    if app_id := os.environ.get("INSTANT_CONFORMANCE_APP_ID"):
        return Target(uri, websocket, app_id, os.environ["INSTANT_CONFORMANCE_ADMIN_TOKEN"])
    app = ephemeral(uri)
    return Target(uri, websocket, app["id"], app["admin-token"])


@pytest.fixture(scope="module")
def storefront_app(target: Target) -> Target:
    """The same, with the storefront's schema and rules."""
    target.push({**EMPTY, **storefront()}, storefront_rules())
    return target


def run_node(script: Path, *arguments: str | Path, env: Mapping[str, str]) -> list[dict[str, Any]]:
    """What a script printed, one JSON object a line."""
    if not (EDGE_WORKER / "node_modules/@instantdb/admin").exists():
        pytest.skip("needs `make edge-tools`")
    done = subprocess.run(
        [NODE, script, *arguments],
        env=dict(env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]
