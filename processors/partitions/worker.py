"""The worker of one partition: takes the lease, then runs intake, tenants and relay until stopped or fenced."""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol
from uuid import UUID

import asyncpg
import structlog

from processors.intake.fold import Arrived, Folded, Refusal, fold, refused
from processors.intake.line import digest, is_another
from processors.intake.metrics import Ignoring
from processors.intake.place import Place
from processors.intake.subject import Subjects
from processors.intake.transaction import events_lost, owners, take_in
from processors.partitions.metrics import LeaseChange, PartitionMetrics
from processors.recorder.recorder import Recorder
from processors.relay.relay import Relay
from processors.relay.resume import ForeignStoreError
from processors.tenants.desk import Desk, DeskServices
from xero_stream.contracts.dead_letter import Stage
from xero_stream.contracts.names import AppName, EntityName, TenantId
from xero_stream.failpoints import Failpoint, reach
from xero_stream.process.backoff import Backoff
from xero_stream.settings.kafka import KafkaSettings
from xero_stream.settings.shared import Shared
from xero_stream.store import intake_offsets
from xero_stream.store.deployment import DeploymentMismatchError
from xero_stream.store.leases import FencedError, Lease, release
from xero_stream.store.ownership import take
from xero_stream.store.passes import CATCH_UP_OVERLAP
from xero_stream.store.pool import STORE_ERRORS, is_about_the_values
from xero_stream.unforeseen import described

log = structlog.get_logger(__name__)

