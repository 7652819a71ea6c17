"""Records on their way to one partition: which go next, which have waited too long. Pure; ``now`` is an argument.

A queue has at most one batch ahead at the broker's; what arrives meanwhile waits here and rides the next one. So a
record can't be acknowledged before the batch ahead of it, and when that has been out for longer than anyone may wait,
newcomers are refused at once instead of being held until their own time is up.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple


class Outcome(StrEnum):
    """How an append ended."""

    ACKNOWLEDGED = "acknowledged"  # every record is in the log, by acks=all
    TIMED_OUT = "timed_out"  # Kafka said nothing in time; the records may still arrive
    STALLED = "stalled"  # refused at once: the batch ahead is overdue, or there is no producer
    OVERLOADED = "overloaded"  # refused at once: too many bytes are in flight
    REFUSED = "refused"  # Kafka will not take the records
    CLOSED = "closed"  # we are shutting down


class Record(NamedTuple):
    """A record to append.

    Attributes:
        topic: its topic.
        partition: its partition.
        key: its key, or None.
        value: its value.
        headers: its headers; a list, as aiokafka insists on one.
    """

    topic: str
    partition: int
    key: bytes | None
    value: bytes
    headers: list[tuple[str, bytes]]


def cost(record: Record) -> int:
    """Bytes that a record holds in memory, roughly: its value and what carries it."""
    return len(record.value) + _OVERHEAD


def costs(records: Sequence[Record]) -> int:
    """The same of several."""
    return sum([len(record.value) for record in records]) + _OVERHEAD * len(records)


_OVERHEAD = 1_024


class Append:
    """Records that are answered for together; settled once, by the last acknowledgement or the first trouble."""

    __slots__ = ("_settled", "deadline", "outcome", "outstanding")

    def __init__(self, *, records: int, deadline: float, settled: Callable[[Outcome], None]) -> None:
        """Nothing has happened yet.

        Args:
            records: how many have to be acknowledged.
            deadline: monotonic seconds until which somebody waits.
            settled: called once with the outcome.
        """
        self.outstanding = records
        self.deadline = deadline
        self.outcome: Outcome | None = None
        self._settled = settled

    def acknowledged(self) -> None:
        """One of the records is in the log."""
        self.outstanding -= 1
        if self.outstanding == 0:
            self.settle(Outcome.ACKNOWLEDGED)

    def settle(self, outcome: Outcome) -> None:
        """End it, unless it has ended."""
        if self.outcome is None:
            self.outcome = outcome
            self._settled(outcome)


class Waiting(NamedTuple):
    """A record in a queue.

    Attributes:
        record: the record.
        append: what it belongs to.
        attempts: how many batches with it have failed.
    """

    record: Record
    append: Append
    attempts: int = 0


class PartitionQueue:
    """The queue of one partition."""

    __slots__ = ("ahead_since", "partition", "topic", "waiting")

    def __init__(self, topic: str, partition: int) -> None:
        self.topic = topic
        self.partition = partition
        self.waiting: deque[Waiting] = deque()
        self.ahead_since: float | None = None
        """When the batch ahead was made, monotonic seconds; None while there is none."""

    def stalled(self, now: float, patience: float) -> bool:
        """Whether a newcomer has no hope of being acknowledged in time.

        Args:
            now: monotonic seconds.
            patience: how long anybody may wait, in seconds.
        """
        return self.ahead_since is not None and now - self.ahead_since > patience

    def take(self, fits: Callable[[Record], bool], now: float) -> tuple[list[Waiting], int]:
        """The next batch: from the front, in order, without those nobody waits for any more.

        Args:
            fits: adds a record to the batch, or says that it is full.
            now: monotonic seconds.

        Returns:
            What was taken, and the bytes (:func:`cost`) that were dropped.
        """
        taken: list[Waiting] = []
        dropped = 0
        queue = self.waiting
        try:
            while queue:
                waiting = queue[0]
                if waiting.append.outcome is not None or waiting.append.deadline <= now:
                    waiting.append.settle(Outcome.TIMED_OUT)
                    dropped += cost(waiting.record)
                elif fits(waiting.record):
                    taken.append(waiting)
                else:
                    break
                queue.popleft()
        except BaseException:
            queue.extendleft(reversed(taken))
            raise
        return taken, dropped

    def put_back(self, failed: Iterable[Waiting]) -> None:
        """Queue records of a failed batch again, in front and in order."""
        again = [Waiting(record, append, attempts + 1) for record, append, attempts in failed]
        self.waiting.extendleft(reversed(again))

    def drop_settled(self) -> int:
        """Let go of records nobody waits for any more.

        Returns:
            Their bytes (:func:`cost`).
        """
        dropped = 0
        kept: deque[Waiting] = deque()
        for waiting in self.waiting:
            if waiting.append.outcome is None:
                kept.append(waiting)
            else:
                dropped += cost(waiting.record)
        self.waiting = kept
        return dropped
