"""One tenant's task: asks the planner, has the calls made, has the answers recorded."""

import asyncio
import itertools
import math
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog

from processors.planner.plan import GetIds, GetOne, PassPage, Slot, Sweep, Work, plan
from processors.recorder.judge import Verdict
from processors.recorder.recorder import Recorder
from processors.recorder.scribe import Scribe, SnapshotEnds
from processors.sync.progress import move
from processors.tenants.agenda import Agenda, agenda
from processors.tenants.caller import Caller, NotNowError, restored_budget
from processors.tenants.metrics import NeverSeen
from processors.tenants.services import Memory, RunnerServices
from processors.tenants.troubles import LONG_WAIT, Troubles
from processors.tenants.unseen import UnseenCalls, count, limit_of, set_aside
from xero_api import paging
from xero_api.answers import Answer
from xero_api.budget.tenant import Go, Wait
from xero_api.errors import UnsendableError, XeroError
from xero_api.registry import by_name
from xero_api.requests import Request, get_ids, get_one
from xero_stream.contracts.change_event import Trigger
from xero_stream.contracts.dead_letter import Stage
from xero_stream.contracts.names import EntityName, RecordId, TenantId
from xero_stream.store import dirty, tenants
from xero_stream.store.clock import utc_now
from xero_stream.store.leases import FencedError, Lease
from xero_stream.store.passes import PassId
from xero_stream.store.pool import STORE_ERRORS
from xero_stream.store.pool import passes as passes_by_itself
from xero_stream.store.states import PassKind
from xero_stream.store.tenants import TenantRow, Told
from xero_stream.unforeseen import described

log = structlog.get_logger(__name__)

_SWEEP_OVERLAP = timedelta(seconds=3)
_LONGEST_WAIT = 30.0


def _request(work: GetOne | GetIds) -> Request:
    """The call to make.

    Raises:
        UnsendableError: an id is none, or such records can't be read so.
    """
    try:
        if isinstance(work, GetOne):
            return get_one(by_name(work.entity), RecordId(work.record_id))
        return get_ids(by_name(work.entity), [RecordId(record_id) for record_id in work.record_ids])
    except ValueError as error:
        raise UnsendableError(str(error)) from error


