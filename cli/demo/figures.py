"""Rates and percentiles. Pure; ``now`` is an argument, in seconds of any clock that never goes back."""

import math
from collections import deque
from collections.abc import Sequence

WINDOW_SECONDS = 6.0
SAMPLES = 2_000


class Rate:
    """How fast a total grows, over the last seconds."""

    def __init__(self, window: float = WINDOW_SECONDS) -> None:
        self._window = window
        self._points: deque[tuple[float, float]] = deque()

    def seen(self, total: float, now: float) -> None:
        """The total at a moment; a smaller one than before starts again (its process was restarted)."""
        if self._points and total < self._points[-1][1]:
            self._points.clear()
        self._points.append((now, total))
        while len(self._points) > 2 and self._points[1][0] <= now - self._window:
            self._points.popleft()

    def per_second(self) -> float:
        """Growth per second over the window; 0 before there are two points."""
        if len(self._points) < 2:
            return 0.0
        (then, before), (now, total) = self._points[0], self._points[-1]
        return (total - before) / (now - then) if now > then else 0.0


class Samples:
    """The latest measurements, for percentiles."""

    def __init__(self, most: int = SAMPLES) -> None:
        self._values: deque[float] = deque(maxlen=most)

    def add(self, value: float) -> None:
        """One more."""
        self._values.append(value)

    def __len__(self) -> int:
        return len(self._values)

    def percentile(self, share: float) -> float | None:
        """The nearest-rank percentile of what is kept; None of nothing."""
        return percentile(sorted(self._values), share)


def percentile(ordered: Sequence[float], share: float) -> float | None:
    """The nearest-rank percentile.

    Args:
        ordered: measurements, smallest first.
        share: from 0 to 1.
    """
    if not ordered:
        return None
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def duration(seconds: float | None) -> str:
    """A time for people: ``84 ms``, ``1.2 s``, ``3 min``; ``-`` for none."""
    if seconds is None:
        return "-"
    if seconds < 0.9995:
        return f"{max(0, round(seconds * 1000))} ms"
    if seconds < 99.5:
        return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min"
