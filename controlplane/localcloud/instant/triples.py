"""Storage of one app: attributes and triples in one SQLite file (server: db/model/triple.clj and attr.clj).

A triple is `[entity, attribute, value, created at (epoch ms)]`. Its primary key is the vendor's `ea`/`eav` index, the
partial indexes below are `ave`, `av` and `vae`. `key` is the value in a form that SQLite compares like Postgres would.
"""

import dataclasses
import json
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from controlplane.localcloud.instant.attrs import Attr, Attrs
from controlplane.localcloud.instant.errors import Refusal, invalid
from controlplane.localcloud.instant.reads import Touch
from controlplane.localcloud.instant.values import Key, check, dumps, key_of

# `many` holds the value of cardinality-many triples and '' for the others, so that the primary key is right for both.
SCHEMA = """
CREATE TABLE IF NOT EXISTS attr (no INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, wire TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS tx (id INTEGER PRIMARY KEY AUTOINCREMENT, created_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS kept (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS triple (
    entity TEXT NOT NULL, attr INTEGER NOT NULL, many TEXT NOT NULL, value TEXT NOT NULL, key,
    created_at INTEGER NOT NULL,
    is_id INTEGER NOT NULL, is_indexed INTEGER NOT NULL, is_unique INTEGER NOT NULL, is_ref INTEGER NOT NULL,
    PRIMARY KEY (entity, attr, many)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS triple_ave ON triple (attr, key, entity) WHERE is_indexed;
CREATE UNIQUE INDEX IF NOT EXISTS triple_av ON triple (attr, key) WHERE is_unique AND key IS NOT NULL;
CREATE INDEX IF NOT EXISTS triple_vae ON triple (key, attr, entity) WHERE is_ref;
CREATE INDEX IF NOT EXISTS triple_created ON triple (attr, created_at, entity) WHERE is_id;
"""

# What the running transaction changes, for `touches`. Temporary, so it goes back with the transaction and is no file.
TRACKING = """
PRAGMA temp_store = MEMORY;
CREATE TEMP TABLE changed (entity TEXT NOT NULL, attr INTEGER NOT NULL, key);
CREATE TEMP TRIGGER inserted AFTER INSERT ON main.triple BEGIN
    INSERT INTO changed VALUES (new.entity, new.attr, new.key); END;
CREATE TEMP TRIGGER updated AFTER UPDATE OF value ON main.triple BEGIN
    INSERT INTO changed VALUES (old.entity, old.attr, old.key), (new.entity, new.attr, new.key); END;
CREATE TEMP TRIGGER deleted AFTER DELETE ON main.triple BEGIN
    INSERT INTO changed VALUES (old.entity, old.attr, old.key); END;
"""

# An unchanged value keeps its row, a changed one its created_at: `serverCreatedAt` is about creation.
PUT = """
INSERT INTO triple VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (entity, attr, many) DO UPDATE SET value = excluded.value, key = excluded.key WHERE value <> excluded.value
"""


class Triple(NamedTuple):
    entity: str
    attr: Attr
    value: Any
    created_at: int


def _stored(wire: dict[str, Any]) -> Attr:
    return dataclasses.replace(Attr.from_wire(wire), catalog=wire.get("catalog", "user"))


