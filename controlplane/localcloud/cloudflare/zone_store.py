"""DNS records and custom hostnames in one SQLite file."""

import json
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS record (name TEXT, type TEXT, value TEXT, PRIMARY KEY (name, type, value)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS hostname (id TEXT PRIMARY KEY, host TEXT NOT NULL UNIQUE, row TEXT NOT NULL);
"""

Record = tuple[str, str, str]
"""Name, type and value, the name in lower case without a dot at its end."""


class ZoneStore:
    """Thread-safe; every call is one transaction."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;" + SCHEMA)
        self._lock = threading.Lock()

    def close(self) -> None:
        self._connection.close()

    def _all(self, sql: str, *values: object) -> list[Any]:
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    def records(self, name: str = "") -> list[Record]:
        """Those of one name; without a name all of them."""
        if not name:
            return self._all("SELECT name, type, value FROM record ORDER BY name, type, value")
        return self._all("SELECT name, type, value FROM record WHERE name = ? ORDER BY type, value", name)

    def add_record(self, name: str, kind: str, value: str) -> None:
        self._all("INSERT OR IGNORE INTO record VALUES (?, ?, ?)", name, kind, value)

    def add_records(self, records: Sequence[Record]) -> None:
        """Many at once, in one transaction."""
        self._many("INSERT OR IGNORE INTO record VALUES (?, ?, ?)", records)

    def remove_record(self, name: str, kind: str, value: str) -> None:
        self._all("DELETE FROM record WHERE name = ? AND type = ? AND value = ?", name, kind, value)

    def save(self, rows: Sequence[dict[str, Any]]) -> None:
        values = [(row["id"], row["hostname"], json.dumps(row)) for row in rows]
        # An upsert keeps the row's place in the list, which pages count on.
        sql = "INSERT INTO hostname VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET row = excluded.row"
        self._many(sql, values)

    def _many(self, sql: str, rows: Sequence[tuple[str, str, str]]) -> None:
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany(sql, rows)
            self._connection.execute("COMMIT")

    def hostname(self, *, id_: str = "", host: str = "") -> dict[str, Any] | None:
        found = self._all("SELECT row FROM hostname WHERE id = ? OR host = ?", id_, host)
        return json.loads(found[0][0]) if found else None

    def hostnames(self, limit: int, offset: int) -> list[dict[str, Any]]:
        """Newest first, as Cloudflare's list is."""
        sql = "SELECT row FROM hostname ORDER BY rowid DESC LIMIT ? OFFSET ?"
        return [json.loads(row) for (row,) in self._all(sql, limit, offset)]

    def count(self) -> int:
        return int(self._all("SELECT count(*) FROM hostname")[0][0])

    def delete(self, id_: str) -> bool:
        return bool(self._all("DELETE FROM hostname WHERE id = ? RETURNING id", id_))
