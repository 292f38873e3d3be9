"""What a document is to the outbox: a destination and a key, its builders, and what they build."""

import dataclasses
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, NamedTuple

from django.conf import settings
from django.utils.module_loading import import_string

from controlplane.publishing.vectors import Chunk

KV, INSTANT, TURSO = "kv", "instant", "turso"


class Document(NamedTuple):
    """One document in one store. `key` is `{kind}:{id}`: `domain:shop.example`, `products:{uuid}`, …"""

    destination: str
    key: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Entity:
    """An Instant entity as it should be: its cell, its attributes and its links by label."""

    cell: str
    attributes: Mapping[str, Any]
    links: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Chunks:
    """A source's chunks as they should be in Turso: its cell, its tenant and the texts to embed."""

    cell: str
    tenant_id: str
    chunks: tuple[Chunk, ...]


Builder = Callable[[Collection[str]], Mapping[str, Any]]
"""Ids of one kind → what the database says now, by id. An id that is absent is to be removed."""


def build(destination: str, keys: Iterable[str]) -> dict[str, Any]:
    """The documents behind `keys` from the database now; a key without a document is absent."""
    ids_by_kind: dict[str, list[str]] = {}
    for key in keys:
        kind, _, id_ = key.partition(":")
        ids_by_kind.setdefault(kind, []).append(id_)
    built: dict[str, Any] = {}
    for kind, ids in ids_by_kind.items():
        builder: Builder = import_string(settings.PUBLISHING_BUILDERS[destination][kind])
        built |= {f"{kind}:{id_}": document for id_, document in builder(ids).items()}
    return built
