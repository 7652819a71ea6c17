"""A delivery on its way, and what is remembered of it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from simulator.webhooks.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What a receiver said."""

    status: int
    body: bytes
    cookie: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One request: when, what came back (a status, or a word for why nothing did), after how long."""

    at_ms: int
    answer: int | str
    took_ms: float
    good: bool


@dataclass(slots=True, kw_only=True)
class Trace:
    """What the delivery log keeps: not the bytes, but their SHA-256, so that a receiver's log can be compared."""

    first: int
    last: int
    events: int
    size: int
    digest: str
    attempts: list[Attempt] = field(default_factory=list)

    def report(self) -> dict[str, Any]:
        """As ``GET /_sim/webhooks`` shows it."""
        return {
            "firstEventSequence": self.first,
            "lastEventSequence": self.last,
            "events": self.events,
            "bytes": self.size,
            "bodySha256": self.digest,
            "delivered": bool(self.attempts) and self.attempts[-1].good,
            "attempts": [
                {"atMs": one.at_ms, "answer": one.answer, "tookMs": round(one.took_ms, 2)} for one in self.attempts
            ],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A batch. Retries send the same bytes."""

    events: Sequence[Event]
    body: bytes
    signature: str
    trace: Trace

    @property
    def first(self) -> int:
        """``firstEventSequence``."""
        return self.trace.first


def pack(events: Sequence[Event], body: bytes, signature: str) -> Delivery:
    """A delivery of those events."""
    sequences = [event.sequence for event in events]
    trace = Trace(
        first=min(sequences),
        last=max(sequences),
        events=len(events),
        size=len(body),
        digest=hashlib.sha256(body).hexdigest(),
    )
    return Delivery(events=events, body=body, signature=signature, trace=trace)
