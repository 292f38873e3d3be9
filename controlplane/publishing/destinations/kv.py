"""Cloudflare KV: a host's record, a shared draft, where a renamed page went."""

from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError

from controlplane.publishing import cells
from controlplane.publishing.delivery import Later, Outcome
from controlplane.publishing.documents import KV, build

PACE = 1.05
"""Seconds between two writes of one key: KV takes one a second (developers.cloudflare.com/kv/platform/limits/)."""


def deliver(keys: list[str]) -> dict[str, Outcome]:
    outcomes: dict[str, Outcome] = {key: Later(PACE) for key in keys if not _may_write(key)}
    ready = [key for key in keys if key not in outcomes]
    records = build(KV, ready)
    if records:
        outcomes |= cells.kv().put(records)
    if gone := [key for key in ready if key not in records]:
        outcomes |= cells.kv().delete(gone)
    return outcomes


def _may_write(key: str) -> bool:
    """Whether no worker has written this key within PACE. Without the cache nobody knows: KV itself refuses then."""
    try:
        return cache.add(f"kv-pace:{key}", 1, PACE)
    except (RedisError, OSError):
        return True


def stored_keys() -> set[str]:
    kv = cells.kv()
    return {key for kind in settings.PUBLISHING_BUILDERS[KV] for key in kv.keys(f"{kind}:")}
