"""What waits to be sent to one socket: bounded, so that a slow consumer costs neither memory nor anyone else's time."""

import asyncio
from collections.abc import Hashable

MAX_FRAMES = 1_000
MAX_CHARACTERS = 32_000_000


class Overflow(Exception):  # noqa: N818 - a state of the connection, not a fault
    """The consumer is too slow; its connection must be closed. It reconnects and asks again."""


class Outbox:
    """Frames in the order in which they were put. A frame with a `key` replaces the unsent one of the same key."""

    def __init__(self) -> None:
        self._frames: dict[Hashable, str] = {}
        self._characters = 0
        self._count = 0
        self._filled = asyncio.Event()
        self.overflowed = False

    def put(self, frame: str, key: Hashable = None) -> None:
        """Never blocks. Once too much waits, everything is dropped and `get` raises Overflow."""
        self._count += 1
        self._characters += len(frame) - len(self._frames.pop(key, ""))
        self._frames[self._count if key is None else key] = frame
        if len(self._frames) > MAX_FRAMES or self._characters > MAX_CHARACTERS:
            self._frames.clear()
            self.overflowed = True
        self._filled.set()

    async def get(self) -> str:
        await self._filled.wait()
        if self.overflowed:
            raise Overflow
        key = next(iter(self._frames))
        frame = self._frames.pop(key)
        self._characters -= len(frame)
        if not self._frames:
            self._filled.clear()
        return frame
