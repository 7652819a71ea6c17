"""The simulator's own time: it can jump and run faster. Nothing else in the simulator reads a clock."""

import asyncio
import time
from collections.abc import Callable

LATEST_MS = 7_258_118_400_000
"""2200-01-01: no jump goes beyond it. Far later no calendar, token or ``Date`` header can tell the time any more."""


class ClockError(Exception):
    """The clock can't be set to that."""


class Clock:
    """Milliseconds since 1970, UTC. Runs on the monotonic clock, so the machine's own time may be corrected meanwhile."""

    def __init__(
        self,
        *,
        start_ms: int | None = None,
        rate: float = 1.0,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,  # noqa: TID251 - the simulator is a machine of its own
    ) -> None:
        """Start it.

        Args:
            start_ms: time at the start; None takes the machine's.
            rate: simulated seconds per real second; 0 stands still.
            monotonic: seconds of a clock that never goes back.
            wall: seconds since 1970.
        """
        self._monotonic = monotonic
        self._rate = rate
        self._base_ms = float(start_ms) if start_ms is not None else wall() * 1000
        self._base_monotonic = monotonic()
        self._last_stamp = 0
        self._moved = asyncio.Event()

    @property
    def rate(self) -> float:
        """Simulated seconds per real second."""
        return self._rate

    def now_ms(self) -> int:
        """The time."""
        return max(int(self._exact()), self._last_stamp)

    def _exact(self) -> float:
        return self._base_ms + (self._monotonic() - self._base_monotonic) * 1000 * self._rate

    def stamp(self) -> int:
        """The time for ``UpdatedDateUTC``: later than every stamp given before."""
        self._last_stamp = max(int(self._exact()), self._last_stamp + 1)
        return self._last_stamp

    def not_before(self, at_ms: int) -> None:
        """Books that were kept hold stamps up to this; the next one is later."""
        self._last_stamp = max(self._last_stamp, at_ms)

    def set(self, *, now_ms: int | None = None, rate: float | None = None) -> None:
        """Jump, or change the pace. Whoever sleeps by this clock is woken to look again.

        Raises:
            ClockError: the jump would go back, which would make ``UpdatedDateUTC`` lie.
        """
        current = self._exact()
        if now_ms is not None and now_ms < int(current):
            raise ClockError("the clock never goes back; use the fault 'date' for a wrong Date header")
        self._base_ms = float(now_ms) if now_ms is not None else current
        self._base_monotonic = self._monotonic()
        self._rate = self._rate if rate is None else rate
        self._moved.set()
        self._moved = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        """Sleep by this clock."""
        await self.sleep_until(self._exact() + seconds * 1000)

    async def sleep_until(self, at_ms: float) -> None:
        """Sleep until this clock shows that time."""
        while (left_ms := at_ms - self._exact()) > 0:
            moved = self._moved
            wait = left_ms / 1000 / self._rate if self._rate else None
            try:
                await asyncio.wait_for(moved.wait(), wait)
            except TimeoutError:
                continue
