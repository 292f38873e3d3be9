import dataclasses
import random
import uuid
from collections.abc import Sequence

import pytest

from controlplane.adapters.errors import AdapterError
from controlplane.adapters.turso import ResultSet, Statement, TursoDatabase, Value
from controlplane.localcloud.sqld import Sqld
from controlplane.publishing import vector_schema, vectors
from controlplane.publishing.vectors import Chunk, Embedded, VectorStore
from storefront.words import MARKED, indexed

A, B = "0198c0de-0000-7000-8000-00000000000a", "0198c0de-0000-7000-8000-00000000000b"
MODEL = "test-model"


@pytest.fixture
def store(turso_database: TursoDatabase) -> VectorStore:
    store = VectorStore(turso_database)
    store.ensure_schema()
    return store


def chunk(source: str = "s", number: int = 0, **changes: str) -> Chunk:
    texts = {"lang": "en", "title": f"Title {source}", "body": f"Body {source} {number}", "url": "/faq"}
    return Chunk(source_kind="knowledge", source_id=source, chunk_no=number, **{**texts, **changes})


One = tuple[Chunk, list[float] | None]
"""A chunk with its vector of the one model that most tests need; None keeps the stored one."""


def chunks(source: str, count: int) -> list[One]:
    return [(chunk(source, number), vector(number)) for number in range(count)]


def vector(seed: int, dimensions: int = 4) -> list[float]:
    return [random.Random(seed * 31 + i).uniform(0.1, 1) for i in range(dimensions)]


def of(model: str, rows: Sequence[One]) -> list[Embedded]:
    return [(one, {} if vector is None else {model: vector}) for one, vector in rows]


def put(store: VectorStore, source: str, rows: Sequence[One], tenant: str = A, model: str = MODEL) -> None:
    store.replace(tenant, "knowledge", source, rows, model)


def content(database: TursoDatabase) -> list[list[tuple[Value, ...]]]:
    """Everything that is stored, of all tables in step: chunks, vectors, and what a text search finds."""
    queries = (
        "SELECT * FROM chunk ORDER BY id",
        "SELECT id, chunk_id, tenant_id, model, emb FROM chunk_vec ORDER BY id",
        "SELECT chunk_fts.rowid FROM tenant_number JOIN chunk_fts ON chunk_fts MATCH 't' || number || 'zbody'"
        " ORDER BY chunk_fts.rowid",
    )
    return [[row.astuple() for row in database.execute(query)] for query in queries]


def found(database: TursoDatabase, tenant: str, words: str) -> int:
    """How many passages of the tenant have all these words, in the index alone."""
    match = f"""'"' || {MARKED.format("?")} || '"'"""
    sql = f"SELECT chunk_fts.rowid FROM tenant_number JOIN chunk_fts ON chunk_fts MATCH {match} WHERE tenant_id = ?"
    return len(database.execute(sql, [indexed(words), tenant]))


def test_the_schema_can_be_ensured_again_and_by_two_at_once(store: VectorStore, turso_database: TursoDatabase) -> None:
    put(store, "s", chunks("s", 1))
    store.ensure_schema()
    turso_database.execute("DELETE FROM schema_version")  # as a slower process sees it before the faster one commits
    with pytest.raises(AdapterError, match="already exists"):
        store.ensure_schema()
    turso_database.execute("INSERT INTO schema_version VALUES (99)")
    store.ensure_schema()
    assert store.count(A) == 1


def test_a_source_is_stored_whole_with_hashes_vectors_and_words(
    store: VectorStore, turso_database: TursoDatabase
) -> None:
    put(store, "s", chunks("s", 3))
    rows, vectors, words = content(turso_database)
    assert [len(rows), len(vectors), len(words)] == [3, 3, 3]
    assert store.hashes([("knowledge", "s")], MODEL) == {
        ("knowledge", "s"): {number: chunk("s", number).content_hash for number in range(3)}
    }
    assert turso_database.execute("SELECT vector_extract(emb) FROM chunk_vec WHERE chunk_id = ?", [rows[0][0]])[0][0]


def test_writing_the_same_again_changes_nothing(store: VectorStore, turso_database: TursoDatabase) -> None:
    put(store, "s", chunks("s", 3))
    before = content(turso_database)
    put(store, "s", chunks("s", 3))
    put(store, "s", [(chunk("s", number), None) for number in range(3)])
    assert content(turso_database) == before


