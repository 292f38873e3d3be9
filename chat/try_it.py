"""Asks as a shopper would: the edge's own search code, over the shop's stored passages and, if wanted, a draft's.

The draft is written into the vector store in a transaction that is undone, so that it competes with everything else in
the very query that the edge runs, and shoppers never see it.
"""

import asyncio
import dataclasses
import json
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from chat.documents import chunks_of
from chat.models import KnowledgeSource
from controlplane.adapters.errors import AdapterError
from controlplane.publishing import cells
from controlplane.publishing.vectors import Source
from storefront.bindings import Reply
from storefront.documents import DomainRecord
from storefront.search import Hit, find, relevant_hits, threshold_of
from tenants.documents import record_of
from tenants.models import Tenant

SHOWN = 8


@dataclasses.dataclass(frozen=True, kw_only=True)
class Finding:
    """What a question finds: `hits` best first; `answers` says whether the chat would answer with them."""

    question: str
    hits: Sequence[Hit]
    relevant: int
    answers: bool

    @property
    def best(self) -> Hit | None:
        return self.hits[0] if self.hits else None


def ask(tenant: Tenant, questions: Sequence[str], draft: KnowledgeSource | None = None) -> list[Finding]:
    """One finding a question, as if `draft` were published. Raises AdapterError while model or store are away."""
    record = record_of(tenant)
    source = _embedded(draft, record.config.embedding_model) if draft else None
    env: Any = SimpleNamespace(
        TURSO_URL="https://rehearsal", TURSO_READ_TOKEN="", AI=_Model(), FETCH=_Rehearsal(tenant, source, record)
    )
    return asyncio.run(_findings(env, record, questions))


async def _findings(env: Any, record: DomainRecord, questions: Sequence[str]) -> list[Finding]:
    return [_finding(question, await find(env, record, question), record) for question in questions]


def _finding(question: str, hits: Sequence[Hit], record: DomainRecord) -> Finding:
    threshold = threshold_of(record)
    best = max((hit.relevance for hit in hits), default=0.0)
    relevant = relevant_hits(hits, threshold)
    shown = [*relevant, *(hit for hit in hits if hit not in relevant)][:SHOWN]
    return Finding(question=question, hits=shown, relevant=len(relevant), answers=best >= threshold.answer)


def _embedded(draft: KnowledgeSource, model: str) -> Source:
    chunks = list(chunks_of(draft))
    vectors = cells.ai().embed([f"{chunk.title}\n{chunk.body}" for chunk in chunks], model=model) if chunks else []
    rows = [(chunk, {model: vector}) for chunk, vector in zip(chunks, vectors, strict=True)]
    return str(draft.tenant_id), "knowledge", str(draft.pk), rows


class _Model:
    """The edge's AI binding, by our own adapter."""

    async def run(self, model: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
        return {"data": cells.ai().embed(inputs["text"], model=model)}


class _Rehearsal:
    """The edge's outbound HTTP, as far as it leads to the vector store."""

    def __init__(self, tenant: Tenant, source: Source | None, record: DomainRecord) -> None:
        self._store = cells.vectors(tenant.vector_cell)
        self._source, self._model = source, record.config.embedding_model

    async def __call__(self, method: str, url: str, *, body: bytes = b"", **_: Any) -> Reply:
        try:
            query = json.loads(body)["requests"][0]["stmt"]
        except (ValueError, LookupError, TypeError):
            raise AdapterError("The edge asked for something that can't be tried out.", permanent=True) from None
        result = self._store.rehearse(self._source, [self._model], query)
        answer = {"results": [{"type": "ok", "response": {"type": "execute", "result": result}}]}
        return Reply(status=200, headers={}, body=json.dumps(answer).encode())
