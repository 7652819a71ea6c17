"""Events that wait to be delivered. Pure: no clock, no I/O."""

import bisect
import heapq
import itertools
from collections import deque
from collections.abc import Iterable

from simulator.webhooks.events import Event


class Outbox:
    """A queue by sequence, with a waiting room for events that a fault holds back."""

    def __init__(self) -> None:
        self._ready: deque[Event] = deque()
        self._held: list[tuple[float, int, Event]] = []
        self._ties = itertools.count()

    def __len__(self) -> int:
        return len(self._ready) + len(self._held)

    @property
    def ready(self) -> int:
        """How many could go now."""
        return len(self._ready)

    def last_sequence(self) -> int:
        """The number of the latest event that is queued, 0 if none is."""
        return self._ready[-1].sequence if self._ready else 0

    def add(self, events: Iterable[Event]) -> None:
        """Queue new events."""
        self._ready.extend(events)

    def put_back(self, events: Iterable[Event]) -> None:
        """Events of a delivery that failed: they keep their place."""
        merged = list(self._ready)
        for event in events:
            bisect.insort(merged, event, key=lambda one: one.sequence)
        self._ready = deque(merged)

    def hold(self, event: Event, until: float) -> None:
        """Keep an event back until that moment (of whatever clock the caller uses)."""
        heapq.heappush(self._held, (until, next(self._ties), event))

    def next_release(self) -> float | None:
        """When the next held event is due."""
        return self._held[0][0] if self._held else None

    def release(self, now: float) -> list[Event]:
        """Held events that are due; they go on without passing the faults again."""
        due: list[Event] = []
        while self._held and self._held[0][0] <= now:
            due.append(heapq.heappop(self._held)[2])
        return due

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
