"""The chunks of every tenant and their embeddings in one Turso database: all writes to it.

Pure: no Django. The tables are in `vector_schema`; the edge reads them by `storefront.retrieval`.
"""

import dataclasses
import hashlib
import itertools
import json
import math
import struct
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from controlplane.adapters.errors import AdapterError
from controlplane.adapters.turso import Statement, TursoDatabase, Value
from controlplane.publishing.vector_schema import NOW, SCHEMA
from storefront.words import MARKED, indexed

SourceKey = tuple[str, str]
"""A source's kind and id."""

ROWS_A_BATCH = 200
SOURCES_A_QUERY = 2_000

# Not OR IGNORE: that uses up a number each time.
_NUMBER_TENANT = """
    INSERT INTO tenant_number (tenant_id)
    SELECT :tenant WHERE NOT EXISTS (SELECT 1 FROM tenant_number WHERE tenant_id = :tenant)
"""

# A model without a new vector must still have its old one: where that has gone meanwhile (a wiped store, another
# delivery), the subquery is NULL, the NOT NULL of content_hash fails, and the whole write is undone.
_KEPT_HASH = """(
    SELECT content_hash FROM chunk
    WHERE source_kind = :kind AND source_id = :source AND chunk_no = :no AND tenant_id = :tenant
        AND content_hash = :hash AND json_array_length(:kept) = (
            SELECT count(*) FROM json_each(:kept) AS wanted JOIN embedding_model AS known ON known.model = wanted.value
            JOIN chunk_vec ON chunk_vec.id = known.number << 56 | chunk.id
        )
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

# Words go with a changed text (trigger chunk_updated) and are written where they are missing.
_PUT_WORDS = f"""
    INSERT INTO chunk_fts (rowid, title, body)
    SELECT chunk.id, {MARKED.format(":titles")}, {MARKED.format(":bodies")}
    FROM chunk JOIN tenant_number USING (tenant_id)
    WHERE source_kind = :kind AND source_id = :source AND chunk_no = :no
        AND NOT EXISTS (SELECT 1 FROM chunk_fts WHERE rowid = chunk.id)
"""  # noqa: S608 - built of constants

_PUT_VECTOR = f"""
    INSERT INTO chunk_vec (id, chunk_id, tenant_id, model, embedded_at, emb)
    SELECT number << 56 | id, id, tenant_id, :model, {NOW}, :emb
    FROM chunk JOIN embedding_model ON model = :model
    WHERE source_kind = :kind AND source_id = :source AND chunk_no = :no
    ON CONFLICT (id) DO UPDATE SET embedded_at = excluded.embedded_at, emb = excluded.emb
"""  # noqa: S608 - built of constants

_DROP_OTHER_MODELS = """
    DELETE FROM chunk_vec WHERE id IN (
        SELECT number << 56 | id FROM chunk JOIN embedding_model
        WHERE source_kind = :kind AND source_id = :source
            AND model NOT IN (SELECT value FROM json_each(:models))
    )
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


Embedded = tuple[Chunk, Mapping[str, Sequence[float]]]
"""A chunk with its new vectors by model; a model without one keeps the vector that is stored for the same content."""

Source = tuple[str, str, str, Sequence[Embedded]]
"""Tenant id, source kind, source id, and all chunks of that source, numbered 0, 1, 2, …"""


@dataclasses.dataclass(frozen=True, kw_only=True)
class StoredChunk:
    """A passage as shoppers' questions find it. `models` made its vectors; `embedded_at` in milliseconds UTC."""

    chunk_no: int
    title: str
    body: str
    models: tuple[str, ...]
    embedded_at: int


