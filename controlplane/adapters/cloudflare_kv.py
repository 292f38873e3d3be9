"""Workers KV by Cloudflare's REST API."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import httpx
from cloudflare.types.kv.namespace_bulk_update_params import Body

from controlplane.adapters.cloudflare_errors import client, result, translated
from controlplane.adapters.errors import AdapterError

# developers.cloudflare.com/kv/api/write-key-value-pairs/ and …/api/resources/kv/subresources/namespaces/
BULK_PAIRS = 10_000
BULK_BYTES = 90_000_000  # of 100 MB, counted as JSON: its escapes make a record an eighth longer
BULK_GET_KEYS = 100

WHAT = "Cloudflare KV"


MIN_TTL = 60
"""Seconds: an expiration must lie at least this far ahead (developers.cloudflare.com/kv/api/write-key-value-pairs/)."""


class Expiring(NamedTuple):
    """A value that KV removes by itself."""

    value: str
    expires_at: datetime


class KVNamespace:
    """One KV namespace. Values are text; all methods raise AdapterError."""

    def __init__(
        self,
        *,
        base_url: str,
        api_token: str,
        account_id: str,
        namespace_id: str,
        http_client: httpx.Client | None = None,
    ) -> None:
        self._sdk = client(base_url, api_token, http_client)
        self._account = account_id
        self._namespace = namespace_id

    def close(self) -> None:
        self._sdk.close()

    def put(self, values: Mapping[str, str | Expiring]) -> dict[str, AdapterError]:
        """Writes all pairs; returns the keys that KV did not take, with the reason. May be repeated."""
        failed: dict[str, AdapterError] = {}
        for pairs in _slices(values):
            with translated(WHAT):
                raw = self._sdk.kv.namespaces.with_raw_response.bulk_update(
                    self._namespace,
                    account_id=self._account,
                    body=pairs,
                )
                reply = result(raw)
            failed |= _unsuccessful(reply.unsuccessful_keys if reply else None)
        return failed

    def delete(self, keys: Iterable[str]) -> dict[str, AdapterError]:
        """Removes keys, missing ones too; returns those that KV did not remove. May be repeated."""
        failed: dict[str, AdapterError] = {}
        wanted = list(keys)
        for start in range(0, len(wanted), BULK_PAIRS):
            with translated(WHAT):
                raw = self._sdk.kv.namespaces.with_raw_response.bulk_delete(
                    self._namespace, account_id=self._account, body=wanted[start : start + BULK_PAIRS]
                )
                reply = result(raw)
            failed |= _unsuccessful(reply.unsuccessful_keys if reply else None)
        return failed

    def get(self, keys: Sequence[str]) -> dict[str, str]:
        """The values of those keys that exist."""
        found: dict[str, str] = {}
        for start in range(0, len(keys), BULK_GET_KEYS):
            with translated(WHAT):
                raw = self._sdk.kv.namespaces.with_raw_response.bulk_get(
                    self._namespace, account_id=self._account, keys=list(keys[start : start + BULK_GET_KEYS])
                )
                reply = result(raw)
            values = (reply.values if reply else None) or {}
            found |= {key: str(value) for key, value in values.items() if value is not None}
        return found

    def keys(self, prefix: str = "") -> Iterator[str]:
        """Every key with the prefix, page by page."""
        with translated(WHAT):
            for key in self._sdk.kv.namespaces.keys.list(self._namespace, account_id=self._account, prefix=prefix):
                yield key.name


def _unsuccessful(keys: Sequence[str] | None) -> dict[str, AdapterError]:
    reason = f"{WHAT} did not take this key this time."
    return {key: AdapterError(reason, permanent=False) for key in keys or ()}


def _pair(key: str, value: str | Expiring) -> Body:
    if isinstance(value, Expiring):
        return {"key": key, "value": value.value, "expiration": int(value.expires_at.timestamp())}
    return {"key": key, "value": value}


def _slices(values: Mapping[str, str | Expiring]) -> Iterator[list[Body]]:
    """The pairs in requests of at most BULK_PAIRS and BULK_BYTES."""
    pairs: list[Body] = []
    size = 0
    for key, value in values.items():
        pair = _pair(key, value)
        more = len(json.dumps(pair, ensure_ascii=False).encode())
        if pairs and (len(pairs) == BULK_PAIRS or size + more > BULK_BYTES):
            yield pairs
            pairs, size = [], 0
        pairs.append(pair)
        size += more
    if pairs:
        yield pairs
