"""How each store takes a batch of documents; `settings.PUBLISHING_DESTINATIONS` names them."""

from collections.abc import Callable, Collection

from controlplane.adapters.errors import AdapterError
from controlplane.publishing.delivery import Outcome


def isolate(write: Callable[[Collection[str]], None], keys: Collection[str]) -> dict[str, Outcome]:
    """Writes `keys` together; if the store refuses them for good, one by one, so that one bad document fails alone."""
    try:
        write(keys)
    except AdapterError as error:
        if not error.permanent or len(keys) == 1:
            return dict.fromkeys(keys, error)
        outcomes: dict[str, Outcome] = {}
        for key in keys:
            outcomes |= isolate(write, [key])
        return outcomes
    return {}
