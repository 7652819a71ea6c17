"""Sends one queue's batches to Kafka, one after another and in step with its broker's other queues; says how each ended."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)

from xero_stream.kafka.append_time import append_time
from xero_stream.kafka.gate import Gate
from xero_stream.kafka.partition_queue import Outcome, PartitionQueue, Record, Waiting, costs

_log = structlog.get_logger(__name__)

# Not the producer's fault where they are raised before the batch got its sequence numbers: it is as good as before.
_NOT_OURS = (UnknownTopicOrPartitionError, TopicAuthorizationFailedError, AssertionError)
_TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError)


class Owner(Protocol):
    """Whose producer a sender uses."""

    @property
    def producer(self) -> AIOKafkaProducer | None:
        """The producer in use."""

    async def wait_for_producer(self) -> None:
        """Until there is one."""

    def gate(self, producer: AIOKafkaProducer, queue: PartitionQueue) -> Gate:
        """The way to the broker that leads the queue's partition."""

    def released(self, size: int) -> None:
        """That many bytes are held no longer."""

    def acknowledged(self, appended_at: float | None) -> None:
        """Kafka took a batch, at that time of the broker's clock where it said so."""

    def broken(self, producer: AIOKafkaProducer, error: BaseException) -> None:
        """The producer can't be trusted any more."""


class PartitionSender:
    """Sends one queue's batches, one after another."""

    def __init__(self, owner: Owner, queue: PartitionQueue, clock: Callable[[], float]) -> None:
        self._owner = owner
        self.queue = queue
        self._clock = clock
        self._asleep: asyncio.Future[None] | None = None
        self.using: AIOKafkaProducer | None = None
        """Who has the batch ahead."""
        self._ahead: list[Waiting] = []
        self._released = False
        self.task = asyncio.create_task(self._run(), name=f"queue-{queue.topic}-{queue.partition}")

    def add(self, waiting: Waiting) -> None:
        """Queue a record."""
        self.queue.waiting.append(waiting)
        if self._asleep is not None and not self._asleep.done():
            self._asleep.set_result(None)

    def release(self, producer: AIOKafkaProducer) -> None:
        """Stop waiting for a producer that is being closed."""
        if self.using is producer:
            self._released = True
            self.task.cancel()

    def close(self) -> None:
        """Tell everybody still waiting that it is over."""
        for waiting in (*self._ahead, *self.queue.waiting):
            waiting.append.settle(Outcome.CLOSED)

    async def _run(self) -> None:
        while True:
            try:
                await self._sending()
            except Exception:  # noqa: BLE001 - logged; whatever it was, the queue must live on
                _log.exception("partition_queue_failed", topic=self.queue.topic, partition=self.queue.partition)
                queue, self.queue.waiting = self.queue.waiting, deque()
                self._finish([*self._ahead, *queue], Outcome.REFUSED)
                self._ahead = []
                self.queue.ahead_since = None

    async def _sending(self) -> None:
        loop = asyncio.get_running_loop()
        queue = self.queue
        while True:
            if not queue.waiting:
                self._asleep = loop.create_future()
                await self._asleep
                self._asleep = None
            producer = self._owner.producer
            if producer is None:
                await self._owner.wait_for_producer()
                continue
            gate = self._owner.gate(producer, queue)
            # What is out now has to end first: where that is overdue, newcomers have no hope here either.
            queue.ahead_since = gate.since
            await gate.turn()
            queue.ahead_since = None
            if gate.full or self._owner.producer is not producer:
                continue
            batch, taken = self._batch(producer)
            if taken:
                self._ahead = taken
                queue.ahead_since = self._clock()
                gate.left(costs([waiting.record for waiting in taken]))
                try:
                    await self._send(producer, batch, taken)
                finally:
                    gate.ended()
                queue.ahead_since = None
                self._ahead = []

    def _batch(self, producer: AIOKafkaProducer) -> tuple[Any, list[Waiting]]:
        batch = producer.create_batch()
        append = batch.append

        def fits(record: Record) -> bool:
            # No timestamp of ours: the broker stamps what it appends (message.timestamp.type).
            _, _, key, value, headers = record
            return append(timestamp=None, key=key, value=value, headers=headers) is not None

        taken, dropped = self.queue.take(fits, self._clock())
        if dropped:
            self._owner.released(dropped)
        return batch, taken

    async def _send(self, producer: AIOKafkaProducer, batch: Any, taken: list[Waiting]) -> None:
        self.using = producer
        try:
            under_way = await self._hand_over(producer, batch)
            if under_way is None:
                self._finish(taken, Outcome.REFUSED)
                return
            appended = await under_way
        except asyncio.CancelledError:
            if not self._released:
                raise
            task = asyncio.current_task()
            assert task is not None
            task.uncancel()
            self._again(taken)
        except Exception as error:  # noqa: BLE001 - whatever the client raises, the queue must live on
            self._owner.broken(producer, error)
            if isinstance(error, _TOO_LARGE) and len(taken) == 1:
                self._finish(taken, Outcome.REFUSED)
            else:
                self._again(taken)
        else:
            self._finish(taken, None)
            self._owner.acknowledged(append_time(appended))
        finally:
            self.using = None
            self._released = False

    async def _hand_over(self, producer: AIOKafkaProducer, batch: Any) -> asyncio.Future[Any] | None:
        """The batch's future, or None where the topic would not take it."""
        queue = self.queue
        try:
            future: asyncio.Future[Any] = await producer.send_batch(batch, queue.topic, partition=queue.partition)
        except _NOT_OURS as error:
            _log.warning("append_refused", topic=queue.topic, partition=queue.partition, error=repr(error))
            return None
        return future

    def _finish(self, taken: Sequence[Waiting], trouble: Outcome | None) -> None:
        for _, append, _ in taken:
            if trouble is None:
                append.acknowledged()
            else:
                append.settle(trouble)
        self._owner.released(costs([waiting.record for waiting in taken]))

    def _again(self, taken: Sequence[Waiting]) -> None:
        """One more try with the next producer; a record that has had it is given up."""
        self.queue.put_back([waiting for waiting in taken if waiting.attempts == 0])
        self._finish([waiting for waiting in taken if waiting.attempts > 0], Outcome.REFUSED)