def test_a_kept_vector_stays_while_the_link_changes(store: VectorStore, turso_database: TursoDatabase) -> None:
    put(store, "s", chunks("s", 2))
    vectors = content(turso_database)[1]
    put(store, "s", [(chunk("s", 0, url="/new"), None), (chunk("s", 1), None)])
    assert content(turso_database)[1] == vectors
    assert [row["url"] for row in turso_database.execute("SELECT url FROM chunk ORDER BY chunk_no")] == ["/new", "/faq"]


def test_a_changed_text_gets_its_new_vector_and_its_new_words_only(
    store: VectorStore, turso_database: TursoDatabase
) -> None:
    put(store, "s", [(chunk(body="old words"), vector(1))])
    put(store, "s", [(chunk(body="new words"), vector(2))])
    assert (found(turso_database, A, "old"), found(turso_database, A, "new")) == (0, 1)
    assert len(content(turso_database)[1]) == 1


def test_chunks_beyond_the_new_count_are_gone_from_every_table(
    store: VectorStore, turso_database: TursoDatabase
) -> None:
    put(store, "s", chunks("s", 5))
    put(store, "s", chunks("s", 2))
    assert [len(rows) for rows in content(turso_database)] == [2, 2, 2]
    put(store, "s", [])
    assert content(turso_database) == [[], [], []]


def test_keeping_a_vector_that_is_not_there_writes_nothing_and_is_to_be_retried(
    store: VectorStore, turso_database: TursoDatabase
) -> None:
    put(store, "s", chunks("s", 2))
    before = content(turso_database)
    for bad in ((chunk("s", 1, body="Body other"), None), (chunk("s", 1, lang="de"), None)):
        with pytest.raises(AdapterError) as caught:
            put(store, "s", [(chunk("s", 0, body="Body new"), vector(9)), bad])
        assert not caught.value.permanent
    with pytest.raises(AdapterError):
        put(store, "s", [(chunk("s", 0), None)], model="another-model")
    with pytest.raises(AdapterError):
        put(store, "s", [(chunk("s", 0), None)], tenant=B)
    assert content(turso_database) == before


@pytest.mark.parametrize("wrong", [[0.5] * 3, [0.5] * 5, [0.5] * 400])
def test_a_vector_of_another_length_than_its_models_is_refused_with_its_whole_source(
    store: VectorStore, turso_database: TursoDatabase, wrong: list[float]
) -> None:
    put(store, "s", chunks("s", 1))
    before = content(turso_database)
    with pytest.raises(AdapterError, match="another length") as caught:
        put(store, "s", [(chunk("s", 0, body="Body new"), vector(1)), (chunk("s", 1), wrong)])
    assert caught.value.permanent
    assert content(turso_database) == before


@pytest.mark.parametrize("bad", [[], [0.0, 0.0], [float("nan"), 1.0], [float("inf"), 1.0]])
def test_a_vector_without_direction_is_refused_before_anything_is_written(store: VectorStore, bad: list[float]) -> None:
    with pytest.raises(ValueError, match="finite"):
        put(store, "s", [(chunk("s", 0), vector(1)), (chunk("s", 1), bad)])
    assert store.count(A) == 0


def test_chunks_of_another_source_or_out_of_order_are_refused(store: VectorStore) -> None:
    for wrong in (chunks("other", 1), chunks("s", 3)[1:], [(chunk(), vector(1)), (chunk(), vector(1))]):
        with pytest.raises(ValueError, match="numbered"):
            put(store, "s", wrong)


def test_a_new_model_replaces_the_vectors_and_may_have_another_length(
    store: VectorStore, turso_database: TursoDatabase
) -> None:
    put(store, "s", chunks("s", 1))
    assert store.hashes([("knowledge", "s")], "wider") == {("knowledge", "s"): {}}
    put(store, "s", [(chunk("s", 0), vector(1, dimensions=8))], model="wider")
    assert store.hashes([("knowledge", "s")], MODEL) == {("knowledge", "s"): {}}
    assert len(store.hashes([("knowledge", "s")], "wider")["knowledge", "s"]) == 1
    assert len(content(turso_database)[1]) == 1


def test_two_models_lie_side_by_side_and_leave_one_by_one(store: VectorStore, turso_database: TursoDatabase) -> None:
    put(store, "s", chunks("s", 2))
    both = [(chunk("s", n), {"wider": vector(n, dimensions=8)}) for n in range(2)]
    assert store.without(A, "wider") == 2
    store.replace_many([(A, "knowledge", "s", both)], [MODEL, "wider"])
    assert (store.without(A, MODEL), store.without(A, "wider")) == (0, 0)
    assert [one.models for one in store.stored(("knowledge", "s"))] == [(MODEL, "wider")] * 2
    store.replace_many([(A, "knowledge", "s", [(one, {}) for one, _ in both])], ["wider"])
    assert [one.models for one in store.stored(("knowledge", "s"))] == [("wider",)] * 2
    assert (store.without(A, MODEL), store.without(A, "wider")) == (2, 0)


