"""Membership in the group of processors: partitions come and go, events are handed to their workers."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import IllegalStateError, KafkaError
from aiokafka.structs import ConsumerRecord, TopicPartition

from processors.intake.fold import Arrived
from processors.partitions.assignment import Joining, difference
from processors.partitions.worker import PartitionWorker, WorkerServices
from xero_stream.kafka.connect import connection
from xero_stream.settings.kafka import KafkaSettings
from xero_stream.settings.processors import ProcessorSettings
from xero_stream.store.pool import STORE_ERRORS

log = structlog.get_logger(__name__)

_COMMIT_EVERY = 5.0
_RETRY_SECONDS = 1.0
_LOOK_SECONDS = 1.0
_CLOSE_SECONDS = 5.0
_ANSWER_SECONDS = 5.0
"""What a request may take beyond the session timeout, which is how long the broker lets a joining member wait."""


class UselessConsumerError(Exception):
    """The consumer lives and is of no use; another one may be."""


class Membership(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """One group member: the consumer, its workers and the loop between them."""

    def __init__(
        self,
        *,
        kafka: KafkaSettings,
        settings: ProcessorSettings,
        services: WorkerServices,
        on_fatal: Callable[[BaseException], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._kafka = kafka
        self._settings = settings
        self._services = services
        self._on_fatal = on_fatal
        self._topic = kafka.topics.webhook_events
        self._workers: dict[int, PartitionWorker] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        self._failed: BaseException | None = None
        self._stopping = False
        self._consumer: Any = None
        self._joining = Joining(clock())
        self._clock = clock
        self._sought: Counter[int] = Counter()
        """How often a worker has asked for an offset, by partition."""
        services.metrics.count_owned(lambda: sum(worker.ready for worker in self._workers.values()))

    @property
    def joining_seconds(self) -> float | None:
        """For how long the group has owed us an assignment, or None: we have one, be it empty."""
        return self._joining.seconds(self._clock())

    def workers(self) -> list[PartitionWorker]:
        """The workers of what is assigned to us."""
        return list(self._workers.values())

    async def run(self) -> None:
        """Join the group and hand events out until stopped; rebuild the consumer when it breaks."""
        while not self._stopping:
            # To try again is a sign of life: a restart of the process would not bring Kafka back.
            self._services.metrics.heartbeats.beat("consumer")
            try:
                await self._session()
            except (KafkaError, OSError, UselessConsumerError) as error:
                log.warning("consumer_rebuild", reason=f"{type(error).__name__}: {error}"[:300])
                await asyncio.sleep(_RETRY_SECONDS)
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if task is None or task.cancelling():
                    raise
                log.warning("consumer_rebuild", reason="aiokafka cancelled a task of its own and awaited it")
                await asyncio.sleep(_RETRY_SECONDS)
            except Exception as error:
                log.exception("consumer_broke", reason=repr(error)[:300])
                await asyncio.sleep(_RETRY_SECONDS)

    async def stop(self) -> None:
        """Stop taking events in, let the workers finish, leave the group."""
        self._stopping = True
        drain = self._settings.drain_seconds
        await asyncio.gather(*(worker.stop(drain) for worker in self._workers.values()))
        if self._leaving:
            await asyncio.wait(self._leaving, timeout=drain)

    async def close(self) -> None:
        """Leave the group."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None and not await _ended_well(consumer.stop()):
            log.warning("consumer_not_closed_in_order")
            # stop() tells the group first; what comes after that would be left behind, with its connections.
            for part in (consumer._fetcher, consumer._client):  # noqa: SLF001 - there is no other way to close them
                if part is not None:
                    await _ended_well(part.close())

    async def _session(self) -> None:
        consumer = AIOKafkaConsumer(
            **connection(self._kafka, client_id=self._services.owner),
            group_id=self._kafka.topics.processors_group,
            group_instance_id=self._settings.group_instance_id,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            partition_assignment_strategy=(RangePartitionAssignor,),
            session_timeout_ms=round(self._settings.session_timeout_seconds * 1000),
            heartbeat_interval_ms=round(self._settings.session_timeout_seconds * 1000 / 4),
            max_poll_interval_ms=60_000,
            fetch_max_bytes=8 * 1024 * 1024,
            max_partition_fetch_bytes=2 * 1024 * 1024,
            metadata_max_age_ms=10_000,
            # By default 40 s: a request that is never answered would keep a partition without events that long.
            request_timeout_ms=round((self._settings.session_timeout_seconds + _ANSWER_SECONDS) * 1000),
            retry_backoff_ms=50,
        )
        self._consumer = consumer
        try:
            async with asyncio.timeout(30):
                await consumer.start()
            consumer.subscribe([self._topic], listener=self)
            await self._poll(consumer)
        finally:
            self._joining.began(self._clock())
            if not self._stopping:
                await self.close()

    async def _poll(self, consumer: Any) -> None:
        loop = asyncio.get_running_loop()
        committed_at = loop.time()
        subscribed_at = self._clock()
        while not self._stopping:
            sought = Counter(self._sought)
            polled = await self._polled(consumer, subscribed_at)
            failed = await asyncio.gather(
                *(self._hand_out(consumer, tp, polled[tp], sought[tp.partition]) for tp in polled)
            )
            if any(failed):
                await asyncio.sleep(0.5)
            if loop.time() - committed_at > _COMMIT_EVERY:
                committed_at = loop.time()
                await self._show_offsets(consumer)

    async def _polled(self, consumer: Any, subscribed_at: float) -> dict[TopicPartition, list[ConsumerRecord]]:
        """The next records, or none where it is time to stop.

        While a rebalance lasts getmany() does not return, whatever its timeout. It is cancelled only together with its
        consumer: that switches aiokafka's own watchdog off for good.

        Raises:
            UselessConsumerError: another consumer may fare better.
        """
        self._services.metrics.heartbeats.beat("consumer")
        polling = asyncio.ensure_future(consumer.getmany(timeout_ms=200, max_records=5_000))
        try:
            while not self._stopping:
                done, _ = await asyncio.wait({polling}, timeout=_LOOK_SECONDS)
                if self._failed is not None:
                    error, self._failed = self._failed, None
                    raise UselessConsumerError(f"a partition may be paused indefinitely: {error!r}") from error
                if done:
                    found: dict[TopicPartition, list[ConsumerRecord]] = polling.result()
                    return found
                self._give_up_joining(self._clock() - subscribed_at)
                if self.joining_seconds is not None:
                    self._services.metrics.heartbeats.beat("consumer")
            return {}
        finally:
            polling.cancel()

    def _give_up_joining(self, subscribed_seconds: float) -> None:
        """A consumer that waits for the group longer than dead members and lost requests explain is thrown away.

        Args:
            subscribed_seconds: the age of this consumer.

        Raises:
            UselessConsumerError: it is time.
        """
        limit = 2 * self._settings.session_timeout_seconds + _ANSWER_SECONDS
        seconds = self.joining_seconds
        if seconds is not None and min(seconds, subscribed_seconds) > limit:
            raise UselessConsumerError(f"no assignment for {seconds:.0f} s")

    async def _hand_out(self, consumer: Any, tp: TopicPartition, records: list[ConsumerRecord], sought: int) -> bool:
        """Give a worker its events. Answers whether it could not take them: they are delivered again then.

        Args:
            consumer: where they are from.
            tp: whose they are.
            records: in order.
            sought: how often the worker had asked for an offset before they were polled for. Where it has asked again since,
                it is unknown whether they are from before or after that.
        """
        worker = self._workers.get(tp.partition)
        if worker is None or not worker.ready:
            return False  # it seeks to its own offset when it is
        if self._sought[tp.partition] != sought:
            with contextlib.suppress(IllegalStateError):
                consumer.seek(tp, worker.deliver_from)
            return False
        try:
            await worker.arrived([_arrived(record) for record in records])
        except STORE_ERRORS as error:
            log.warning("intake_waits", partition=tp.partition, reason=f"{type(error).__name__}: {error}"[:300])
            if worker.next_offset is not None:
                # With the record that shows whether the topic is still the same one, if that was not settled before it failed.
                with contextlib.suppress(IllegalStateError):
                    consumer.seek(tp, worker.deliver_from)
            return True
        return False

    async def _show_offsets(self, consumer: Any) -> None:
        """Kafka's copy of our offsets: only for people and their lag tools."""
        offsets = {
            TopicPartition(self._topic, worker.partition): worker.next_offset
            for worker in self._workers.values()
            if worker.next_offset is not None
        }
        assigned = consumer.assignment()
        offsets = {tp: offset for tp, offset in offsets.items() if tp in assigned}
        if offsets:
            with contextlib.suppress(KafkaError, OSError, TimeoutError):
                async with asyncio.timeout(2):
                    await consumer.commit(offsets)

    # The listener: aiokafka logs and swallows what it raises, so it only notes and starts tasks.

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Nothing stops yet: rebalances are eager, most of it comes back."""
        self._joining.began(self._clock())
        log.info("revoked_until_assigned", partitions=sorted(tp.partition for tp in revoked))

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Act on the difference: what comes back goes on, what is new starts, what is gone stops."""
        self._joining.ended()
        known = range(self._kafka.partitions)
        todo = difference(self._workers.keys(), {tp.partition for tp in assigned if tp.partition in known})
        if any(tp.partition not in known for tp in assigned):
            log.error(
                "topic_has_more_partitions",
                topic=self._topic,
                partitions=len(known),
                hint="somebody has grown the topic; every organisation stays in its partition and the new ones stay "
                "empty, but the next start is refused: use a new KAFKA_TOPIC_PREFIX with an empty store",
            )
        log.info("assigned", start=todo.start, keep=todo.keep, stop=todo.stop)
        consumer = self._consumer
        for partition in (*todo.keep, *todo.start):
            consumer.pause(TopicPartition(self._topic, partition))
        for partition in todo.stop:
            worker = self._workers.pop(partition)
            self._aside(self._give_up(worker))
        for partition in todo.keep:
            self._aside(self._go_on_again(self._workers[partition]))
        if not self._stopping:
            for partition in todo.start:
                worker = PartitionWorker(
                    partition=partition, services=self._services, source=self, on_fatal=self._on_fatal
                )
                self._workers[partition] = worker
                worker.start()

    def _aside(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._leaving.add(task)
        task.add_done_callback(self._on_task_done)

    def _on_task_done(self, task: "asyncio.Task[None]") -> None:
        self._leaving.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            # What it was to resume stays paused, which nobody would notice.
            log.error("member_task_failed", reason=repr(error)[:300], exc_info=error)
            self._failed = error

    async def _give_up(self, worker: PartitionWorker) -> None:
        await worker.stop(self._settings.drain_seconds)
        if (
            worker.partition not in self._workers
        ):  # else it came back meanwhile, and another worker's relay is looked at
            self._services.metrics.relay.relay_forgotten(worker.partition)

    async def _go_on_again(self, worker: PartitionWorker) -> None:
        offset = await worker.again_from()
        if offset is not None:
            self.go_on(worker.partition, offset)

    # What a worker sees of us.

    async def bounds(self, partition: int) -> tuple[int, int]:
        """The first offset and the one after the last."""
        tp = TopicPartition(self._topic, partition)
        consumer = self._consumer
        if consumer is None:
            raise OSError("not connected to Kafka")
        try:
            first = await consumer.beginning_offsets([tp])
            end = await consumer.end_offsets([tp])
        except KafkaError as error:
            raise OSError(f"Kafka does not return its offsets: {error!r}") from error
        return first[tp], end[tp]

    async def all_bounds(self) -> dict[int, tuple[int, int]]:
        """The first offset and the one after the last, of every partition of the deployment.

        Raises:
            OSError, KafkaError: Kafka does not answer.
        """
        consumer = self._consumer
        if consumer is None:
            raise OSError("not connected to Kafka")
        every = [TopicPartition(self._topic, partition) for partition in range(self._kafka.partitions)]
        first = await consumer.beginning_offsets(every)
        end = await consumer.end_offsets(every)
        return {tp.partition: (first[tp], end[tp]) for tp in every}

    def go_on(self, partition: int, offset: int) -> None:
        """Deliver from this offset on."""
        tp = TopicPartition(self._topic, partition)
        consumer = self._consumer
        if consumer is None or tp not in consumer.assignment():
            return
        self._sought[partition] += 1
        consumer.seek(tp, offset)
        consumer.resume(tp)


async def _ended_well(closing: Coroutine[Any, Any, None]) -> bool:
    """Close a part of aiokafka in bounded time; whether it went well.

    In a task of its own: while Kafka is away, the fetcher's close() ends with the CancelledError of one of its own tasks,
    which looks as if we had been cancelled.
    """
    task = asyncio.ensure_future(closing)
    await asyncio.wait({task}, timeout=_CLOSE_SECONDS)
    if not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=1)
        return False
    return not task.cancelled() and task.exception() is None


def _arrived(record: ConsumerRecord) -> Arrived:
    traceparent = next((value for name, value in record.headers if name == "traceparent"), None)
    return Arrived(
        offset=record.offset,
        key=record.key,
        value=record.value or b"",
        appended_at=datetime.fromtimestamp(record.timestamp / 1000, UTC),
        traceparent=traceparent.decode("ascii", "replace") if traceparent else None,
    )
