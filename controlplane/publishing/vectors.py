"""The chunks of every tenant and their embeddings in one Turso database: its schema and all writes to it.

Pure: no Django. The edge reads these tables by `storefront.retrieval`.
"""

import dataclasses
import hashlib
import itertools
import json
import math
import struct
from collections.abc import Collection, Iterable, Iterator, Sequence

from controlplane.adapters.errors import AdapterError
from controlplane.adapters.turso import Statement, TursoDatabase, Value

SourceKey = tuple[str, str]
"""A source's kind and id."""

ROWS_A_BATCH = 200
SOURCES_A_QUERY = 2_000

# One entry a version; an entry that has run anywhere is never edited. `PRAGMA user_version` is read-only on Turso
# Cloud, so the version is a row, and inserting it first lets one of two racing processes win.
_SCHEMA: tuple[tuple[str, ...], ...] = (
    (
        # AUTOINCREMENT never gives a deleted tenant's number away again.
        """CREATE TABLE tenant_number (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            tenant_id TEXT NOT NULL UNIQUE
        )""",
        # id: tenant number << 32 | sequence, so that the rows of one tenant lie together, here and in chunk_vec.
        """CREATE TABLE chunk (
            id INTEGER PRIMARY KEY,
            tenant_id TEXT NOT NULL,
            source_kind TEXT NOT NULL CHECK (source_kind IN ('product', 'knowledge')),
            source_id TEXT NOT NULL,
            chunk_no INTEGER NOT NULL,
            lang TEXT NOT NULL,
            title TEXT NOT NULL,
            body TEXT NOT NULL,
            url TEXT NOT NULL,
            content_hash TEXT NOT NULL,
            UNIQUE (source_kind, source_id, chunk_no)
        )""",
        "CREATE INDEX chunk_tenant ON chunk (tenant_id)",
        "CREATE TABLE embedding_model (model TEXT PRIMARY KEY, dimensions INTEGER NOT NULL) WITHOUT ROWID",
        # A rowid table: WITHOUT ROWID would spill each vector to an overflow page.
        """CREATE TABLE chunk_vec (
            chunk_id INTEGER PRIMARY KEY,
            tenant_id TEXT NOT NULL,
            model TEXT NOT NULL,
            emb BLOB NOT NULL CHECK (typeof(emb) = 'blob' AND length(emb) > 0 AND length(emb) % 4 = 0)
        )""",
        "CREATE INDEX chunk_vec_tenant ON chunk_vec (tenant_id, model)",
        # One vector of another length would make every query over it fail; no column type prevents that.
        """CREATE TRIGGER chunk_vec_length BEFORE INSERT ON chunk_vec
            WHEN length(new.emb) IS NOT (SELECT 4 * dimensions FROM embedding_model WHERE model = new.model)
            BEGIN SELECT RAISE(ABORT, 'a vector of another length than its model has'); END""",
        # The tenant is a term of every row, so that a search can ask for it and rank one tenant's rows only.
        """CREATE VIRTUAL TABLE chunk_fts USING fts5 (
            tenant, title, body, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 2'
        )""",
        """CREATE TRIGGER chunk_inserted AFTER INSERT ON chunk BEGIN
            INSERT INTO chunk_fts (rowid, tenant, title, body)
            VALUES (new.id, replace(new.tenant_id, '-', ''), new.title, new.body);
        END""",
        """CREATE TRIGGER chunk_updated AFTER UPDATE ON chunk WHEN old.content_hash <> new.content_hash BEGIN
            DELETE FROM chunk_fts WHERE rowid = old.id;
            INSERT INTO chunk_fts (rowid, tenant, title, body)
            VALUES (new.id, replace(new.tenant_id, '-', ''), new.title, new.body);
        END""",
        """CREATE TRIGGER chunk_deleted AFTER DELETE ON chunk BEGIN
            DELETE FROM chunk_fts WHERE rowid = old.id;
            DELETE FROM chunk_vec WHERE chunk_id = old.id;
        END""",
    ),
)

# Not OR IGNORE: that uses up a number each time.
_NUMBER_TENANT = """
    INSERT INTO tenant_number (tenant_id)
    SELECT :tenant WHERE NOT EXISTS (SELECT 1 FROM tenant_number WHERE tenant_id = :tenant)
"""

