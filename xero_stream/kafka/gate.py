"""When batches leave for a broker: those of all its partitions together, one round after another.

A produce request costs the client the same for one partition as for several, some 200 µs in aiokafka, and aiokafka has one
request at a broker at a time. A batch that is closed while that one is out would only wait, with the few records that it
had by then. So batches are made when the broker is free, for every partition that has records; and rounds begin at least a
pause apart, which a record feels only where the one before has just left.
"""

import asyncio
from collections.abc import Callable

ROUND_BYTES = 1_048_576
"""Once a round has this many bytes, the other partitions wait for the next: aiokafka compresses a request's batches in one go,
which takes some 60 ms for a dead letter of 4 MiB."""


class Gate:
    """The way to one broker."""

    def __init__(self, pause: float, clock: Callable[[], float]) -> None:
        """Nothing is under way.

        Args:
            pause: seconds from the beginning of a round to that of the next, at least.
            clock: monotonic seconds.
        """
        self._pause = pause
        self._clock = clock
        self._waiting: list[asyncio.Future[None]] = []
        self._opening: asyncio.Handle | None = None
        self._opened_at = float("-inf")
        self._out = 0
        self._bytes = 0
        self.since: float | None = None
        """When the batches left that are under way, monotonic seconds; None while there are none."""

    async def turn(self) -> None:
        """Wait until a round begins. Whoever asks in the same moment leaves in the same round."""
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self._schedule()
        await turn

    @property
    def full(self) -> bool:
        """Whether this round has enough bytes: whoever has not left waits for the next."""
        return self._bytes >= ROUND_BYTES

    def left(self, size: int) -> None:
        """A batch of that many bytes is under way."""
        self._out += 1
        self._bytes += size
        if self.since is None:
            self.since = self._clock()

    def ended(self) -> None:
        """A batch has its answer, or nobody waits for it any more."""
        self._out -= 1
        if not self._out:
            self.since = None
            self._schedule()

    def release(self) -> None:
        """Let go of everybody who waits: the way is given up."""
        self._open()

    def _schedule(self) -> None:
        if self._out or self._opening is not None or not self._waiting:
            return
        loop = asyncio.get_running_loop()
        wait = self._opened_at + self._pause - self._clock()
        self._opening = loop.call_later(wait, self._open) if wait > 0 else loop.call_soon(self._open)

    def _open(self) -> None:
        if self._opening is not None:
            self._opening.cancel()
            self._opening = None
        self._opened_at = self._clock()
        self._bytes = 0
        waiting, self._waiting = self._waiting, []
        for turn in waiting:
            if not turn.done():
                turn.set_result(None)
