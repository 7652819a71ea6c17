"""The recorder: reads become changes, in one transaction per slice of a page, under the partition's epoch."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import structlog

from processors.recorder import loading
from processors.recorder.decide import Decision, Read, Stored, Write, decide
from processors.recorder.diff import changed_fields
from processors.recorder.envelope import Draft, Encoded, Fetch, Placement, encode_change
from processors.recorder.forms import Fit, fit
from processors.recorder.judge import Verdict
from xero_api.decode import decode
from xero_api.entity import Form
from xero_api.registry import by_name
from xero_stream.contracts.change_event import Op, Snapshot, Trigger, record_key
from xero_stream.contracts.dead_letter import Stage
from xero_stream.contracts.names import EntityName, TenantId
from xero_stream.contracts.topics import Topics
from xero_stream.failpoints import Failpoint, reach
from xero_stream.store import changes, dirty, positions, record_versions, records
from xero_stream.store.changes import ChangeRow
from xero_stream.store.dirty import Again, Alone, Settled
from xero_stream.store.leases import FencedError, Lease
from xero_stream.store.pool import is_about_the_values
from xero_stream.store.quarantine import Kept, keep, never_seen, resolve
from xero_stream.store.record_versions import VersionRow
from xero_stream.store.records import RecordRow, Shown, Touched
from xero_stream.unforeseen import described

log = structlog.get_logger(__name__)

SLICE = 100
"""Most records of one transaction: a larger one makes every small one beside it wait (measured: 80 ms at 1,000)."""

_REFUSED = (asyncpg.DataError, asyncpg.ProgramLimitExceededError)
"""What PostgreSQL says to values it will never take; trying again would block their whole page."""

_GAVE_WAY = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
_GIVES_WAY = 2
"""How often a transaction is begun again at once when it was the one to give way to another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Reads of one answer: one tenant, one entity.

    Attributes:
        reads: at most 100.
        bad: records of the answer that could not be applied; their dirty rows go with them.
        broken: records on which our code failed in a way that nobody foresaw: each is asked for again alone, and goes into
            quarantine when that happened several times.
        read_at: S.
        marks: where the marks sequence stood when the request was sent.
        trigger: why it was read.
        fetch: the call.
        snapshots: place in a snapshot by record id; all others are none.
        also: what else belongs into the transaction (a pass moving on).
    """

    tenant_id: TenantId
    entity: EntityName
    customer_ref: str | None
    reads: Sequence[Read]
    read_at: datetime
    marks: int
    trigger: Trigger
    fetch: Fetch
    bad: Sequence[Kept] = ()
    broken: Sequence[Kept] = ()
    snapshots: dict[str, Snapshot] = field(default_factory=dict)
    also: Callable[[Any], Awaitable[None]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FormDifference:
    """Two forms of one record with one stamp differ, in a way that the registry does not know.

    Attributes:
        record_id: which.
        forms: what was stored, what was read.
        paths: where they differ.
    """

    record_id: str
    forms: tuple[Form | None, Form | None]
    paths: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class Recorded:
    """What a batch came to.

    Attributes:
        changes: published changes by op.
        verdicts: dirty rows by verdict.
        settled_received: receipt times of the rows that are gone now, for the freshness metric.
        omitted: changes that left something out for size.
        form_differences: records that were published because their forms differ beyond what is known.
        last_position: the last position given out, or None where nothing changed.
    """

    changes: dict[Op, int] = field(default_factory=dict)
    verdicts: dict[Verdict, int] = field(default_factory=dict)
    settled_received: list[datetime] = field(default_factory=list)
    omitted: int = 0
    quarantined: int = 0
    form_differences: list[FormDifference] = field(default_factory=list)
    last_position: int | None = None

    def add(self, other: "Recorded") -> None:
        """Count another batch in."""
        for op, count in other.changes.items():
            self.changes[op] = self.changes.get(op, 0) + count
        for verdict, count in other.verdicts.items():
            self.verdicts[verdict] = self.verdicts.get(verdict, 0) + count
        self.settled_received += other.settled_received
        self.omitted += other.omitted
        self.quarantined += other.quarantined
        self.form_differences += other.form_differences
        self.last_position = other.last_position or self.last_position


class Recorder:
    """Writes batches of one partition."""

    def __init__(
        self,
        *,
        pool: "asyncpg.Pool[Any]",
        lease: Lease,
        topics: Topics,
        patience: timedelta = timedelta(minutes=10),
    ) -> None:
        self._pool = pool
        self._lease = lease
        self._topics = topics
        self.patience = patience
        """How long after an event an answer that does not show it is taken for a stale read."""
        # One transaction at a time: they all need the partition's row, and those that wait for it inside the store would
        # be served one after the other even if this process froze, each of them for its whole time-out, before the
        # next owner.
        self._turn = asyncio.Lock()
        self.outbox = asyncio.Event()
        """Set when there is something new to publish: changes, or dead letters. Whoever publishes clears it."""

    async def record(self, batch: Batch, now: datetime) -> Recorded:
        """Apply a batch, in one transaction; a record that the store refuses goes to quarantine, the others go on.

        A record on which our code fails counts as broken; the others go on.

        Args:
            batch: the reads.
            now: the local clock, for ``ts_ms`` and due times.

        Raises:
            FencedError: the partition has another owner; nothing was written.
        """
        try:
            return await self._transaction(batch, now)
        except _REFUSED:
            if not batch.reads:
                raise
            return await self._one_by_one(batch, now)
        except Exception as error:
            if not batch.reads or _is_not_the_records(error):
                raise
            return await self._one_by_one(batch, now)

    async def _transaction(self, batch: Batch, now: datetime) -> Recorded:
        """At once again where PostgreSQL chose this transaction to give way: the call it comes from is paid for."""
        for _ in range(_GIVES_WAY):
            with contextlib.suppress(*_GAVE_WAY):
                return await self._attempt(batch, now)
        return await self._attempt(batch, now)

    async def _attempt(self, batch: Batch, now: datetime) -> Recorded:
        async with self._turn, self._pool.acquire() as connection, connection.transaction():
            recorded = await self._record(connection, batch, now)
            await reach(Failpoint.RECORDER_OPEN)
        await reach(Failpoint.RECORDER_COMMITTED)
        if recorded.last_position is not None or recorded.quarantined:
            self.outbox.set()
        return recorded

    async def _one_by_one(self, batch: Batch, now: datetime) -> Recorded:
        """Find out which records are refused. What else belongs to the batch comes last, as ever."""
        recorded, refused, broken = Recorded(), list[Kept](), list[Kept]()
        for read in batch.reads:
            try:
                one = replace(batch, reads=[read], bad=(), broken=(), also=None)
                recorded.add(await self._transaction(one, now))
            except _REFUSED as error:
                refused.append(_refused(batch, read, error))
            except Exception as error:
                if _is_not_the_records(error):
                    raise
                # No traceback: the exception's message may quote the record.
                log.error(  # noqa: TRY400
                    "record_broke", tenant=batch.tenant_id, entity=batch.entity, reason=described(error)
                )
                broken.append(_broken(batch, read, error))
        rest = replace(batch, reads=(), bad=[*batch.bad, *refused], broken=[*batch.broken, *broken])
        recorded.add(await self._transaction(rest, now))
        return recorded

    async def _record(self, connection: Any, batch: Batch, now: datetime) -> Recorded:
        head = await positions.lock(connection, self._lease)
        ids = [read.record_id for read in batch.reads]
        ids += [kept.record_id for kept in batch.bad if kept.record_id]
        loaded = await loading.load(connection, batch.tenant_id, batch.entity.value, ids)
        work = _Work(batch=batch, now=now, position=head.position, heads=head.by_topic, incarnation=head.incarnation)
        for read in batch.reads:
            found = loaded[read.record_id]
            waiting = found.waiting if found.waiting and found.waiting.marks <= batch.marks else None
            seen = fit(read, found.stored, by_name(batch.entity).leaves_out)
            decision = decide(
                seen.read,
                stored=found.stored,
                row=waiting.row if waiting else None,
                read_at=batch.read_at,
                trigger=batch.trigger,
                created=found.created or bool(waiting and waiting.created),
                unclear=found.unclear,
                untold=seen.untold,
                patience=self.patience,
            )
            self._apply(work, seen, found, waiting, decision)
        for kept in batch.bad:
            waiting = loaded[kept.record_id].waiting if kept.record_id else None
            if waiting and waiting.marks <= batch.marks and kept.record_id:
                work.settled.append(Settled(record_id=kept.record_id, marks=waiting.marks))
            work.bad.append(replace(kept, created=bool(waiting and waiting.created)))
        await self._write(connection, work)
        return work.recorded

    def _apply(
        self, work: "_Work", seen: Fit, found: loading.Loaded, waiting: loading.Waiting | None, decision: Decision
    ) -> None:
        batch, stored, read = work.batch, found.stored, seen.read
        if decision.doubt and waiting is None:
            work.doubtful.append(read.record_id)
        if decision.alone and waiting is None:
            work.alone.append(Alone(record_id=read.record_id, event_at=read.updated_at or batch.read_at))
        if decision.row and waiting:
            self._settle(work, read, waiting, decision)
        if (decision.alone or decision.write is Write.TOUCH) and stored and seen.shown != stored.shown:
            work.shown.append(Shown(record_id=read.record_id, shown=seen.shown))
        if decision.write is Write.NONE:
            return
        if seen.beyond and decision.write is Write.REPLACE and stored:
            work.recorded.form_differences.append(
                FormDifference(record_id=read.record_id, forms=(stored.form, read.form), paths=seen.beyond)
            )
        if decision.write is Write.TOUCH:
            work.touched.append(Touched(record_id=read.record_id, version_at=decision.updated_at))
            work.applied.append(read.record_id)
            return
        position = 0
        if decision.op is not None:
            before, after = _sides(batch, read, stored, decision.op)
            # A row that a failed read made has no event behind it: its event date is the epoch.
            event = waiting.webhook if waiting and waiting.webhook.event_at.timestamp() > 0 else None
            draft = Draft(
                op=decision.op,
                entity=batch.entity,
                tenant_id=batch.tenant_id,
                record_id=read.record_id,
                before=before,
                after=after,
                changed_fields=changed_fields(decode(before) if before else None, decode(after) if after else None),
                updated_at=decision.updated_at,
                trigger=Trigger.WEBHOOK if event else batch.trigger,
                snapshot=batch.snapshots.get(
                    read.record_id, Snapshot.TRUE if decision.op is Op.READ else Snapshot.FALSE
                ),
                deletion_reason=decision.reason,
                raw=read.raw,
                status=read.status,
                status_before=stored.status if stored else None,
                webhook=event,
                fetch=batch.fetch,
                traceparent=waiting.traceparent if waiting else None,
            )
            position = self._place(work, draft)
        gone = read.gone.value if read.gone else decision.reason.value if decision.reason else None
        work.records.append(
            RecordRow(
                tenant_id=batch.tenant_id,
                entity=batch.entity.value,
                record_id=read.record_id,
                partition=self._lease.partition,
                position=position,
                gone=gone,
                status=read.status,
                version_at=decision.updated_at,
                read_at=batch.read_at,
                body=None if gone else read.body,
                raw=read.raw,
                form=read.form,
                shown=seen.shown,
                recorded_at=work.now,
            )
        )
        work.applied.append(read.record_id)

    def _place(self, work: "_Work", draft: Draft) -> int:
        topic = self._topics.changes(draft.entity)
        work.position += 1
        placement = Placement(
            incarnation=work.incarnation,
            prefix=self._topics.prefix,
            topic=topic,
            partition=self._lease.partition,
            position=work.position,
            previous=work.heads.get(topic, 0),
            recorded_at=work.now,
            customer_ref=work.batch.customer_ref,
        )
        encoded = encode_change(draft, placement)
        work.heads[topic] = work.position
        work.changes.append(_row(draft, placement, encoded))
        work.versions.append(
            VersionRow(
                tenant_id=draft.tenant_id,
                entity=draft.entity.value,
                record_id=draft.record_id,
                position=work.position,
                op=draft.op.value,
                version_at=draft.updated_at,
                recorded_at=work.now,
                body=draft.after,
            )
        )
        recorded = work.recorded
        recorded.changes[draft.op] = recorded.changes.get(draft.op, 0) + 1
        recorded.omitted += bool(encoded.omitted)
        recorded.last_position = work.position
        return work.position

    def _settle(self, work: "_Work", read: Read, waiting: loading.Waiting, decision: Decision) -> None:
        judgement = decision.row
        if judgement is None:
            return
        recorded = work.recorded
        recorded.verdicts[judgement.verdict] = recorded.verdicts.get(judgement.verdict, 0) + 1
        if judgement.again_in is not None:
            work.again.append(
                Again(
                    record_id=read.record_id,
                    marks=waiting.marks,
                    not_before=work.now + judgement.again_in,
                    attempts=judgement.attempts,
                    equal_reads=judgement.equal_reads,
                    alone=decision.alone,
                )
            )
            return
        work.settled.append(Settled(record_id=read.record_id, marks=waiting.marks))
        recorded.settled_received.append(waiting.webhook.received_at)
        if judgement.verdict is Verdict.NEVER_SEEN:
            work.unproven.append((read.record_id, waiting))

    async def _write(self, connection: Any, work: "_Work") -> None:
        batch, entity = work.batch, work.batch.entity.value
        partition = self._lease.partition
        if work.changes:
            await changes.add(connection, work.changes)
            await record_versions.add(connection, work.versions)
            await positions.advance(connection, self._lease, work.position, work.heads)
        if work.records:
            await records.put(connection, work.records)
        if work.touched:
            await records.touch(connection, batch.tenant_id, entity, batch.read_at, work.touched)
        if work.settled:
            await dirty.settle(connection, batch.tenant_id, entity, work.settled)
        if work.again:
            await dirty.again(connection, batch.tenant_id, entity, work.again)
        if work.doubtful:
            await dirty.doubt(
                connection,
                partition,
                batch.tenant_id,
                entity,
                event_at=batch.read_at,
                now=work.now,
                not_before=work.now + timedelta(seconds=1),
                record_ids=work.doubtful,
            )
        if work.alone:
            await dirty.read_alone(connection, partition, batch.tenant_id, entity, now=work.now, rows=work.alone)
        if work.shown:
            await records.remember_shown(connection, batch.tenant_id, entity, work.shown)
        if work.applied:
            await resolve(connection, batch.tenant_id, entity, work.applied)
        given_up = await self._given_up(connection, work)
        for kept in (*work.bad, *given_up, *(self._unproven(work, *item) for item in work.unproven)):
            await keep(connection, self._lease.partition, kept)
            work.recorded.quarantined += 1
        if batch.also is not None:
            await batch.also(connection)

    async def _given_up(self, connection: Any, work: "_Work") -> list[Kept]:
        """The broken records that go into quarantine now; the others are asked for alone, later."""
        batch, given_up = work.batch, []
        for kept in batch.broken:
            if kept.record_id is None:
                given_up.append(kept)
                continue
            entity, now, marks = batch.entity.value, work.now, batch.marks
            created = await dirty.broke(
                connection, self._lease.partition, batch.tenant_id, entity, kept.record_id, marks=marks, now=now
            )
            if created is not None:
                given_up.append(replace(kept, created=created))
        return given_up

    def _unproven(self, work: "_Work", record_id: str, waiting: loading.Waiting) -> Kept:
        return never_seen(
            work.batch.tenant_id,
            work.batch.entity,
            record_id,
            error="Xero sent an event for a record that no read ever gave (404)",
            traceparent=waiting.traceparent,
            created=waiting.created,
        )


@dataclass(slots=True, kw_only=True)
class _Work:
    """What a transaction will write."""

    batch: Batch
    now: datetime
    position: int
    heads: dict[str, int]
    incarnation: UUID
    changes: list[ChangeRow] = field(default_factory=list)
    records: list[RecordRow] = field(default_factory=list)
    versions: list[VersionRow] = field(default_factory=list)
    touched: list[Touched] = field(default_factory=list)
    settled: list[Settled] = field(default_factory=list)
    again: list[Again] = field(default_factory=list)
    doubtful: list[str] = field(default_factory=list)
    alone: list[Alone] = field(default_factory=list)
    shown: list[Shown] = field(default_factory=list)
    unproven: list[tuple[str, loading.Waiting]] = field(default_factory=list)
    applied: list[str] = field(default_factory=list)
    bad: list[Kept] = field(default_factory=list)
    recorded: Recorded = field(default_factory=Recorded)


def _sides(batch: Batch, read: Read, stored: Stored | None, op: Op) -> tuple[bytes | None, bytes | None]:
    """``before`` and ``after``. An end that is the first change of a record shows what was read, or at least the key."""
    known = stored.body if stored and not stored.gone else None
    if op is not Op.DELETE:
        return known, read.body
    key = record_key(batch.tenant_id, read.record_id)
    return known or read.body or key, None


def _is_not_the_records(error: Exception) -> bool:
    """Whether it is the lease or the store; anything else is a fault of ours on one of the records."""
    return isinstance(error, FencedError) or not is_about_the_values(error)


def _refused(batch: Batch, read: Read, error: asyncpg.PostgresError) -> Kept:
    return Kept(
        identity=f"{batch.tenant_id}/{batch.entity}/{read.record_id}",
        stage=Stage.FETCH,
        reason="refused_by_store",
        error=f"the store refuses it: {type(error).__name__}",
        source=f"{batch.entity}/{read.record_id}",
        value=read.raw or read.body or b"",
        tenant_id=batch.tenant_id,
        entity=batch.entity.value,
        record_id=read.record_id if "\x00" not in read.record_id else None,
    )


def _broken(batch: Batch, read: Read, error: Exception) -> Kept:
    return Kept(
        identity=f"{batch.tenant_id}/{batch.entity}/{read.record_id}",
        stage=Stage.FETCH,
        reason="broke",
        error=described(error),
        source=f"{batch.entity}/{read.record_id}",
        value=read.raw or read.body or b"",
        tenant_id=batch.tenant_id,
        entity=batch.entity.value,
        record_id=read.record_id if "\x00" not in read.record_id else None,
    )


def _row(draft: Draft, placement: Placement, encoded: Encoded) -> ChangeRow:
    return ChangeRow(
        partition=placement.partition,
        position=placement.position,
        recorded_at=placement.recorded_at,
        topic=placement.topic,
        tenant_id=draft.tenant_id,
        entity=draft.entity.value,
        record_id=draft.record_id,
        op=draft.op.value,
        key=encoded.key,
        value=encoded.value,
        headers=encoded.headers,
        record=encoded.record,
        size=encoded.size,
    )