# A chunk without a new vector must still have its old one: where that has gone meanwhile (a wiped store, another
# delivery), the subquery is NULL, the NOT NULL of content_hash fails, and the whole write is undone.
_KEPT_HASH = """(
    SELECT kept.content_hash FROM chunk AS kept JOIN chunk_vec ON chunk_vec.chunk_id = kept.id
    WHERE kept.source_kind = :kind AND kept.source_id = :source AND kept.chunk_no = :no
        AND kept.tenant_id = :tenant AND kept.content_hash = :hash AND chunk_vec.model = :model
)"""

_PUT_CHUNK = """
    INSERT INTO chunk (id, tenant_id, source_kind, source_id, chunk_no, lang, title, body, url, content_hash)
    SELECT
        1 + coalesce(
            (SELECT max(id) FROM chunk WHERE id BETWEEN number << 32 AND number << 32 | 4294967295), number << 32
        ),
        :tenant, :kind, :source, :no, :lang, :title, :body, :url, {hash}
    FROM tenant_number WHERE tenant_id = :tenant
    ON CONFLICT (source_kind, source_id, chunk_no) DO UPDATE SET
        lang = excluded.lang, title = excluded.title, body = excluded.body, url = excluded.url,
        content_hash = excluded.content_hash
"""

_PUT_VECTOR = """
    INSERT INTO chunk_vec (chunk_id, tenant_id, model, emb)
    SELECT id, tenant_id, :model, :emb FROM chunk WHERE source_kind = :kind AND source_id = :source AND chunk_no = :no
    ON CONFLICT (chunk_id) DO UPDATE SET model = excluded.model, emb = excluded.emb
"""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Chunk:
    """A passage that can be retrieved. `source_kind` is "product" or "knowledge", `source_id` a UUID as text,
    `chunk_no` counts from 0 within the source, `lang` is a language tag."""

    source_kind: str
    source_id: str
    chunk_no: int
    lang: str
    title: str
    body: str
    url: str

    @property
    def content_hash(self) -> str:
        """SHA-256, in hexadecimal, of what an embedding depends on: title, body and language."""
        return hashlib.sha256(json.dumps([self.title, self.body, self.lang]).encode()).hexdigest()


Embedded = tuple[Chunk, Sequence[float] | None]
"""A chunk with its new vector; None keeps the vector that is stored for the same content."""

Source = tuple[str, str, str, Sequence[Embedded]]
"""Tenant id, source kind, source id, and all chunks of that source, numbered 0, 1, 2, …"""


class VectorStore:
    """All methods raise AdapterError. Every write may be repeated, and leaves each source whole: old or new."""

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

    def hashes(self, sources: Collection[SourceKey], model: str) -> dict[SourceKey, dict[int, str]]:
        """For each of these sources, the content hashes by chunk number that already have a vector of this model."""
        found: dict[SourceKey, dict[int, str]] = {key: {} for key in sources}
        for keys in _in_groups(found, SOURCES_A_QUERY):
            rows = self._database.execute(
                "SELECT source_kind, source_id, chunk_no, content_hash FROM json_each(?) AS wanted"
                " JOIN chunk ON source_kind = wanted.value ->> 0 AND source_id = wanted.value ->> 1"
                " JOIN chunk_vec ON chunk_vec.chunk_id = chunk.id WHERE chunk_vec.model = ?",
                [json.dumps(keys), model],
            )
            for kind, source_id, number, content_hash in rows:
                found[str(kind), str(source_id)][int(number or 0)] = str(content_hash)
        return found

    def replace(self, tenant_id: str, source_kind: str, source_id: str, chunks: Sequence[Embedded], model: str) -> None:
        """Make these the chunks of the source, in one transaction: see `replace_many`."""
        self.replace_many([(tenant_id, source_kind, source_id, chunks)], model)

    def replace_many(self, sources: Iterable[Source], model: str) -> None:
        """Make each source's chunks exactly those given, in transactions of about 200 rows and whole sources.

        After an error the sources of earlier transactions are written, those of the failed one are as they were.
        ValueError, before anything is written: a vector without direction, or chunks that are not this source's.
        """
        writes = [(len(source[3]), _writes(source, model)) for source in sources]
        for statements in _batched(writes):
            try:
                self._database.batch(statements)
            except AdapterError as error:
                if "chunk.content_hash" in error.message:
                    raise AdapterError("The stored vectors have changed meanwhile.", permanent=False) from None
                raise

    def delete_sources(self, sources: Collection[SourceKey]) -> None:
        for keys in _in_groups(sources, SOURCES_A_QUERY):
            self._database.execute(
                "DELETE FROM chunk WHERE id IN (SELECT chunk.id FROM json_each(?) AS gone"
                " JOIN chunk ON source_kind = gone.value ->> 0 AND source_id = gone.value ->> 1)",
                [json.dumps(keys)],
            )

    def delete_tenant(self, tenant_id: str) -> None:
        tables = ("chunk", "tenant_number")
        self._database.batch([Statement(f"DELETE FROM {table} WHERE tenant_id = ?", [tenant_id]) for table in tables])  # noqa: S608

    def count(self, tenant_id: str) -> int:
        """How many chunks this tenant has."""
        return int(self._database.execute("SELECT count(*) FROM chunk WHERE tenant_id = ?", [tenant_id])[0][0] or 0)

    def sources(self) -> set[SourceKey]:
        """Every source that has a chunk, of all tenants."""
        rows = self._database.execute("SELECT DISTINCT source_kind, source_id FROM chunk")
        return {(str(kind), str(source_id)) for kind, source_id in rows}

    def _version(self) -> int:
        return int(self._database.execute("SELECT max(version) FROM schema_version")[0][0] or 0)


