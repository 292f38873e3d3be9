"""All three stores at once, wired into the settings, and the edge in front of them: `stores` and `edge`."""

import contextlib
import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from controlplane.adapters.instant import InstantApp
from controlplane.adapters.turso import TursoDatabase
from controlplane.localcloud import defaults
from controlplane.localcloud.sqld import Sqld
from controlplane.publishing import cells, delivery
from controlplane.publishing.models import StaleDocument
from storefront.local import environment, serve
from tests.plugins.cloudflare import CloudflareCloud, Serving
from tests.plugins.instant import InstantCloud


@dataclasses.dataclass(frozen=True)
class Stores:
    """The three stores as the settings name them, and what they hold."""

    cloudflare: CloudflareCloud
    instant: InstantCloud
    turso: TursoDatabase
    sqld: Sqld

    def drain(self) -> None:
        """Delivers until nothing is left, whatever back-off or pace would make it wait."""
        from django.core.cache import cache

        for _ in range(30):
            cache.clear()  # forget when each key was last written, and let the stand-in forget too
            self.cloudflare.forget_pace()
            if not StaleDocument.objects.filter(parked_at=None).exists():
                return
            StaleDocument.objects.filter(parked_at=None).update(due_at="2000-01-01T00:00Z")
            for name in ("kv", "instant", "turso"):
                delivery.deliver_all(name)
        raise AssertionError(f"not drained: {list(StaleDocument.objects.values_list('key', 'error'))}")

    def wipe(self) -> None:
        """Empties all three stores."""
        self.cloudflare.store.delete(self.cloudflare.namespace_id, list(self.cloudflare.kv().keys()))
        app = cells.realtime("default")
        for namespace in ("products", "tenants"):
            app.delete(namespace, app.ids(namespace, {}))
        self.turso.execute("DELETE FROM chunk")

    def contents(self) -> dict[str, dict[str, Any]]:
        """Everything in all three stores, comparable."""
        app: InstantApp = cells.realtime("default")
        found = app.query({"tenants": {}, "products": {"tenant": {}}})
        chunks = self.turso.execute(
            "SELECT chunk.tenant_id, source_kind, source_id, chunk_no, title, body, url, model, length(emb)"
            " FROM chunk JOIN chunk_vec ON chunk_vec.chunk_id = chunk.id"
        )
        kv = self.cloudflare.kv()
        return {
            "kv": kv.get(list(kv.keys())),
            "instant": {f"{kind}:{one['id']}": one for kind in ("tenants", "products") for one in found[kind]},
            "turso": {str((row[2], row[3])): tuple(row) for row in chunks},
        }

    def edge_environment(self) -> dict[str, str]:
        return {
            "CLOUDFLARE_API_URL": self.cloudflare.base_url,
            "CLOUDFLARE_ACCOUNT_ID": self.cloudflare.account_id,
            "CLOUDFLARE_API_TOKEN": defaults.CLOUDFLARE_BINDING_TOKEN,
            "CLOUDFLARE_KV_NAMESPACE_ID": self.cloudflare.namespace_id,
            "TURSO_URL": self.sqld.url,
            "TURSO_READ_TOKEN": self.sqld.ro_token,
            "CHAT_MODEL": defaults.TEXT_MODEL,
        }


@pytest.fixture
def stores(
    settings: Any,
    cloudflare_cloud: CloudflareCloud,
    instant_cloud: InstantCloud,
    turso_database: TursoDatabase,
    sqld: Sqld,
) -> Iterator[Stores]:
    from django.core.cache import cache

    cache.clear()
    cloudflare_cloud.store.writes.clear()
    settings.CLOUDFLARE_API_URL = cloudflare_cloud.base_url
    settings.EMBEDDING_MODEL = defaults.EMBEDDING_MODEL
    settings.REALTIME_CELLS = {
        "default": {
            "app_id": instant_cloud.app_id,
            "admin_token": instant_cloud.admin_token,
            "api_uri": instant_cloud.api_uri,
            "websocket_uri": instant_cloud.api_uri.replace("http", "ws") + "/runtime/session",
        }
    }
    settings.VECTOR_CELLS = {"default": {"url": sqld.url, "auth_token": sqld.rw_token}}
    cells.vectors("default")  # its schema
    yield Stores(cloudflare_cloud, instant_cloud, turso_database, sqld)
    cells.close()


@pytest.fixture
def edge(stores: Stores) -> Iterator[Callable[..., httpx.Response]]:
    """`edge(host, path)` → the edge's answer, by the Worker's app over the real stand-ins."""
    client = httpx.AsyncClient()
    with TestClient(serve(environment(stores.edge_environment(), client), client), follow_redirects=False) as browser:

        def get(host: str, path: str = "/", **headers: str) -> Any:
            return browser.get(path, headers={"Host": host, **headers})

        yield get


@contextlib.contextmanager
def edge_served(stores: Stores) -> Iterator[Serving]:
    """The edge on a port of its own."""
    client = httpx.AsyncClient()
    serving = Serving(serve(environment(stores.edge_environment(), client), client), lifespan="on")
    with serving:
        yield serving


@pytest.fixture
def edge_server(stores: Stores, settings: Any) -> Iterator[Serving]:
    """The edge where the control plane looks for it."""
    with edge_served(stores) as serving:
        settings.EDGE_ADDRESS = f"http://127.0.0.1:{serving.port}"
        yield serving
