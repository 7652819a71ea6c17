"""Room for answers: bounds what a process has unpacked at once, however many organisations are read."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

ROOM = 2 * 1024 * 1024
"""Bytes of JSON that may be unpacked and not yet recorded: unpacked they take about ten times as much memory."""

_SMALL = 16 * 1024
"""Bytes that need no room: the few records that events brought never wait behind somebody's whole books."""

_SIGN_OF_LIFE = 5.0


class Room:
    """A share for each answer, given in the order asked for. One per process."""

    def __init__(self, size: int = ROOM) -> None:
        """Empty.

        Args:
            size: bytes that may be taken at once; a larger answer is let in alone.
        """
        self._size = size
        self._taken = 0
        self._waiting: deque[asyncio.Event] = deque()

    @property
    def taken(self) -> int:
        """Bytes taken now."""
        return self._taken

    @asynccontextmanager
    async def share(self, alive: Callable[[], None]) -> AsyncIterator[Callable[[int], Awaitable[None]]]:
        """A share that is given back at the end of the block.

        Args:
            alive: told every few seconds of waiting.

        Yields:
            What takes it, once, for so many bytes; it waits until they fit.
        """
        share = 0

        async def take(size: int) -> None:
            nonlocal share
            if size > _SMALL and not share:
                await self._wait_for(size, alive)
                self._taken += size
                share = size

        try:
            yield take
        finally:
            self._taken -= share
            self._tell_next()

    async def _wait_for(self, size: int, alive: Callable[[], None]) -> None:
        if not self._waiting and self._fits(size):
            return
        turn = asyncio.Event()
        self._waiting.append(turn)
        try:
            while self._waiting[0] is not turn or not self._fits(size):
                turn.clear()
                alive()
                try:
                    async with asyncio.timeout(_SIGN_OF_LIFE):
                        await turn.wait()
                except TimeoutError:
                    continue
        finally:
            self._waiting.remove(turn)
            self._tell_next()  # the next one may fit beside it, or it may have given up

    def _fits(self, size: int) -> bool:
        return self._taken == 0 or self._taken + size <= self._size

    def _tell_next(self) -> None:
        if self._waiting:
            self._waiting[0].set()