def _writes(source: Source, model: str) -> list[Statement]:
    tenant_id, kind, source_id, chunks = source
    if [(c.source_kind, c.source_id, c.chunk_no) for c, _ in chunks] != [
        (kind, source_id, n) for n in range(len(chunks))
    ]:
        raise ValueError(f"The chunks of {kind} {source_id} must be its own, numbered from 0.")
    # A source that has changed its tenant starts afresh, among that tenant's rows.
    trim = Statement(
        "DELETE FROM chunk WHERE source_kind = ? AND source_id = ? AND (chunk_no >= ? OR tenant_id <> ?)",
        [kind, source_id, len(chunks), tenant_id],
    )
    known = [Statement(_NUMBER_TENANT, {"tenant": tenant_id})] if chunks else []
    if lengths := [len(vector) for _, vector in chunks if vector is not None]:
        known.append(Statement("INSERT OR IGNORE INTO embedding_model VALUES (?, ?)", [model, lengths[0]]))
    return [trim, *known, *(s for embedded in chunks for s in _chunk_writes(tenant_id, embedded, model))]


def _chunk_writes(tenant_id: str, embedded: Embedded, model: str) -> Iterator[Statement]:
    chunk, vector = embedded
    place: dict[str, Value] = {"kind": chunk.source_kind, "source": chunk.source_id, "no": chunk.chunk_no}
    texts: dict[str, Value] = {"lang": chunk.lang, "title": chunk.title, "body": chunk.body, "url": chunk.url}
    row = {**place, **texts, "tenant": tenant_id, "hash": chunk.content_hash}
    if vector is None:
        yield Statement(_PUT_CHUNK.format(hash=_KEPT_HASH), {**row, "model": model})
    else:
        yield Statement(_PUT_CHUNK.format(hash=":hash"), row)
        yield Statement(_PUT_VECTOR, {**place, "model": model, "emb": blob(vector)})


def blob(vector: Sequence[float]) -> bytes:
    """libSQL's F32_BLOB: 4 bytes a dimension, little-endian. ValueError for a vector without direction."""
    if not any(vector) or not all(map(math.isfinite, vector)):
        raise ValueError("A vector needs finite numbers that are not all zero: the cosine to it would be NULL.")
    return struct.pack(f"<{len(vector)}f", *vector)


def _batched(writes: Iterable[tuple[int, list[Statement]]]) -> Iterator[list[Statement]]:
    """Join the writes of whole sources until they have about `ROWS_A_BATCH` rows."""
    rows, batch = 0, list[Statement]()
    for count, statements in writes:
        if batch and rows + count > ROWS_A_BATCH:
            yield batch
            rows, batch = 0, []
        rows += max(count, 1)
        batch = [*batch, *statements]
    if batch:
        yield batch


def _in_groups(keys: Iterable[SourceKey], size: int) -> Iterator[list[SourceKey]]:
    rest = iter(keys)
    while group := list(itertools.islice(rest, size)):
        yield group
