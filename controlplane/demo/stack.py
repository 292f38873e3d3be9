"""The whole platform on loopback: which processes, on which ports, with which environment."""

import contextlib
import dataclasses
import os
import shlex
import socket
import sys
from pathlib import Path

from django.conf import settings

from controlplane.localcloud import defaults, sqld

QUIET_WORKER = ("--loglevel=WARNING", "--without-gossip", "--without-mingle")


@dataclasses.dataclass(frozen=True)
class Service:
    """A process of the demo. `port` is what it listens on, 0 for none; `ready` a path that answers 200.

    `before` is run first, to its end; the process starts even if that failed, having said why.
    """

    name: str
    command: tuple[str, ...]
    port: int = 0
    ready: str = ""
    env: tuple[tuple[str, str], ...] = ()
    before: tuple[str, ...] = ()

    @property
    def shell(self) -> str:
        first = f"{shlex.join(self.before)}; " if self.before else ""
        return f"{first}exec {shlex.join(self.command)}"


def services() -> list[Service]:
    """Every process, stores first. Clients wait and try again, so the order is only for the reader."""
    data: Path = settings.DATA_DIR
    cloud = "controlplane.localcloud"
    celery = ("-m", "celery", "-A", "controlplane")
    return [
        _module("valkey", f"{cloud}.valkey", defaults.VALKEY_PORT, data / "valkey"),
        _module("turso", f"{cloud}.sqld", defaults.SQLD_PORT, data / "sqld"),
        _module("cloudflare", f"{cloud}.cloudflare", defaults.CLOUDFLARE_PORT, data / "cloudflare"),
        _module("instant", f"{cloud}.instant", defaults.INSTANT_PORT, data / "instant"),
        _python(
            "web", *_uvicorn("controlplane.asgi:application", defaults.CONTROL_PLANE_PORT),
            port=defaults.CONTROL_PLANE_PORT, ready="/healthz",
        ),
        dataclasses.replace(
            _python("worker", *celery, "worker", "--concurrency=3", *QUIET_WORKER),
            # Before anything is published: Instant refuses attributes that its schema does not know.
            before=(sys.executable, "manage.py", "push_instant", "--wait", "60"),
        ),
        _python("beat", *celery, "beat", "--loglevel=WARNING", f"--schedule={data / 'celerybeat-schedule'}"),
        _python(
            "edge", *_uvicorn("storefront.local:app", defaults.EDGE_PORT, "--factory", "--app-dir", "edge_worker/src"),
            port=defaults.EDGE_PORT, ready="/healthz", env=tuple(edge_environment().items()),
        ),
    ]  # fmt: skip


def _python(
    name: str, *arguments: str, port: int = 0, ready: str = "", env: tuple[tuple[str, str], ...] = ()
) -> Service:
    return Service(name, (sys.executable, *arguments), port, ready, env)


def _module(name: str, module: str, port: int, data: Path) -> Service:
    return _python(name, "-m", module, "--port", str(port), "--data", str(data), port=port)


def _uvicorn(app: str, port: int, *more: str) -> tuple[str, ...]:
    return ("-m", "uvicorn", app, "--host", "127.0.0.1", "--port", str(port), "--log-level", "warning", *more)


def edge_environment() -> dict[str, str]:
    """The variables and secrets that the Worker has: read access only, no admin token."""
    return {
        "CLOUDFLARE_API_URL": settings.CLOUDFLARE_API_URL,
        "CLOUDFLARE_ACCOUNT_ID": settings.CLOUDFLARE_ACCOUNT_ID,
        "CLOUDFLARE_API_TOKEN": defaults.CLOUDFLARE_BINDING_TOKEN,
        "CLOUDFLARE_KV_NAMESPACE_ID": settings.CLOUDFLARE_KV_NAMESPACE_ID,
        "TURSO_URL": settings.VECTOR_CELLS["default"]["url"],
        "TURSO_READ_TOKEN": sqld.tokens(settings.DATA_DIR / "sqld").read_only,
        "PUBLIC_SCHEME": settings.STOREFRONT_SCHEME,
        "PUBLIC_PORT": settings.STOREFRONT_PORT,
        "IMG_SRC": f"http://127.0.0.1:{defaults.CONTROL_PLANE_PORT}",
    }


def environment_of(service: Service) -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONUNBUFFERED": "1",
        "DJANGO_SETTINGS_MODULE": "controlplane.settings",
        **dict(service.env),
    }


def busy_ports() -> list[tuple[str, int]]:
    """The services whose port somebody else holds."""
    return [(service.name, service.port) for service in services() if service.port and _is_open(service.port)]


def _is_open(port: int) -> bool:
    with contextlib.closing(socket.socket()) as probe:
        probe.settimeout(0.3)
        return probe.connect_ex(("127.0.0.1", port)) == 0
