"""Has something stopped making progress? Pure."""

from collections.abc import Mapping

SILENT_SECONDS = 45.0
"""Nothing of ours waits longer for a server; ``/livez`` tells of what is stuck within a minute."""


class Watchdog:
    """Last sign of life of each named task; who is silent too long is stuck."""

    def __init__(self, *, limit: float = SILENT_SECONDS) -> None:
        self._limit = limit
        self._beats: dict[str, float] = {}
        self._limits: dict[str, float] = {}

    def beat(self, name: str, now: float, *, limit: float | None = None) -> None:
        """A sign of life.

        Args:
            now: monotonic seconds.
            limit: seconds it may be silent from here; the watchdog's own where not given.
        """
        self._beats[name] = now
        if limit is not None:
            self._limits[name] = limit
        else:
            self._limits.pop(name, None)

    def done(self, name: str) -> None:
        """The task ended: it owes no more signs."""
        self._beats.pop(name, None)
        self._limits.pop(name, None)

    def stuck(self, now: float) -> Mapping[str, float]:
        """Tasks that were silent too long, with their seconds of silence."""
        return {
            name: now - beat for name, beat in self._beats.items() if now - beat > self._limits.get(name, self._limit)
        }
