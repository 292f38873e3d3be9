"""`python -m tests.benchmarks.retrieval [--others 1000000] [--keep DIR] [--turns 40]`: how long a question takes.

Retrieval by the edge's own statement over sqld's HTTP, for tenants of 50, 500 and 5,000 passages, with `--others` of
other tenants in the same database: random unit vectors of 384 dimensions, and texts of words as frequent as in real
text (Zipf), so that the full-text index is as big as it would be. With `--keep` the database stays, and a later run
goes on loading where an earlier one stopped. Then the time to the first event of a chat, with the local models.
"""

import argparse
import asyncio
import itertools
import json
import os
import random
import statistics
import struct
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from storefront.words import MARKED

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

DIMENSIONS, MODEL = 384, "bench-model"
SIZES = (50, 500, 5_000)
A_TENANT = 1_000  # passages of each of the other tenants
BATCH = 1_000
WORDS = 40  # of a passage
VOCABULARY = 30_000
QUESTIONS = 60


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--others", type=int, default=1_000_000, help="passages of other tenants")
    parser.add_argument("--keep", type=Path, help="keep the database here, and go on from it")
    parser.add_argument("--turns", type=int, default=40, help="chat turns to time")
    options = parser.parse_args()
    import django

    django.setup()
    with tempfile.TemporaryDirectory() as folder:
        measure(options.keep or Path(folder), options.others)
        if options.turns:
            first_events(Path(folder) / "chat", options.turns)


