"""Reading one partition of topics as they are now: the last record, or all of them. As a read_committed consumer gets it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import ConsumerRecord, TopicPartition

from xero_stream.kafka.connect import connection
from xero_stream.settings.kafka import KafkaSettings

_LARGEST_FETCH = 9 * 1024 * 1024
_AT_ONCE = 500
_LONGEST_STOP = 5.0
_LOOK_BACK = (4, 64, 1_024)
"""Offsets to look back for the last record: behind it are markers of transactions, and records of aborted ones."""


class PartitionReader:
    """Reads one partition of some topics, one topic at a time, up to its end.

    Ends are those of the log, not of what is decided: the marker that ends a transaction is written a moment after its
    commit was answered, and reading waits for it.
    """

    def __init__(self, settings: KafkaSettings, topics: Sequence[str], partition: int) -> None:
        """Nothing is connected yet.

        Args:
            topics: existing ones.
            partition: which partition of them.
        """
        self._settings = settings
        self._places = {topic: TopicPartition(topic, partition) for topic in topics}
        self._committed: Any = None
        self._ends: Any = None

    async def __aenter__(self) -> Self:
        """Connect.

        Raises:
            KafkaError, OSError: Kafka does not answer.
        """
        common = {**connection(self._settings, client_id="xero-stream-recovery"), "request_timeout_ms": 10_000}
        self._committed = AIOKafkaConsumer(
            **common,
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=_LARGEST_FETCH,
        )
        self._ends = AIOKafkaConsumer(**common)
        try:
            await self._committed.start()
            await self._ends.start()
            # Once, and never again: aiokafka's stop() may hang indefinitely when it comes soon after another assignment.
            if self._places:
                self._committed.assign(list(self._places.values()))
                self._committed.pause(*self._places.values())
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Disconnect."""
        await self._stop()

    async def end(self, topic: str) -> int:
        """Where the partition ends; 0: it has never held anything."""
        place = self._places[topic]
        found: int = (await self._ends.end_offsets([place]))[place]
        return found

    async def last(self, topic: str, which: Callable[[ConsumerRecord], bool]) -> ConsumerRecord | None:
        """The last committed record of a kind; None where there is none.

        Args:
            topic: one of those given.
            which: whether a record is of that kind.
        """
        first, end = await self._first(topic), await self.end(topic)
        for start in dict.fromkeys([*(max(first, end - count) for count in _LOOK_BACK), first]):
            newest: ConsumerRecord | None = None
            async for records in self._from(topic, start, end):
                newest = next(filter(which, reversed(records)), newest)
            if newest is not None:
                return newest
        return None

    async def whole(self, topic: str) -> AsyncIterator[list[ConsumerRecord]]:
        """All committed records in order, at most 500 at a time."""
        first, end = await self._first(topic), await self.end(topic)
        async for records in self._from(topic, first, end):
            yield records

    async def _first(self, topic: str) -> int:
        place = self._places[topic]
        found: int = (await self._ends.beginning_offsets([place]))[place]
        return found

    async def _from(self, topic: str, start: int, end: int) -> AsyncIterator[list[ConsumerRecord]]:
        place, consumer = self._places[topic], self._committed
        consumer.seek(place, start)
        consumer.resume(place)
        try:
            while await consumer.position(place) < end:
                for records in (await consumer.getmany(place, timeout_ms=500, max_records=_AT_ONCE)).values():
                    if records:
                        yield records
        finally:
            consumer.pause(place)

    async def _stop(self) -> None:
        for consumer in (self._committed, self._ends):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LONGEST_STOP):
                    await consumer.stop()
