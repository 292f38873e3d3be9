"""What the platform gives the Worker, as ports: KV, AI, cache, outbound fetch, rate limits, variables and secrets.

They arrive in `scope["env"]` by attribute. `entry.py` wraps Cloudflare's own; `http_bindings.py` speaks to the
same services over HTTP; tests bring dictionaries.
"""

import dataclasses
import json
import re
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

FETCH_TIMEOUT = 5.0
"""Seconds a shopper may wait for one store before the page is served without it."""

STREAM_START, STREAM_IDLE = 20.0, 15.0
"""Seconds until a model's first event, and between two of its events, before the call is given up."""


class BindingError(Exception):
    """A platform service could not be reached, was too slow or answered with nonsense; no secrets in the text."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Reply:
    """An HTTP answer, wholly read. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Raises BindingError where the body is not JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise BindingError(f"HTTP {self.status}, and the body is not JSON") from error


class KV(Protocol):
    """Workers KV. On Cloudflare reads pass cacheTtl=30, the least it allows."""

    async def get(self, key: str) -> str | None:
        """The value, None where the key is missing. Raises BindingError."""


class AI(Protocol):
    """Workers AI."""

    async def run(self, model: str, inputs: dict[str, Any]) -> dict[str, Any]:
        """The model's result, without the REST envelope. Raises BindingError."""

    def stream(self, model: str, inputs: dict[str, Any]) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """The model's server-sent events as they come, cut anywhere (see `textstream.py`).

        Leaving the context ends the call, whether or not the model was done. Raises BindingError on entry, and
        while iterating where nothing comes for STREAM_IDLE seconds.
        """


class RateLimiter(Protocol):
    """Workers' rate limiting: how many and for how long is the binding's configuration, not the caller's."""

    async def limit(self, key: str) -> bool:
        """Counts one for `key`; False where it has had its share. Raises BindingError."""


class Defer(Protocol):
    """Work that the answer does not wait for: `ctx.waitUntil` on Cloudflare, a task elsewhere."""

    def __call__(self, work: Coroutine[Any, Any, None]) -> None:
        """Starts `work`. What it raises is logged and reaches nobody."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Kept:
    """What a cache holds under a key: a body and facts about it, by lower-case names."""

    text: str
    facts: Mapping[str, str]


class Cache(Protocol):
    """A cache of this location that forgets whenever it likes: `caches.default` on Cloudflare, memory elsewhere.

    A key is an https address of the host that the entry belongs to.
    """

    async def match(self, key: str) -> Kept | None:
        """What is kept; None where nothing is, or no longer. Raises BindingError."""

    async def put(self, key: str, kept: Kept, seconds: int) -> None:
        """Keeps it for at most `seconds`. Raises BindingError."""

    async def delete(self, key: str) -> None:
        """Raises BindingError."""


class Fetch(Protocol):
    """The platform's outbound HTTP."""

    async def __call__(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        timeout: float = FETCH_TIMEOUT,  # noqa: ASYNC109 - the platform itself keeps it
    ) -> Reply:
        """Any HTTP status is a Reply; no answer within `timeout` seconds raises BindingError."""


class Env(Protocol):
    """`scope["env"]`. Text variables and secrets are further attributes: read them with `variable`."""

    @property
    def KV(self) -> KV: ...  # noqa: N802 - the binding's name in wrangler.jsonc

    @property
    def AI(self) -> AI: ...  # noqa: N802

    @property
    def FETCH(self) -> Fetch: ...  # noqa: N802

    @property
    def CACHE(self) -> Cache: ...  # noqa: N802

    @property
    def DEFER(self) -> Defer: ...  # noqa: N802

    @property
    def VISITOR_LIMITER(self) -> RateLimiter: ...  # noqa: N802

    @property
    def SHOP_LIMITER(self) -> RateLimiter: ...  # noqa: N802

    @property
    def SEARCH_LIMITER(self) -> RateLimiter: ...  # noqa: N802


def variable(env: Env, name: str, default: str = "") -> str:
    """A text variable or secret; `default` where it is not set (an unset name on Cloudflare has no attribute)."""
    value = getattr(env, name, None)
    return default if value is None else str(value)


def cell_variable(env: Env, name: str, cell: str) -> str:
    """A cell's variable: NAME for the cell "default", NAME_EU_2 for "eu-2"; "" where it is not set."""
    if cell in ("", "default"):
        return variable(env, name)
    return variable(env, f"{name}_{re.sub(r'[^A-Z0-9]+', '_', cell.upper())}")