def _ids_per_call(name: EntityName) -> int:
    by_ids = by_name(name).by_ids
    return by_ids.limit if by_ids else 0


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
        self._lease = lease
        self._recorder = recorder
        self._tenant_id = tenant_id
        self._memories = memories
        self._on_change = on_change
        self._wake = asyncio.Event()
        self._wake.set()
        self._calls: dict[Slot, asyncio.Task[None]] = {}
        self._callers: list[Caller] = []
        self._told: Told | None = None
        self._look_anew = False
        self._answered: set[Slot] = set()
        self._turns: dict[tuple[PassKind, EntityName], int] = {}
        self._turn = itertools.count(1)
        self._stopping = False
        self._fenced: FencedError | None = None
        self._ids = {name: _ids_per_call(name) for name in services.entities}

    @property
    def woken(self) -> bool:
        """Whether an event came that was not looked at."""
        return self._wake.is_set()

    def wake(self) -> None:
        """There are new events."""
        self._wake.set()

    def told(self, now: Told) -> None:
        """How the organisation stands in the store: where that has changed, all waits end and it is looked at anew."""
        if self._told is not None and self._told != now:
            self.look_anew()

    def look_anew(self) -> None:
        """A human did something that it may have waited for."""
        self._look_anew = True
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
            if await self._prepared():
                try:
                    await self._work()
                finally:
                    await asyncio.gather(*(caller.flush() for caller in self._callers))
        except STORE_ERRORS as error:
            # The desk looks again in a second; everything that is due is in the store.
            log.warning("tenant_waits_for_store", tenant=self._tenant_id, reason=repr(error)[:300])
            await asyncio.sleep(1)
        finally:
            for task in self._calls.values():
                task.cancel()
            if self._calls:
                await asyncio.wait(self._calls.values(), timeout=5)

    async def _prepared(self) -> bool:
        """Load the tenant, without any wait of before; False where it is not connected: its events wait in the store."""
        self._wake.clear()
        self._look_anew = False
        tenant = await tenants.load(self._services.pool, self._tenant_id)
        if tenant is None or tenant.state != "connected":
            return False
        self._told = Told(roused=tenant.roused, connected=True)
        self._app = tenant.app
        # Kept from task to task while the lease is ours; out of the ledger for the first one.
        memory = self._memories.get(self._tenant_id)
        if memory is None or self._released(memory, tenant):
            memory = Memory(budget=await restored_budget(self._services, tenant))
        memory.unseen = UnseenCalls(hour=tenant.unseen_hour, calls=tenant.unseen_calls)
        self._memories[self._tenant_id] = self._memory = memory
        self._entities = self._services.entities_of(tenant.app)
        self._troubles = Troubles(
            services=self._services,
            lease=self._lease,
            app=tenant.app,
            tenant_id=self._tenant_id,
            memory=memory,
            parked_until=tenant.parked_until,
            roused=tenant.roused,
            on_change=self._on_change,
        )
        self._caller = Caller(
            services=self._services, lease=self._lease, tenant=tenant, memory=memory, on_wait=self._goes_on_waiting
        )
        self._callers.append(self._caller)
        self._scribe = Scribe(
            recorder=self._recorder,
            metrics=self._services.metrics.recorder,
            tenant_id=self._tenant_id,
            customer_ref=tenant.customer_ref,
            keep_raw=self._services.keep_raw,
            policy=self._services.policy,
            amounts=self._services.amounts,
            on_change=self._on_change,
        )
        return True

    @staticmethod
    def _released(memory: Memory, tenant: TenantRow) -> bool:
        """Whether somebody ended a long wait in the store (a higher tier, say): long waits are all written there."""
        waits = memory.budget.parked_until - time.monotonic()
        written = (tenant.parked_until - utc_now()).total_seconds() if tenant.parked_until else 0.0
        return waits > LONG_WAIT and written < waits - LONG_WAIT

    async def _waits(self, wait: Wait, now: float) -> None:
        await self._troubles.park_if_long(wait.until - now, wait.reason)

    async def _goes_on_waiting(self, wait: Wait, now: float) -> bool:
        """Whether a call that was made up waits for its turn: not for hours, and not when it is time to stop."""
        await self._waits(wait, now)
        parked_until = self._troubles.parked_until
        return not self._stopping and (parked_until is None or parked_until <= utc_now())

    async def _work(self) -> None:
        while True:
            if self._fenced is not None:
                raise self._fenced
            if self._look_anew and not self._stopping and not await self._prepared():
                return
            self._wake.clear()
            now, parked_until = utc_now(), self._troubles.parked_until
            if self._stopping or (parked_until is not None and parked_until > now):
                if not self._calls:
                    return  # the desk starts us again when a parked tenant is due
                await self._wait(parked_until if not self._stopping else None)
                continue
            refused = self._services.app_holds.seconds(self._app)
            if refused:
                await self._wait(now + timedelta(seconds=refused))
                continue
            due = await agenda(self._services.pool, self._lease.partition, self._tenant_id, self._entities, now)
            self._troubles.holds = due.holds
            waits = await self._start_what_may(due)
            if not self._calls and not waits and due.next_at is None and not self._wake.is_set():
                return
            await self._wait(min((at for at in (due.next_at, *waits) if at is not None), default=None))

    async def _start_what_may(self, due: Agenda) -> list[datetime]:
        """Start the calls that are due and allowed; answers when those that are not may be asked for again."""
        clock = time.monotonic()
        held = self._troubles.held(clock)
        waits = list(held.values())
        busy = self._calls.keys() | held.keys()
        for work in plan(
            due.due,
            due.passes,
            busy=busy,
            ids_per_call=self._ids,
            most=self._troubles.most,
            turns=self._turns,
        ):
            # Asked before the call is made up: what arrives while we wait shall ride it.
            decision = self._caller.may_start(work.slot.priority, clock)
            if isinstance(decision, Go):
                self._start(work)
            elif isinstance(decision, Wait):
                waits.append(decision.until)
                await self._waits(decision, clock)
            else:
                waits.append(decision)
        wall = utc_now()
        return [wall + timedelta(seconds=min(until - clock, _LONGEST_WAIT)) for until in waits if until != math.inf]

    async def _wait(self, until: datetime | None) -> None:
        """Wait for an event, the end of a call, or a time."""
        seconds = _LONGEST_WAIT if until is None else (until - utc_now()).total_seconds()
        try:
            async with asyncio.timeout(min(_LONGEST_WAIT, max(0.0, seconds))):
                await self._wake.wait()
        except TimeoutError:
            return

    def _start(self, work: Work) -> None:
        slot = work.slot
        self._caller.starts(slot.priority, time.monotonic())
        if isinstance(work, PassPage):
            self._turns[work.step.kind, work.entity] = next(self._turn)
        task = asyncio.create_task(self._guarded(work))
        self._calls[slot] = task
        task.add_done_callback(lambda _: self._freed(slot))

    def _freed(self, slot: Slot) -> None:
        self._calls.pop(slot, None)
        self._answered.discard(slot)
        self._services.metrics.heartbeats.done(self._caller.beat_name(slot))
        self._wake.set()

    async def _guarded(self, work: Work) -> None:
        try:
            await self._attempted(work)
        except NotNowError:
            return  # what it was for stays due
        except FencedError as error:
            self._fenced = error
        except STORE_ERRORS as error:
            log.warning("recording_waits", tenant=self._tenant_id, reason=f"{type(error).__name__}: {error}"[:300])
            self._troubles.not_recorded(work.slot)
        except Exception as error:
            log.exception("trouble_broke", tenant=self._tenant_id, entity=work.entity, reason=described(error))
            self._troubles.stumbled(work.slot)

    async def _attempted(self, work: Work) -> None:
        # Those of the grant that the call goes out with: a new grant that came meanwhile must not pay for the old one.
        troubles, caller, begun = self._troubles, self._caller, time.monotonic()
        try:
            await self._do(work)
        except XeroError as error:
            await troubles.failed(work, error, caller.marks_of(work.slot))
        except (NotNowError, FencedError):
            raise
        except Exception as error:
            if passes_by_itself(error):
                raise
            await self._unforeseen(work, error, caller.marks_of(work.slot))
        else:
            await self._troubles.succeeded(work)
            await self._services.app_holds.works(self._app, begun)
        finally:
            caller.ended(work.slot)

    async def _unforeseen(self, work: Work, error: Exception, marks: int | None) -> None:
        """A fault of ours: held against what the answer holds, or against the kind of record where there was none."""
        answered = work.slot in self._answered
        reason = described(error)
        if answered:  # no traceback: the exception's message may quote a record
            log.error("call_broke", tenant=self._tenant_id, entity=work.entity, reason=reason)
        else:
            log.error("call_broke", tenant=self._tenant_id, entity=work.entity, reason=reason, exc_info=error)
        await self._troubles.unforeseen(work, error, answered=answered, marks=marks)

    async def _do(self, work: Work) -> None:
        match work:
            case GetOne() | GetIds():
                await self._read(work, _request(work))
            case Sweep():
                await self._sweep(work)
            case PassPage():
                await self._pass_page(work)

    async def _read(self, work: GetOne | GetIds, request: Request) -> None:
        if isinstance(work, GetOne) and await self._too_many_unseen(work):
            raise NotNowError
        async with self._caller.call(request, work.slot) as (answer, marks):
            self._answered.add(work.slot)
            await self._scribe.record(answer, marks, Trigger.POLL, alive=partial(self._caller.alive, work.slot))
            if answer.missing:
                await self._missing(work, await self._scribe.record_missing(answer, marks))
            elif answer.absent:
                await dirty.ask_alone(self._services.pool, self._tenant_id, work.entity, sorted(answer.absent), marks)

    async def _too_many_unseen(self, work: GetOne) -> bool:
        """Whether such records wait, or are put aside, as the hour's calls for records never seen are used up."""
        now = utc_now()
        if not self._memory.unseen.spent(now, self._services.tier_of(self._app)):
            return False
        postponed, aside = await set_aside(
            self._services.pool, self._tenant_id, work.entity, now, self._recorder.patience
        )
        if aside:
            self._services.metrics.never_seen(NeverSeen.OVER_BUDGET, aside)
            self._services.metrics.quarantine.quarantined(Stage.FETCH, aside)
            self._on_change()
        if postponed or aside:
            log.warning(
                "records_never_seen",
                tenant=self._tenant_id,
                entity=work.entity,
                postponed=postponed,
                put_aside=aside,
                hint="events name records that Xero does not have: see docs/operations.md",
            )
        return bool(postponed or aside)

    async def _missing(self, work: GetOne | GetIds, verdicts: Mapping[Verdict, int]) -> None:
        """Count what was spent on a record that no read ever gave."""
        if not verdicts.keys() & {Verdict.NOT_YET_SEEN, Verdict.NEVER_SEEN}:
            return
        if Verdict.NEVER_SEEN in verdicts:
            self._services.metrics.never_seen(NeverSeen.ASKED)
        before = self._memory.unseen
        self._memory.unseen = await count(self._services.pool, self._tenant_id, utc_now())
        limit = limit_of(self._services.tier_of(self._app))
        if self._memory.unseen.calls >= limit and not before.spent(utc_now(), self._services.tier_of(self._app)):
            log.error(
                "never_seen_budget_spent",
                tenant=self._tenant_id,
                entity=work.entity,
                calls=limit,
                hint="events name records that Xero does not have; others of them wait until they are put aside",
            )

    async def _sweep(self, work: Sweep) -> None:
        """One keyset pass since the oldest due event: a thousand records a call.

        Raises:
            NotNowError: no call was made: nothing is due by now, or it is time to stop. That shows nothing to go well.
        """
        pool, partition = self._services.pool, self._lease.partition
        oldest = await dirty.oldest_event(pool, partition, self._tenant_id, work.entity, utc_now())
        if oldest is None:
            raise NotNowError
        place: paging.Keyset | paging.Done = paging.first(oldest - _SWEEP_OVERLAP)
        first_marks: int | None = None
        while isinstance(place, paging.Keyset) and not self._stopping:
            async with self._caller.call(place.request(by_name(work.entity)), work.slot) as (answer, marks):
                self._answered.add(work.slot)
                first_marks = marks if first_marks is None else first_marks
                following = paging.after(place, answer)
                await self._scribe.record(answer, marks, Trigger.POLL, alive=partial(self._caller.alive, work.slot))
                place = following
        if first_marks is None:
            raise NotNowError
        if isinstance(place, paging.Done):
            await dirty.ask_by_id(pool, partition, self._tenant_id, work.entity, first_marks)

    async def _pass_page(self, work: PassPage) -> None:
        step = work.step
        async with self._caller.call(step.place.request(by_name(step.entity)), work.slot) as (answer, marks):
            self._answered.add(work.slot)
            await self._record_page(work, answer, marks)

    async def _record_page(self, work: PassPage, answer: Answer, marks: int) -> None:
        """Record a page of a pass; the last of its transactions moves the pass on."""
        step = work.step
        place = paging.after(step.place, answer)
        done = isinstance(place, paging.Done)
        total = answer.pagination.item_count if answer.pagination and step.seen == 0 else None
        count = len(answer.records)

        which = PassId(tenant_id=self._tenant_id, entity=step.entity, kind=step.kind, generation=step.generation)

        async def move_on(connection: Any) -> None:
            await move(
                connection,
                which,
                seen_before=step.seen,
                place=place,
                seen=count,
                total=total,
                now=utc_now(),
            )

        backfill = step.kind is PassKind.BACKFILL
        await self._scribe.record(
            answer,
            marks,
            Trigger.BACKFILL if backfill else Trigger.RECONCILE,
            alive=partial(self._caller.alive, work.slot),
            also=move_on,
            snapshot=SnapshotEnds(first=step.seen == 0, last=done) if backfill else None,
        )
        if isinstance(place, paging.Done):
            log.info(
                "pass_done",
                tenant=self._tenant_id,
                entity=step.entity,
                kind=step.kind,
                records=step.seen + count,
                more=place.more,
            )
