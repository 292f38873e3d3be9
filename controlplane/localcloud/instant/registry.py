"""Which apps there are: those that the stand-in was started with, and those that were made since, across restarts."""

import json
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from controlplane.localcloud.instant.engine import App, Engine


class Registry:
    """One SQLite file an app in `directory`; apps.json lists those that were made over HTTP."""

    def __init__(self, directory: Path, apps: Iterable[App]) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self._file = directory / "apps.json"
        self._made: dict[str, App] = {}
        self.engines: dict[str, Engine] = {}
        for app in apps:
            self._open(app)
        for wire in json.loads(self._file.read_text()) if self._file.exists() else []:
            app = App(**wire, schema={}, rules={})  # its file knows
            self._made[app.id] = app
            self._open(app)

    def create(self, *, title: str, schema: Any, rules: Any) -> Engine:
        """A new app that behaves as the vendor's do: its admin may create attributes on the fly."""
        app = App(
            id=str(uuid.uuid4()),
            admin_token=str(uuid.uuid4()),
            title=title,
            schema=schema,
            rules=rules,
            creates_attrs=True,
        )
        engine = self._open(app)
        self._made[app.id] = app
        self._save()
        return engine

    def delete(self, engine: Engine) -> None:
        app_id = engine.app.id
        del self.engines[app_id]
        engine.close()
        for suffix in ("", "-wal", "-shm"):
            self._path(app_id).with_suffix(f".sqlite3{suffix}").unlink(missing_ok=True)
        if self._made.pop(app_id, None):
            self._save()

    def close(self) -> None:
        for engine in self.engines.values():
            engine.close()

    def _open(self, app: App) -> Engine:
        self.engines[app.id] = engine = Engine(app, self._path(app.id))
        return engine

    def _path(self, app_id: str) -> Path:
        return self.directory / f"{app_id}.sqlite3"

    def _save(self) -> None:
        kept = {"id", "admin_token", "title", "creates_attrs"}
        made = [{k: v for k, v in vars(app).items() if k in kept} for app in self._made.values()]
        partial = self._file.with_suffix(".partial")
        partial.write_text(json.dumps(made))
        partial.replace(self._file)  # a crash in between leaves the old list
