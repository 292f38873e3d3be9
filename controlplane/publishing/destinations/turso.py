"""Turso: a source's chunks with their embeddings (`product:{id}`, `knowledge:{id}`)."""

import itertools
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial

from django.conf import settings
from django.utils.module_loading import import_string

from controlplane.adapters.errors import AdapterError
from controlplane.adapters.workers_ai import MAX_CHARACTERS
from controlplane.publishing import cells
from controlplane.publishing.delivery import Outcome
from controlplane.publishing.destinations import isolate
from controlplane.publishing.documents import TURSO, Chunks, build
from controlplane.publishing.vectors import Source, VectorStore

CHARACTERS_A_WRITE = 2 * MAX_CHARACTERS
"""Texts that are embedded before their vectors are stored: a delivery that is cut short keeps what it did."""

Models = Mapping[str, tuple[str, ...]]
"""By tenant id, the models that its chunks need vectors of; the first one answers."""

ModelsOf = Callable[[Collection[str]], Models]
"""What settings.EMBEDDING_MODELS names: tenant ids → Models."""

Vectors = dict[tuple[str, int], dict[str, Sequence[float]]]
"""New vectors by key and chunk number, then by model."""


def deliver(keys: list[str]) -> dict[str, Outcome]:
    built: dict[str, Chunks] = build(TURSO, keys)
    models_of: ModelsOf = import_string(settings.EMBEDDING_MODELS)
    models = models_of({chunks.tenant_id for chunks in built.values()})
    outcomes: dict[str, Outcome] = {}
    for cell in settings.VECTOR_CELLS:
        here = [key for key in keys if key in built and built[key].cell == cell]
        gone = [key for key in keys if key not in built or built[key].cell != cell]
        if gone:
            cells.vectors(cell).delete_sources([_source(key) for key in gone])
        outcomes |= _in_slices(partial(_replace, cell, built, models), list(_slices(built, here)))
    return outcomes


def _in_slices(write: Callable[[Collection[str]], None], slices: Sequence[list[str]]) -> dict[str, Outcome]:
    """Writes one slice after another, and tries no further while a store or the model is away."""
    outcomes: dict[str, Outcome] = {}
    for number, keys in enumerate(slices):
        outcomes |= isolate(write, keys)
        failed = [outcome for outcome in outcomes.values() if isinstance(outcome, AdapterError)]
        if away := next((error for error in failed if not error.permanent), None):
            return outcomes | {key: away for rest in slices[number + 1 :] for key in rest}
    return outcomes


def _slices(built: Mapping[str, Chunks], keys: Sequence[str]) -> Iterator[list[str]]:
    """Whole documents of about CHARACTERS_A_WRITE."""
    sizes = itertools.accumulate(sum(len(chunk.body) for chunk in built[key].chunks) for key in keys)
    numbered = zip(keys, (size // CHARACTERS_A_WRITE for size in sizes), strict=True)
    for _, group in itertools.groupby(numbered, key=lambda pair: pair[1]):
        yield [key for key, _ in group]


def _replace(cell: str, built: dict[str, Chunks], models: Models, keys: Collection[str]) -> None:
    store = cells.vectors(cell)
    wanted = {key: models[built[key].tenant_id] for key in keys}
    vectors: Vectors = {}
    for model in sorted({model for some in wanted.values() for model in some}):
        _embed(store, model, built, [key for key in keys if model in wanted[key]], vectors)
    for group in sorted(set(wanted.values())):
        store.replace_many([_written(key, built[key], vectors) for key in keys if wanted[key] == group], group)


def _embed(store: VectorStore, model: str, built: Mapping[str, Chunks], keys: Sequence[str], into: Vectors) -> None:
    """Adds the vectors that the store lacks: one model call for all of them, none for a text whose hash is known."""
    stored = store.hashes([_source(key) for key in keys], model)
    new = [
        (key, chunk)
        for key in keys
        for chunk in built[key].chunks
        if stored[_source(key)].get(chunk.chunk_no) != chunk.content_hash
    ]
    embedded = cells.ai().embed([f"{c.title}\n{c.body}" for _, c in new], model=model) if new else []
    for (key, chunk), vector in zip(new, embedded, strict=True):
        into.setdefault((key, chunk.chunk_no), {})[model] = vector


def _written(key: str, built: Chunks, vectors: Vectors) -> Source:
    return built.tenant_id, *_source(key), [(c, vectors.get((key, c.chunk_no), {})) for c in built.chunks]


def _source(key: str) -> tuple[str, str]:
    kind, _, id_ = key.partition(":")
    return kind, id_


def stored_keys() -> set[str]:
    return {f"{kind}:{id_}" for cell in settings.VECTOR_CELLS for kind, id_ in cells.vectors(cell).sources()}
