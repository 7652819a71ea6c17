"""One tenant's task: asks the planner, makes the calls inside the budget, has the answers recorded."""

import asyncio
import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import structlog

from processors.fetch.read import Reading, read_answer
from processors.metrics import ProcessorMetrics
from processors.partitions.store import FencedError, Lease
from processors.planner.pace import distance
from processors.planner.plan import GetIds, GetOne, PassKind, PassPage, Slot, Sweep, Work, plan
from processors.quarantine.store import Kept, keep
from processors.recorder.decide import Read
from processors.recorder.envelope import Fetch
from processors.recorder.recorder import SLICE, Batch, Recorder
from processors.sync import store as passes
from processors.tenants import store
from xero_api import paging
from xero_api.answers import Answer
from xero_api.budget.minute import Minute
from xero_api.budget.tenant import PER_MINUTE, Go, Past, TenantBudget, Wait
from xero_api.call import Lane
from xero_api.client import XeroClient
from xero_api.entity import Entity
from xero_api.errors import (
    DisconnectedError,
    Intent,
    RateLimitedError,
    UnauthorisedError,
    XeroError,
    intent,
)
from xero_api.registry import by_name
from xero_api.requests import Request, get_ids, get_one
from xero_stream.contracts.change_event import Snapshot, Trigger
from xero_stream.contracts.dead_letter import Stage
from xero_stream.contracts.names import AppName, EntityName, RecordId, TenantId
from xero_stream.settings.xero import AppTier
from xero_stream.store.pool import utc_now

log = structlog.get_logger(__name__)

_SWEEP_OVERLAP = timedelta(seconds=3)
_LONG_WAIT = 90.0
"""Seconds: a longer wait is written to the store, so that a restart does not forget it."""
_ISOLATE_AFTER = 3
"""Failures of one call after which its records are asked for one by one."""
_STORE_ERRORS = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerServices:
    """What all tenants' tasks of a process share.

    Attributes:
        pool: the store.
        fast: the store without waiting for its disk: the ledger of calls.
        client: Xero.
        entities: the enabled ones.
        tier_of: an app's tier.
        app_minute_of: an app's calls a minute, shared by its tenants in this process.
        keep_raw: publish Xero's own JSON too.
        http_timeout: seconds a call may take.
        metrics: what is counted.
    """

    pool: "asyncpg.Pool[Any]"
    fast: "asyncpg.Pool[Any]"
    client: XeroClient
    entities: Sequence[EntityName]
    tier_of: Callable[[AppName], AppTier]
    app_minute_of: Callable[[AppName], Minute]
    keep_raw: bool
    http_timeout: float
    metrics: ProcessorMetrics


@dataclass(slots=True, kw_only=True)
class Memory:
    """What outlives a tenant's task.

    Attributes:
        budget: what may still be called.
        last_for_events: monotonic seconds of the last call for events.
    """

    budget: TenantBudget
    last_for_events: float = -math.inf


