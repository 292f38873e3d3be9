"""What the `cloudflare` SDK throws, as AdapterError."""

import contextlib
from collections.abc import Iterator

import cloudflare
import httpx

from controlplane.adapters.errors import AdapterError

TIMEOUT = httpx.Timeout(15.0, connect=3.0)
"""Seconds. Well below the outbox's lease, so that a slow answer never overlaps the next delivery."""

TRANSIENT = {408, 409, 425, 429}


def client(base_url: str, api_token: str, http_client: httpx.Client | None) -> cloudflare.Cloudflare:
    """An SDK client that does not retry by itself: the outbox backs off, and it remembers over restarts."""
    return cloudflare.Cloudflare(
        api_token=api_token, base_url=base_url, timeout=TIMEOUT, max_retries=0, http_client=http_client
    )


@contextlib.contextmanager
def translated(what: str) -> Iterator[None]:
    """Turns the SDK's exceptions into AdapterError; `what` names the part of Cloudflare for the reader."""
    try:
        yield
    except cloudflare.APIStatusError as error:
        status = error.status_code
        raise AdapterError(
            f"{what} answered {status}: {_reason(error)}",
            permanent=400 <= status < 500 and status not in TRANSIENT,
            retry_after=_retry_after(error.response),
        ) from error
    except cloudflare.APITimeoutError as error:
        raise AdapterError(f"{what} did not answer in time.", permanent=False) from error
    except cloudflare.APIConnectionError as error:
        raise AdapterError(f"{what} can't be reached.", permanent=False) from error
    except cloudflare.CloudflareError as error:
        raise AdapterError(f"{what} gave an answer that can't be read.", permanent=False) from error


def _reason(error: cloudflare.APIStatusError) -> str:
    messages = [str(one.message) for one in error.errors or [] if getattr(one, "message", None)]
    return "; ".join(messages)[:300] or "no reason given"


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds from Retry-After; its date form is not used by Cloudflare's API."""
    try:
        return float(response.headers["Retry-After"])
    except (KeyError, ValueError):
        return None
