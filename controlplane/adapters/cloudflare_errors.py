"""The `cloudflare` SDK as the adapters use it: made without retries, its exceptions as AdapterError."""

import contextlib
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeVar

import httpx

from controlplane.adapters.errors import AdapterError

# Imported when first used: 0.3 s, which every `manage.py` command would pay.
if TYPE_CHECKING:
    import cloudflare
    from cloudflare import APIResponse

T = TypeVar("T")

TIMEOUT = httpx.Timeout(15.0, connect=3.0)
"""Seconds. Well below the outbox's lease, so that a slow answer never overlaps the next delivery."""

TRANSIENT = {408, 409, 425, 429}

# What the SDK itself trips over when a 2xx is not Cloudflare's envelope: a proxy's page, half an answer.
UNREADABLE = (AttributeError, TypeError, ValueError)


def client(base_url: str, api_token: str, http_client: httpx.Client | None) -> "cloudflare.Cloudflare":
    """An SDK client that does not retry by itself: the outbox backs off, and it remembers over restarts."""
    import cloudflare

    return cloudflare.Cloudflare(
        api_token=api_token, base_url=base_url, timeout=TIMEOUT, max_retries=0, http_client=http_client
    )


@contextlib.contextmanager
def translated(what: str) -> Iterator[None]:
    """Turns the SDK's exceptions into AdapterError; `what` names the part of Cloudflare for the reader."""
    import cloudflare

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
    except (cloudflare.CloudflareError, *UNREADABLE) as error:
        raise AdapterError(f"{what} gave an answer that can't be read.", permanent=False) from error


def result(raw: "APIResponse[T]") -> T:
    """The result in the envelope. ValueError unless that says success: the SDK does not look, and None is a result."""
    envelope = raw.http_response.json()
    if envelope["success"] is not True:
        raise ValueError("an answer without success")
    return raw.parse()


def _reason(error: "cloudflare.APIStatusError") -> str:
    messages = [str(one.message) for one in error.errors or [] if getattr(one, "message", None)]
    return "; ".join(messages)[:300] or "no reason given"


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds from Retry-After; its date form is not used by Cloudflare's API."""
    try:
        seconds = float(response.headers["Retry-After"])
    except (KeyError, ValueError):
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None
