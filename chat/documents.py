"""Builds the chunks of knowledge sources for Turso, and the chat's part of a shop's records."""

import uuid
from collections.abc import Collection, Iterable, Mapping

from chat.chunking import passages
from chat.models import ChatProfile, EmbeddingState, KnowledgeSource
from controlplane.publishing.documents import TURSO, Chunks, Document
from controlplane.publishing.models import OwnedDocument
from controlplane.publishing.vectors import Chunk
from storefront.documents import ChatSettings
from tenants.models import Tenant


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
    """The source in passages that end at headings and sentences; each carries the title and its headings."""
    for number, passage in enumerate(passages(source.title, source.body)):
        yield Chunk(
            source_kind="knowledge",
            source_id=str(source.pk),
            chunk_no=number,
            lang=source.tenant.locale.partition("-")[0],
            title=passage.title,
            body=passage.body,
            url=source.url,
        )


def chat_config(tenant: Tenant) -> tuple[ChatSettings, str]:
    """What a shop's records say of its chat, and the model that its questions are embedded with."""
    profile: ChatProfile | None = getattr(tenant, "chat", None)
    return profile.settings if profile else ChatSettings(), EmbeddingState.answering(tenant.pk)
