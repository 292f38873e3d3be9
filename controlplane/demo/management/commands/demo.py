"""`manage.py demo`: migrate, seed, start every process, say where everything is, stop it all on Ctrl-C."""

import logging
import signal
import sys
import threading
import time
from typing import Any

import httpx
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections
from honcho.manager import SYSTEM_PRINTER_NAME, Manager
from honcho.printer import Printer

from controlplane.demo import stack
from controlplane.demo.seed import Credential, credentials


class QuietPrinter(Printer):  # type: ignore[misc]
    """Honcho's printer without its own start and stop notes."""

    def write(self, message: Any) -> None:
        if message.name != SYSTEM_PRINTER_NAME:
            super().write(message)


class DemoManager(Manager):  # type: ignore[misc]
    """Tells when everything answers, and which part stopped by itself."""

    culprit = ""

    def __init__(self, printer: Printer) -> None:
        super().__init__(printer)
        self._listen()  # from now on a signal stops what will have been started, not just this process

    def _listen(self) -> None:
        # Ctrl-C, a polite kill, a closed terminal; and the timer that _stop sets.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM):
            signal.signal(number, self._stop)

    def _start(self) -> None:
        self._listen()  # again: honcho's loop has just put its own in place
        super()._start()
        threading.Thread(target=announce, args=[self], daemon=True).start()  # after the forks

    def _stop(self, number: int, frame: Any) -> None:
        self.terminate()

    def terminate(self) -> None:
        if not self._all_started():
            # honcho can't stop what it has not yet seen start: come back in a moment. Not in _stop, as a signal
            # may come just when honcho's own handlers are in place.
            signal.setitimer(signal.ITIMER_REAL, 0.1)
            return
        if not self.stopping:
            ended = (
                f"{name} (exit code {p['returncode']})" for name, p in self._processes.items() if "returncode" in p
            )
            self.culprit = next(ended, "")
        super().terminate()

    @property
    def stopping(self) -> bool:
        return bool(self._terminating)


class Command(BaseCommand):
    help = "Starts the whole platform on loopback with three demo shops."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.LOCAL:
            raise CommandError("The demo runs on a developer's machine only: unset ENVIRONMENT.")
        if busy := stack.busy_ports():
            named = ", ".join(f"{port} ({name})" for name, port in busy)
            raise CommandError(f"These ports are taken: {named}. Is another demo running? Stop it and try again.")
        try:
            prepare()
        except KeyboardInterrupt:
            raise CommandError("Stopped before anything was started; what was set up is kept.") from None
        manager = DemoManager(QuietPrinter(sys.stdout))
        for service in stack.services():
            manager.add_process(service.name, service.shell, env=stack.environment_of(service), cwd=settings.BASE_DIR)
        print("Starting …", flush=True)
        manager.loop()
        print("Stopped. The data is kept; `make demo-reset` starts afresh.")
        if manager.culprit:
            raise CommandError(f"{manager.culprit} stopped by itself; its last lines above say why.")


def prepare() -> None:
    """The database and the demo's shops, as far as they are not there yet."""
    call_command("migrate", verbosity=0)
    # The broker starts later: that the seed's nudges find none is no news, beat's first sweep delivers.
    logging.getLogger("controlplane.publishing.tasks").setLevel(logging.ERROR)
    call_command("seed_demo", verbosity=0)
    connections.close_all()


def announce(manager: DemoManager) -> None:
    """Waits until every service answers and every shop is live, then prints the table."""
    began = time.monotonic()
    rows = credentials()
    urls = [f"http://127.0.0.1:{service.port}{service.ready}" for service in stack.services() if service.ready]
    urls += [row.shop_url for row in rows if row.shop_url]
    with httpx.Client(timeout=5) as client:
        while urls and not manager.stopping:
            urls = [url for url in urls if not _answers(client, url)]
            time.sleep(0.3)
            if urls and time.monotonic() - began > 90:
                print(f"Still waiting for {', '.join(urls)} …", flush=True)
                began = time.monotonic()
    if not manager.stopping:
        print(table(rows), flush=True)


def _answers(client: httpx.Client, url: str) -> bool:
    # *.localhost is loopback to browsers; not every system's resolver knows (RFC 6761 leaves it to them).
    target = httpx.URL(url)
    headers = {"Host": target.netloc.decode()}
    try:
        return client.get(target.copy_with(host="127.0.0.1"), headers=headers).status_code == 200
    except httpx.HTTPError:
        return False


def table(rows: list[Credential]) -> str:
    admin = "http://127.0.0.1:8000/admin/"
    lines = [f"  {'Admin':<38}{admin}", ""]
    lines.append(f"  {'Who':<38}{'E-mail':<34}{'Password':<18}Shop")
    lines += [f"  {row.role:<38}{row.email:<34}{row.password:<18}{row.shop_url}" for row in rows]
    rule = "─" * max(len(line) for line in lines)
    return "\n".join(["", rule, "  The platform is up. Ctrl-C stops everything.", "", *lines, rule, ""])
