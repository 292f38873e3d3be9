"""Namespaces and pairs in one SQLite file, and the counts that tests and benchmarks ask for."""

import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS namespace (id TEXT PRIMARY KEY, title TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS pair (
    namespace TEXT NOT NULL REFERENCES namespace (id) ON DELETE CASCADE,
    key TEXT NOT NULL, value BLOB NOT NULL, metadata TEXT, expiration INTEGER,
    PRIMARY KEY (namespace, key)
) WITHOUT ROWID;
"""

Pair = tuple[str, bytes, str | None, int | None]
"""Key, value, metadata as JSON, expiration in seconds since the epoch."""


class Store:
    """Thread-safe; every call is one transaction."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;")
        self._connection.executescript(SCHEMA)
        self._lock = threading.Lock()
        self.writes: Counter[str] = Counter()

    def close(self) -> None:
        self._connection.close()

    def write_count(self, key: str) -> int:
        """How often a key was written or deleted since the start."""
        return self.writes[key]

    def _all(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    def namespaces(self) -> list[tuple[str, str]]:
        return [(str(id_), str(title)) for id_, title in self._all("SELECT id, title FROM namespace ORDER BY title")]

    def create_namespace(self, id_: str, title: str) -> bool:
        """False if a namespace of that title or id is there already."""
        sql = "INSERT INTO namespace VALUES (?, ?) ON CONFLICT DO NOTHING RETURNING id"
        return bool(self._all(sql, id_, title))

    def delete_namespace(self, id_: str) -> None:
        self._all("DELETE FROM namespace WHERE id = ?", id_)

    def put(self, namespace: str, pairs: Iterable[Pair]) -> None:
        rows = [(namespace, *pair) for pair in pairs]
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany("INSERT OR REPLACE INTO pair VALUES (?, ?, ?, ?, ?)", rows)
            self._connection.execute("COMMIT")
        self.writes.update(row[1] for row in rows)

    def delete(self, namespace: str, keys: Iterable[str]) -> None:
        rows = [(namespace, key) for key in keys]
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany("DELETE FROM pair WHERE namespace = ? AND key = ?", rows)
            self._connection.execute("COMMIT")
        self.writes.update(key for _, key in rows)

    def get(self, namespace: str, key: str) -> tuple[bytes, str | None] | None:
        sql = "SELECT value, metadata FROM pair WHERE namespace = ? AND key = ? AND coalesce(expiration, ?) >= ?"
        now = int(time.time())
        for value, metadata in self._all(sql, namespace, key, now, now):
            assert isinstance(value, bytes)
            return value, None if metadata is None else str(metadata)
        return None

    def list(
        self, namespace: str, prefix: str, after: str, limit: int
    ) -> list[tuple[str, int, str | None, int | None]]:
        """Keys after `after` in order, with size in bytes, metadata and expiration."""
        sql = """
            SELECT key, length(value), metadata, expiration FROM pair
            WHERE namespace = ? AND key > ? AND substr(key, 1, ?) = ? AND coalesce(expiration, ?) >= ?
            ORDER BY key LIMIT ?
        """
        now = int(time.time())
        return self._all(sql, namespace, after, len(prefix), prefix, now, now, limit)  # type: ignore[return-value]
