"""What the receiver counts: one verb per measurement, numbers in cells shared by all workers.

Label values are closed sets. Tenants and app names are no labels: they are as many as there are customers.
"""

import time
from collections.abc import Callable, Mapping
from enum import StrEnum

from prometheus_client import CollectorRegistry

from receiver.parse import Category, Unreadable
from receiver.signature import Flaw
from xero_stream.kafka.partition_queue import Outcome
from xero_stream.kafka.supervision import Reason
from xero_stream.telemetry.cells import Block, CellCollector, Family, Kind, Layout, SharedCells
from xero_stream.telemetry.metrics import SECONDS


class Answered(StrEnum):
    """How a request ended."""

    # Enum's own hash is written in Python; this one is looked up several times a request.
    __hash__ = str.__hash__

    ACCEPTED = "accepted"  # 200
    REJECTED = "rejected"  # 401
    UNAVAILABLE = "unavailable"  # 503
    TOO_LARGE = "too_large"  # 413
    ENCODED = "encoded"  # 415, a Content-Encoding
    NOT_FOUND = "not_found"  # 404
    NOT_POST = "not_post"  # 405
    SLOW = "slow"  # 408, the body did not arrive in time
    MALFORMED = "malformed"  # 400, no HTTP
    VERSION = "version"  # 505, another major version of HTTP
    FAILED = "failed"  # 500, our mistake
    GONE = "gone"  # the sender left before its body was complete


class Rejected(StrEnum):
    """Why a request was answered 401."""

    MISSING = Flaw.MISSING.value
    DUPLICATED = Flaw.DUPLICATED.value
    OVERSIZED = Flaw.OVERSIZED.value
    NON_ASCII = Flaw.NON_ASCII.value
    MISMATCH = Flaw.MISMATCH.value
    UNKNOWN_APP = "unknown_app"


class Unavailable(StrEnum):
    """Why a request was answered 503."""

    TIMED_OUT = Outcome.TIMED_OUT.value
    STALLED = Outcome.STALLED.value
    OVERLOADED = Outcome.OVERLOADED.value
    REFUSED = Outcome.REFUSED.value
    CLOSED = Outcome.CLOSED.value


class Cut(StrEnum):
    """Why we closed a connection."""

    HEADER = "header"  # a request's head did not arrive in time
    EVICTED = "evicted"  # too many connections, and it was the first to go


class Key(StrEnum):
    """Which of an app's keys matched: tells when an old one is no longer used."""

    # As above.
    __hash__ = str.__hash__

    NEWEST = "newest"
    OLDER = "older"


