"""What a shop knows about a question: an exact cosine scan and weighed words over one tenant's passages, fused.

The passages are in Turso. Pure: it makes the body to POST to `{database}/v2/pipeline` with a read-only token, and
reads the reply. The tables are those of the control plane's `publishing/vector_schema.py`.
"""

import base64
import json
import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from storefront.words import MARKED

PATH = "/v2/pipeline"

# The token opens the whole database; this one condition is what keeps tenants apart. Everything that a query returns
# must come out of `mine`.
_MINE = "mine AS (SELECT chunk_id, emb FROM chunk_vec WHERE tenant_id = ?1 AND model = ?2)"

# Reciprocal rank fusion, k = 60 (Cormack, Clarke and Büttcher, SIGIR 2009): ranks of two kinds of search can be added,
# their scores can't. `mine` decides whose a row is; that words are indexed by tenant (words.MARKED) saves reading
# others'. FTS5's bm25() knows how rare a word is among all tenants' passages, which says little about this one's. So
# each word is asked for by itself: bm25() then only says how well a passage has it, and how rare it is we count.
_HYBRID = f"""
WITH {_MINE}, scored AS MATERIALIZED (
    SELECT chunk_id, vector_distance_cos(emb, ?3) AS distance FROM mine
), near AS (
    SELECT chunk_id, row_number() OVER (ORDER BY distance, chunk_id) AS place FROM scored
    ORDER BY place LIMIT ?4
), asked AS MATERIALIZED (
    SELECT key AS word,
        '"' || {MARKED.format("rtrim(value, '*')")} || '"' || iif(substr(value, -1) = '*', '*', '') AS match
    FROM json_each(?5) JOIN tenant_number ON tenant_id = ?1
), hit AS MATERIALIZED (
    SELECT word, chunk_fts.rowid AS chunk_id, -bm25(chunk_fts, 2, 1) AS fit
    FROM asked CROSS JOIN chunk_fts ON chunk_fts MATCH asked.match
), weighed AS (
    SELECT chunk_id,
        fit / max(fit) OVER same * ln(1 + (SELECT count(*) FROM scored) * 1.0 / count(*) OVER same) AS weight
    FROM hit WHERE chunk_id IN (SELECT chunk_id FROM mine) WINDOW same AS (PARTITION BY word)
), worded AS (
    SELECT chunk_id, row_number() OVER (ORDER BY sum(weight) DESC, chunk_id) AS place FROM weighed
    GROUP BY chunk_id ORDER BY place LIMIT ?4
), fused AS (
    SELECT chunk_id, sum(weight / (60.0 + place)) AS rank FROM (
        SELECT chunk_id, place, 1.0 AS weight FROM near UNION ALL SELECT chunk_id, place, ?6 FROM worded
    ) GROUP BY chunk_id
)
SELECT id, source_kind, source_id, title, body, url, 1 - distance, rank
FROM fused JOIN scored USING (chunk_id) JOIN chunk ON chunk.id = chunk_id
ORDER BY rank DESC, chunk_id LIMIT ?4
"""  # noqa: S608 - built of constants

_SIMILAR = f"""
WITH {_MINE}, this AS (
    SELECT emb FROM mine JOIN chunk ON chunk.id = chunk_id
    WHERE source_kind = 'product' AND url = ?3 AND chunk_no = 0
), scored AS (
    SELECT chunk_id, vector_distance_cos(mine.emb, this.emb) AS distance FROM mine, this
)
SELECT min(id), source_kind, source_id, title, '', url, 1 - min(distance), 0.0
FROM scored JOIN chunk ON chunk.id = chunk_id
WHERE source_kind = 'product' AND url <> ?3
GROUP BY source_id ORDER BY min(distance), source_id LIMIT ?4
"""  # noqa: S608

WORD_WEIGHT = 1.0
"""What a place among the hits by words counts beside the same place among the nearest: as much."""


class RetrievalError(Exception):
    """The database refused, or answered with something else than passages. The message carries no token."""


@dataclass(frozen=True, kw_only=True)
class Passage:
    """`source_kind` is "product" or "knowledge"; `score` is the cosine, from -1 to 1 (the same direction); `rank` is
    the fused rank, the greater the better, comparable within one reply only."""

    chunk_id: int
    source_kind: str
    source_id: str
    title: str
    body: str
    url: str
    score: float
    rank: float = 0.0


def request_body(
    *, tenant_id: str, model: str, vector: Sequence[float], terms: Sequence[str] = (), limit: int = 8
) -> str:
    """The JSON body that asks for the `limit` passages of this tenant that fit best, best first.

    `model` names the embedding model that made `vector`: vectors of other models are not looked at. `terms` are
    `words.search_terms`. ValueError for a vector without direction (not finite, or all zeros).
    """
    size = {"type": "integer", "value": str(limit)}
    args = [_text(tenant_id), _text(model), _blob(vector), size, _text(json.dumps([*terms]))]
    return _pipeline(_HYBRID, [*args, {"type": "float", "value": WORD_WEIGHT}])


def similar_body(*, tenant_id: str, model: str, url: str, limit: int = 4) -> str:
    """The body that asks for the products of this tenant nearest to the one at `url`; no model is called."""
    args = [_text(tenant_id), _text(model), _text(url), {"type": "integer", "value": str(limit)}]
    return _pipeline(_SIMILAR, args)


def _pipeline(sql: str, args: list[dict[str, Any]]) -> str:
    return json.dumps({"requests": [{"type": "execute", "stmt": {"sql": sql, "args": args}}, {"type": "close"}]})


def passages(status: int, body: str | bytes) -> tuple[Passage, ...]:
    """The passages in the reply to `request_body` or `similar_body`, best first. RetrievalError for any other reply."""
    if status != 200:
        raise RetrievalError(f"The vector store answered with HTTP status {status}.")
    try:
        outcome = json.loads(body)["results"][0]
        if outcome["type"] == "ok":
            return tuple(_passage([_value(cell) for cell in row]) for row in outcome["response"]["result"]["rows"])
        message = f"{outcome['error']['message']} ({outcome['error'].get('code')})"
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise RetrievalError("The vector store's reply can't be read.") from error
    raise RetrievalError(f"The vector store refused the query: {message}")


def _passage(row: Sequence[Any]) -> Passage:
    chunk_id, source_kind, source_id, title, body, url, score, rank = row
    return Passage(
        chunk_id=int(chunk_id),
        source_kind=str(source_kind),
        source_id=str(source_id),
        title=str(title),
        body=str(body),
        url=str(url),
        score=float(score),
        rank=float(rank),
    )


def _value(cell: Mapping[str, Any]) -> Any:
    return cell["value"]


def _text(value: str) -> dict[str, str]:
    return {"type": "text", "value": value}


def _blob(vector: Sequence[float]) -> dict[str, str]:
    if not any(vector) or not all(map(math.isfinite, vector)):
        raise ValueError("A vector needs finite numbers that are not all zero.")
    return {"type": "blob", "base64": base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()}
