"""Instant, over the official `instantdb` SDK 1.0.67: entities written and deleted by our own ids, idempotently."""

import logging
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from itertools import islice
from types import TracebackType
from typing import Any, Self
from uuid import UUID

import httpx
from instantdb import Instant, InstantAPIError
from instantdb._transact import _flatten_chunks, _TxChunk

from controlplane.adapters.errors import AdapterError

log = logging.getLogger(__name__)

# The vendor's docs advise about 100; a transaction may not bind more than 65,535 SQL parameters, five for each value.
ENTITIES_A_TRANSACTION = 100
# The server cancels its SQL statements after 30 s and answers 429, which is better to read than a time-out of ours.
TIMEOUT = httpx.Timeout(35.0, connect=5.0)

# Errors that the very same request may outlive: the server is busy, or its operator has paused writes for a while.
TRANSIENT_TYPES = {"rate-limited", "timeout", "operation-timed-out", "app-read-only"}

Where = Mapping[str, object]


class InstantApp:
    """One Instant app, written with its admin token. Not for use across a fork: make it in the worker that uses it.

    `transport` replaces the network, for tests. Every method raises AdapterError and nothing else.
    """

    def __init__(
        self, *, app_id: str, admin_token: str, api_uri: str, transport: httpx.BaseTransport | None = None
    ) -> None:
        # The SDK has no public way to set a time-out (60 s by default): `_shared_client` is what its own clones use.
        self._client = httpx.Client(
            base_url=api_uri.rstrip("/"),
            timeout=TIMEOUT,
            transport=transport,
            event_hooks={"response": [self._note_retry_after]},
        )
        self._retry_after: float | None = None  # of the last response; the SDK's errors keep no headers
        self._sdk = _StrictInstant(app_id=app_id, admin_token=admin_token, api_uri=api_uri, _shared_client=self._client)

    def close(self) -> None:
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def put(
        self,
        namespace: str,
        entities: Mapping[str, Mapping[str, object]],
        links: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        """Creates or updates entities by id; attributes that are not named keep their value, None is written as null.

        `links` maps an entity's id to `{label: id of the other side}`. One transaction for each 100 entities: on an
        error those before the failing one are written, and the same call again completes it.
        """
        chunks = (self._upsert(namespace, key, values, (links or {}).get(key)) for key, values in entities.items())
        for group in _grouped(chunks):
            self._transact(group)

    def delete(self, namespace: str, ids: Iterable[str]) -> None:
        """Deletes entities, with what the schema says goes with them. An id that is not there is not an error."""
        rows = self._sdk.tx[namespace]
        for group in _grouped(rows[key].delete() for key in ids):
            self._transact(group)

    def ids(self, namespace: str, where: Where) -> set[str]:
        """The ids of all entities that match an InstaQL `where`; an empty one matches everything."""
        options = {"fields": ["id"], **({"where": dict(where)} if where else {})}
        found = self.query({namespace: {"$": options}})
        return {entity["id"] for entity in found[namespace]}

    def query(self, q: Mapping[str, object]) -> dict[str, Any]:
        """An InstaQL query's object tree, read past all permission rules."""
        plain = _plain(q, "query")
        with self._translated():
            result: dict[str, Any] = self._sdk.query(plain)
        return result

    def _upsert(
        self, namespace: str, key: str, values: Mapping[str, object], links: Mapping[str, str] | None
    ) -> _TxChunk:
        plain = {label: _plain(value, f"{namespace}.{label}") for label, value in values.items() if label != "id"}
        chunk = self._sdk.tx[namespace][str(key)].update(plain)
        return chunk.link({label: str(other) for label, other in links.items()}) if links else chunk

    def _transact(self, chunks: Sequence[_TxChunk]) -> None:
        with self._translated():
            self._sdk.transact(list(chunks))

    def _note_retry_after(self, response: httpx.Response) -> None:
        seconds = response.headers.get("retry-after", "")
        self._retry_after = float(seconds) if seconds.isdigit() else None

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turns what the SDK and httpx raise into AdapterError."""
        try:
            yield
        except InstantAPIError as error:
            raise _refused(error, self._retry_after) from error
        except httpx.TimeoutException as error:
            raise AdapterError("Instant did not answer in time.", permanent=False) from error
        except httpx.TransportError as error:
            raise AdapterError(f"Instant could not be reached ({type(error).__name__}).", permanent=False) from error
        except ValueError as error:  # a success whose body is not JSON: something else answers at that address
            raise AdapterError("Instant answered with something that is not JSON.", permanent=False) from error


class _StrictInstant(Instant):
    """Asks the server to refuse unknown attributes, where the SDK always lets it create them from a misspelt name.

    No permission rule prevents that: rules do not apply to the admin token (server: db/permissioned_transaction.clj).
    """

    def transact(self, chunks: _TxChunk | list[_TxChunk]) -> dict[str, Any]:
        body = {"steps": _flatten_chunks(chunks), "throw-on-missing-attrs?": True}
        answer: dict[str, Any] = self._http.post("/admin/transact", params={"app_id": self._app_id}, json=body)
        return answer


def _refused(error: InstantAPIError, retry_after: float | None) -> AdapterError:
    """Only the body's `message` is shown: its hint echoes what was sent, a wrong admin token included."""
    body = error.body if isinstance(error.body, dict) else {}
    kind, message = body.get("type"), body.get("message")
    log.info("Instant refused: status=%s type=%s trace=%s", error.status, kind, error.trace_id)
    transient = error.status == 429 or error.status >= 500 or kind in TRANSIENT_TYPES
    # Without a type it is not Instant that speaks but a proxy, whose page is no text for a merchant.
    said = message if kind and isinstance(message, str) else f"HTTP status {error.status}"
    hinted = error.hint.get("retry-after") if isinstance(error.hint, dict) else None
    wait = float(hinted) if isinstance(hinted, int | float) else retry_after
    return AdapterError(f"Instant refused: {said}", permanent=not transient, retry_after=wait)


def _grouped(chunks: Iterable[_TxChunk]) -> Iterator[list[_TxChunk]]:
    iterator = iter(chunks)
    while group := list(islice(iterator, ENTITIES_A_TRANSACTION)):
        yield group


def _plain(value: object, name: str) -> Any:
    """The value as JSON types. UUIDs become text and dates ISO 8601; a Decimal is refused: money is whole minor units.

    The SDK converts dates only and fails in the middle of a request on the rest, with a TypeError.
    """
    if value is None or isinstance(value, str | bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): _plain(inner, f"{name}.{key}") for key, inner in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, bytes):
        return [_plain(inner, name) for inner in value]
    raise AdapterError(f"{name}: a {type(value).__name__} ({value!r:.40}) can't be stored.", permanent=True)
