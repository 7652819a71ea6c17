"""Signs of life of a process's tasks, on the clock that the watchdog is asked by."""

import time
from collections.abc import Callable

from xero_stream.telemetry.watchdog import Watchdog


class Heartbeats:
    """Tells the watchdog which tasks make progress."""

    def __init__(self, watchdog: Watchdog | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._watchdog = watchdog or Watchdog()
        self._clock = clock

    def beat(self, name: str, *, limit: float | None = None) -> None:
        """A task is alive and not stuck.

        Args:
            limit: seconds it may be silent from here, where that is not what all others may.
        """
        self._watchdog.beat(name, self._clock(), limit=limit)

    def done(self, name: str) -> None:
        """A task ended; it owes no more signs of life."""
        self._watchdog.done(name)
