"""Calls within a minute, counted so that no window of the server's can hold more than the limit. Pure.

A call reaches the server at some time between its start and its end here. It therefore counts from its start until
60 seconds (and a margin) after its end: whenever a call starts, every other call that can share any 60 seconds of the
server's with it is still counted. That holds for sliding windows, and so for fixed ones at any phase.
"""

import math
from collections.abc import Hashable
from dataclasses import dataclass, field

WINDOW_SECONDS = 60.0
MARGIN_SECONDS = 0.25
"""For clocks that run at slightly different speeds."""

COUNTS_FOR = WINDOW_SECONDS + MARGIN_SECONDS
"""Seconds after its end for which a call counts."""

_REMEMBERED_SECONDS = 185.0  # an answer may be up to 120 s old when it is compared with what counted at its start


@dataclass(slots=True, kw_only=True)
class Minute:
    """The calls of the last minute.

    Attributes:
        limit: most calls in any 60 seconds.
        grain: ends are rounded up to multiples of this many seconds, which bounds the memory used.
        running: calls under way, with their starts.
        ended: how many calls ended, by end; ends in the future are calls of somebody else's, perhaps still under way.
        heard: how many of those we know only from what the server said is left.
    """

    limit: int
    grain: float = 0.05
    running: dict[Hashable, float] = field(default_factory=dict)
    ended: dict[float, int] = field(default_factory=dict)
    heard: dict[float, int] = field(default_factory=dict)

    def used(self, now: float) -> int:
        """Calls that count at a moment.

        Args:
            now: seconds; may lie up to two minutes back.
        """
        return len(self.running) + sum(times for end, times in self.ended.items() if end + COUNTS_FOR > now)

    def free_at(self, now: float, keep: int = 0) -> float:
        """When one more call fits: ``now``, a later time, or infinity while only running calls stand in the way.

        Args:
            now: seconds.
            keep: how many calls to leave over.
        """
        excess = self.used(now) + 1 - (self.limit - keep)
        if excess <= 0:
            return now
        for end in sorted(end for end in self.ended if end + COUNTS_FOR > now):
            excess -= self.ended[end]
            if excess <= 0:
                return end + COUNTS_FOR
        return math.inf

    def start(self, call: Hashable, now: float) -> None:
        """A call starts.

        Args:
            call: its name, unique among those running.
            now: seconds.
        """
        self.running[call] = now

    def end(self, call: Hashable, end: float, now: float) -> float:
        """A call ended.

        Args:
            end: when the server can at last have seen it: now, or later for a call given up on.
            now: seconds.

        Returns:
            When it started.
        """
        started = self.running.pop(call)
        self.add(end, now)
        return started

    def add(self, end: float, now: float, times: int = 1) -> float:
        """Calls that are not ours, or no longer; answers under which end they count.

        Args:
            end: when the server can at last have seen them.
            now: seconds.
        """
        self.ended = {e: n for e, n in self.ended.items() if e + _REMEMBERED_SECONDS > now}
        self.heard = {e: n for e, n in self.heard.items() if e in self.ended}
        end = math.ceil(end / self.grain) * self.grain
        self.ended[end] = self.ended.get(end, 0) + times
        return end

    def took_over(self, end: float, now: float) -> None:
        """A call of a process that is gone counts as ours.

        Args:
            end: when the server can at last have seen it.
            now: seconds.
        """
        self.add(end, now)

    def refused(self, until: float, now: float) -> None:
        """The server refused a call: all that is left is used up for a while.

        Args:
            until: when calls may go on.
            now: seconds.
        """
        self.add(until - COUNTS_FOR, now, times=max(0, self.limit - self.used(now)))

    def disregard_heard(self) -> None:
        """The server said when its window ends: no call starts before, and earlier calls do not count after."""
        for end, times in self.heard.items():
            self.ended[end] -= times
        self.heard.clear()

    def ended_since(self, moment: float) -> int:
        """Calls that ended at or after a moment of the last two minutes.

        Args:
            moment: seconds.
        """
        return sum(times for end, times in self.ended.items() if end >= moment)

    def correct(self, remaining: int, started: float, now: float) -> None:
        """Believe the server when it counts more calls than we do.

        Args:
            remaining: calls it says are left, in the answer to a call of ours that has ended.
            started: when that call started: it is compared with what counted then, as it may be old by now.
            now: seconds.
        """
        unknown = (self.limit - remaining) - self.used(started)
        if unknown > 0:
            end = self.add(now, now, times=unknown)
            self.heard[end] = self.heard.get(end, 0) + unknown
