"""The one reader of new changes: follows the relay's marks while somebody streams, and fills the ring for all."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Iterator

import structlog

from console.changes.ring import Entry, GapError, Ring
from console.store import Store
from xero_stream.store.pool import STORE_ERRORS, StoreUnreachableError
from xero_stream.store.queries.changes import MOST_CHANGES, End, ends, stretch

log = structlog.get_logger(__name__)

RING_BYTES = 64 * 1024 * 1024
_LOOKS_EVERY = 0.01
"""Seconds between two looks at the marks while somebody waits; a look is one short statement."""
_TOO_FAR = 20 * MOST_CHANGES
"""So many changes behind, the reader goes on at the mark; streams read what is between by themselves."""
_LONGEST_PAUSE = 2.0


class Tail:
    """New changes, as they are relayed."""

    def __init__(self, store: Store, *, ring: Ring | None = None) -> None:
        """Nothing is read before somebody waits.

        Args:
            store: where changes are.
            ring: what is filled.
        """
        self._store = store
        self.ring = ring or Ring(most_bytes=RING_BYTES)
        self._ends: dict[int, End] = {}
        self._readers = 0
        self._wanted = asyncio.Event()
        self._grown = asyncio.Event()
        self.resets = 0
        """How often what was read turned out not to be the log any more: streams end, and start again at their cursors."""
        self.closed = False

    @property
    def readers(self) -> int:
        """How many wait or stream."""
        return self._readers

    def mark(self, partition: int) -> int:
        """How far a partition may be read, as last seen; 0 before the first look.

        Args:
            partition: which.
        """
        end = self._ends.get(partition)
        return 0 if end is None else end.mark

    def grown(self) -> asyncio.Event:
        """Set when there is more, or this ends; take it before reading, or something may come in between."""
        return self._grown

    @contextlib.contextmanager
    def reader(self) -> Iterator[None]:
        """Somebody waits for changes until the block ends."""
        self._readers += 1
        self._wanted.set()
        try:
            yield
        finally:
            self._readers -= 1
            if not self._readers:
                self._wanted.clear()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Follow the marks until the block ends; all streams end then."""
        task = asyncio.create_task(self._follow(), name="tail")
        try:
            yield
        finally:
            self.close()
            task.cancel()
            await asyncio.wait({task})

    def close(self) -> None:
        """End all streams."""
        self.closed = True
        self._tell()

    def _tell(self) -> None:
        grown, self._grown = self._grown, asyncio.Event()
        grown.set()

    async def _follow(self) -> None:
        failures = 0
        while True:
            if not self._readers:
                await self._wanted.wait()
                self._ends = {}  # no reader waited meanwhile: start at the current marks
            try:
                if await self._look():
                    self._tell()
                failures = 0
                await asyncio.sleep(_LOOKS_EVERY)
            except (StoreUnreachableError, *STORE_ERRORS) as error:
                failures += 1
                if failures == 1:
                    log.warning("tail_interrupted", reason=type(error).__name__)
                await asyncio.sleep(min(_LONGEST_PAUSE, 0.05 * 2**failures) * random.uniform(0.5, 1.0))

    async def _look(self) -> bool:
        """Read what is new; whether there was anything."""
        found = await ends(self._store.pool)
        news = False
        for partition, end in found.items():
            if partition not in self._ends:
                self.ring.begin(partition, end.mark)
                news = True
            elif end.mark < self._ends[partition].mark:
                self._reset(partition, end.mark)
                news = True
            elif end.mark > self._ends[partition].mark:
                await self._extend(partition, end.mark)
                news = True
            self._ends[partition] = end
        return news

    async def _extend(self, partition: int, mark: int) -> None:
        after = self.ring.end(partition)
        assert after is not None
        if mark - after > _TOO_FAR:
            self.ring.begin(partition, mark)
            return
        while after < mark:
            rows = await stretch(self._store.pool, partition, after, mark)
            try:
                for row in rows:
                    assert row.value is not None
                    self.ring.add(partition, Entry(row.position, row.tenant_id, row.entity, row.op, row.value))
            except GapError:
                rows = []
            if not rows:
                self._reset(partition, mark)
                return
            after = rows[-1].position

    def _reset(self, partition: int, mark: int) -> None:
        log.warning("feed_reset", partition=partition, mark=mark)
        self.ring.begin(partition, mark)
        self.resets += 1
