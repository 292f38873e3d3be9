"""The Cloudflare stand-in for tests, on a free port: `cloudflare_cloud`, empty before every test."""

import contextlib
import dataclasses
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
import uvicorn

from controlplane.adapters.cloudflare_kv import KVNamespace
from controlplane.adapters.custom_hostnames import CustomHostnames
from controlplane.adapters.workers_ai import WorkersAI
from controlplane.localcloud import defaults
from controlplane.localcloud.cloudflare.ai import TextModel
from controlplane.localcloud.cloudflare.app import app
from controlplane.localcloud.cloudflare.clock import Clock
from controlplane.localcloud.cloudflare.limits import Pace
from controlplane.localcloud.cloudflare.saas import Saas
from controlplane.localcloud.cloudflare.store import Store
from controlplane.localcloud.cloudflare.zone_store import ZoneStore
from controlplane.localcloud.faults import Faults

A = TypeVar("A", KVNamespace, WorkersAI, CustomHostnames)


@dataclasses.dataclass(frozen=True)
class CloudflareCloud:
    base_url: str
    faults: Faults
    store: Store
    saas: Saas
    account_id: str = defaults.CLOUDFLARE_ACCOUNT_ID
    api_token: str = defaults.CLOUDFLARE_API_TOKEN
    namespace_id: str = defaults.CLOUDFLARE_KV_NAMESPACE_ID

    zone_id: str = defaults.CLOUDFLARE_ZONE_ID
    pace: Pace = dataclasses.field(default_factory=Pace)
    models: dict[str, TextModel] = dataclasses.field(default_factory=dict)
    """Its text models by name; a test may add its own."""

    def forget_pace(self) -> None:
        """As if a second had gone by since the last write of every key."""
        self.pace.forget()

    @property
    def zone_store(self) -> ZoneStore:
        return self.saas.store

    @property
    def clock(self) -> Clock:
        return self.saas.clock

    @property
    def resolver_url(self) -> str:
        return self.base_url.replace("/client/v4", "/dns-query")

    def point_here(self, host: str) -> None:
        """The host's one CNAME leads to the platform."""
        self.point_away(host)
        self.zone_store.add_record(host, "CNAME", defaults.CUSTOM_HOSTNAME_TARGET)

    def point_away(self, host: str) -> None:
        """The host has no CNAME or address any more; its texts stay."""
        self.saas.settle()
        for record in self.zone_store.records(host):
            if record[1] != "TXT":
                self.zone_store.remove_record(*record)

    opened: contextlib.ExitStack = dataclasses.field(default_factory=contextlib.ExitStack)

    def _closed_at_the_end(self, made: A) -> A:
        return self.opened.enter_context(contextlib.closing(made))

    def kv(self, **changed: str) -> KVNamespace:
        values = {name: getattr(self, name) for name in ("base_url", "api_token", "account_id", "namespace_id")}
        return self._closed_at_the_end(KVNamespace(**{**values, **changed}))

    def custom_hostnames(self, **changed: str) -> CustomHostnames:
        values = {name: getattr(self, name) for name in ("base_url", "api_token", "zone_id")}
        return self._closed_at_the_end(CustomHostnames(**{**values, **changed}))

    def ai(self, **changed: str) -> WorkersAI:
        values = {name: getattr(self, name) for name in ("base_url", "api_token", "account_id")}
        return self._closed_at_the_end(WorkersAI(**{**values, **changed}))


class Serving:
    """Runs an ASGI app on a free port in a thread of its own and stops it at the end."""

    def __init__(self, served: Any, **config: Any) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._server = uvicorn.Server(uvicorn.Config(served, **{"log_level": "critical", **config}))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._listener]}, daemon=True)

    def __enter__(self) -> str:
        self._thread.start()
        while not self._server.started:
            assert self._thread.is_alive(), "the server did not start"
            time.sleep(0.005)
        return f"http://127.0.0.1:{self.port}"

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._listener.close()


@pytest.fixture
def cloudflare_cloud(tmp_path: Path) -> Iterator[CloudflareCloud]:
    faults = Faults()
    clock = Clock(real=lambda: 1_800_000_000.0)  # moves only when it is stepped
    served = app(tmp_path / "cloudflare.sqlite3", faults=faults, enforce_quota=False, clock=clock)
    with Serving(served) as origin:
        cloud = CloudflareCloud(
            f"{origin}/client/v4",
            faults,
            served.state.store,
            served.state.saas,
            pace=served.state.pace,
            models=served.state.text_models,
        )
        with cloud.opened:
            yield cloud
    served.state.store.close()
    served.state.zone_store.close()