class VectorStore:
    """All methods raise AdapterError. Every write may be repeated, and leaves each source whole: old or new."""

    def __init__(self, database: TursoDatabase) -> None:
        self._database = database

    def ensure_schema(self) -> None:
        """Bring the database to this code's schema; a newer schema is left alone."""
        self._database.execute("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY)")
        for version, statements in enumerate(SCHEMA, start=1):
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
                " JOIN embedding_model ON embedding_model.model = ?"
                " JOIN chunk_vec ON chunk_vec.id = number << 56 | chunk.id",
                [json.dumps(keys), model],
            )
            for kind, source_id, number, content_hash in rows:
                found[str(kind), str(source_id)][int(number or 0)] = str(content_hash)
        return found

    def replace(
        self,
        tenant_id: str,
        source_kind: str,
        source_id: str,
        chunks: Sequence[tuple[Chunk, Sequence[float] | None]],
        model: str,
    ) -> None:
        """`replace_many` of one source and one model; None keeps the stored vector."""
        rows: list[Embedded] = [(chunk, {} if vector is None else {model: vector}) for chunk, vector in chunks]
        self.replace_many([(tenant_id, source_kind, source_id, rows)], [model])

    def replace_many(self, sources: Iterable[Source], models: Sequence[str]) -> None:
        """Make each source's chunks exactly those given, each with a vector of each of `models` and of no other, in
        transactions of about 200 rows and whole sources.

        After an error the sources of earlier transactions are written, those of the failed one are as they were.
        ValueError, before anything is written: a vector without direction, or chunks that are not this source's.
        """
        writes = [(len(source[3]), _writes(source, models)) for source in sources]
        for statements in _batched(writes):
            try:
                self._database.batch(statements)
            except AdapterError as error:
                if "chunk.content_hash" in error.message:
                    raise AdapterError("The stored vectors have changed meanwhile.", permanent=False) from None
                raise

    def rehearse(self, source: Source | None, models: Sequence[str], query: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the edge's `query` would find if `source` were stored, which it is not. See TursoDatabase.rehearse."""
        return self._database.rehearse(_writes(source, models) if source else [], query)

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

    def without(self, tenant_id: str, model: str) -> int:
        """How many of this tenant's chunks have no vector of this model: 0 when the tenant may be switched to it."""
        rows = self._database.execute(
            "SELECT count(*) FROM chunk WHERE tenant_id = ?1 AND id NOT IN"
            " (SELECT chunk_id FROM chunk_vec WHERE tenant_id = ?1 AND model = ?2)",
            [tenant_id, model],
        )
        return int(rows[0][0] or 0)

    def stored(self, source: SourceKey) -> list[StoredChunk]:
        """What is stored of a source, in order."""
        rows = self._database.execute(
            "SELECT chunk_no, title, body, group_concat(chunk_vec.model, ' '), max(embedded_at) FROM chunk"
            " JOIN embedding_model JOIN chunk_vec ON chunk_vec.id = number << 56 | chunk.id"
            " WHERE source_kind = ? AND source_id = ? GROUP BY chunk.id ORDER BY chunk_no",
            [*source],
        )
        return [
            StoredChunk(
                chunk_no=int(no or 0), title=str(title), body=str(body), models=tuple(str(models).split()),
                embedded_at=int(at or 0),
            )
            for no, title, body, models, at in rows
        ]  # fmt: skip

    def sources(self) -> set[SourceKey]:
        """Every source that has a chunk, of all tenants."""
        rows = self._database.execute("SELECT DISTINCT source_kind, source_id FROM chunk")
        return {(str(kind), str(source_id)) for kind, source_id in rows}

    def _version(self) -> int:
        return int(self._database.execute("SELECT max(version) FROM schema_version")[0][0] or 0)


def _writes(source: Source, models: Sequence[str]) -> list[Statement]:
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
    lengths = {model: len(vector) for _, vectors in chunks for model, vector in vectors.items()}
    known += [
        Statement("INSERT OR IGNORE INTO embedding_model (model, dimensions) VALUES (?, ?)", [*one])
        for one in lengths.items()
    ]
    others = Statement(_DROP_OTHER_MODELS, {"kind": kind, "source": source_id, "models": json.dumps([*models])})
    return [trim, *known, *(s for embedded in chunks for s in _chunk_writes(tenant_id, embedded, models)), others]


def _chunk_writes(tenant_id: str, embedded: Embedded, models: Sequence[str]) -> Iterator[Statement]:
    chunk, vectors = embedded
    place: dict[str, Value] = {"kind": chunk.source_kind, "source": chunk.source_id, "no": chunk.chunk_no}
    texts: dict[str, Value] = {"lang": chunk.lang, "title": chunk.title, "body": chunk.body, "url": chunk.url}
    row = {**place, **texts, "tenant": tenant_id, "hash": chunk.content_hash}
    if kept := [model for model in models if model not in vectors]:
        yield Statement(_PUT_CHUNK.format(hash=_KEPT_HASH), {**row, "kept": json.dumps(kept)})
    else:
        yield Statement(_PUT_CHUNK.format(hash=":hash"), row)
    yield Statement(_PUT_WORDS, {**place, "titles": indexed(chunk.title), "bodies": indexed(chunk.body)})
    for model, vector in vectors.items():
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
