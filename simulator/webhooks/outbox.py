"""Events that wait to be delivered. Pure: no clock, no I/O."""

from collections import deque
from collections.abc import Iterable

from simulator.webhooks.events import Event


class Outbox:
    """A queue by sequence."""

    def __init__(self) -> None:
        self._ready: deque[Event] = deque()

    def __len__(self) -> int:
        return len(self._ready)

    def last_sequence(self) -> int:
        """The number of the latest event that is queued, 0 if none is."""
        return self._ready[-1].sequence if self._ready else 0

    def add(self, events: Iterable[Event]) -> None:
        """Queue new events."""
        self._ready.extend(events)

    def take(self, most: int) -> list[Event]:
        """The next events that travel together."""
        taken: list[Event] = []
        while self._ready and (taken or most > 0):
            head = self._ready[0]
            if taken and (head.parcel != taken[0].parcel or (head.parcel is None and len(taken) >= most)):
                break
            taken.append(self._ready.popleft())
        return taken

    def expire(self, before_ms: int) -> list[Event]:
        """Drop events older than that; they were stored long enough."""
        expired = [event for event in self._ready if event.at_ms < before_ms]
        if expired:
            self._ready = deque(event for event in self._ready if event.at_ms >= before_ms)
        return expired
