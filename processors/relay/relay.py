"""The relay of one partition: stored bytes to Kafka, in order, exactly once; rebuilt after every doubt."""

import asyncio
import random
from collections.abc import Sequence
from typing import Any, Protocol
from uuid import UUID

import asyncpg
import structlog
from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata, TopicPartition

from processors.relay.outbox import load_anew, next_changes, stamp_of
from processors.relay.recover import entities_on_kafka, last_positions, recover
from processors.relay.resume import Committed, Resume, check_owner, committed_offset, is_another, resume
from xero_stream.contracts.names import EntityName
from xero_stream.failpoints import Failpoint, reach
from xero_stream.kafka.admin import KafkaUnreachableError, TopicAdmin, end_offsets
from xero_stream.kafka.partition_reader import PartitionReader
from xero_stream.kafka.transactional import OutcomeUnknownError, Outgoing, TransactionalProducer
from xero_stream.process.backoff import Backoff
from xero_stream.settings.kafka import KafkaSettings
from xero_stream.store import relay_marks
from xero_stream.store.leases import FencedError, Lease, holds
from xero_stream.store.quarantine import published, unpublished
from xero_stream.store.queries import relay as relay_queries

log = structlog.get_logger(__name__)

_IDLE_POLL = 1.0
_ANSWER_SECONDS = 20.0
_RECOMMIT = 12 * 60 * 60.0
_BACKOFF = Backoff(first=0.1, longest=2.0, spread=(0.5, 1.0))
"""Seconds: an idle group's offsets expire, by default after seven days."""


class RelayObserver(Protocol):
    """What the relay tells about itself."""

    def relayed(self, partition: int, count: int, seconds: float) -> None:
        """A transaction of so many changes was committed."""

    def relay_rebuilt(self, partition: int) -> None:
        """A producer was thrown away."""

    def relay_works(self, partition: int) -> None:
        """Everything that was ready is on Kafka, or a transaction of it."""

    def broker_time(self, broker: float) -> None:
        """The broker's clock shows that Unix time now."""

    def store_rolled_back(self, partition: int) -> None:
        """The store is older than Kafka."""

    def topics_emptied(self, partition: int) -> None:
        """Kafka has lost all changes of an entity."""

    def beat(self, name: str) -> None:
        """Still alive and not stuck."""


