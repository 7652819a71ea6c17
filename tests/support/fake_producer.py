"""A producer that does what a test says, in place of aiokafka's behind the appender."""

import asyncio
from collections.abc import Callable
from typing import Any

from xero_stream.kafka.producer import Producers
from xero_stream.kafka.supervision import Reason
from xero_stream.settings.kafka import KafkaSettings


class FakeBatch:
    """Takes as many records as fit."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.values: list[bytes] = []

    def append(self, *, timestamp: None, key: bytes | None, value: bytes, headers: list[tuple[str, bytes]]) -> Any:
        """The record's metadata, or None where it is full."""
        del timestamp, key, headers
        if value == b"poison":
            raise TypeError("can't be encoded")
        if len(self.values) >= self.room:
            return None
        self.values.append(value)
        return object()


class FakeProducer:
    """Keeps batches until the test answers for Kafka."""

    def __init__(self, room: int = 100) -> None:
        self.room = room
        self.sent: list[tuple[str, int, list[bytes]]] = []
        self.waiting: list[asyncio.Future[None]] = []
        self.on_send: Callable[[], BaseException | None] = lambda: None
        self.arrived = asyncio.Event()
        self.gone = asyncio.Event()

    def create_batch(self) -> FakeBatch:
        """An empty batch."""
        return FakeBatch(self.room)

    async def send_batch(self, batch: FakeBatch, topic: str, *, partition: int) -> "asyncio.Future[None]":
        """Keep the batch, or fail as told."""
        error = self.on_send()
        if error is not None:
            raise error
        self.sent.append((topic, partition, batch.values))
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting.append(future)
        self.arrived.set()
        return future

    async def flush(self) -> None:
        """Wait for what is under way."""
        pending = [future for future in self.waiting if not future.done()]
        if pending:
            await asyncio.wait(pending)

    async def batches(self, count: int) -> None:
        """Wait until that many batches have been sent."""
        while len(self.sent) < count:
            self.arrived.clear()
            await asyncio.wait_for(self.arrived.wait(), 5)

    def acknowledge(self) -> None:
        """Kafka takes everything sent so far."""
        for future in self.waiting:
            if not future.done():
                future.set_result(None)

    def refuse(self, error: BaseException) -> None:
        """Kafka refuses everything sent so far."""
        for future in self.waiting:
            if not future.done():
                future.set_exception(error)


class FakeProducers(Producers):
    """Builds fakes, as long as Kafka is there."""

    def __init__(self) -> None:
        super().__init__(KafkaSettings(), client_id="test", topic="t")
        self.made: list[FakeProducer] = []
        self.failure: BaseException | None = None
        self.room = 100
        self.brokers: int | None = None
        self.built = asyncio.Event()
        self.tried = asyncio.Event()

    async def build(self) -> Any:
        """A fake, or the failure."""
        self.tried.set()
        if self.failure is not None:
            raise self.failure
        producer = FakeProducer(self.room)
        self.made.append(producer)
        self.built.set()
        return producer

    def leader(self, producer: Any, topic: str, partition: int) -> int | None:
        """Every partition has a broker of its own, unless the test says otherwise."""
        del producer, topic
        return partition if self.brokers is None else partition % self.brokers

    async def discard(self, producer: Any, *, flush_seconds: float) -> bool:
        """Note that it is gone."""
        del flush_seconds
        producer.gone.set()
        return True

    async def producer(self, number: int) -> FakeProducer:
        """Wait for the producer of that number, from 0."""
        while len(self.made) <= number:
            self.built.clear()
            await asyncio.wait_for(self.built.wait(), 5)
        return self.made[number]


class Measured:
    """Remembers what the appender measured."""

    def __init__(self) -> None:
        self.built: list[Reason] = []
        self.available: list[bool] = []
        self.held = 0
        self.most = 0

    def producer_built(self, reason: Reason) -> None:
        """Remember."""
        self.built.append(reason)

    def producer_available(self, available: bool) -> None:
        """Remember."""
        self.available.append(available)

    def in_flight(self, size: int) -> None:
        """Remember."""
        self.held = size
        self.most = max(self.most, size)

    def broker_time(self, broker: float, now: float) -> None:
        """The fake has no clock."""
