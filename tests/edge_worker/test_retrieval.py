import json
import math
import operator
import random
from collections.abc import Sequence

import httpx
import pytest

from controlplane.adapters.turso import TursoDatabase
from controlplane.localcloud.sqld import Sqld
from controlplane.publishing.vectors import Chunk, VectorStore
from storefront import retrieval
from storefront.retrieval import Passage, RetrievalError, passages, request_body
from storefront.words import search_terms

A, B = "0198c0de-0000-7000-8000-00000000000a", "0198c0de-0000-7000-8000-00000000000b"
MODEL, DIMENSIONS = "test-model", 384


def unit_vector(seed: object) -> list[float]:
    source = random.Random(str(seed))
    raw = [source.gauss(0, 1) for _ in range(DIMENSIONS)]
    length = math.hypot(*raw)
    return [number / length for number in raw]


@pytest.fixture
def store(turso_database: TursoDatabase) -> VectorStore:
    """Two tenants with 60 passages each; passage n of tenant t has unit_vector((t, n))."""
    store = VectorStore(turso_database)
    store.ensure_schema()
    for tenant, name in ((A, "a"), (B, "b")):
        source = f"{name}-source"
        texts = {"source_kind": "knowledge", "source_id": source, "lang": "en", "url": f"/{name}"}
        numbered = [Chunk(**texts, chunk_no=n, title=f"{name} {n}", body="…") for n in range(60)]
        store.replace(tenant, "knowledge", source, [(c, unit_vector((name, c.chunk_no))) for c in numbered], MODEL)
    return store


def ask(
    server: Sqld, *, tenant_id: str = A, vector: Sequence[float], limit: int = 8, model: str = MODEL
) -> list[Passage]:
    body = request_body(tenant_id=tenant_id, model=model, vector=vector, limit=limit)
    headers = {"Authorization": f"Bearer {server.ro_token}"}
    reply = httpx.post(server.url + retrieval.PATH, content=body, headers=headers, trust_env=False)
    return list(passages(reply.status_code, reply.content))


def test_the_nearest_passages_come_first_with_their_cosine(sqld: Sqld, store: VectorStore) -> None:
    question = unit_vector("question")
    cosine = {f"a {n}": sum(map(operator.mul, question, unit_vector(("a", n)))) for n in range(60)}
    got = ask(sqld, vector=question, limit=5)
    assert [passage.title for passage in got] == sorted(cosine, key=lambda title: -cosine[title])[:5]
    assert [passage.score for passage in got] == pytest.approx([cosine[passage.title] for passage in got], abs=1e-5)


def test_a_passage_carries_what_a_citation_needs(sqld: Sqld, store: VectorStore) -> None:
    (passage,) = ask(sqld, vector=unit_vector(("a", 7)), limit=1)
    assert passage.score == pytest.approx(1, abs=1e-5)
    assert (passage.source_kind, passage.source_id, passage.title, passage.body, passage.url) == (
        "knowledge", "a-source", "a 7", "…", "/a",
    )  # fmt: skip


def test_a_tenant_never_sees_anothers_passages(sqld: Sqld, store: VectorStore) -> None:
    for tenant, name, other in ((A, "a", "b"), (B, "b", "a")):
        got = ask(sqld, tenant_id=tenant, vector=unit_vector((other, 3)), limit=1000)
        assert {passage.url for passage in got} == {f"/{name}"}
        assert len(got) == 60
    assert ask(sqld, tenant_id="' OR 1=1 --", vector=unit_vector("x")) == []


def put_titles(store: VectorStore, tenant: str, titles: Sequence[str]) -> None:
    """Each title a source; all vectors are the same."""
    for number, title in enumerate(titles):
        texts = {"source_kind": "knowledge", "source_id": f"{tenant}{number}", "lang": "en", "body": "…", "url": ""}
        store.replace(
            tenant, "knowledge", texts["source_id"], [(Chunk(**texts, chunk_no=0, title=title), [1.0])], MODEL
        )