class Intent(StrEnum):
    """What an intent-to-receive request was answered."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"


def _counter(name: str, meaning: str, label: str = "", values: type[StrEnum] | None = None) -> Family:
    return Family(
        name=f"xero_stream_receiver_{name}_total",
        kind=Kind.COUNTER,
        meaning=meaning,
        label=label,
        values=tuple(values) if values else ("",),
    )


def _gauge(name: str, meaning: str, kind: Kind = Kind.GAUGE) -> Family:
    return Family(name=f"xero_stream_receiver_{name}", kind=kind, meaning=meaning)


_REQUESTS = _counter("requests", "Requests by how they ended.", "outcome", Answered)
_REJECTED = _counter("rejected", "Requests answered 401, by reason.", "reason", Rejected)
_UNAVAILABLE = _counter("unavailable", "Requests answered 503, by reason.", "reason", Unavailable)
_BYTES = _counter("received_bytes", "Bytes of verified bodies.")
_EVENTS = _counter("events", "Events in the log, by category.", "category", Category)
_DEAD = _counter("dead_letters", "Verified bodies kept as dead letters, by reason.", "reason", Unreadable)
_KEYS = _counter("verified", "Verified requests by the key that matched.", "key", Key)
_INTENTS = _counter(
    "intent_to_receive", "Intent-to-receive requests; a rejected one is recognised by its content.", "outcome", Intent
)
_INTENT_AT = Family(
    name="xero_stream_receiver_intent_to_receive_timestamp_seconds",
    kind=Kind.LATEST,
    meaning="When the last intent-to-receive request came, Unix time of this machine's clock; 0 is never.",
    label="outcome",
    values=tuple(Intent),
)
_APPEND = Family(
    name="xero_stream_receiver_append_seconds",
    kind=Kind.HISTOGRAM,
    meaning="From a verified delivery to Kafka's acknowledgement of all its records.",
    buckets=SECONDS,
)
_IN_FLIGHT = _gauge("in_flight_bytes", "Bytes held until Kafka acknowledges them.")
_CONNECTIONS = _gauge("connections", "Open connections.")
_CUT = _counter("connections_cut", "Connections that we closed, by reason.", "reason", Cut)
_BUILT = _counter("producer_builds", "Kafka producers built, by reason.", "reason", Reason)
_AVAILABLE = _gauge("producer_available", "Workers that have a working Kafka producer.")
_WORKERS = _gauge("workers", "Workers that answer requests.")
_LAG = _gauge(
    "loop_lag_seconds",
    "How late the event loop last came round; the worst worker. One that hangs shows in silent_seconds.",
    Kind.LATEST,
)
_BEAT = _gauge(
    "silent_seconds", "Seconds since the last sign of life of the worker that is silent for longest.", Kind.SINCE_FIRST
)
_DEAD_AT = _gauge(
    "dead_letter_age_seconds", "Seconds since the last dead letter; absent before the first.", Kind.SINCE_LAST
)
_CLOCK = _gauge(
    "clock_difference_seconds",
    "By how much this machine's clock is ahead of the Kafka broker's; absent before the first acknowledgement.",
    Kind.CLOCK,
)
_RESTARTS = _counter("worker_restarts", "Workers started again after they ended by themselves.")

LAYOUT = Layout(
    (
        _REQUESTS,
        _REJECTED,
        _UNAVAILABLE,
        _BYTES,
        _EVENTS,
        _DEAD,
        _KEYS,
        _INTENTS,
        _INTENT_AT,
        _APPEND,
        _IN_FLIGHT,
        _CONNECTIONS,
        _CUT,
        _BUILT,
        _AVAILABLE,
        _WORKERS,
        _LAG,
        _BEAT,
        _DEAD_AT,
        _CLOCK,
        _RESTARTS,
    )
)


class ReceiverMetrics:
    """The receiver's measurements on a registry."""

    def __init__(
        self,
        *,
        registry: CollectorRegistry,
        cells: SharedCells | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,  # noqa: TID251 - it is compared with the broker's
    ) -> None:
        """Register.

        Args:
            cells: memory shared with the workers; without it this process's own.
            clock: monotonic seconds, the workers' clock.
            wall_clock: Unix time of this machine.
        """
        self.cells = cells or SharedCells(LAYOUT)
        CellCollector(LAYOUT, self.cells.blocks(), registry, clock=clock, wall_clock=wall_clock)

    def worker(self, number: int = 0) -> "WorkerMetrics":
        """The verbs of a worker."""
        return WorkerMetrics(self.cells.block(number))


