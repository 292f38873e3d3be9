"""The schema of a Turso database of chunks and embeddings, version by version."""

NOW = "CAST(unixepoch('subsec') * 1000 AS INTEGER)"
"""The database's time in milliseconds."""

# One entry a version; an entry that has run anywhere is never edited. `PRAGMA user_version` is read-only on Turso
# Cloud, so the version is a row, and inserting it first lets one of two racing processes win.
SCHEMA: tuple[tuple[str, ...], ...] = (
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
    # Vectors of two models side by side: while a tenant moves from one to another, the old one goes on answering.
    (
        "DROP TRIGGER chunk_vec_length",
        "DROP TRIGGER chunk_updated",
        "DROP TRIGGER chunk_deleted",
        "ALTER TABLE embedding_model RENAME TO embedding_model_1",
        """CREATE TABLE embedding_model (
            number INTEGER PRIMARY KEY CHECK (number BETWEEN 1 AND 127),
            model TEXT NOT NULL UNIQUE,
            dimensions INTEGER NOT NULL
        )""",
        "INSERT INTO embedding_model (model, dimensions) SELECT model, dimensions FROM embedding_model_1",
        "DROP TABLE embedding_model_1",
        "ALTER TABLE chunk_vec RENAME TO chunk_vec_1",
        "DROP INDEX chunk_vec_tenant",
        # id: model number << 56 | chunk id, so that what one scan reads lies together: a tenant's rows of one model.
        """CREATE TABLE chunk_vec (
            id INTEGER PRIMARY KEY,
            chunk_id INTEGER NOT NULL,
            tenant_id TEXT NOT NULL,
            model TEXT NOT NULL,
            embedded_at INTEGER NOT NULL,
            emb BLOB NOT NULL CHECK (typeof(emb) = 'blob' AND length(emb) > 0 AND length(emb) % 4 = 0)
        )""",
        f"""INSERT INTO chunk_vec (id, chunk_id, tenant_id, model, embedded_at, emb)
            SELECT number << 56 | chunk_id, chunk_id, tenant_id, model, {NOW}, emb
            FROM chunk_vec_1 JOIN embedding_model USING (model) ORDER BY 1""",  # noqa: S608 - built of constants
        "DROP TABLE chunk_vec_1",
        "CREATE INDEX chunk_vec_tenant ON chunk_vec (tenant_id, model, chunk_id)",
        """CREATE TRIGGER chunk_vec_length BEFORE INSERT ON chunk_vec
            WHEN length(new.emb) IS NOT (SELECT 4 * dimensions FROM embedding_model WHERE model = new.model)
            BEGIN SELECT RAISE(ABORT, 'a vector of another length than its model has'); END""",
        # A vector never outlives the text it was made of, whichever model made it.
        """CREATE TRIGGER chunk_updated AFTER UPDATE ON chunk WHEN old.content_hash <> new.content_hash BEGIN
            DELETE FROM chunk_vec WHERE id IN (SELECT number << 56 | old.id FROM embedding_model);
            DELETE FROM chunk_fts WHERE rowid = old.id;
            INSERT INTO chunk_fts (rowid, tenant, title, body)
            VALUES (new.id, replace(new.tenant_id, '-', ''), new.title, new.body);
        END""",
        """CREATE TRIGGER chunk_deleted AFTER DELETE ON chunk BEGIN
            DELETE FROM chunk_fts WHERE rowid = old.id;
            DELETE FROM chunk_vec WHERE id IN (SELECT number << 56 | old.id FROM embedding_model);
        END""",
    ),
    # Words with their tenant's number in front (words.MARKED): what a search costs no longer grows with other tenants.
    # Only Python folds words as both sides do, so no trigger writes them. What is here is read back from the old index.
    (
        "DROP TRIGGER chunk_inserted",
        "DROP TRIGGER chunk_updated",
        "DROP TRIGGER chunk_deleted",
        "ALTER TABLE chunk_fts RENAME TO chunk_fts_2",
        "CREATE VIRTUAL TABLE chunk_term_2 USING fts5vocab (chunk_fts_2, 'instance')",
        """CREATE VIRTUAL TABLE chunk_fts USING fts5 (
            title, body, content='', contentless_delete=1, tokenize='ascii'
        )""",
        """INSERT INTO chunk_fts (rowid, title, body)
            SELECT doc, coalesce(group_concat(term, ' ') FILTER (WHERE col = 'title'), ''),
                coalesce(group_concat(term, ' ') FILTER (WHERE col = 'body'), '')
            FROM (
                SELECT doc, col, 't' || number || 'z' || replace(term, 'ß', 'ss') AS term
                FROM chunk_term_2 JOIN chunk ON chunk.id = doc JOIN tenant_number USING (tenant_id)
                WHERE col <> 'tenant' ORDER BY doc, col, offset
            ) GROUP BY doc""",
        "DROP TABLE chunk_term_2",
        "DROP TABLE chunk_fts_2",
        """CREATE TRIGGER chunk_updated AFTER UPDATE ON chunk WHEN old.content_hash <> new.content_hash BEGIN
            DELETE FROM chunk_vec WHERE id IN (SELECT number << 56 | old.id FROM embedding_model);
            DELETE FROM chunk_fts WHERE rowid = old.id;
        END""",
        """CREATE TRIGGER chunk_deleted AFTER DELETE ON chunk BEGIN
            DELETE FROM chunk_fts WHERE rowid = old.id;
            DELETE FROM chunk_vec WHERE id IN (SELECT number << 56 | old.id FROM embedding_model);
        END""",
    ),
)
