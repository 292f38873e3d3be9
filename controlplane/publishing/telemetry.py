"""What the edge writes, chats' turns, ratings and usage and shoppers' reports: the telemetry database's schema.

Pure: no Django. It is a database of its own, so that the Worker's token for it opens nothing else. The edge writes
by `storefront.telemetry`; the control plane collects from here.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from controlplane.adapters.errors import AdapterError
from controlplane.adapters.turso import Statement, TursoDatabase

TABLES = ("turn", "rating", "usage", "report")
"""What knows of a tenant."""

# One entry a version; an entry that has run anywhere is never edited (see vectors.py).
_SCHEMA: tuple[tuple[str, ...], ...] = (
    (
        # id is a UUIDv7, so it grows with time: collectors go on after the last one they have seen.
        """CREATE TABLE turn (
            id TEXT PRIMARY KEY,
            tenant_id TEXT NOT NULL,
            conversation_id TEXT NOT NULL,
            turn_no INTEGER NOT NULL,
            at INTEGER NOT NULL,
            question TEXT NOT NULL,
            answer TEXT NOT NULL,
            answered INTEGER NOT NULL CHECK (answered IN (0, 1)),
            reason TEXT NOT NULL,
            sources TEXT NOT NULL CHECK (json_valid(sources)),
            model TEXT NOT NULL,
            embedding_model TEXT NOT NULL,
            lang TEXT NOT NULL,
            tokens_in INTEGER NOT NULL,
            tokens_out INTEGER NOT NULL,
            first_event_ms INTEGER NOT NULL,
            total_ms INTEGER NOT NULL
        )""",
        "CREATE INDEX turn_tenant ON turn (tenant_id, id)",
        """CREATE TABLE rating (
            turn_id TEXT PRIMARY KEY,
            tenant_id TEXT NOT NULL,
            value INTEGER NOT NULL CHECK (value IN (1, -1)),
            at INTEGER NOT NULL
        )""",
        "CREATE INDEX rating_at ON rating (at)",
        """CREATE TABLE usage (
            tenant_id TEXT NOT NULL,
            day TEXT NOT NULL,
            messages INTEGER NOT NULL,
            tokens INTEGER NOT NULL,
            PRIMARY KEY (tenant_id, day)
        )""",
    ),
    (
        # What a shopper reported of a shop's page; `reporter` tells two of them apart and names nobody.
        """CREATE TABLE report (
            id TEXT PRIMARY KEY,
            tenant_id TEXT NOT NULL,
            at INTEGER NOT NULL,
            page TEXT NOT NULL CHECK (length(page) <= 300),
            reason TEXT NOT NULL CHECK (length(reason) <= 16),
            text TEXT NOT NULL CHECK (length(text) <= 1000),
            email TEXT NOT NULL CHECK (length(email) <= 254),
            lang TEXT NOT NULL,
            reporter TEXT NOT NULL CHECK (length(reporter) <= 64)
        )""",
        "CREATE INDEX report_tenant ON report (tenant_id)",
    ),
)


class TelemetryStore:
    """All methods raise AdapterError."""

    def __init__(self, database: TursoDatabase) -> None:
        self._database = database

    def ensure_schema(self) -> None:
        """Bring the database to this code's schema; a newer schema is left alone."""
        self._database.execute("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY)")
        for version, statements in enumerate(_SCHEMA, start=1):
            if self._version() >= version:
                continue
            insert = Statement("INSERT INTO schema_version (version) VALUES (?)", [version])
            try:
                self._database.batch([insert, *statements])
            except AdapterError:
                if self._version() < version:  # else another process was faster
                    raise

    def delete_tenant(self, tenant_id: str) -> None:
        """Forgets everything about a tenant's chats, and what was reported of it."""
        self._database.batch([Statement(f"DELETE FROM {table} WHERE tenant_id = ?", [tenant_id]) for table in TABLES])  # noqa: S608

    def _version(self) -> int:
        return int(self._database.execute("SELECT max(version) FROM schema_version")[0][0] or 0)


def text_of(value: Any, length: int) -> str:
    """What a shopper typed, cut and without what PostgreSQL takes in no text."""
    return str(value or "").replace("\0", "").encode("utf-8", "ignore").decode()[:length]


def time_of(value: Any, now: datetime) -> datetime:
    """From milliseconds UTC. The edge's clock may be off: nothing happened in the future."""
    return min(datetime.fromtimestamp(int(value) / 1000, UTC), now)


def delete_rows(database: TursoDatabase, table: str, column: str, values: Sequence[Any]) -> None:
    wanted = json.dumps([str(one) for one in values])
    sql = f"DELETE FROM {table} WHERE {column} IN (SELECT value FROM json_each(?))"  # noqa: S608 - names of ours
    database.batch([Statement(sql, [wanted])])
