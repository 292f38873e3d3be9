"""Text embeddings by Workers AI."""

from collections.abc import Iterator, Sequence
from typing import Any

import httpx

from controlplane.adapters.cloudflare_errors import client, translated
from controlplane.adapters.errors import AdapterError

MAX_TEXTS = 100
"""Texts a call that embedding models take (developers.cloudflare.com/workers-ai/models/bge-m3/)."""
MAX_CHARACTERS = 8_000
"""Of all texts of a call together, so that it is answered well within TIMEOUT: the local model reads some 7,000 a
second on two idle cores, and a hundred long texts at once took it 17 s."""

WHAT = "Workers AI"


class WorkersAI:
    def __init__(
        self, *, base_url: str, api_token: str, account_id: str, http_client: httpx.Client | None = None
    ) -> None:
        self._sdk = client(base_url, api_token, http_client)
        self._account = account_id

    def close(self) -> None:
        self._sdk.close()

    def embed(self, texts: Sequence[str], *, model: str) -> list[list[float]]:
        """One vector a text, all of one length. Raises AdapterError, also for an answer of another shape."""
        vectors: list[list[float]] = []
        for few in _slices(texts):
            vectors += self._embed(few, model)
        if len({len(vector) for vector in vectors}) > 1:
            raise AdapterError(f"{WHAT} gave vectors of different lengths.", permanent=False)
        return vectors

    def _embed(self, texts: Sequence[str], model: str) -> list[list[float]]:
        # The SDK's ai.run quotes the slashes of model names; Cloudflare's own path keeps them.
        body: dict[str, Any] = {"text": list(texts)}
        if "/bge-" in model:
            body["pooling"] = "cls"  # they default to mean; both sides must agree
        with translated(WHAT):
            reply = self._sdk.post(f"/accounts/{self._account}/ai/run/{model}", body=body, cast_to=object)
        vectors = _data(reply)
        if len(vectors) != len(texts) or not all(vectors):
            raise AdapterError(f"{WHAT} gave {len(vectors)} vectors for {len(texts)} texts.", permanent=False)
        return vectors


def _slices(texts: Sequence[str]) -> Iterator[list[str]]:
    """At most MAX_TEXTS and MAX_CHARACTERS a call; a longer text goes alone."""
    few: list[str] = []
    size = 0
    for text in texts:
        if few and (len(few) == MAX_TEXTS or size + len(text) > MAX_CHARACTERS):
            yield few
            few, size = [], 0
        few.append(text)
        size += len(text)
    if few:
        yield few


def _data(reply: object) -> list[list[float]]:
    try:
        data = reply["result"]["data"]  # type: ignore[index]
        return [[float(number) for number in vector] for vector in data]
    except (TypeError, KeyError, ValueError):
        raise AdapterError(f"{WHAT} gave an answer that can't be read.", permanent=False) from None
