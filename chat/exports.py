"""The chat's part of a shop's copy: what it knows, how it speaks, what it was asked."""

from collections.abc import Iterator
from typing import Any

from chat.models import ChatProfile, Conversation, KnowledgeSource
from tenants.exporting import Part, as_json, fields_of, rows_as_json
from tenants.models import Tenant


def parts(tenant: Tenant) -> Iterator[Part]:
    knowledge = KnowledgeSource.objects.filter(tenant=tenant).order_by("title", "pk")
    yield Part("knowledge.json", rows_as_json(knowledge, _source))
    profile = ChatProfile.objects.filter(tenant=tenant).first()
    yield Part("chat.json", [as_json(fields_of(profile) if profile else None), b"\n"])
    conversations = Conversation.objects.filter(tenant=tenant).order_by("started_at", "pk")
    yield Part("conversations.json", rows_as_json(conversations.prefetch_related("turns"), _conversation))


def _source(row: Any) -> dict[str, Any]:
    return fields_of(row, "etag", "last_modified", "due_at")


def _conversation(row: Any) -> dict[str, Any]:
    turns = [fields_of(turn, "conversation", "group") for turn in row.turns.all()]
    return {"key": row.key, "started_at": row.started_at, "last_at": row.last_at, "turns": turns}
