"""The Instant stand-in for tests, on a free port or in process: `instant_cloud`, empty before every test."""

import dataclasses
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from instantdb import Instant

from controlplane.localcloud import defaults
from controlplane.localcloud.faults import Faults
from controlplane.localcloud.instant.app import SERVER, app
from controlplane.localcloud.instant.engine import App, Engine
from controlplane.localcloud.instant.schema import storefront, storefront_rules
from storefront.documents import tag_keys


@dataclasses.dataclass(frozen=True)
class InstantCloud:
    """A running stand-in. `faults` are its own; `entities` reads what is stored, past permissions, over real HTTP."""

    api_uri: str
    faults: Faults
    data: Path
    app_id: str = defaults.INSTANT_APP_ID
    admin_token: str = defaults.INSTANT_ADMIN_TOKEN

    def entities(self, namespace: str) -> dict[str, dict[str, Any]]:
        """`{id: attributes}`; links to one entity show up as its id."""
        with Instant(app_id=self.app_id, admin_token=self.admin_token, api_uri=self.api_uri) as sdk:
            return {entity["id"]: entity for entity in sdk.query({namespace: {}})[namespace]}

    def second_app(self) -> "InstantCloud":
        """Another app of the same server, with the storefront's schema and rules."""
        body = {"title": "second", "schema": storefront(), "rules": {"code": storefront_rules()}}
        made = httpx.post(f"{self.api_uri}/dash/apps/ephemeral", json=body, timeout=10).raise_for_status().json()["app"]
        return dataclasses.replace(self, app_id=made["id"], admin_token=made["admin-token"])

    def post(self, path: str, body: Any, **headers: str | None) -> httpx.Response:
        """A raw request as admin; a header given as None is left out, an underscore in a name is a dash."""
        sent = {"app-id": self.app_id, "authorization": f"Bearer {self.admin_token}"}
        given = {**sent, **{name.replace("_", "-"): value for name, value in headers.items()}}
        kept = {name: value for name, value in given.items() if value is not None}
        return httpx.post(self.api_uri + path, json=body, headers=kept, timeout=10)


@pytest.fixture
def instant_cloud(tmp_path: Path) -> Iterator[InstantCloud]:
    faults = Faults()
    with serving(tmp_path / "instant", faults=faults) as api_uri:
        yield InstantCloud(api_uri, faults, tmp_path / "instant")


class serving:  # noqa: N801 - reads as a verb: `with serving(path) as api_uri`
    """Runs the stand-in on a free port in a thread of its own and stops it at the end."""

    def __init__(self, data: Path, *, apps: tuple[App, ...] = (App(),), faults: Faults | None = None) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        config = uvicorn.Config(app(data, apps=apps, faults=faults), log_level="critical", lifespan="on", **SERVER)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._listener]}, daemon=True)

    def __enter__(self) -> str:
        self._thread.start()
        while not self._server.started:
            assert self._thread.is_alive(), "the stand-in did not start"
            time.sleep(0.005)
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._listener.close()


@pytest.fixture
def instant_engine(tmp_path: Path) -> Iterator[Engine]:
    """One app of the stand-in without HTTP, for what HTTP adds nothing to."""
    engine = Engine(App(), tmp_path / "app.sqlite3")
    yield engine
    engine.close()


def tenant(slug: str = "nordkap", **changed: Any) -> dict[str, Any]:
    return {"slug": slug, "name": "Nordkap", "status": "active", "currency": "EUR", "locale": "de", **changed}


def product(tenant_id: str, position: int = 0, **changed: Any) -> dict[str, Any]:
    """A complete product; `position` also makes its slug, title and price differ."""
    plain = {
        "tenantId": tenant_id,
        "slug": f"product-{position}",
        "title": f"Product {position}",
        "descriptionHtml": "<p>Warm.</p>",
        "price": 1000 + position,
        "compareAtPrice": None,
        "currency": "EUR",
        "imageUrl": "/mug.svg",
        "imageAlt": "A mug",
        "stock": None,
        "available": True,
        "tags": ["new"],
        "tagKeys": tag_keys(["new"]),
        "position": position,
        "updatedAt": 1_795_000_000_000,
    }
    return {**plain, **changed}
