"""The time that custom hostnames live in: it runs faster than ours and can be stepped."""

import time
from collections.abc import Callable


class Clock:
    """Seconds since the epoch, `speed` times as fast as the machine's from the start on."""

    def __init__(self, speed: float = 1.0, real: Callable[[], float] = time.time) -> None:
        self.speed = speed
        self._real = real
        self._start = real()
        self._ahead = 0.0

    def now(self) -> float:
        return self._start + (self._real() - self._start) * self.speed + self._ahead

    def step(self, seconds: float) -> None:
        """Forward only: what has happened stays happened."""
        if seconds < 0:
            raise ValueError("time runs forward")
        self._ahead += seconds
