"""Turso: a source's chunks with their embeddings (`product:{id}`, `knowledge:{id}`)."""

from collections.abc import Collection, Sequence
from functools import partial

from django.conf import settings

from controlplane.adapters.errors import AdapterError
from controlplane.publishing import cells
from controlplane.publishing.delivery import Outcome
from controlplane.publishing.destinations import isolate
from controlplane.publishing.documents import TURSO, Chunks, build
from controlplane.publishing.vectors import Chunk

FEW = 20
"""Sources embedded and stored together: a second or two of the local model."""


def deliver(keys: list[str]) -> dict[str, Outcome]:
    built: dict[str, Chunks] = build(TURSO, keys)
    outcomes: dict[str, Outcome] = {}
    for cell in settings.VECTOR_CELLS:
        here = [key for key in keys if key in built and built[key].cell == cell]
        gone = [key for key in keys if key not in built or built[key].cell != cell]
        if gone:
            cells.vectors(cell).delete_sources([_source(key) for key in gone])
        outcomes |= _replace_all(cell, built, here)
    return outcomes


def _replace_all(cell: str, built: dict[str, Chunks], keys: Sequence[str]) -> dict[str, Outcome]:
    """A few sources at a time: what was embedded before a failure is kept, so that the next try begins behind it."""
    outcomes: dict[str, Outcome] = {}
    for start in range(0, len(keys), FEW):
        failed = isolate(partial(_replace, cell, built), keys[start : start + FEW])
        outcomes |= failed
        if passing := [error for error in failed.values() if isinstance(error, AdapterError) and not error.permanent]:
            # A store or a model that is away now won't be back for the others in this batch.
            return outcomes | dict.fromkeys(keys[start + FEW :], passing[0])
    return outcomes


def _replace(cell: str, built: dict[str, Chunks], keys: Collection[str]) -> None:
    store, model = cells.vectors(cell), settings.EMBEDDING_MODEL
    stored = store.hashes([_source(key) for key in keys], model)
    unchanged = {
        (key, chunk.chunk_no)
        for key in keys
        for chunk in built[key].chunks
        if stored.get(_source(key), {}).get(chunk.chunk_no) == chunk.content_hash
    }
    new = [(key, c) for key in keys for c in built[key].chunks if (key, c.chunk_no) not in unchanged]
    # One model call for the whole batch, and none for a text whose hash is known.
    embedded = cells.ai().embed([f"{c.title}\n{c.body}" for _, c in new], model=model) if new else []
    embeddings = {(key, c.chunk_no): vector for (key, c), vector in zip(new, embedded, strict=True)}
    store.replace_many(
        [(built[key].tenant_id, *_source(key), _with_vectors(key, built[key].chunks, embeddings)) for key in keys],
        model,
    )


def _with_vectors(
    key: str, chunks: Sequence[Chunk], embeddings: dict[tuple[str, int], list[float]]
) -> list[tuple[Chunk, list[float] | None]]:
    return [(chunk, embeddings.get((key, chunk.chunk_no))) for chunk in chunks]


def _source(key: str) -> tuple[str, str]:
    kind, _, id_ = key.partition(":")
    return kind, id_


def stored_keys() -> set[str]:
    return {f"{kind}:{id_}" for cell in settings.VECTOR_CELLS for kind, id_ in cells.vectors(cell).sources()}
