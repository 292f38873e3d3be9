"""The adapters as the settings configure them: one client per process and cell, made on first use.

Never made at import: a client made before Celery forks would be shared by its children.
"""

import contextlib
import functools

from django.conf import settings

from controlplane.adapters.cloudflare_kv import KVNamespace
from controlplane.adapters.custom_hostnames import CustomHostnames
from controlplane.adapters.dns_over_https import Resolver
from controlplane.adapters.edge import Edge
from controlplane.adapters.instant import InstantApp
from controlplane.adapters.turso import TursoDatabase
from controlplane.adapters.workers_ai import WorkersAI
from controlplane.publishing.telemetry import TelemetryStore
from controlplane.publishing.vectors import VectorStore


def kv() -> KVNamespace:
    return _kv(
        settings.CLOUDFLARE_API_URL,
        settings.CLOUDFLARE_API_TOKEN,
        settings.CLOUDFLARE_ACCOUNT_ID,
        settings.CLOUDFLARE_KV_NAMESPACE_ID,
    )


def ai() -> WorkersAI:
    return _ai(settings.CLOUDFLARE_API_URL, settings.CLOUDFLARE_API_TOKEN, settings.CLOUDFLARE_ACCOUNT_ID)


def edge() -> Edge:
    return _edge(settings.STOREFRONT_SCHEME, settings.STOREFRONT_PORT, settings.EDGE_ADDRESS)


def hostnames() -> CustomHostnames:
    return _hostnames(settings.CLOUDFLARE_API_URL, settings.CLOUDFLARE_API_TOKEN, settings.CLOUDFLARE_ZONE_ID)


def resolver() -> Resolver:
    return Resolver(settings.DNS_RESOLVER_URL)


def realtime(cell: str) -> InstantApp:
    """The Instant app of a cell. Raises KeyError for a cell that the settings do not name."""
    config = settings.REALTIME_CELLS[cell]
    return _instant(config["app_id"], config["admin_token"], config["api_uri"])


def vectors(cell: str) -> VectorStore:
    """The vector store of a cell, its schema in place. Raises KeyError for a cell without settings."""
    config = settings.VECTOR_CELLS[cell]
    return _vectors(config["url"], config["auth_token"])


def vector_database(cell: str) -> TursoDatabase:
    """The database that a cell's vector store is in, for what asks past the store: what is left of a shop."""
    config = settings.VECTOR_CELLS[cell]
    return _turso(config["url"], config["auth_token"])


def telemetry() -> TursoDatabase:
    """The database that the edge writes its conversations into, its schema in place."""
    return _telemetry(settings.TELEMETRY_DATABASE_URL, settings.TELEMETRY_AUTH_TOKEN)


_opened = contextlib.ExitStack()


def close() -> None:
    """Closes every client; the next use makes new ones."""
    _opened.close()
    for made in (_kv, _ai, _edge, _hostnames, _instant, _vectors, _turso, _telemetry):
        made.cache_clear()


@functools.lru_cache
def _kv(base_url: str, api_token: str, account_id: str, namespace_id: str) -> KVNamespace:
    namespace = KVNamespace(base_url=base_url, api_token=api_token, account_id=account_id, namespace_id=namespace_id)
    return _opened.enter_context(contextlib.closing(namespace))


@functools.lru_cache
def _ai(base_url: str, api_token: str, account_id: str) -> WorkersAI:
    ai = WorkersAI(base_url=base_url, api_token=api_token, account_id=account_id)
    return _opened.enter_context(contextlib.closing(ai))


@functools.lru_cache
def _edge(scheme: str, port: str, address: str) -> Edge:
    return _opened.enter_context(contextlib.closing(Edge(scheme=scheme, port=port, address=address)))


@functools.lru_cache
def _hostnames(base_url: str, api_token: str, zone_id: str) -> CustomHostnames:
    made = CustomHostnames(base_url=base_url, api_token=api_token, zone_id=zone_id)
    return _opened.enter_context(contextlib.closing(made))


@functools.lru_cache
def _instant(app_id: str, admin_token: str, api_uri: str) -> InstantApp:
    app = InstantApp(app_id=app_id, admin_token=admin_token, api_uri=api_uri)
    return _opened.enter_context(contextlib.closing(app))


@functools.lru_cache
def _vectors(url: str, auth_token: str) -> VectorStore:
    store = VectorStore(_turso(url, auth_token))
    store.ensure_schema()
    return store


@functools.lru_cache
def _turso(url: str, auth_token: str) -> TursoDatabase:
    return _opened.enter_context(contextlib.closing(TursoDatabase(url, auth_token)))


@functools.lru_cache
def _telemetry(url: str, auth_token: str) -> TursoDatabase:
    database = _opened.enter_context(contextlib.closing(TursoDatabase(url, auth_token)))
    TelemetryStore(database).ensure_schema()
    return database