def test_a_new_text_is_refused_until_every_model_has_read_it(store: VectorStore, turso_database: TursoDatabase) -> None:
    first = [(chunk(), {MODEL: vector(1), "wider": vector(1, dimensions=8)})]
    store.replace_many([(A, "knowledge", "s", first)], [MODEL, "wider"])
    before = content(turso_database)
    with pytest.raises(AdapterError, match="changed meanwhile"):
        store.replace_many([(A, "knowledge", "s", [(chunk(body="New"), {MODEL: vector(2)})])], [MODEL, "wider"])
    assert content(turso_database) == before


def test_a_database_of_the_first_version_keeps_its_vectors(turso_database: TursoDatabase) -> None:
    turso_database.execute("CREATE TABLE schema_version (version INTEGER PRIMARY KEY)")
    turso_database.batch([*vector_schema.SCHEMA[0], "INSERT INTO schema_version VALUES (1)"])
    one = chunk()
    turso_database.batch(
        [
            Statement("INSERT INTO tenant_number (tenant_id) VALUES (?)", [A]),
            Statement("INSERT INTO embedding_model VALUES (?, 4)", [MODEL]),
            Statement(
                "INSERT INTO chunk VALUES (4294967297, ?, 'knowledge', 's', 0, 'en', ?, ?, '/faq', ?)",
                [A, one.title, one.body, one.content_hash],
            ),
            Statement("INSERT INTO chunk_vec VALUES (4294967297, ?, ?, ?)", [A, MODEL, vectors.blob(vector(0))]),
        ]
    )
    store = VectorStore(turso_database)
    store.ensure_schema()
    before = content(turso_database)
    put(store, "s", [(one, None)])
    assert content(turso_database) == before
    store.delete_tenant(A)
    assert content(turso_database) == [[], [], []]


def test_a_database_of_the_second_version_keeps_its_words(turso_database: TursoDatabase) -> None:
    turso_database.execute("CREATE TABLE schema_version (version INTEGER PRIMARY KEY)")
    turso_database.batch(
        [*vector_schema.SCHEMA[0], *vector_schema.SCHEMA[1], "INSERT INTO schema_version VALUES (1), (2)"]
    )
    texts = {A: ("Größe & Maß", "Der Körbe Größe AB-12"), B: ("Baskets", "")}
    for number, (tenant, (title, body)) in enumerate(texts.items(), start=1):
        turso_database.batch(
            [
                Statement("INSERT INTO tenant_number (tenant_id) VALUES (?)", [tenant]),
                Statement(
                    "INSERT INTO chunk VALUES (? << 32, ?, 'knowledge', ?, 0, 'de', ?, ?, '/faq', 'hash')",
                    [number, tenant, tenant, title, body],
                ),
            ]
        )
    VectorStore(turso_database).ensure_schema()
    asked = ("größe maß", "der korbe größe", "ab 12", "baskets")
    assert [found(turso_database, A, words) for words in asked] == [1, 1, 1, 0]
    assert [found(turso_database, B, words) for words in asked] == [0, 0, 0, 1]


def test_a_word_in_the_index_has_the_rows_of_one_tenant_only(store: VectorStore, turso_database: TursoDatabase) -> None:
    """So another tenant's passages cost a search nothing: neither ranking by a word nor asking for its beginning."""
    put(store, "a", chunks("a", 2), tenant=A)
    put(store, "b", chunks("b", 30), tenant=B)
    turso_database.execute("CREATE VIRTUAL TABLE term USING fts5vocab (chunk_fts, 'row')")
    counted = {str(term): doc for term, doc in turso_database.execute("SELECT term, doc FROM term")}
    assert (counted["t1zbody"], counted["t2zbody"]) == (2, 30)
    assert all(term.startswith(("t1z", "t2z")) for term in counted)


def test_words_that_are_missing_come_back_with_the_next_delivery(
    store: VectorStore, turso_database: TursoDatabase
) -> None:
    put(store, "s", chunks("s", 2))
    turso_database.execute("DELETE FROM chunk_fts")
    put(store, "s", [(chunk("s", 0), None), (chunk("s", 1), None)])
    assert found(turso_database, A, "body") == 2


