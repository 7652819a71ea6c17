"""What the fault plan does to events on their way out. Pure; the random source and ``now`` (seconds) are arguments."""

import heapq
import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from simulator.faults.plan import Delay, Drop, Duplicate, FaultPlan, Operation, Reorder
from simulator.webhooks.events import Event

LONGEST_REORDER_SECONDS = 2.0
"""An event that waits for later ones to pass goes anyway after this."""


@dataclass(slots=True, kw_only=True)
class _Behind:
    places: int
    deadline: float
    event: Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoilt:
    """What goes now, and what is lost for good."""

    send: list[Event] = field(default_factory=list)
    lost: list[Event] = field(default_factory=list)


class WaitingRoom:
    """Events that a fault holds back: until a moment, or until later events have passed."""

    def __init__(self) -> None:
        self._held: list[tuple[float, int, Event]] = []
        self._behind: list[_Behind] = []
        self._ties = itertools.count()

    def __len__(self) -> int:
        return len(self._held) + len(self._behind)

    def next_release(self) -> float | None:
        """When the next event is due at the latest."""
        times = [one.deadline for one in self._behind] + [held[0] for held in self._held[:1]]
        return min(times, default=None)

    def release(self, now: float) -> list[Event]:
        """Events that are due; they don't pass the faults again."""
        due: list[Event] = []
        while self._held and self._held[0][0] <= now:
            due.append(heapq.heappop(self._held)[2])
        due += [one.event for one in self._behind if one.deadline <= now]
        self._behind = [one for one in self._behind if one.deadline > now]
        return due

    def spoil(self, events: Sequence[Event], plan: FaultPlan, dice: random.Random, now: float) -> Spoilt:
        """Pass events through the plan.

        Args:
            events: in their order.
            now: seconds; held events are due later than this.
        """
        spoilt = Spoilt()
        for event in events:
            if self._stays(event, plan, dice, now, spoilt):
                spoilt.send.append(event)
                spoilt.send.extend(self._passed_by())
        return spoilt

    def _stays(self, event: Event, plan: FaultPlan, dice: random.Random, now: float, spoilt: Spoilt) -> bool:
        stays = True
        for fault in plan.decide(Operation.WEBHOOK, event.tenant_id, event.endpoint, dice.random):
            match fault:
                case Drop():
                    spoilt.lost.append(event)
                    return False
                case Duplicate():
                    for _ in range(fault.copies):
                        self._hold(event, now + fault.after_ms / 1000)
                case Delay():
                    self._hold(event, now + (fault.ms + dice.uniform(0, fault.jitter_ms)) / 1000)
                    stays = False
                case Reorder():
                    deadline = now + LONGEST_REORDER_SECONDS
                    self._behind.append(_Behind(places=fault.places, deadline=deadline, event=event))
                    stays = False
                case _:  # the plan refuses other faults for webhooks
                    continue
        return stays

    def _hold(self, event: Event, until: float) -> None:
        heapq.heappush(self._held, (until, next(self._ties), event))

    def _passed_by(self) -> list[Event]:
        for one in self._behind:
            one.places -= 1
        free = [one.event for one in self._behind if one.places <= 0]
        self._behind = [one for one in self._behind if one.places > 0]
        return free
