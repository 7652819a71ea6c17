"""A consumer that reads changes as they are published, and notes when each arrived."""

import asyncio
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import orjson
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from processors.intake.fold import moment
from tests.support.stack import PARTITIONS, Stack
from xero_stream.contracts.names import STREAMED


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A change that a read_committed consumer got.

    Attributes:
        tenant_id: whose.
        record_id: of what.
        version: its UpdatedDateUTC in milliseconds, where it has one.
        trigger: why it was read.
        delay: seconds from the receipt of its webhook; None where there was none.
        at: monotonic seconds.
    """

    tenant_id: str
    record_id: str
    version: int | None
    trigger: str
    delay: float | None
    at: float


class Follower:
    """Follows all changes of a stack from now on."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._consumer: Any = None
        self._task: asyncio.Task[None] | None = None
        self.arrivals: list[Arrival] = []

    async def __aenter__(self) -> Self:
        """Start at the end of every topic."""
        topics = self._stack.topics
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._stack.bootstrap_servers,
            isolation_level="read_committed",
            enable_auto_commit=False,
            fetch_max_wait_ms=20,
        )
        await consumer.start()
        partitions = [TopicPartition(topics.changes(name), number) for name in STREAMED for number in range(PARTITIONS)]
        consumer.assign(partitions)
        await consumer.seek_to_end(*partitions)
        self._consumer = consumer
        self._task = asyncio.create_task(self._follow())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        assert self._task is not None
        self._task.cancel()
        await asyncio.wait([self._task])
        # In a task of its own: while Kafka is away, aiokafka's stop() ends with the CancelledError of one of its tasks.
        await asyncio.wait([asyncio.ensure_future(self._consumer.stop())])

    async def _follow(self) -> None:
        while True:
            batches = await self._consumer.getmany(timeout_ms=1_000)
            now, wall = time.monotonic(), time.time()
            for records in batches.values():
                self.arrivals += [self._arrival(record.value, now, wall) for record in records]

    @staticmethod
    def _arrival(value: bytes, now: float, wall: float) -> Arrival:
        source = orjson.loads(value)["source"]
        webhook = source["webhook"]
        return Arrival(
            tenant_id=source["tenant_id"],
            record_id=source["record_id"],
            version=source["ts_ms"],
            trigger=source["trigger"],
            delay=wall - moment(webhook["received_at"]).timestamp() if webhook else None,
            at=now,
        )
