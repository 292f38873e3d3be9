"""Cloudflare's rate limits: one write a second per KV key, 1,200 API requests per five minutes."""

import time
from collections import deque
from collections.abc import Callable, Iterable


class Pace:
    """One write a second per key."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._written: dict[str, float] = {}

    def may_write(self, keys: Iterable[str]) -> bool:
        now, keys = self._clock(), list(keys)
        if any(now - self._written.get(key, -1.0) < 1.0 for key in keys):
            return False
        self._written = {key: at for key, at in self._written.items() if now - at < 1.0}
        self._written.update(dict.fromkeys(keys, now))
        return True

    def forget(self) -> None:
        """As if every key had been written long ago."""
        self._written = {}


class Quota:
    """1,200 requests per five minutes, then nothing for five minutes.

    Source: developers.cloudflare.com/fundamentals/api/reference/limits/
    """

    REQUESTS = 1_200
    WINDOW = 300.0

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._taken: deque[float] = deque()
        self._blocked_until = 0.0

    def retry_after(self) -> float:
        """Takes one request: 0 if it may pass, else the seconds to wait."""
        now = self._clock()
        if now < self._blocked_until:
            return self._blocked_until - now
        while self._taken and now - self._taken[0] >= self.WINDOW:
            self._taken.popleft()
        if len(self._taken) >= self.REQUESTS:
            self._blocked_until = now + self.WINDOW
            self._taken.clear()
            return self.WINDOW
        self._taken.append(now)
        return 0.0