class WorkerMetrics:
    """One worker's verbs."""

    def __init__(self, block: Block) -> None:
        """Write into a block, or read from it."""
        self._block = block
        self._requests = {member: block.counter(_REQUESTS, member) for member in Answered}
        self._rejected = {member: block.counter(_REJECTED, member) for member in Rejected}
        self._unavailable = {member: block.counter(_UNAVAILABLE, member) for member in Unavailable}
        self._bytes = block.counter(_BYTES)
        self._events = {member: block.counter(_EVENTS, member) for member in Category}
        self._dead = {member: block.counter(_DEAD, member) for member in Unreadable}
        self._keys = {member: block.counter(_KEYS, member) for member in Key}
        self._intents = {member: block.counter(_INTENTS, member) for member in Intent}
        self._intent_at = {member: block.gauge(_INTENT_AT, member) for member in Intent}
        self._append = block.histogram(_APPEND)
        self._in_flight = block.gauge(_IN_FLIGHT)
        self._connections = block.gauge(_CONNECTIONS)
        self._cut = {member: block.counter(_CUT, member) for member in Cut}
        self._built = {member: block.counter(_BUILT, member) for member in Reason}
        self._available = block.gauge(_AVAILABLE)
        self._workers = block.gauge(_WORKERS)
        self._lag = block.gauge(_LAG)
        self._beat = block.gauge(_BEAT)
        self._dead_at = block.gauge(_DEAD_AT)
        self._broker_ahead = block.gauge(_CLOCK)
        self._restarts = block.counter(_RESTARTS)

    def take_over(self) -> None:
        """Forget what only the worker before knew: what was in flight, what was open. Counts go on."""
        self._block.clear_gauges()

    def answered(self, how: Answered) -> None:
        """A request ended."""
        self._requests[how].add()

    def verified(self, key: int, size: int) -> None:
        """A signature matched the key at that position, over a body of that many bytes."""
        self._keys[Key.NEWEST if key == 0 else Key.OLDER].add()
        self._bytes.add(size)

    def rejected(self, reason: Rejected) -> None:
        """A request is answered 401."""
        self._rejected[reason].add()

    def unavailable(self, reason: Unavailable) -> None:
        """A request is answered 503."""
        self._unavailable[reason].add()

    def appended(
        self, seconds: float, events: Mapping[Category, int], unreadable: Unreadable | None, now: float
    ) -> None:
        """A delivery is in the log.

        Args:
            seconds: from verified to acknowledged.
            events: how many it had of each category.
            unreadable: why its bytes are a dead letter too.
            now: monotonic seconds.
        """
        self._append.observe(seconds)
        for category, count in events.items():
            self._events[category].add(count)
        if unreadable is not None:
            self._dead[unreadable].add()
            self._dead_at.set(now)

    def intent(self, outcome: Intent, now: float) -> None:
        """An intent to receive was answered, at that Unix time."""
        self._intents[outcome].add()
        self._intent_at[outcome].set(now)

    def in_flight(self, size: int) -> None:
        """That many bytes are held."""
        self._in_flight.set(size)

    def connections(self, count: int) -> None:
        """That many connections are open."""
        self._connections.set(count)

    def cut(self, reason: Cut) -> None:
        """We closed a connection."""
        self._cut[reason].add()

    def producer_built(self, reason: Reason) -> None:
        """A producer was built."""
        self._built[reason].add()

    def producer_available(self, available: bool) -> None:
        """Whether there is a producer now."""
        self._available.set(float(available))

    def serving(self, serving: bool) -> None:
        """Whether this worker answers requests."""
        self._workers.set(float(serving))

    def beat(self, now: float, lag: float) -> None:
        """The event loop came round at that monotonic time, that many seconds late."""
        self._beat.set(now)
        self._lag.set(lag)

    def broker_time(self, broker: float, now: float) -> None:
        """The broker's clock showed that Unix time, at that monotonic time of ours."""
        self._broker_ahead.set(broker - now)

    def started(self, now: float) -> None:
        """The worker is being started: from now on it owes signs of life."""
        self._beat.set(now)

    def restarted(self) -> None:
        """The worker had ended by itself and was started again."""
        self._restarts.add()

    # -- read by whoever looks after the worker --

    @property
    def last_beat(self) -> float:
        """Monotonic time of the last sign of life; 0 before the first."""
        return self._beat.get()

    @property
    def is_serving(self) -> bool:
        """Whether the worker answers requests."""
        return bool(self._workers.get())

    @property
    def has_producer(self) -> bool:
        """Whether the worker has a Kafka producer."""
        return bool(self._available.get())
