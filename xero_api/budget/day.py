"""Calls left of a tenant's day. Pure.

When the day begins is not documented, nor whether it slides; the answers say how many calls are left. Calls made after
an answer are taken off what it said; a later answer is believed again, so a new day is noticed with its first call.
Calls that overlap can't tell which of them their answers count, so all are taken off; once none is under way and each
was answered, the smallest number said is what is left.
Where no answer is known (yet, or for over a day) our own calls of the last 24 hours are taken off the tier's limit.
"""

import math
from dataclasses import dataclass, field

DAY_SECONDS = 86_400.0
_HOUR = 3_600.0
_MARGIN_SECONDS = 60.0
_LEAST_SECONDS = 600.0
"""A burst at the beginning is no pace."""


@dataclass(slots=True, kw_only=True)
class Day:
    """What is left of the day.

    Attributes:
        limit: calls a day.
        told: calls left by the last answer, less those started since; None if no answer is known.
        told_at: when that answer ended; an answer to a call started later is newer for certain.
        renews_at: set by a refusal: when the server said calls may go on. From then on one at a time, until an answer
            says how many are left.
        hours: our calls by the hour they started in.
        begun: when the first of them started.
        lowest: the smallest number said since calls were last at rest.
        whole: whether every call since then was answered with a number.
    """

    limit: int
    told: int | None = None
    told_at: float = -math.inf
    renews_at: float | None = None
    hours: dict[int, int] = field(default_factory=dict)
    begun: float = -math.inf
    lowest: int | None = None
    whole: bool = False

    def left(self, now: float) -> int:
        """Calls that may still be made.

        Args:
            now: seconds.
        """
        return self.told if self.told is not None and self._known(now) else self.limit - self._own(now)

    def pace(self, now: float) -> float:
        """Calls a second, in this hour and the one before.

        Args:
            now: seconds.
        """
        hour = int(now // _HOUR)
        recent = self.hours.get(hour, 0) + self.hours.get(hour - 1, 0)
        return recent / max(now - max((hour - 1) * _HOUR, self.begun), _LEAST_SECONDS)

    def free_at(self, now: float, keep: int = 0, running: int = 0) -> float:
        """When one more call may be made: now, when the day may have turned, or infinity: when a running call ended.

        Args:
            now: seconds.
            keep: how many calls to leave over. One call an hour may use them: its answer tells whether a new day began.
            running: calls under way.
        """
        if self.renews_at is not None:
            looking = now if running == 0 else math.inf
            return max(self.renews_at, looking)
        left = self.left(now)
        if left > keep:
            return now
        if self._known(now):
            return max(now, self.told_at + _HOUR) if left > 0 else self.told_at + DAY_SECONDS + _MARGIN_SECONDS
        return self._own_free_at(now, keep)

    def start(self, now: float, *, at_rest: bool) -> None:
        """A call starts.

        Args:
            now: seconds.
            at_rest: whether no other call can be on its way, not even one that was given up on.
        """
        if at_rest:
            self.lowest, self.whole = None, True
        self.hours = {hour: n for hour, n in self.hours.items() if (hour + 1) * _HOUR + DAY_SECONDS > now}
        hour = int(now // _HOUR)
        if not self.hours:
            self.begun = now
        self.hours[hour] = self.hours.get(hour, 0) + 1
        if self.told is not None:
            self.told = max(0, self.told - 1)

    def correct(self, remaining: int, started: float, now: float, unknown: int) -> None:
        """An answer said how many are left.

        Args:
            started: when its call started.
            now: seconds.
            unknown: calls the server may have seen only after it wrote the answer: all that are under way now, and all
                that ended after its call started.
        """
        self.lowest = remaining if self.lowest is None else min(self.lowest, remaining)
        left = max(0, remaining - unknown)
        if self.renews_at is not None and started >= self.renews_at:
            self.renews_at = None
        if self.told is None or started > self.told_at:
            self.told, self.told_at = left, now
        else:  # its call overlapped the one believed so far; it is unknown which of the two is newer
            self.told = min(self.told, left)

    def unanswered(self) -> None:
        """A call ended without saying how many are left."""
        self.whole = False

    def at_rest(self, now: float) -> None:
        """No call is under way any more.

        Args:
            now: seconds.
        """
        if self.whole and self.lowest is not None:
            self.told, self.told_at = self.lowest, now

    def exhausted(self, now: float, until: float) -> None:
        """The server refused a call for the day's sake.

        Args:
            now: seconds.
            until: when calls may go on.
        """
        self.told, self.told_at, self.renews_at = 0, now, until

    def _known(self, now: float) -> bool:
        return self.told is not None and now < self.told_at + DAY_SECONDS + _MARGIN_SECONDS

    def _own_free_at(self, now: float, keep: int) -> float:
        excess = self._own(now) + 1 - (self.limit - keep)
        for hour in sorted(self.hours):
            excess -= self.hours[hour]
            if excess <= 0:
                return max(now, (hour + 1) * _HOUR + DAY_SECONDS + _MARGIN_SECONDS)
        return math.inf

    def _own(self, now: float) -> int:
        return sum(n for hour, n in self.hours.items() if (hour + 1) * _HOUR + DAY_SECONDS + _MARGIN_SECONDS > now)