class Store:
    """Every write must happen inside `transaction`. `attrs` is the current catalogue, `no` its SQLite numbers.

    `viewable` is whom the SQL function of that name asks: the query that runs.
    """

    def __init__(self, path: Path | str) -> None:
        self.db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=512)
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute("PRAGMA synchronous = NORMAL")  # a killed process loses nothing; a power cut may
        self.db.execute("PRAGMA cache_size = -65536")  # KiB: 5,000 products of a shop lie on as many pages
        self.db.execute("PRAGMA mmap_size = 1073741824")
        self.db.executescript(SCHEMA)
        self.db.executescript(TRACKING)
        self.viewable: Callable[[str, str, str], bool] = lambda etype, label, entity: False
        self.db.create_function("viewable", 3, lambda *asked: self.viewable(*asked))  # noqa: PLW0108 - as it is then
        self.db.create_function("lower_unicode", 1, lambda text: text and text.lower(), deterministic=True)
        self._load_attrs()

    def close(self) -> None:
        self.db.close()

    def _load_attrs(self) -> None:
        rows = self.db.execute("SELECT no, wire FROM attr ORDER BY no").fetchall()
        loaded = [(no, _stored(json.loads(wire))) for no, wire in rows]
        self.attrs = Attrs(attr for _, attr in loaded)
        self.no = {attr.id: no for no, attr in loaded}
        self.by_no = dict(loaded)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """One real SQLite transaction: any exception leaves data, attributes and transaction ids as they were."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.db.execute("ROLLBACK")
            self._load_attrs()
            raise
        self.db.execute("COMMIT")

    def touches(self) -> list[Touch]:
        """What has changed since the last call, entity by entity."""
        touches: dict[str, Touch] = {}
        for entity, no, key in self.rows("SELECT DISTINCT entity, attr, key FROM changed", ()):
            touch = touches.setdefault(entity, Touch(entity))
            touch.attrs.add(no)
            touch.buckets.add((no, key))
            if attr := self.by_no.get(no):
                touch.namespaces.add(attr.etype)
        self.db.execute("DELETE FROM changed")
        now = (
            "SELECT entity, attr, key FROM triple WHERE entity IN (SELECT value FROM json_each(?)) AND key IS NOT NULL"
        )
        for entity, no, key in self.rows(now, (json.dumps([*touches]),)):
            touches[entity].buckets.add((no, key))
        return list(touches.values())

    def next_tx_id(self) -> int:
        now = time.time_ns() // 1_000_000
        cursor = self.db.execute("INSERT INTO tx (created_at) VALUES (?)", (now,))
        self.db.execute("DELETE FROM tx WHERE id < ?", (cursor.lastrowid,))  # AUTOINCREMENT never reuses an id
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def last_tx_id(self) -> int:
        """The id of the last committed transaction, 0 before the first."""
        row = self.db.execute("SELECT max(id) FROM tx").fetchone()
        return row[0] or 0

    # What belongs to the app besides its data

    def kept(self, name: str) -> Any:
        row = self.db.execute("SELECT value FROM kept WHERE name = ?", (name,)).fetchone()
        return json.loads(row[0]) if row else None

    def keep(self, name: str, value: Any) -> None:
        self.db.execute("INSERT OR REPLACE INTO kept VALUES (?, ?)", (name, json.dumps(value)))

    # Attributes

    def add_attr(self, attr: Attr) -> None:
        """Adds an attribute; the identical one again is a no-op, because clients send what they hold unsynced."""
        if self.attrs.get(attr.id) != attr:
            self._refuse_clash(attr)
            self._insert(attr)

    def declare(self, attrs: Iterable[Attr]) -> None:
        """Makes the catalogue hold exactly these attributes, as the app's own schema says, whatever is stored already.

        Entities that lack a value which is now required keep lacking it until they are written again.
        """
        declared = list(attrs)
        self._insert(*(attr for attr in declared if self.attrs.get(attr.id) is None))
        for attr in declared:
            if self.attrs.get(attr.id) != attr:
                self._redefine(attr)

    def _insert(self, *attrs: Attr) -> None:
        rows = [(attr.id, dumps(attr.to_wire())) for attr in attrs]
        self.db.executemany("INSERT INTO attr (id, wire) VALUES (?, ?)", rows)
        self._load_attrs()
        for etype in {attr.etype for attr in attrs if attr.indexed and not attr.is_ref}:
            self.backfill(etype, self.entities(etype))

    def _refuse_clash(self, attr: Attr) -> None:
        if self.attrs.get(attr.id):
            message = f"Raised Exception: The attribute with id {attr.id} conflicts with an existing attribute."
            raise Refusal("sql-raise", message, {"attr-id": attr.id})
        for _, etype, label in filter(None, (attr.forward, attr.reverse)):
            if self.attrs.forward(etype, label) or self.attrs.reverse(etype, label):
                hint = {"record-type": "ident", "etype": etype, "label": label}
                raise Refusal("record-not-unique", f"`{label}` already exists on `{etype}`", hint)
        if attr.required and self.entities(attr.etype):
            message = f"Can't create attribute `{attr.label}` as required because `{attr.etype}` already have entities"
            raise invalid("attributes", attr.to_wire(), {"message": message})

    def _redefine(self, attr: Attr) -> None:
        no = self.no[attr.id]
        self.db.execute("UPDATE attr SET wire = ? WHERE no = ?", (dumps(attr.to_wire()), no))
        self._load_attrs()
        for entity, many, value in self.rows("SELECT entity, many, value FROM triple WHERE attr = ?", (no,)):
            _, _, new_many, _, key, _, *flags = self._row(entity, attr, json.loads(value), 0)
            self.db.execute(
                "UPDATE triple SET many = ?, key = ?, is_id = ?, is_indexed = ?, is_unique = ?, is_ref = ?"
                " WHERE entity = ? AND attr = ? AND many = ?",
                (new_many, key, *flags, entity, no, many),
            )
        if attr.indexed and not attr.is_ref:
            self.backfill(attr.etype, self.entities(attr.etype))

    def delete_attr(self, attr_id: str) -> None:
        if (no := self.no.get(attr_id)) is not None:
            self.db.execute("DELETE FROM triple WHERE attr = ?", (no,))
            self.db.execute("DELETE FROM attr WHERE no = ?", (no,))
            self._load_attrs()

    # Triples

    def put(self, triples: Iterable[tuple[str, Attr, Any]]) -> None:
        """Writes triples as upserts. Raises a Refusal for a wrong type or size, or a taken unique value."""
        now = time.time_ns() // 1_000_000
        rows = [self._row(entity, attr, value, now) for entity, attr, value in triples]
        try:
            self.db.executemany(PUT, rows)
        except sqlite3.IntegrityError as error:
            raise self._not_unique(rows) from error

    def _row(self, entity: str, attr: Attr, value: Any, now: int) -> tuple[Any, ...]:
        text = dumps(value)
        check(attr, entity, value, text)
        many = "" if attr.cardinality == "one" else text
        flags = (attr.label == "id", attr.indexed, attr.unique, attr.is_ref)
        return (entity, self.no[attr.id], many, text, key_of(attr, value), now, *flags)

    def _not_unique(self, rows: Sequence[tuple[Any, ...]]) -> Refusal:
        for entity, no, _, text, key, *_ in rows:
            attr = self.by_no[no]
            if attr.unique and key is not None and self.find(attr, key) not in (None, entity):
                message = f"`{attr.label}` is a unique attribute on `{attr.etype}` and an entity already exists with"
                hint = {"record-type": "triple", "attr-id": attr.id, "etype": attr.etype, "label": attr.label}
                return Refusal("record-not-unique", f"{message} `{attr.name}` = {text}", {**hint, "value": text})
        return Refusal("record-not-unique", "Record not unique: triple", {"record-type": "triple"})

    def backfill(self, etype: str, entities: Iterable[str]) -> None:
        """Gives entities an explicit null for every indexed attribute they lack, so that indexes and order see them."""
        indexed = [attr for attr in self.attrs.of(etype) if attr.indexed and not attr.is_ref]
        now, listed = time.time_ns() // 1_000_000, json.dumps(list(entities))
        self.db.executemany(
            "INSERT OR IGNORE INTO triple SELECT value, ?, '', 'null', NULL, ?, 0, 1, ?, 0 FROM json_each(?)",
            [(self.no[attr.id], now, attr.unique, listed) for attr in indexed],
        )

    def retract(self, entity: str, attr: Attr, value: Any) -> None:
        self.db.execute(
            "DELETE FROM triple WHERE entity = ? AND attr = ? AND value = ?", (entity, self.no[attr.id], dumps(value))
        )

    def delete_entities(self, etype: str, entities: Iterable[str]) -> None:
        """Deletes the entities' own triples of this namespace and every link that points to them."""
        own = [self.no[attr.id] for attr in self.attrs.of(etype)]
        pointing = [self.no[attr.id] for attr in self.attrs if attr.reverse_etype == etype]
        listed = json.dumps(list(entities))
        self.db.executemany(
            "DELETE FROM triple WHERE attr = ? AND entity IN (SELECT value FROM json_each(?))",
            [(no, listed) for no in own],
        )
        self.db.executemany(
            "DELETE FROM triple WHERE is_ref AND attr = ? AND key IN (SELECT value FROM json_each(?))",
            [(no, listed) for no in pointing],
        )

    # Reading

    def find(self, attr: Attr, key: Key) -> str | None:
        """The entity that holds a unique attribute's value, or None."""
        row = self.db.execute(
            "SELECT entity FROM triple WHERE is_unique AND key IS NOT NULL AND attr = ? AND key = ?",
            (self.no[attr.id], key),
        ).fetchone()
        return row[0] if row else None

    def triples(self, entities: Sequence[str], attrs: Iterable[Attr]) -> dict[str, list[Triple]]:
        """The triples of these entities under these attributes, by entity. An entity without any is not in it."""
        numbers = [self.no[attr.id] for attr in attrs]
        rows = self.db.execute(
            "SELECT entity, attr, value, created_at FROM triple WHERE entity IN (SELECT value FROM json_each(?))"
            " AND attr IN (SELECT value FROM json_each(?))",
            (json.dumps(entities), json.dumps(numbers)),
        ).fetchall()
        values = json.loads(f"[{','.join(row[2] for row in rows)}]")  # one parse is far quicker than one a row
        found: dict[str, list[Triple]] = {}
        for (entity, no, _, created_at), value in zip(rows, values, strict=True):
            found.setdefault(entity, []).append(Triple(entity, self.by_no[no], value, created_at))
        return found

    def existing(self, etype: str, entities: Iterable[str]) -> set[str]:
        """Which of these ids have any triple in the namespace."""
        return set(self.triples(list(entities), self.attrs.of(etype)))

    def entities(self, etype: str) -> list[str]:
        """Every entity of a namespace."""
        attr = self.attrs.forward(etype, "id")
        if attr is None:
            return []
        return [
            row[0] for row in self.db.execute("SELECT entity FROM triple WHERE is_id AND attr = ?", (self.no[attr.id],))
        ]

    def count(self, etype: str) -> int:
        return len(self.entities(etype))

    def rows(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        return self.db.execute(sql, parameters).fetchall()

    def cursor(self, sql: str, parameters: Sequence[Any]) -> sqlite3.Cursor:
        return self.db.execute(sql, parameters)
