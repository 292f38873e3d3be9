"""What a shop knows about a question: an exact cosine scan over one tenant's passages in Turso.

Pure: it makes the body to POST to `{database}/v2/pipeline` with a read-only token, and reads the reply. The tables
are those of the control plane's `publishing/vectors.py`.
"""

import base64
import json
import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PATH = "/v2/pipeline"

# The token opens the whole database; this one condition is what keeps tenants apart. Everything that a query returns
# must come out of `mine`.
_SQL = """
WITH mine AS (
    SELECT chunk_id, emb FROM chunk_vec WHERE tenant_id = ?1 AND model = ?2
), nearest AS (
    SELECT chunk_id, vector_distance_cos(emb, ?3) AS distance FROM mine ORDER BY distance, chunk_id LIMIT ?4
)
SELECT id, source_kind, source_id, title, body, url, 1 - distance
FROM nearest JOIN chunk ON chunk.id = chunk_id
ORDER BY distance, chunk_id
"""


class RetrievalError(Exception):
    """The database refused, or answered with something else than passages. The message carries no token."""


@dataclass(frozen=True, kw_only=True)
class Passage:
    """`source_kind` is "product" or "knowledge"; `score` is the cosine, from -1 to 1 (the same direction)."""

    chunk_id: int
    source_kind: str
    source_id: str
    title: str
    body: str
    url: str
    score: float


def request_body(*, tenant_id: str, model: str, vector: Sequence[float], limit: int = 8) -> str:
    """The JSON body that asks for the `limit` passages of this tenant nearest to `vector`, best first.

    `model` names the embedding model that made `vector`: vectors of other models are not looked at. ValueError for a
    vector without direction (not finite, or all zeros).
    """
    args = [_text(tenant_id), _text(model), _blob(vector), {"type": "integer", "value": str(limit)}]
    return json.dumps({"requests": [{"type": "execute", "stmt": {"sql": _SQL, "args": args}}, {"type": "close"}]})


def passages(status: int, body: str | bytes) -> tuple[Passage, ...]:
    """The passages in the reply to `request_body`, best first. RetrievalError for any other reply."""
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
    chunk_id, source_kind, source_id, title, body, url, score = row
    return Passage(
        chunk_id=int(chunk_id),
        source_kind=str(source_kind),
        source_id=str(source_id),
        title=str(title),
        body=str(body),
        url=str(url),
        score=float(score),
    )


def _value(cell: Mapping[str, Any]) -> Any:
    return cell["value"]


def _text(value: str) -> dict[str, str]:
    return {"type": "text", "value": value}


def _blob(vector: Sequence[float]) -> dict[str, str]:
    if not any(vector) or not all(map(math.isfinite, vector)):
        raise ValueError("A vector needs finite numbers that are not all zero.")
    return {"type": "blob", "base64": base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()}