class Relay:
    """Publishes ``changes`` of one partition for as long as its lease is ours."""

    def __init__(
        self,
        *,
        pool: "asyncpg.Pool[Any]",
        marks: "asyncpg.Pool[Any]",
        lease: Lease,
        store_id: UUID,
        kafka: KafkaSettings,
        entities: Sequence[EntityName],
        observer: RelayObserver,
        outbox: asyncio.Event | None = None,
    ) -> None:
        self._pool = pool
        self._marks = marks
        self._lease = lease
        self._store_id = store_id
        self._kafka = kafka
        self._topics = kafka.topics
        self._entities = entities
        self._observer = observer
        self._wake = outbox or asyncio.Event()
        self._name = f"relay-{lease.partition}"
        self._stopping = False
        self._failures = 0
        """Since the last transaction that was committed; what happened an hour ago is no reason to wait longer now."""
        self.resumed = asyncio.Event()
        """Set once it is known where Kafka stands. Positions given out before could be ones that Kafka has already."""

    def wake(self) -> None:
        """There are new changes."""
        self._wake.set()

    def stop(self) -> None:
        """Publish what is there, then return from :meth:`run`."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        """Publish until stopped.

        Raises:
            FencedError: the partition has another owner.
            ForeignStoreError: the topics belong to another store; an operator has to decide.
        """
        while not self._stopping:
            self._observer.beat(self._name)
            try:
                await self._session()
                return
            except (OutcomeUnknownError, KafkaError, KafkaUnreachableError, OSError, asyncpg.PostgresError) as error:
                self._failures += 1
                self._observer.relay_rebuilt(self._lease.partition)
                log.warning(
                    "relay_rebuild", partition=self._lease.partition, attempt=self._failures, reason=str(error)[:300]
                )
                await asyncio.sleep(_BACKOFF.delay(self._failures, random.random()))
            except (asyncpg.InterfaceError, asyncpg.InternalClientError, TimeoutError) as error:
                log.warning("relay_waits_for_store", partition=self._lease.partition, reason=str(error)[:300])
                await asyncio.sleep(1)

    async def _session(self) -> None:
        """One producer's life. The order matters: lease, then InitProducerId, only then the committed offset."""
        lease = self._lease
        if not await holds(self._pool, lease):
            raise FencedError(lease.partition, lease.epoch)
        producer = await TransactionalProducer.start(
            self._kafka,
            transactional_id=self._topics.relay_transactional_id(lease.partition),
            partition=lease.partition,
        )
        try:
            self._observer.beat(self._name)
            await reach(Failpoint.PRODUCER_READY)
            plan = await self._where_to_go_on()
            self._observer.beat(self._name)
            self.resumed.set()
            await self._publish_from(producer, plan.after, plan.stamp)
        finally:
            await producer.discard()

    async def _where_to_go_on(self) -> Resume:
        lease = self._lease
        committed = committed_offset(await self._offset())
        check_owner(self._store_id, committed)
        reached = await self._last_on_kafka() if committed is None else committed.position
        standing = await relay_queries.standing(self._pool, lease.partition, reached)
        plan = resume(
            reached=reached,
            committed=committed,
            last_position=standing.last,
            mark=standing.mark,
            stamp=stamp_of(standing.recorded_at),
        )
        if plan.rolled_back:
            await self._recover(plan.after, standing.last)
        if plan.after > standing.mark:
            await relay_marks.mark(self._marks, lease, plan.after)
        await self._look_for_emptied_topics(plan.after)
        return plan

    async def _offset(self) -> tuple[int, str] | None:
        """What the relay's group committed.

        Raises:
            KafkaUnreachableError: Kafka does not answer in time; aiokafka's admin client alone would wait on.
        """
        try:
            async with asyncio.timeout(_ANSWER_SECONDS), TopicAdmin(self._kafka) as admin:
                return await admin.committed(
                    self._topics.relay_group, self._topics.webhook_events, self._lease.partition
                )
        except TimeoutError as error:
            raise KafkaUnreachableError(
                f"Kafka did not return the offset of {self._topics.relay_group} within {_ANSWER_SECONDS:g} s"
            ) from error

    async def _last_on_kafka(self) -> int:
        """Kafka forgets the offset of an idle group; the last changes that it has say as much."""
        topics = sorted({self._topics.changes(entity) for entity in await entities_on_kafka(self._kafka)})
        async with PartitionReader(self._kafka, topics, self._lease.partition) as reader:
            found = await last_positions(reader, topics)
        return max(found.values(), default=0)

    async def _recover(self, reached: int, last_position: int) -> None:
        """The store takes over what Kafka has. Only before anything is recorded: otherwise the lease is taken again first."""
        lease = self._lease
        if self.resumed.is_set():
            log.error("store_rollback_detected", partition=lease.partition, kafka_position=reached)
            raise FencedError(lease.partition, lease.epoch)
        recovered = await recover(
            self._pool, lease, self._kafka, reached, alive=lambda: self._observer.beat(self._name)
        )
        self._observer.store_rolled_back(lease.partition)
        log.error(
            "store_rolled_back",
            partition=lease.partition,
            store_position=last_position,
            kafka_position=reached,
            records_taken_over=recovered.records,
            records_gone=recovered.gone,
            passes_opened=recovered.passes,
            foreign_messages=recovered.unreadable,
            hint="the database is older than Kafka (restored backup?); it took over what Kafka has, and every record of "
            "the partition is read again",
        )

    async def _look_for_emptied_topics(self, after: int) -> None:
        """Load the entities again whose topics had changes and are empty now: the topics were recreated."""
        lease, topics = self._lease, self._topics
        had = await relay_queries.published_topics(self._pool, lease.partition, after)
        # Only those that are enabled have topics for sure.
        entities = [entity for entity in self._entities if topics.changes(entity) in had]
        if topics.one_changes_topic:
            entities = await relay_queries.published_entities(self._pool, lease.partition, after, entities)
        if not entities:
            return
        names = [name(entity) for entity in entities for name in (topics.changes, topics.records)]
        ends = await end_offsets(self._kafka, names, lease.partition)
        emptied = [e for e in entities if not ends[topics.changes(e)] or not ends[topics.records(e)]]
        if not emptied:
            return
        # A topic that others publish on too, and that still has their changes, goes on where it is.
        gone = {
            topics.changes(entity)
            for entity in emptied
            if not (topics.one_changes_topic and ends[topics.changes(entity)])
        }
        opened = await load_anew(self._pool, lease, gone, emptied)
        self._observer.topics_emptied(lease.partition)
        log.error(
            "topics_emptied",
            partition=lease.partition,
            entities=[entity.value for entity in emptied],
            loads_begun=opened,
            hint="Kafka has lost every change of these entities (topics deleted and recreated?); all their records are "
            "read and published again, as a first load",
        )

    async def _publish_from(self, producer: TransactionalProducer, after: int, stamp: int | None) -> None:
        loop = asyncio.get_running_loop()
        committed_at = 0.0
        while True:
            self._observer.beat(self._name)
            self._wake.clear()
            ready = await next_changes(self._pool, self._lease.partition, after, self._topics)
            if ready is not None:
                self._check_line(after, stamp, ready.stamp_before)
                if ready.first != after + 1:
                    log.error("positions_gap", partition=self._lease.partition, after=after, found=ready.first)
                started = loop.time()
                await self._transaction(producer, ready.records, ready.last, ready.stamp)
                await reach(Failpoint.RELAY_ENDED)
                after, stamp = ready.last, ready.stamp
                committed_at = loop.time()
                self._observer.relayed(self._lease.partition, ready.count, committed_at - started)
                await relay_marks.mark(self._marks, self._lease, after)
                continue
            if await self._dead_letters(producer):
                continue
            if self._stopping:
                return
            if loop.time() - committed_at > _RECOMMIT and after:
                await self._transaction(producer, [], after, stamp)
                committed_at = loop.time()
            self._observer.relay_works(self._lease.partition)
            standing = await relay_queries.standing(self._pool, self._lease.partition, after)
            self._check_line(after, stamp, stamp_of(standing.recorded_at), standing.last)
            try:
                async with asyncio.timeout(_IDLE_POLL):
                    await self._wake.wait()
            except TimeoutError:
                continue

    def _check_line(self, after: int, published: int | None, stored: int | None, last: int | None = None) -> None:
        """Notice a store that lost its tail under us and went on: it has another change where the last one published was.

        Raises:
            FencedError: the store was rolled back. The lease is taken again, and the store is set to what Kafka has first.
        """
        if is_another(stored, published) or (last is not None and last < after):
            lease = self._lease
            log.error("store_rollback_detected", partition=lease.partition, kafka_position=after)
            raise FencedError(lease.partition, lease.epoch)

    async def _transaction(
        self, producer: TransactionalProducer, records: list[Outgoing], position: int, stamp: int | None
    ) -> None:
        anchor = TopicPartition(self._topics.webhook_events, self._lease.partition)
        reached = Committed(position=position, store_id=self._store_id, stamp=stamp)
        broker = await producer.publish(
            records,
            offsets={anchor: OffsetAndMetadata(position, reached.metadata)},
            group=self._topics.relay_group,
        )
        self._failures = 0
        if broker is not None:
            self._observer.broker_time(broker)

    async def _dead_letters(self, producer: TransactionalProducer) -> bool:
        """Publish what was quarantined, as much as fits one transaction; False where there is nothing new."""
        waiting = await unpublished(self._pool, self._lease.partition)
        if not waiting:
            return False
        await producer.publish(
            [
                Outgoing(topic=self._topics.dead_letters, key=letter.key, value=letter.value, headers=letter.headers())
                for _, letter in waiting
            ],
            offsets={},
            group=self._topics.relay_group,
        )
        await reach(Failpoint.DEAD_LETTERS_ENDED)
        await published(self._pool, [identity for identity, _ in waiting])
        return True