def worded(server: Sqld, asked: str, *, tenant_id: str = A) -> list[str]:
    """The titles found by words, best first. All are as near to the question, so its places by nearness are by id."""
    body = request_body(tenant_id=tenant_id, model=MODEL, vector=[1.0], terms=search_terms(asked), limit=100)
    headers = {"Authorization": f"Bearer {server.ro_token}"}
    reply = httpx.post(server.url + retrieval.PATH, content=body, headers=headers, trust_env=False)
    got = sorted(passages(reply.status_code, reply.content), key=lambda one: one.chunk_id)
    by_words = {one.title: one.rank - 1 / (60 + place) for place, one in enumerate(got, start=1)}
    return sorted((title for title in by_words if by_words[title] > 1e-9), key=lambda title: -by_words[title])


@pytest.fixture
def titles(turso_database: TursoDatabase) -> list[str]:
    """Those of tenant A; B has some of the same words."""
    store = VectorStore(turso_database)
    store.ensure_schema()
    mine = ["Basket of willow", "Größe der Körbe", "Kettle AB-12", "Kettle 12 AB", "Delivery of a basket"]
    put_titles(store, A, mine)
    put_titles(store, B, ["Delivery of a kettle", "Größe", *["Willow"] * 20])
    return mine


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("willow", ["Basket of willow"]),
        ("Do you deliver?", ["Delivery of a basket"]),
        ("GROESSE, grösse?", ["Größe der Körbe"]),
        ("korbe", ["Größe der Körbe"]),
        ("ab-12", ["Kettle AB-12"]),
        ("what is this", []),
        ("nothing of it", []),
        # Fewer of the passages have the word "willow" than "basket".
        ("basket willow", ["Basket of willow", "Delivery of a basket"]),
    ],
)
def test_a_question_finds_by_its_words(sqld: Sqld, titles: list[str], asked: str, found: list[str]) -> None:
    assert worded(sqld, asked) == found


def test_how_rare_a_word_is_is_counted_among_the_tenants_own(sqld: Sqld, turso_database: TursoDatabase) -> None:
    store = VectorStore(turso_database)
    store.ensure_schema()
    put_titles(store, A, ["Willow one", "Willow two", "Willow three", "Cheese plain"])
    put_titles(store, B, ["Cheese plain"] * 40)
    assert worded(sqld, "willow cheese")[0] == "Cheese plain"


@pytest.mark.parametrize(
    "asked",
    ['" OR t2zwillow', "kettle* NOT basket", "title:willow", "NEAR(a b)", "'; DROP TABLE chunk; --", "t2zwillow"],
)
def test_signs_of_the_query_language_are_words_like_others(sqld: Sqld, titles: list[str], asked: str) -> None:
    assert set(worded(sqld, asked)) <= set(titles)


def test_vectors_of_another_model_are_not_looked_at(sqld: Sqld, store: VectorStore) -> None:
    assert ask(sqld, vector=[1.0], model="another-model") == []


def test_a_deleted_source_is_not_found(sqld: Sqld, store: VectorStore) -> None:
    store.delete_sources([("knowledge", "a-source")])
    assert ask(sqld, vector=unit_vector(("a", 1))) == []


def test_a_query_of_another_dimension_is_an_error(sqld: Sqld, store: VectorStore) -> None:
    with pytest.raises(RetrievalError, match="refused"):
        ask(sqld, vector=[1.0, 2.0])


def test_a_database_without_the_schema_is_an_error(sqld: Sqld, turso_database: TursoDatabase) -> None:
    with pytest.raises(RetrievalError, match="no such table"):
        ask(sqld, vector=[1.0])


@pytest.mark.parametrize(
    ("status", "body"),
    [(401, '{"error": "no"}'), (503, ""), (200, "<html>"), (200, "{}"), (200, "[]"), (200, '{"results": []}'),
     (200, json.dumps({"results": [{"type": "ok", "response": {"result": {"rows": [[{"type": "null"}]]}}}]}))],
)  # fmt: skip
def test_any_other_reply_is_an_error(status: int, body: str) -> None:
    with pytest.raises(RetrievalError):
        passages(status, body)


@pytest.mark.parametrize("bad", [[], [0.0, 0.0], [float("nan")]])
def test_a_question_without_direction_is_refused(bad: list[float]) -> None:
    with pytest.raises(ValueError, match="finite"):
        request_body(tenant_id=A, model=MODEL, vector=bad)
