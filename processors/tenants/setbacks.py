"""What a tenant's failed calls tell: is one record the trouble, or is it Xero? Pure.

Where other calls go well, a call that fails again and again has a record in it that spoils it: fewer records a call find
it, and it is set apart. Where nothing goes well Xero itself is down: then asking for records one by one, or asking often,
would only spend the day's calls, so every slot asks less and less until one is answered.
"""

import math
from collections.abc import Mapping

from processors.tenants.job import Slot
from xero_stream.process.backoff import Backoff

ISOLATE_AFTER = 3
"""Failures of one slot after which it asks for half as many records."""
LONGEST_WAIT = 60.0
LONGEST_OUTAGE_WAIT = 240.0
NEXT_RECORD_WAIT = 2.0
"""Seconds until another record is tried, while Xero answers other calls."""

_WAIT = Backoff(first=0.5, longest=LONGEST_WAIT)
_OUTAGE_WAIT = Backoff(first=0.5, longest=LONGEST_OUTAGE_WAIT)
_MANY = 64


class Setbacks:
    """The failures of one tenant's slots since each last went well."""

    def __init__(self) -> None:
        self._failures: dict[Slot, int] = {}
        self._since: dict[Slot, float] = {}
        self._most: dict[Slot, int] = {}
        self._went_well = -math.inf

    @property
    def most(self) -> Mapping[Slot, int]:
        """How many records a slot may ask for in one call, where that is fewer than usual."""
        return self._most

    def failed(self, slot: Slot, now: float) -> int:
        """A call failed; answers how often in a row.

        Args:
            slot: what it was made for.
            now: seconds.
        """
        self._since.setdefault(slot, now)
        self._failures[slot] = self._failures.get(slot, 0) + 1
        return self._failures[slot]

    def failures(self, slot: Slot) -> int:
        """How often in a row a slot's calls failed.

        Args:
            slot: what they were made for.
        """
        return self._failures.get(slot, 0)

    def halve(self, slot: Slot, asked: int) -> None:
        """A call for several records failed: once that is a habit, ask for fewer.

        Args:
            slot: what it was made for.
            asked: for how many records.
        """
        if self._failures.get(slot, 0) >= ISOLATE_AFTER:
            self._most[slot] = max(1, asked // 2)

    def succeeded(self, slot: Slot, now: float) -> None:
        """A call went well: its slot is as good as new, and may ask for more again.

        Args:
            slot: what it was made for.
            now: seconds.
        """
        self._went_well = now
        self._failures.pop(slot, None)
        self._since.pop(slot, None)
        most = self._most.pop(slot, _MANY) * 2
        if most < _MANY:
            self._most[slot] = most

    def wait(self, slot: Slot) -> float:
        """Seconds until the same is tried again: twice as long each time.

        Args:
            slot: one whose last call failed.
        """
        backoff = _WAIT if self.others_go_well(slot) else _OUTAGE_WAIT
        return backoff.delay(self._failures.get(slot, 0) + 1)

    def others_go_well(self, slot: Slot) -> bool:
        """Whether any call of the tenant went well since this slot began to fail.

        Args:
            slot: one whose last call failed.
        """
        return self._went_well > self._since.get(slot, math.inf)
