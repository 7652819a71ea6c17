"""The records of one endpoint of one organisation, in Xero's default order, with what they were before."""

import bisect
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Generic, Protocol, TypeVar

VERSIONS_KEPT = 12
WRITES_REMEMBERED = 100_000


class Record(Protocol):
    """What every kind of record has."""

    @property
    def id(self) -> str:
        """Its GUID."""

    @property
    def updated_ms(self) -> int:
        """``UpdatedDateUTC``."""


R = TypeVar("R", bound=Record)


class Collection(Generic[R]):
    """Records by id and by (UpdatedDateUTC, id); the last versions of those that changed."""

    def __init__(self, records: Iterable[R] = ()) -> None:
        """Take over records that have no past."""
        self._records: dict[str, R] = {record.id: record for record in records}
        self._order: list[tuple[int, str]] = sorted((record.updated_ms, record.id) for record in self._records.values())
        self._versions: dict[str, list[tuple[int, R | None]]] = {}
        self._writes: deque[tuple[int, str]] = deque(maxlen=WRITES_REMEMBERED)
        self._ids: list[str] = list(self._records)

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[R]:
        return iter(self._records.values())

    @property
    def newest_ms(self) -> int:
        """The latest ``UpdatedDateUTC``, 0 on an empty shelf."""
        return self._order[-1][0] if self._order else 0

    @property
    def ids(self) -> Sequence[str]:
        """Every id, in the order of creation (so that a seeded choice is the same in every run)."""
        return self._ids

    def get(self, record_id: str) -> R | None:
        """The record as it is."""
        return self._records.get(record_id)

    def put(self, record: R, now_ms: int) -> None:
        """Create or replace a record.

        Args:
            record: as it is from now on.
            now_ms: when that happens; stale reads look before it.
        """
        before = self._records.get(record.id)
        if before is None:
            self._ids.append(record.id)
            bisect.insort(self._order, (record.updated_ms, record.id))
        elif before.updated_ms != record.updated_ms:
            del self._order[bisect.bisect_left(self._order, (before.updated_ms, before.id))]
            bisect.insort(self._order, (record.updated_ms, record.id))
        self._records[record.id] = record
        self._remember(before, record, now_ms)

    def remove(self, record_id: str, now_ms: int) -> R:
        """Take a record away for good; stale reads still see it.

        Raises:
            KeyError: there is no such record.
        """
        record = self._records.pop(record_id)
        del self._order[bisect.bisect_left(self._order, (record.updated_ms, record_id))]
        self._ids.remove(record_id)
        self._remember(record, None, now_ms)
        return record

    def _remember(self, before: R | None, after: R | None, now_ms: int) -> None:
        record = after if after is not None else before
        assert record is not None
        versions = self._versions.get(record.id)
        if versions is None:
            versions = self._versions[record.id] = [(0, before)] if before is not None else []
        versions.append((now_ms, after))
        if len(versions) > VERSIONS_KEPT:
            del versions[0]
            versions[0] = (0, versions[0][1])
        self._writes.append((now_ms, record.id))

    def earlier(self, record_id: str) -> list[R]:
        """What the record was before, latest first."""
        versions = reversed(self._versions.get(record_id, [])[:-1])
        return [record for _, record in versions if record is not None]

    def as_of(self, record_id: str, at_ms: int) -> R | None:
        """The record as it was at that time; None if it didn't exist."""
        versions = self._versions.get(record_id)
        if versions is None:
            return self._records.get(record_id)
        for written_ms, record in reversed(versions):
            if written_ms <= at_ms:
                return record
        return None

    def since(self, at_ms: int = 0) -> "Slice[R]":
        """Records whose ``UpdatedDateUTC`` is at or after that time, in Xero's default order."""
        return Slice(self._records, self._order, bisect.bisect_left(self._order, (at_ms, "")))

    def since_as_of(self, since_ms: int, at_ms: int) -> list[R]:
        """The same, as a reader would have seen it at an earlier time."""
        touched: set[str] = set()
        for written_ms, record_id in reversed(self._writes):
            if written_ms <= at_ms:
                break
            touched.add(record_id)
        found = [record for record in self.since(since_ms) if record.id not in touched]
        earlier = (self.as_of(record_id, at_ms) for record_id in touched)
        found += [record for record in earlier if record is not None and record.updated_ms >= since_ms]
        found.sort(key=lambda record: (record.updated_ms, record.id))
        return found


class Slice(Generic[R]):
    """The tail of a shelf in order: counting and paging cost nothing for what isn't looked at."""

    def __init__(self, records: dict[str, R], order: list[tuple[int, str]], start: int) -> None:
        self._records = records
        self._order = order
        self._start = start

    def __len__(self) -> int:
        return len(self._order) - self._start

    def __iter__(self) -> Iterator[R]:
        records = self._records
        for _, record_id in self._order[self._start :]:
            yield records[record_id]

    def part(self, start: int, stop: int) -> list[R]:
        """Records from ``start`` up to and without ``stop``."""
        rows = self._order[self._start + start : self._start + stop]
        return [self._records[record_id] for _, record_id in rows]
