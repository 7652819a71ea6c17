"""The newest changes of every partition, in memory, for all streams together. Pure.

One reader fills it; streams only remember how far they are. A stream that is slower than the ring is long reads from the store until it is
within it again, so it costs the others nothing.
"""

from collections import deque
from dataclasses import dataclass, field
from itertools import islice

OVERHEAD = 200
"""Bytes that a change costs beside its value, about."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A change.

    Attributes:
        position: its place in its partition.
        tenant_id: whose it is.
        entity: what it concerns.
        op: what happened.
        value: the change event.
    """

    position: int
    tenant_id: str
    entity: str
    op: str
    value: bytes = field(repr=False)


class GapError(ValueError):
    """A change does not follow the one before it."""


class Ring:
    """The newest changes of all partitions; the oldest go when there are too many bytes."""

    def __init__(self, *, most_bytes: int) -> None:
        """Empty; each partition is begun by :meth:`begin`.

        Args:
            most_bytes: of the changes, all together.
        """
        self._most = most_bytes
        self._bytes = 0
        self._entries: dict[int, deque[Entry]] = {}
        self._ends: dict[int, int] = {}
        self._order: deque[int] = deque()

    @property
    def held_bytes(self) -> int:
        """Bytes of what is held."""
        return self._bytes

    def begin(self, partition: int, position: int) -> None:
        """Hold a partition's changes after a position; what was held of it goes.

        Args:
            partition: which.
            position: the position before the next change.
        """
        for entry in self._entries.get(partition, ()):
            self._bytes -= len(entry.value) + OVERHEAD
        self._order = deque(one for one in self._order if one != partition)
        self._entries[partition] = deque()
        self._ends[partition] = position

    def end(self, partition: int) -> int | None:
        """The position of the newest change; None: the partition was not begun.

        Args:
            partition: which.
        """
        return self._ends.get(partition)

    def add(self, partition: int, entry: Entry) -> None:
        """Hold the next change of a partition.

        Args:
            partition: which.
            entry: the change.

        Raises:
            GapError: it does not follow the newest.
        """
        if entry.position != self._ends[partition] + 1:
            raise GapError(f"{entry.position} does not follow {self._ends[partition]} in partition {partition}")
        self._entries[partition].append(entry)
        self._ends[partition] = entry.position
        self._order.append(partition)
        self._bytes += len(entry.value) + OVERHEAD
        while self._bytes > self._most:
            oldest = self._entries[self._order.popleft()].popleft()
            self._bytes -= len(oldest.value) + OVERHEAD

    def holds(self, partition: int, after: int) -> bool:
        """Whether there is something behind a position, and all of it is held.

        Args:
            partition: which.
            after: the position.
        """
        end = self._ends.get(partition)
        return end is not None and end - len(self._entries[partition]) <= after < end

    def after(self, partition: int, position: int, most: int) -> list[Entry]:
        """The next changes behind a position, which must be held. A list: the ring goes on while a stream sends them.

        Args:
            partition: which.
            position: the position.
            most: at most so many.
        """
        entries = self._entries[partition]
        newer = self._ends[partition] - position
        # From the end: streams are near it, and a deque is slow to reach in its middle.
        found = list(islice(reversed(entries), max(0, newer - most), max(0, newer)))
        found.reverse()
        return found