def measure(folder: Path, others: int) -> None:
    from controlplane.adapters.turso import TursoDatabase
    from controlplane.localcloud.sqld import Sqld
    from controlplane.publishing.vectors import VectorStore

    with Sqld(folder) as sqld:
        database = TursoDatabase(sqld.url, sqld.rw_token)
        VectorStore(database).ensure_schema()
        for number, size in enumerate(SIZES, start=1):
            fill(sqld.url, sqld.rw_token, database, number, size)
        for number in range((others + A_TENANT - 1) // A_TENANT):
            fill(sqld.url, sqld.rw_token, database, 100 + number, min(A_TENANT, others - number * A_TENANT))
        rows = int(database.execute("SELECT count(*) FROM chunk_vec")[0][0] or 0)
        database.close()
        print(
            f"{rows:,} passages; ms, warm\n{'passages':>10}{'by HTTP: p50':>15}{'p95':>8}{'in sqld: p50':>15}{'p95':>8}"
        )
        for number, size in enumerate(SIZES, start=1):
            by_http, inside = times(sqld.url, sqld.ro_token, number)
            print(f"{size:>10,}{' ' * 7}{quantiles(by_http)}{' ' * 7}{quantiles(inside)}")


def tenant(number: int) -> str:
    return f"0198c0de-0000-7000-8000-{number:012x}"


def fill(url: str, token: str, database: "TursoDatabase", number: int, size: int) -> None:  # type: ignore[name-defined] # noqa: F821
    """The tenant's passages, in transactions of BATCH; what is there already is not written again."""
    have = int(database.execute("SELECT count(*) FROM chunk_vec WHERE tenant_id = ?", [tenant(number)])[0][0] or 0)
    if have >= size:
        return
    began = time.monotonic()
    headers = {"authorization": f"Bearer {token}"}
    with httpx.Client(timeout=120, headers=headers, trust_env=False) as client:
        for start in range(have, size, BATCH):
            steps = [
                {"sql": "BEGIN IMMEDIATE"},
                *_inserts(number, range(start, min(start + BATCH, size))),
                {"sql": "COMMIT"},
            ]
            requests = [{"type": "execute", "stmt": step} for step in steps]
            reply = client.post(f"{url}/v2/pipeline", json={"requests": [*requests, {"type": "close"}]}).json()
            if failed := [one for one in reply["results"] if one["type"] != "ok"]:
                sys.exit(f"loading failed: {failed[0]}")
    if number >= 100 and number % 50 == 0:
        rate = (size - have) / (time.monotonic() - began)
        print(f"  {(number - 99) * A_TENANT:,} others, {rate:,.0f} passages/s", file=sys.stderr, flush=True)


def _inserts(number: int, places: range) -> Iterator[dict[str, object]]:
    """Three statements whatever the number of rows: their texts go in as one JSON list, their vectors as one blob."""
    titles, bodies = MARKED.format("' ' || title"), MARKED.format("' ' || body")
    name, chunks = tenant(number), [(number << 32) + place + 1 for place in places]
    texts = [[chunk, f"{number}-{place}", *text_of(number, place)] for chunk, place in zip(chunks, places, strict=True)]
    yield _stmt("INSERT OR IGNORE INTO embedding_model (model, dimensions) VALUES (?, ?)", [MODEL, DIMENSIONS])
    yield _stmt("INSERT OR IGNORE INTO tenant_number (number, tenant_id) VALUES (?, ?)", [number, name])
    yield _stmt(
        "INSERT INTO chunk (id, tenant_id, source_kind, source_id, chunk_no, lang, title, body, url, content_hash)"
        " SELECT value ->> 0, ?1, 'knowledge', value ->> 1, 0, 'en', value ->> 2, value ->> 3, '', value ->> 1"
        " FROM json_each(?2)",
        [name, json.dumps(texts)],
    )
    yield _stmt(
        f"INSERT INTO chunk_fts (rowid, title, body) SELECT id, {titles}, {bodies}"
        " FROM chunk JOIN tenant_number USING (tenant_id) WHERE id BETWEEN ? AND ?",
        [chunks[0], chunks[-1]],
    )
    yield _stmt(
        "INSERT INTO chunk_vec (id, chunk_id, tenant_id, model, embedded_at, emb)"
        " SELECT number << 56 | value, value, ?1, model, 0, substr(?2, 1 + key * ?3, ?3)"
        " FROM embedding_model JOIN json_each(?4) WHERE model = ?5",
        [name, vectors((number, places[0]), len(places)), 4 * DIMENSIONS, json.dumps(chunks), MODEL],
    )


def _stmt(sql: str, values: list[object]) -> dict[str, object]:
    import base64

    def cell(value: object) -> dict[str, object]:
        if isinstance(value, bytes):
            return {"type": "blob", "base64": base64.b64encode(value).decode()}
        return {"type": "integer", "value": str(value)} if isinstance(value, int) else {"type": "text", "value": value}

    return {"sql": sql, "args": [cell(value) for value in values]}


def vectors(seed: tuple[int, int], count: int) -> bytes:
    """`count` vectors of random direction, one behind another."""
    import numpy as np

    return np.random.default_rng(seed).standard_normal((count, DIMENSIONS), dtype="<f4").tobytes()


def text_of(number: int, place: int) -> tuple[str, str]:
    chosen = random.Random(number * 1_000_003 + place).choices(NAMES, cum_weights=WEIGHTS, k=WORDS)
    return " ".join(chosen[:4]), " ".join(chosen[4:])


def _name(number: int) -> str:
    """Three syllables; some five words begin alike, so that a search by a word's beginning finds more than one."""
    return "".join(SYLLABLES[number // 80**place % 80] for place in range(3))


SYLLABLES = [consonant + vowel for consonant in "bdfghjklmnprstvz" for vowel in "aeiou"]
NAMES = [_name(number) for number in range(VOCABULARY)]
WEIGHTS = list(itertools.accumulate(1 / (rank + 10) for rank in range(VOCABULARY)))


def times(url: str, token: str, number: int) -> tuple[list[float], list[float]]:
    """Milliseconds on loopback, and those that sqld says it took, of QUESTIONS questions of five words each, two of
    them frequent."""
    from storefront.retrieval import PATH, passages, request_body
    from storefront.words import search_terms

    took: list[float] = []
    inside: list[float] = []
    with httpx.Client(timeout=60, headers={"authorization": f"Bearer {token}"}, trust_env=False) as client:
        for turn in range(-5, QUESTIONS):
            source = random.Random(turn)
            question = struct.unpack(f"<{DIMENSIONS}f", vectors((0, turn + 5), 1))
            asked = " ".join([*source.choices(NAMES[:200], k=2), *source.choices(NAMES, cum_weights=WEIGHTS, k=3)])
            body = request_body(
                tenant_id=tenant(number), model=MODEL, vector=question, limit=24, terms=search_terms(asked),
            )  # fmt: skip
            began = time.perf_counter()
            reply = client.post(url + PATH, content=body)
            if turn >= 0:
                took.append((time.perf_counter() - began) * 1000)
                inside.append(reply.json()["results"][0]["response"]["result"]["query_duration_ms"])
            assert passages(reply.status_code, reply.content)
    return took, inside


def first_events(folder: Path, turns: int) -> None:
    """Time to the first event of a chat with the demo shops, their vectors in sqld, models on this machine."""
    from controlplane.localcloud.sqld import Sqld
    from tests.evals.world import demo_shops, world

    shops = demo_shops()
    with Sqld(folder) as sqld, world(sqld, shops) as make:

        async def ask() -> tuple[list[float], list[float]]:
            first, whole = [], []
            async with httpx.AsyncClient(trust_env=False) as client:
                platform = make(client)
                for turn in range(turns):
                    shop = shops[turn % len(shops)]
                    question = shop.questions[turn * 7 % len(shop.questions)]
                    await platform.chat(question.text, host=shop.host)
                    first.append(float(platform.FETCH.written[-2][15]))
                    whole.append(float(platform.FETCH.written[-2][16]))
            return first, whole

        first, whole = asyncio.run(ask())
    print(f"\nchat, {turns} turns, local models; ms{'p50':>10}{'p95':>8}")
    print(f"{'first event':<34}{quantiles(first)}\n{'whole answer':<34}{quantiles(whole)}")


def quantiles(took: list[float]) -> str:
    return f"{statistics.median(took):>8.1f}{statistics.quantiles(took, n=20)[18]:>8.1f}"


if __name__ == "__main__":
    main()
