"""Reads the feed from a cursor: out of the ring where that reaches, else out of the store; never a gap without saying so."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from console.changes.cursor import BadCursorError, Cursor, read
from console.changes.tail import Tail
from console.changes.wish import Wish
from console.problem import ProblemError, invalid, unavailable
from console.store import Store
from xero_stream.store.queries.changes import MOST_CHANGES, Around, End, around, ends, stretch

_STORE_READERS = 4
"""Statements that read old changes at a time: the other connections are for everybody else."""
_LOOKED_AT = 20


class MissingError(Exception):
    """Changes behind a cursor are not in the store any more."""


@dataclass(slots=True, kw_only=True)
class Taken:
    """What was read.

    Attributes:
        changes: cursor after it, and change event of each wanted change.
        cursor: after everything that was looked at.
        progressed: whether anything was looked at.
    """

    changes: list[tuple[Cursor, bytes]] = field(default_factory=list)
    cursor: Cursor
    progressed: bool = False

    @property
    def size(self) -> int:
        """Bytes of the change events."""
        return sum(len(value) for _, value in self.changes)


class Feed:
    """The changes of all partitions, each in its order."""

    def __init__(self, store: Store, tail: Tail) -> None:
        """Nothing is read yet.

        Args:
            store: where the changes are.
            tail: the newest of them.
        """
        self._store = store
        self.tail = tail
        self._turn = 0
        self._old = asyncio.Semaphore(_STORE_READERS)

    async def begin(self, text: str | None, *, latest: bool) -> tuple[Cursor, dict[int, End]]:
        """Where a reader begins, and how far it may read.

        Args:
            text: its cursor; None: it has none.
            latest: without a cursor: after the newest change, not before the oldest.

        Raises:
            ProblemError: the cursor is none of ours (400), or changes behind it can't be given (410, with where to resume).
        """
        found = await ends(self._store.pool)
        if not found:
            raise unavailable(30)  # no processor has made the partitions yet
        if text is None:
            return await self._first(found, latest=latest), found
        try:
            cursor = read(text, len(found))
        except BadCursorError as error:
            raise invalid(f"cursor: {error}.") from error
        await self.check(cursor, found)
        return cursor, found

    async def _first(self, found: Mapping[int, End], *, latest: bool) -> Cursor:
        if latest:
            return Cursor({partition: end.mark for partition, end in found.items()})
        stored = await around(self._store.pool, dict.fromkeys(found, 0))
        return Cursor({partition: _before(stored[partition], end) for partition, end in found.items()})

    async def check(self, cursor: Cursor, found: Mapping[int, End] | None = None) -> None:
        """See that the changes behind a cursor are there.

        Args:
            cursor: the reader's.
            found: how far each partition is; None: look.

        Raises:
            ProblemError: 410: the store was rolled back behind it, or what follows it is gone.
        """
        found = found or await ends(self._store.pool)
        beyond = {p: found[p].mark for p, position in cursor.positions.items() if position > found[p].last}
        behind = {p: position for p, position in cursor.positions.items() if position < found[p].mark}
        stored = await around(self._store.pool, behind)
        missing = {p: one for p, one in stored.items() if _before(one, found[p]) != behind[p]}
        if not beyond and not missing:
            return
        resume = Cursor({**cursor.positions, **beyond, **{p: _before(one, found[p]) for p, one in missing.items()}})
        if beyond or any(one.earlier for one in missing.values()):
            raise _rolled_back(resume)
        raise _gone(resume)

    async def take(self, cursor: Cursor, wish: Wish, marks: Mapping[int, int], *, most: int, most_bytes: int) -> Taken:
        """The next wanted changes behind a cursor.

        Args:
            cursor: the reader's.
            wish: which changes.
            marks: how far each partition may be read.
            most: wanted changes at most.
            most_bytes: of them, after the first.

        Raises:
            MissingError: changes behind it are gone: :meth:`check` says more.
        """
        taken = Taken(cursor=cursor)
        self._turn += 1  # no partition is always first
        partitions = sorted(cursor.positions)
        turned = self._turn % len(partitions)
        for partition in partitions[turned:] + partitions[:turned]:
            left, room = most - len(taken.changes), most_bytes - taken.size
            if left <= 0 or room <= 0:
                break
            position = taken.cursor.positions[partition]
            if position >= marks[partition]:
                continue
            taken.progressed = True
            if self.tail.readers and self.tail.ring.holds(partition, position):
                self._from_ring(taken, partition, wish, left, room)
            else:
                await self._from_store(taken, partition, wish, marks[partition], left, room)
        return taken

    def _from_ring(self, taken: Taken, partition: int, wish: Wish, left: int, room: int) -> None:
        position = taken.cursor.positions[partition]
        for entry in self.tail.ring.after(partition, position, MOST_CHANGES):
            wanted = wish.takes(entry.tenant_id, entry.entity, entry.op)
            if wanted and (left <= 0 or room <= 0):
                break
            taken.cursor = taken.cursor.at(partition, entry.position)
            if wanted:
                taken.changes.append((taken.cursor, entry.value))
                left, room = left - 1, room - len(entry.value)

    async def _from_store(self, taken: Taken, partition: int, wish: Wish, mark: int, left: int, room: int) -> None:
        begun = position = taken.cursor.positions[partition]
        async with self._old:
            rows = await stretch(
                self._store.pool,
                partition,
                position,
                mark,
                most_bytes=room,
                tenants=wish.tenants,
                entities=wish.entities,
                ops=wish.ops,
            )
        if not rows:
            raise MissingError
        for row in rows:
            if row.value is not None and left <= 0:
                return
            if row.position != position + 1:
                if position == begun:
                    raise MissingError
                return  # what is before the gap comes first
            position = row.position
            taken.cursor = taken.cursor.at(partition, position)
            if row.value is not None:
                taken.changes.append((taken.cursor, row.value))
                left -= 1

    async def page(self, cursor: Cursor, wish: Wish, marks: Mapping[int, int], *, most: int, most_bytes: int) -> Taken:
        """A page of wanted changes: not empty if there are any within the next ten thousands that are not.

        Args:
            cursor: the reader's.
            wish: which changes.
            marks: how far each partition may be read.
            most: wanted changes at most.
            most_bytes: of them, after the first.

        Raises:
            ProblemError: 410: changes were lost while they were read.
        """
        whole = Taken(cursor=cursor)
        try:
            for _ in range(_LOOKED_AT):
                left, room = most - len(whole.changes), most_bytes - whole.size
                if left <= 0 or room <= 0:
                    break
                taken = await self.take(whole.cursor, wish, marks, most=left, most_bytes=room)
                whole.changes += taken.changes
                whole.cursor = taken.cursor
                whole.progressed |= taken.progressed
                if not taken.progressed:
                    break
        except MissingError:
            if whole.progressed:
                return whole  # the next request is told
            await self.check(cursor)
            raise unavailable(1) from None  # it is whole again, or not yet: the cursor is as good as it was
        return whole


def _before(stored: Around, end: End) -> int:
    """The position from which everything up to the mark is stored: before the first change that is, or the mark."""
    return end.mark if stored.following is None or stored.following > end.mark else stored.following - 1


def _gone(resume: Cursor) -> ProblemError:
    return ProblemError(
        410,
        "gone",
        "Changes behind the cursor are older than the store keeps them (XERO_STREAM_CHANGE_DAYS).",
        "Read the records whole, then go on with the cursor in `resume`, taken before.",
        more={"resume": str(resume)},
    )


def _rolled_back(resume: Cursor) -> ProblemError:
    return ProblemError(
        410,
        "store_rolled_back",
        "The store was restored from an older state; changes behind the cursor are on Kafka, and not in the store.",
        "Read the records whole, then go on with the cursor in `resume`, taken before.",
        more={"resume": str(resume)},
    )