_BACKOFF = Backoff(first=0.4, longest=5.0, spread=(0.7, 1.3))
_FENCED = Backoff(first=3.0, longest=3.0, spread=(0.7, 1.3))
"""Another process has the lease while Kafka assigns us the partition: a rebalance settles that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerServices:
    """What all workers of a process share.

    Attributes:
        subjects: the entities that are enabled.
        disabled: those that are known and not enabled.
        shared: this process's values of the settings that must be the same in all.
    """

    pool: "asyncpg.Pool[Any]"
    fast: "asyncpg.Pool[Any]"
    store_id: UUID
    kafka: KafkaSettings
    owner: str
    subjects: Subjects
    disabled: Subjects
    entities: Sequence[EntityName]
    shared: Callable[[], Shared]
    desk: DeskServices
    metrics: PartitionMetrics
    patience: timedelta
    unconnected_limit: int


class Source(Protocol):
    """Where events come from: the consumer, seen from a worker."""

    async def bounds(self, partition: int) -> tuple[int, int]:
        """The first offset and the one after the last."""

    def go_on(self, partition: int, offset: int) -> None:
        """Deliver from this offset on."""


class PartitionWorker:
    """Owns a partition from assignment to revocation, through any number of leases."""

    def __init__(
        self, *, partition: int, services: WorkerServices, source: Source, on_fatal: Callable[[BaseException], None]
    ) -> None:
        self.partition = partition
        self._services = services
        self._source = source
        self._on_fatal = on_fatal
        self._task: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()
        self._fenced: asyncio.Future[FencedError] | None = None
        self._lease: Lease | None = None
        self._relay: Relay | None = None
        self._desk: Desk | None = None
        self._intake = asyncio.Lock()
        self._told_ignored: set[EntityName] = set()
        self.next_offset: int | None = None
        self._last_digest: bytes | None = None
        self._witness: bytes | None = None

    @property
    def ready(self) -> bool:
        """Whether the lease is ours and events may come."""
        return self._lease is not None and self.next_offset is not None

    @property
    def deliver_from(self) -> int:
        """The offset to deliver from: one record earlier than is needed where that shows whether the topic is the same one."""
        assert self.next_offset is not None
        return self.next_offset - (self._witness is not None)

    def start(self) -> None:
        """Begin to take the lease, in a task of its own: a rebalance listener must not wait."""
        self._services.metrics.relay.relay_works(self.partition)
        self._task = asyncio.create_task(self._run(), name=f"partition-{self.partition}")

    async def stop(self, drain: float) -> None:
        """Finish what was begun, within so many seconds, and give the lease up."""
        self._stopping.set()
        if self._task is None:
            return
        self._drain = drain
        done, _ = await asyncio.wait([self._task], timeout=drain + 5)
        if not done:
            self._task.cancel()
            await asyncio.wait([self._task], timeout=2)

    _drain = 5.0

    async def again_from(self) -> int | None:
        """Where to deliver from after a rebalance, once no intake is under way; None where the lease is not ours.

        One record earlier than is needed: it shows whether the topic is still the same one.
        """
        async with self._intake:
            if self.next_offset is None:
                return None
            self._witness = self._last_digest
            return self.deliver_from

    async def arrived(self, records: Sequence[Arrived]) -> None:
        """Take events in.

        Args:
            records: of this partition, in offset order, starting at ``next_offset``.

        Raises:
            OSError, asyncpg.PostgresError: the store is not there; nothing was taken in, deliver them again.
        """
        async with self._intake:
            lease, expected = self._lease, self.next_offset
            if lease is None or expected is None or not records:
                return
            try:
                records = await self._in_line(lease, expected, records)
                if records:
                    await self._take_in(lease, records)
            except FencedError as error:
                self._report_fenced(error)

    async def _take_in(self, lease: Lease, records: Sequence[Arrived]) -> None:
        """Take records in. One that the store refuses, or on which our code fails, goes into quarantine, the others are taken in."""
        try:
            await self._fold_and_write(lease, records)
        except Exception as error:
            if isinstance(error, FencedError) or not is_about_the_values(error):
                raise
            if len(records) > 1:
                middle = len(records) // 2
                await self._take_in(lease, records[:middle])
                await self._take_in(lease, records[middle:])
                return
            (record,) = records
            # No traceback: the exception's message may quote the event.
            log.error("event_broke", partition=self.partition, offset=record.offset, reason=described(error))  # noqa: TRY400
            unstorable = refused(record, Refusal.UNSTORABLE_EVENT, f"it can't be taken in: {described(error)}")
            await self._write(lease, records, Folded(refused=[unstorable], newest=record.appended_at), {})

    async def _fold_and_write(self, lease: Lease, records: Sequence[Arrived]) -> None:
        services = self._services
        place = Place(
            partition=self.partition,
            partitions=services.kafka.partitions,
            owners=await owners(services.pool, records),
        )
        folded = fold(records, services.subjects, place, services.disabled)
        await self._write(lease, records, folded, place.owners)

    async def _write(
        self, lease: Lease, records: Sequence[Arrived], folded: Folded, connected: Mapping[TenantId, AppName]
    ) -> None:
        services = self._services
        loop = asyncio.get_running_loop()
        started = loop.time()
        next_offset, last_digest = records[-1].offset + 1, digest(records[-1])
        taken_in = await take_in(
            services.pool,
            partition=self.partition,
            epoch=lease.epoch,
            next_offset=next_offset,
            last_digest=last_digest,
            newest=folded.newest,
            marks=folded.marks,
            refused=folded.refused,
            ranges=folded.ranges,
            disabled=folded.disabled,
            topic=services.kafka.topics.webhook_events,
            owners=connected.keys(),
            unconnected_limit=services.unconnected_limit,
        )
        await reach(Failpoint.INTAKE_COMMITTED)
        self.next_offset, self._last_digest = next_offset, last_digest
        services.metrics.intake.events_taken_in(folded.events, taken_in.marked, loop.time() - started)
        self._ignored(folded)
        if folded.refused:
            services.metrics.quarantine.quarantined(Stage.INTAKE, len(folded.refused))
            services.metrics.intake.events_refused(Counter(one.reason for one in folded.refused))
            if self._relay is not None:
                self._relay.wake()
        services.metrics.intake.unconnected_dropped(taken_in.dropped)
        if taken_in.marked and self._desk is not None:
            self._desk.wake({mark.tenant_id for mark in folded.marks} & connected.keys())

    def _ignored(self, folded: Folded) -> None:
        metrics = self._services.metrics.intake
        metrics.events_ignored(Ignoring.DISABLED, sum(folded.disabled.values()))
        metrics.events_ignored(Ignoring.UNKNOWN, sum(folded.ignored.values()))
        for entity in folded.disabled.keys() - self._told_ignored:
            self._told_ignored.add(entity)
            log.warning(
                "events_of_a_disabled_entity",
                partition=self.partition,
                entity=entity.value,
                hint="they are counted and not read; `xero-stream deployment set XERO_STREAM_ENTITIES` enables the entity, and "
                "reads what they were about",
            )

    async def _in_line(self, lease: Lease, expected: int, records: Sequence[Arrived]) -> Sequence[Arrived]:
        """Drop what was taken in already; notice what is no longer there."""
        if self._witness is not None:
            if is_another(records, expected, self._witness):
                await self._from_the_start(lease, expected)
                return []
            if records[-1].offset >= expected - 1:
                self._witness = None
            records = [record for record in records if record.offset != expected - 1]
            if not records:
                return []
        found = records[0].offset
        if found < expected:
            _, end = await self._source.bounds(self.partition)
            if end >= expected:  # read twice: a rebalance moved the reader back
                return [record for record in records if record.offset >= expected]
        if found != expected:
            await self._offsets_jumped(lease, expected, found)
        return records

    async def _offsets_jumped(self, lease: Lease, expected: int, found: int) -> None:
        """Kafka has other offsets than those we stopped at: retention removed them, or the topic was recreated."""
        since = lease.received_at - CATCH_UP_OVERLAP if lease.received_at else None
        passes = await events_lost(self._services.pool, lease, since)
        self._services.metrics.intake.events_lost()
        log.error(
            "events_lost",
            partition=self.partition,
            expected_offset=expected,
            found_offset=found,
            passes_opened=passes,
            hint="webhook-events lost records before they were read (retention, or the topic was recreated); "
            "catch-up passes read what changed since",
        )
        if self._desk is not None:
            self._desk.look_again()

    async def _from_the_start(self, lease: Lease, expected: int) -> None:
        """The topic is another one than the one we read: read all of it."""
        first, _ = await self._source.bounds(self.partition)
        await self._offsets_jumped(lease, expected, first)
        await intake_offsets.reset(self._services.pool, lease, first)
        self.next_offset, self._last_digest, self._witness = first, None, None
        self._source.go_on(self.partition, first)

    def _report_fenced(self, error: FencedError) -> None:
        if self._fenced is not None and not self._fenced.done():
            self._fenced.set_result(error)

    async def _run(self) -> None:
        attempt = 0
        while not self._stopping.is_set():
            try:
                await self._lease_and_serve()
                return
            except FencedError as error:
                self._services.metrics.lease(LeaseChange.FENCED)
                log.warning("fenced", partition=self.partition, reason=str(error))
                # Kafka will tell us soon whether the partition is still ours; if it is, take it again.
                await self._pause(_FENCED)
            except (ForeignStoreError, DeploymentMismatchError) as error:
                self._on_fatal(error)
                return
            except STORE_ERRORS as error:
                attempt += 1
                log.warning("partition_waits", partition=self.partition, attempt=attempt, reason=str(error)[:300])
                await self._pause(_BACKOFF, attempt)
            except Exception as error:
                # Whatever it was, a partition without a worker is worse: nobody else takes it while it is assigned to us.
                attempt += 1
                log.exception("partition_broke", partition=self.partition, attempt=attempt, reason=repr(error)[:300])
                await self._pause(_BACKOFF, attempt)

    async def _pause(self, backoff: Backoff, failures: int = 1) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(backoff.delay(failures, random.random())):
                await self._stopping.wait()

    async def _lease_and_serve(self) -> None:
        services = self._services
        await reach(Failpoint.LEASE_ASKED)
        lease = await take(services.pool, self.partition, services.owner, services.shared())
        services.metrics.lease(LeaseChange.TAKEN)
        log.info("lease_taken", partition=self.partition, epoch=lease.epoch, clean=lease.clean, position=lease.position)
        await reach(Failpoint.LEASE_TAKEN)
        self._fenced = asyncio.get_running_loop().create_future()
        recorder = Recorder(
            pool=services.pool,
            lease=lease,
            topics=services.kafka.topics,
            patience=services.patience,
        )
        relay = Relay(
            pool=services.pool,
            marks=services.fast,
            lease=lease,
            store_id=services.store_id,
            kafka=services.kafka,
            entities=services.entities,
            observer=services.metrics.relay,
            outbox=recorder.outbox,
        )
        desk = Desk(services=services.desk, lease=lease, recorder=recorder, may_begin=relay.resumed)
        self._relay, self._desk = relay, desk
        relay_task = asyncio.create_task(relay.run(), name=f"relay-{self.partition}")
        desk_task = asyncio.create_task(desk.run(), name=f"desk-{self.partition}")
        stop_task = asyncio.create_task(self._stopping.wait())
        clean = False
        try:
            await self._go_on(lease)
            tasks: set[asyncio.Future[Any]] = {relay_task, desk_task, stop_task, self._fenced}
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if self._fenced in done:
                raise self._fenced.result()
            for task in (relay_task, desk_task):
                if task in done:
                    task.result()
            clean = True
        finally:
            await self._tear_down(lease, relay_task, desk_task, stop_task, clean=clean)

    async def _go_on(self, lease: Lease) -> None:
        first, end = await self._source.bounds(self.partition)
        offset = lease.next_offset if lease.next_offset is not None else first
        if offset < first or offset > end:
            await self._from_the_start(lease, offset)
        else:
            self._last_digest = self._witness = lease.last_digest if offset > first else None
            self.next_offset = offset
            self._source.go_on(self.partition, self.deliver_from)
        # Only now may events come: before, the place in the log is that of the lease before.
        self._lease = lease

    async def _tear_down(
        self,
        lease: Lease,
        relay_task: "asyncio.Task[None]",
        desk_task: "asyncio.Task[None]",
        stop_task: "asyncio.Task[Any]",
        *,
        clean: bool,
    ) -> None:
        stop_task.cancel()
        desk, relay, self._lease = self._desk, self._relay, None
        # What is being taken in moves the offset when it is done: it is forgotten after that, never before.
        async with self._intake:
            self.next_offset = None
        if desk is not None:
            await desk.stop(self._drain if clean else 0.0)
        desk_task.cancel()
        if relay is not None and clean:
            relay.stop()
            await asyncio.wait([relay_task], timeout=self._drain)
        relay_task.cancel()
        await asyncio.wait([relay_task, desk_task, stop_task], timeout=5)
        for task in (relay_task, desk_task):
            if task.done() and not task.cancelled():
                task.exception()
        self._services.metrics.heartbeats.done(f"relay-{self.partition}")
        if clean:
            await reach(Failpoint.LEASE_KEPT)
            with contextlib.suppress(*STORE_ERRORS):
                await release(self._services.pool, lease)
                self._services.metrics.lease(LeaseChange.RELEASED)
