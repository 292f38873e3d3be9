"""A destination that keeps its documents in a dict, with a hook that runs while a delivery is under way."""

from collections.abc import Callable

from django.conf import settings

from controlplane.adapters.errors import AdapterError
from controlplane.publishing.delivery import Outcome
from controlplane.publishing.documents import build

documents: dict[str, object] = {}
writes: list[str] = []
meanwhile: list[Callable[[], None]] = []
refusals: dict[str, Outcome] = {}
outage: list[AdapterError] = []


def reset() -> None:
    for state in (documents, writes, meanwhile, refusals, outage):
        state.clear()


def deliver(keys: list[str]) -> dict[str, Outcome]:
    if outage:
        raise outage[0]
    built: dict[str, object] = {}
    for destination, kinds in settings.PUBLISHING_BUILDERS.items():
        built |= build(destination, [key for key in keys if key.partition(":")[0] in kinds])
    while meanwhile:
        meanwhile.pop()()
    for key in keys:
        if key in refusals:
            continue
        writes.append(key)
        documents.pop(key, None)
        if key in built:
            documents[key] = built[key]
    return {key: refusals[key] for key in keys if key in refusals}


def stored_keys() -> set[str]:
    return set(documents)