class Runner:
    """Works for one tenant until there is nothing left to do."""

    def __init__(
        self,
        *,
        services: RunnerServices,
        lease: Lease,
        recorder: Recorder,
        tenant_id: TenantId,
        memories: dict[TenantId, Memory],
        on_change: Callable[[], None],
    ) -> None:
        self._services = services
        self._memories = memories
        self._lease = lease
        self._recorder = recorder
        self._tenant_id = tenant_id
        self._on_change = on_change
        self._wake = asyncio.Event()
        self._wake.set()
        self._calls: dict[Slot, asyncio.Task[None]] = {}
        self._hold: dict[Slot, float] = {}
        self._failures: dict[Slot, int] = {}
        self._parked_until: datetime | None = None
        self._stopping = False
        self._fenced: FencedError | None = None
        self._ids = {name: self._ids_per_call(by_name(name)) for name in services.entities}

    @staticmethod
    def _ids_per_call(entity: Entity[Any]) -> int:
        return entity.by_ids.limit if entity.by_ids else 0

    @property
    def woken(self) -> bool:
        """Whether an event came that was not looked at."""
        return self._wake.is_set()

    def wake(self) -> None:
        """There are new events."""
        self._wake.set()

    def stop(self) -> None:
        """Finish the calls in flight, start no other."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        """Work until nothing is left that is due soon.

        Raises:
            FencedError: the partition has another owner.
        """
        try:
            tenant = await self._load()
            if tenant is not None:
                self._tenant = tenant
                self._day_limit = self._services.tier_of(tenant.app).calls_per_day
                # Kept from task to task while the lease is ours; out of the ledger for the first one.
                self._memory = self._memories.get(self._tenant_id) or Memory(budget=await self._restored_budget(tenant))
                self._memories[self._tenant_id] = self._memory
                await self._work()
        except _STORE_ERRORS as error:
            # The desk looks again in a second; everything that is due is in the store.
            log.warning("tenant_waits_for_store", tenant=self._tenant_id, reason=repr(error)[:300])
            await asyncio.sleep(1)
        finally:
            for task in self._calls.values():
                task.cancel()
            if self._calls:
                await asyncio.wait(self._calls.values(), timeout=5)

    async def _load(self) -> store.Tenant | None:
        self._wake.clear()
        tenant = await store.load(self._services.pool, self._tenant_id)
        if tenant is None or tenant.state != "connected":
            return None  # events of tenants that are not connected wait in the store
        self._parked_until = tenant.parked_until
        return tenant

    async def _restored_budget(self, tenant: store.Tenant) -> TenantBudget:
        """The budget as the calls of the last minutes left it, whoever made them."""
        now, wall = time.monotonic(), utc_now()

        def on_our_clock(moment: datetime) -> float:
            return now - (wall - moment).total_seconds()

        budget = TenantBudget(
            day_limit=self._services.tier_of(tenant.app).calls_per_day, app=self._services.app_minute_of(tenant.app)
        )
        past = await store.past_calls(self._services.pool, self._tenant_id, wall)
        budget.restore(
            [
                Past(
                    started=on_our_clock(call.started_at),
                    finished=on_our_clock(call.finished_at) if call.finished_at else None,
                )
                for call in past
            ],
            http_timeout=self._services.http_timeout,
            now=now,
        )
        if tenant.day_remaining is not None and tenant.day_seen_at is not None:
            budget.restore_day(tenant.day_remaining, on_our_clock(tenant.day_seen_at))
        if tenant.parked_until is not None:
            budget.park(on_our_clock(tenant.parked_until))
        return budget

    async def _work(self) -> None:
        while True:
            if self._fenced is not None:
                raise self._fenced
            self._wake.clear()
            now = utc_now()
            if self._stopping:
                if not self._calls:
                    return
                await self._wait(None)
                continue
            if self._parked_until is not None and self._parked_until > now:
                if not self._calls:
                    return  # the desk starts us again when it is due
                await self._wait(self._parked_until)
                continue
            agenda = await store.agenda(
                self._services.pool, self._lease.partition, self._tenant_id, self._services.entities, now
            )
            clock = time.monotonic()
            held = {slot: until for slot, until in self._hold.items() if until > clock}
            waits = list(held.values())
            busy = self._calls.keys() | held.keys()
            for work in plan(agenda.due, agenda.passes, busy=busy, ids_per_call=self._ids):
                # Asked before the call is made up: what arrives while we wait shall ride it.
                decision = self._memory.budget.decide(work.slot.lane, clock)
                paced = self._paced_until(work.slot.lane, clock)
                if paced > clock:
                    waits.append(paced)
                elif isinstance(decision, Wait):
                    waits.append(decision.until)
                    await self._park_if_long(decision.until - clock, decision.reason)
                else:
                    self._start(work)
            if not self._calls and not waits and agenda.next_at is None and not self._wake.is_set():
                return
            soonest = min(waits, default=None)
            next_at = agenda.next_at
            if soonest is not None and soonest != math.inf:
                at = now + timedelta(seconds=max(0.0, soonest - clock))
                next_at = min(next_at, at) if next_at else at
            await self._wait(next_at)

    def _paced_until(self, lane: Lane, now: float) -> float:
        """When the next call for events may start, so that a stream of them does not spend the minute at once."""
        if lane is not Lane.WEBHOOK:
            return now
        return self._memory.last_for_events + distance(
            used_this_minute=PER_MINUTE - self._memory.budget.minute_left(now),
            day_left=self._memory.budget.day_left(now),
            day_limit=self._day_limit,
        )

    async def _wait(self, until: datetime | None) -> None:
        """Wait for an event, the end of a call, or a time."""
        seconds = 30.0 if until is None else min(30.0, max(0.0, (until - utc_now()).total_seconds()))
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return

    def _start(self, work: Work) -> None:
        slot = work.slot
        if slot.lane is Lane.WEBHOOK:
            self._memory.last_for_events = time.monotonic()
        task = asyncio.create_task(self._guarded(work))
        self._calls[slot] = task
        task.add_done_callback(lambda _: self._freed(slot))

    def _freed(self, slot: Slot) -> None:
        self._calls.pop(slot, None)
        self._services.metrics.beat_done(self._beat_name(slot))
        self._wake.set()

    def _beat_name(self, slot: Slot) -> str:
        return f"call-{self._tenant_id}-{slot.lane}-{slot.entity}-{slot.alone}"

    async def _guarded(self, work: Work) -> None:
        try:
            await self._do(work)
            self._failures.pop(work.slot, None)
            self._hold.pop(work.slot, None)
        except FencedError as error:
            self._fenced = error
        except XeroError as error:
            try:
                await self._failed(work, error)
            except _STORE_ERRORS:
                self._hold[work.slot] = time.monotonic() + 1
        except _STORE_ERRORS as error:
            log.warning("recording_waits", tenant=self._tenant_id, reason=f"{type(error).__name__}: {error}"[:300])
            self._hold[work.slot] = time.monotonic() + 1

    async def _do(self, work: Work) -> None:
        match work:
            case GetOne():
                entity = by_name(work.entity)
                await self._read(work, get_one(entity, RecordId(work.record_id)))
            case GetIds():
                entity = by_name(work.entity)
                await self._read(work, get_ids(entity, [RecordId(record_id) for record_id in work.record_ids]))
            case Sweep():
                await self._sweep(work)
            case PassPage():
                await self._pass_page(work)

    async def _read(self, work: GetOne | GetIds, request: Request) -> None:
        answer, marks = await self._call(request, work.slot)
        await self._record(answer, marks, Trigger.POLL)
        if answer.missing:
            read = Read(record_id=next(iter(request.asked or ())), missing=True)
            await self._record_reads(answer, marks, [read], Trigger.POLL)
        elif answer.absent:
            await store.ask_alone(self._services.pool, self._tenant_id, work.entity, sorted(answer.absent), marks)

    async def _sweep(self, work: Sweep) -> None:
        """One keyset pass since the oldest due event: a thousand records a call."""
        entity = by_name(work.entity)
        pool, partition = self._services.pool, self._lease.partition
        oldest = await store.oldest_event(pool, partition, self._tenant_id, work.entity, utc_now())
        if oldest is None:
            return
        place: paging.Keyset | paging.Done = paging.first(oldest - _SWEEP_OVERLAP)
        first_marks: int | None = None
        while isinstance(place, paging.Keyset) and not self._stopping:
            answer, marks = await self._call(place.request(entity), work.slot)
            first_marks = marks if first_marks is None else first_marks
            following = paging.after(place, answer)
            await self._record(answer, marks, Trigger.POLL)
            place = following
        if isinstance(place, paging.Done) and first_marks is not None:
            await store.not_brought(pool, partition, self._tenant_id, work.entity, first_marks)

    async def _pass_page(self, work: PassPage) -> None:
        step = work.step
        entity = by_name(step.entity)
        answer, marks = await self._call(step.place.request(entity), work.slot)
        following = paging.after(step.place, answer)
        place = following if isinstance(following, paging.Keyset) else None
        total = answer.pagination.item_count if answer.pagination and step.seen == 0 else None
        count = len(answer.records)

        async def move(connection: Any) -> None:
            await passes.move(
                connection,
                self._tenant_id,
                step.entity,
                step.kind,
                place=place,
                seen=count,
                total=total,
                now=utc_now(),
            )

        backfill = step.kind is PassKind.BACKFILL
        snapshot = _SnapshotMarks(first=step.seen == 0, last=place is None) if backfill else None
        trigger = Trigger.BACKFILL if backfill else Trigger.RECONCILE
        await self._record(answer, marks, trigger, also=move, snapshot=snapshot)
        if place is None:
            log.info("pass_done", tenant=self._tenant_id, entity=step.entity, kind=step.kind, records=step.seen + count)

    async def _call(self, request: Request, slot: Slot) -> tuple[Answer, int]:
        """One call inside the budget, written down before it is sent.

        Returns:
            The answer, and where the marks sequence stood when it was sent.
        """
        exchanges = [await self._begin(slot)]

        async def again() -> bool:
            exchanges.append(await self._begin(slot))  # a second exchange is a call of its own for Xero's limits
            return True

        limits, ok, abandoned = None, False, True
        try:
            answer = await self._services.client.send(
                self._tenant.app, self._tenant_id, request, lane=slot.lane, again=again
            )
            limits, ok, abandoned = answer.meta.limits, True, False
        except XeroError as error:
            limits, abandoned = error.meta.limits, error.status is None
            raise
        finally:
            for call_id, _ in exchanges:
                self._memory.budget.finished(call_id, time.monotonic(), limits, ok=ok, abandoned=abandoned)
                await self._written_off(call_id, limits.day if limits is not None else None)
        return answer, exchanges[-1][1]

    async def _begin(self, slot: Slot) -> tuple[int, int]:
        """Wait for our turn and write the call down.

        Returns:
            The call's id, and where the marks sequence stands.
        """
        await self._turn(slot)
        call_id = time.time_ns()
        self._memory.budget.started(call_id, time.monotonic())
        try:
            marks = await store.call_started(self._services.fast, self._lease, self._tenant_id, call_id, utc_now())
        except BaseException:
            self._memory.budget.finished(call_id, time.monotonic())
            raise
        self._services.metrics.beat(self._beat_name(slot))
        return call_id, marks

    async def _written_off(self, call_id: int, day: int | None) -> None:
        try:
            await store.call_finished(self._services.fast, self._tenant_id, call_id, utc_now(), day)
        except _STORE_ERRORS:
            return  # left open, it counts for longer: on the safe side

    async def _turn(self, slot: Slot) -> None:
        while True:
            now = time.monotonic()
            decision = self._memory.budget.decide(slot.lane, now)
            if isinstance(decision, Go):
                return
            self._services.metrics.beat(self._beat_name(slot))
            await self._park_if_long(decision.until - now, decision.reason)
            await asyncio.sleep(min(max(decision.until - now, 0.01), 1.0))

    async def _record(
        self,
        answer: Answer,
        marks: int,
        trigger: Trigger,
        *,
        also: Callable[[Any], Any] | None = None,
        snapshot: "_SnapshotMarks | None" = None,
    ) -> None:
        """Record an answer in slices; the last one carries what else belongs to it."""
        slices = read_answer(answer, tenant_id=self._tenant_id, keep_raw=self._services.keep_raw, size=SLICE)
        pending: Reading | None = None
        first = True
        async for reading in slices:
            if pending is not None:
                await self._record_slice(answer, marks, trigger, pending, None, snapshot, first=first, last=False)
                first = False
            pending = reading
        if pending is not None or also is not None:
            await self._record_slice(
                answer, marks, trigger, pending or Reading(), also, snapshot, first=first, last=True
            )

    async def _record_slice(
        self,
        answer: Answer,
        marks: int,
        trigger: Trigger,
        reading: Reading,
        also: Callable[[Any], Any] | None,
        snapshot: "_SnapshotMarks | None",
        *,
        first: bool,
        last: bool,
    ) -> None:
        snapshots: dict[str, Snapshot] = {}
        if snapshot is not None:
            snapshots = {read.record_id: Snapshot.TRUE for read in reading.reads}
            if snapshot.first and first and reading.reads:
                snapshots[reading.reads[0].record_id] = Snapshot.FIRST
            if snapshot.last and last and reading.reads:
                snapshots[reading.reads[-1].record_id] = Snapshot.LAST
        await self._record_reads(answer, marks, reading.reads, trigger, bad=reading.bad, also=also, snapshots=snapshots)

    async def _record_reads(
        self,
        answer: Answer,
        marks: int,
        reads: Sequence[Read],
        trigger: Trigger,
        *,
        bad: Sequence[Kept] = (),
        also: Callable[[Any], Any] | None = None,
        snapshots: dict[str, Snapshot] | None = None,
    ) -> None:
        timing = answer.timing
        if timing is None:
            raise ValueError("an answer without its times can't be recorded")
        started = time.monotonic()
        recorded = await self._recorder.record(
            Batch(
                tenant_id=self._tenant_id,
                entity=answer.request.entity.name,
                customer_ref=self._tenant.customer_ref,
                reads=reads,
                bad=bad,
                read_at=timing.server_sent_at,
                marks=marks,
                trigger=trigger,
                fetch=Fetch(correlation_id=answer.meta.correlation_id, fetched_at=timing.fetched_at),
                snapshots=snapshots or {},
                also=also,
            ),
            utc_now(),
        )
        if recorded.last_position is not None or recorded.quarantined:
            self._on_change()
        self._services.metrics.batch_recorded(
            answer.request.entity.name, recorded, time.monotonic() - started, utc_now()
        )

    async def _failed(self, work: Work, error: XeroError) -> None:
        slot = work.slot
        failures = self._failures.get(slot, 0) + 1
        self._failures[slot] = failures
        log.warning(
            "call_failed",
            tenant=self._tenant_id,
            entity=slot.entity,
            lane=slot.lane,
            attempt=failures,
            intent=intent(error),
            reason=f"{type(error).__name__}: {error}"[:300],
            correlation_id=error.meta.correlation_id,
        )
        match intent(error):
            case Intent.RETRY:
                await self._again_later(work, error, failures)
            case Intent.PARK:
                await self._hold_off(slot, error)
            case Intent.REAUTHORISE:
                await self._suspend(slot, error)
            case Intent.QUARANTINE:
                await self._set_aside(work, error)
            case Intent.STOP:
                log.error("xero_misconfigured", tenant=self._tenant_id, reason=str(error)[:300], hint=error.hint)
                self._parked_until = utc_now() + timedelta(seconds=60)

    async def _again_later(self, work: Work, error: XeroError, failures: int) -> None:
        delay = min(60.0, 0.5 * 2.0 ** min(failures, 7)) * random.uniform(0.75, 1.25)
        until = utc_now() + timedelta(seconds=delay)
        if isinstance(work, GetOne):
            # Postponed in the store: another record of the slot goes meanwhile.
            await store.postpone(self._services.pool, self._tenant_id, work.entity, [work.record_id], until)
            self._hold[work.slot] = time.monotonic() + min(delay, 2.0)
            return
        if isinstance(work, GetIds) and failures >= _ISOLATE_AFTER:
            await store.postpone(self._services.pool, self._tenant_id, work.entity, work.record_ids, until)
        if isinstance(work, PassPage):
            await passes.failed(
                self._services.pool,
                self._tenant_id,
                work.step.entity,
                work.step.kind,
                error=str(error),
                not_before=until,
            )
        self._hold[work.slot] = time.monotonic() + delay

    async def _hold_off(self, slot: Slot, error: XeroError) -> None:
        now, retry_after = time.monotonic(), error.meta.retry_after
        if isinstance(error, RateLimitedError):
            until = self._memory.budget.limited(error.limit, now, retry_after, random.random())
        else:
            until = self._memory.budget.offline(now, retry_after, random.random())
        self._hold[slot] = min(until, now + _LONG_WAIT)
        await self._park_if_long(until - now, type(error).__name__)

    async def _park_if_long(self, seconds: float, reason: str) -> None:
        """A long wait is written down, so that a restart does not forget it; a short one stays with the budget."""
        if not _LONG_WAIT < seconds < math.inf:
            return
        until = utc_now() + timedelta(seconds=seconds)
        if self._parked_until is not None and self._parked_until >= until - timedelta(seconds=5):
            return
        self._parked_until = until
        await store.park(self._services.pool, self._tenant_id, until, reason)
        log.warning("tenant_parked", tenant=self._tenant_id, until=until.isoformat(), reason=reason)

    async def _suspend(self, slot: Slot, error: XeroError) -> None:
        if isinstance(error, UnauthorisedError):
            # One entity's scope or role may be missing; the others go on.
            log.error("not_authorised", tenant=self._tenant_id, entity=slot.entity, hint=error.hint)
            self._hold[slot] = time.monotonic() + 600
            return
        state = "disconnected" if isinstance(error, DisconnectedError) else "needs_reauth"
        await store.suspend(self._services.pool, self._tenant_id, state)
        log.error("tenant_suspended", tenant=self._tenant_id, state=state, hint=error.hint)
        self._parked_until = utc_now() + timedelta(days=3650)

    async def _set_aside(self, work: Work, error: XeroError) -> None:
        """This request will never work: find the record that spoils it, put that one into quarantine."""
        if isinstance(work, GetOne):
            async with self._services.pool.acquire() as connection, connection.transaction():
                await keep(
                    connection,
                    self._lease.partition,
                    Kept(
                        identity=f"{self._tenant_id}/{work.entity}/{work.record_id}",
                        stage=Stage.FETCH,
                        reason="refused",
                        error=str(error),
                        source=f"{work.entity}/{work.record_id}",
                        value=error.body,
                        tenant_id=self._tenant_id,
                        entity=work.entity.value,
                        record_id=work.record_id,
                    ),
                )
                await store.drop(connection, self._tenant_id, work.entity, work.record_id)
            self._services.metrics.quarantined(Stage.FETCH)
            self._on_change()
        elif isinstance(work, GetIds):
            await store.postpone(self._services.pool, self._tenant_id, work.entity, work.record_ids, utc_now())
        elif isinstance(work, PassPage):
            await self._again_later(work, error, self._failures[work.slot])
        else:
            await store.not_brought(self._services.pool, self._lease.partition, self._tenant_id, work.entity, 2**62)
            self._hold[work.slot] = time.monotonic() + 5


@dataclass(frozen=True, slots=True, kw_only=True)
class _SnapshotMarks:
    """Which ends of the snapshot a page holds."""

    first: bool
    last: bool
