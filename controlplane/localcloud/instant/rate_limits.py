"""`$rateLimits` of the rules: `rateLimit.name.limit(key)` (server: rate_limit.clj). Kept in memory only."""

import dataclasses
import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from controlplane.localcloud.instant.errors import Refusal
from controlplane.localcloud.instant.values import dumps

SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}


@dataclasses.dataclass
class _Level:
    """Tokens left of one limit for one key, as of `at` (monotonic seconds)."""

    tokens: float
    at: float


class Bucket:
    """One named limit. Raises ValueError for a config that the vendor refuses."""

    def __init__(self, name: str, config: Any) -> None:
        limits = config.get("limits") if isinstance(config, Mapping) else None
        if not isinstance(limits, list) or not limits:
            raise ValueError("The rate limit config must have at least one limit in the `limits` array.")
        self.name = name
        self.limits = [_limit(limit) for limit in limits]
        self._levels: dict[str, list[_Level]] = {}

    def limit(self, key: Any, tokens: int = 1) -> bool:
        """True, or raises rate-limited: a rule can't turn it into something else."""
        now = time.monotonic()
        levels = self._levels.setdefault(dumps(key), [_Level(capacity, now) for capacity, _, _, _ in self.limits])
        waits = [0.0]
        for level, (capacity, amount, period, greedy) in zip(levels, self.limits, strict=True):
            periods = (now - level.at) / period
            gained = periods * amount if greedy else int(periods) * amount
            if gained >= 1:
                level.tokens = min(capacity, level.tokens + gained)
                level.at = now if greedy else level.at + int(periods) * period
            if level.tokens < tokens:
                waits.append((tokens - level.tokens) / amount * period if greedy else level.at + period - now)
        if max(waits) > 0:
            raise _exceeded(max(waits), min(int(level.tokens) for level in levels))
        for level in levels:
            level.tokens -= tokens
        return True


def _exceeded(wait: float, left: int) -> Refusal:
    at = (datetime.now(UTC) + timedelta(seconds=wait)).isoformat()
    hint = {"retry-at": at, "retry-after": int(wait) + 1, "remaining-tokens": left}
    return Refusal("rate-limited", "Your request exceeded the rate limit.", hint)


def _limit(config: Any) -> tuple[float, float, float, bool]:
    """(capacity, refill amount, period in seconds, greedy)"""
    capacity = _positive(config.get("capacity"), "capacity")
    refill = config.get("refill") or {}
    kind = refill.get("type", "greedy")
    if kind not in {"greedy", "interval"}:
        raise ValueError('The refill type must be "greedy" or "interval".')
    period = _seconds(refill.get("period", "1 hour"))
    if not 1 <= period <= 86400:
        raise ValueError("The refill period must be longer than a second and not longer than a day.")
    return capacity, _positive(refill.get("amount", capacity), "amount"), period, kind == "greedy"


def _positive(value: Any, name: str) -> float:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"The {name} must be a positive integer.")
    return value


def _seconds(text: Any) -> float:
    found = re.fullmatch(r"(\d+) (second|minute|hour|day)s?", text) if isinstance(text, str) else None
    if found is None:
        raise ValueError("The refill period must be an interval like `1 hour`.")
    return int(found[1]) * SECONDS[found[2]]