def test_many_sources_are_written_in_few_transactions(sqld: Sqld, store: VectorStore) -> None:
    counted = CountingDatabase(sqld.url, sqld.rw_token)
    sources = [(A, "knowledge", f"s{i}", of(MODEL, chunks(f"s{i}", 7))) for i in range(90)]
    VectorStore(counted).replace_many(sources, [MODEL])
    counted.close()
    assert store.count(A) == 630
    assert counted.batches == 4  # 28 sources of 7 rows are 196 rows


class CountingDatabase(TursoDatabase):
    batches = 0

    def batch(self, statements: Sequence[Statement | str]) -> list[ResultSet]:
        self.batches += 1
        return super().batch(statements)


def test_a_source_larger_than_a_batch_is_still_one_transaction(store: VectorStore) -> None:
    with pytest.raises(AdapterError, match="another length"):
        put(store, "s", [*chunks("s", 450), (chunk("s", 450), [1.0])])
    assert store.count(A) == 0
    put(store, "s", chunks("s", 450))
    assert store.count(A) == 450


def test_one_bad_source_does_not_undo_the_batches_before_it(store: VectorStore) -> None:
    bad = (A, "knowledge", "bad", of(MODEL, [(chunk("bad", 0), [1.0])]))
    with pytest.raises(AdapterError):
        store.replace_many([(A, "knowledge", "s", of(MODEL, chunks("s", 200))), bad], [MODEL])
    assert store.sources() == {("knowledge", "s")}


def test_ids_of_one_tenant_lie_together_and_are_never_those_of_another(
    store: VectorStore, turso_database: TursoDatabase
) -> None:
    for turn in range(3):
        put(store, f"a{turn}", chunks(f"a{turn}", 2), tenant=A)
        put(store, f"b{turn}", chunks(f"b{turn}", 2), tenant=B)
    rows = turso_database.execute("SELECT tenant_id, id >> 32, id & 4294967295 FROM chunk ORDER BY id")
    assert [row.astuple() for row in rows] == [(t, n, s) for n, t in ((1, A), (2, B)) for s in range(1, 7)]
    store.delete_tenant(A)
    put(store, "c", chunks("c", 1), tenant=A)
    assert turso_database.execute("SELECT id >> 32 FROM chunk WHERE tenant_id = ?", [A])[0][0] == 3


def test_deleting_sources_leaves_the_others(store: VectorStore, turso_database: TursoDatabase) -> None:
    for source in "xyz":
        put(store, source, chunks(source, 2))
    store.delete_sources([("knowledge", "x"), ("knowledge", "z"), ("product", "y"), ("knowledge", "never")])
    assert store.sources() == {("knowledge", "y")}
    assert [len(rows) for rows in content(turso_database)] == [2, 2, 2]
    store.delete_sources([])
    assert store.count(A) == 2


def test_deleting_a_tenant_leaves_the_others(store: VectorStore, turso_database: TursoDatabase) -> None:
    put(store, "x", chunks("x", 2), tenant=A)
    put(store, "y", chunks("y", 3), tenant=B)
    store.delete_tenant(A)
    store.delete_tenant(A)
    assert (store.count(A), store.count(B)) == (0, 3)
    assert [len(rows) for rows in content(turso_database)] == [3, 3, 3]


def test_a_source_that_moved_belongs_to_its_new_tenant_alone(store: VectorStore, turso_database: TursoDatabase) -> None:
    put(store, "s", chunks("s", 2), tenant=A)
    put(store, "s", chunks("s", 2), tenant=B)
    assert (store.count(A), store.count(B)) == (0, 2)
    owners = "SELECT tenant_id FROM chunk_vec UNION SELECT tenant_id FROM chunk"
    assert [row[0] for row in turso_database.execute(owners)] == [B]
    assert (found(turso_database, A, "title"), found(turso_database, B, "title")) == (0, 2)


def test_a_text_search_is_confined_to_a_tenant_and_ignores_accents(
    store: VectorStore, turso_database: TursoDatabase
) -> None:
    put(store, "x", [(chunk("x", 0, body="Körbe aus Weide"), vector(1))], tenant=A)
    put(store, "y", [(chunk("y", 0, body="korbe"), vector(2))], tenant=B)
    assert [found(turso_database, tenant, "körbe") for tenant in (A, B, str(uuid.uuid4()))] == [1, 1, 0]


def test_the_content_hash_covers_what_is_embedded_and_not_where_it_is() -> None:
    original = chunk()
    assert dataclasses.replace(original, url="/x", chunk_no=9).content_hash == original.content_hash
    changed = [chunk("s", 0, **{field: "x"}).content_hash for field in ("title", "body", "lang")]
    assert len({original.content_hash, *changed}) == 4
    assert chunk(title="ab", body="c").content_hash != chunk(title="a", body="bc").content_hash
