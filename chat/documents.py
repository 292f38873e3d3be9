"""Builds the chunks of knowledge sources for Turso."""

import uuid
from collections.abc import Collection, Iterable, Mapping

from semantic_text_splitter import TextSplitter

from chat.models import KnowledgeSource
from controlplane.publishing.documents import TURSO, Chunks, Document
from controlplane.publishing.models import OwnedDocument
from controlplane.publishing.vectors import Chunk

CHUNK_LENGTH = (500, 900)
"""Characters of a chunk: 900 stay within the 256 tokens that MiniLM reads, also in German."""


def documents_of_tenant(tenant_ids: Collection[uuid.UUID]) -> Iterable[OwnedDocument]:
    sources = KnowledgeSource.objects.filter(tenant__in=tenant_ids).values_list("tenant_id", "pk")
    return [(tenant_id, Document(TURSO, f"knowledge:{pk}")) for tenant_id, pk in sources]


def knowledge_chunks(ids: Collection[str]) -> Mapping[str, Chunks]:
    sources = KnowledgeSource.objects.filter(pk__in=ids, status="active", tenant__status="active")
    return {
        str(source.pk): Chunks(
            cell=source.tenant.vector_cell, tenant_id=str(source.tenant_id), chunks=tuple(chunks_of(source))
        )
        for source in sources.select_related("tenant")
    }


def chunks_of(source: KnowledgeSource) -> Iterable[Chunk]:
    """The source in pieces that end at paragraphs and sentences; each carries the title."""
    for number, body in enumerate(TextSplitter(CHUNK_LENGTH).chunks(source.body)):
        yield Chunk(
            source_kind="knowledge",
            source_id=str(source.pk),
            chunk_no=number,
            lang=source.tenant.locale.partition("-")[0],
            title=source.title,
            body=body,
            url=source.url,
        )
