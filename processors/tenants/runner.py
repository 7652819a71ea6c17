"""One tenant's task: asks its kinds of job what is due, has their calls made, reacts to errors."""

import asyncio
import math
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from processors.recorder.recorder import Recorder
from processors.recorder.scribe import Scribe
from processors.tenants.agenda import agenda
from processors.tenants.caller import Caller, NotNowError, restored_budget
from processors.tenants.context import TenantContext
from processors.tenants.job import Job, JobKind, Slot
from processors.tenants.services import Memory, RunnerServices
from processors.tenants.troubles import LONG_WAIT, Troubles
from processors.tenants.unseen import UnseenCalls
from xero_api.budget.tenant import Go, Wait
from xero_api.errors import XeroError
from xero_stream.contracts.names import TenantId
from xero_stream.store import tenants
from xero_stream.store.clock import utc_now
from xero_stream.store.leases import FencedError, Lease
from xero_stream.store.pool import STORE_ERRORS
from xero_stream.store.pool import passes as passes_by_itself
from xero_stream.store.tenants import TenantRow, Told
from xero_stream.unforeseen import described

log = structlog.get_logger(__name__)

_LONGEST_WAIT = 30.0


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
        kinds: Sequence[Callable[[TenantContext], JobKind]],
    ) -> None:
        self._services = services
        self._lease = lease
        self._recorder = recorder
        self._tenant_id = tenant_id
        self._memories = memories
        self._made_kinds = kinds
        self._wake = asyncio.Event()
        self._wake.set()
        self._calls: dict[Slot, asyncio.Task[None]] = {}
        self._callers: list[Caller] = []
        self._told: Told | None = None
        self._look_anew = False
        self._answered: set[Slot] = set()
        self._stopping = False
        self._fenced: FencedError | None = None

    @property
    def woken(self) -> bool:
        """Whether an event came that was not looked at."""
        return self._wake.is_set()

    def wake(self) -> None:
        """There are new events."""
        self._wake.set()

    def told(self, now: Told) -> None:
        """The organisation's state in the store; a change ends all waits and is evaluated again."""
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
            outbox=self._recorder.outbox,
        )
        self._caller = Caller(
            services=self._services, lease=self._lease, tenant=tenant, memory=memory, on_wait=self._goes_on_waiting
        )
        self._callers.append(self._caller)
        scribe = Scribe(
            recorder=self._recorder,
            metrics=self._services.metrics.recorder,
            tenant_id=self._tenant_id,
            customer_ref=tenant.customer_ref,
            keep_raw=self._services.keep_raw,
            policy=self._services.policy,
            amounts=self._services.amounts,
        )
        context = TenantContext(
            pool=self._services.pool,
            partition=self._lease.partition,
            tenant_id=self._tenant_id,
            tier=self._services.tier_of(tenant.app),
            scribe=scribe,
            recorder=self._recorder,
            memory=memory,
            metrics=self._services.metrics,
            alive=self._caller.alive,
        )
        self._kinds = [kind(context) for kind in self._made_kinds]
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
            held = self._troubles.held(time.monotonic())
            due = await agenda(
                self._services.pool,
                self._lease.partition,
                self._tenant_id,
                self._entities,
                now,
                kinds=self._kinds,
                busy=self._calls.keys() | held.keys(),
                most=self._troubles.most,
            )
            self._troubles.holds = due.holds
            waits = await self._start_what_may(due.jobs, held)
            if not self._calls and not waits and due.next_at is None and not self._wake.is_set():
                return
            await self._wait(min((at for at in (due.next_at, *waits) if at is not None), default=None))

    async def _start_what_may(self, jobs: Sequence[Job], held: Mapping[Slot, float]) -> list[datetime]:
        """Start the jobs that are allowed; answers when those that are not may be asked for again."""
        clock = time.monotonic()
        waits = list(held.values())
        for job in jobs:
            # Asked before the call is made up: what arrives while we wait shall ride it.
            decision = self._caller.may_start(job.slot.priority, clock)
            if isinstance(decision, Go):
                self._start(job)
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

    def _start(self, job: Job) -> None:
        slot = job.slot
        self._caller.starts(slot.priority, time.monotonic())
        task = asyncio.create_task(self._guarded(job))
        self._calls[slot] = task
        task.add_done_callback(lambda _: self._freed(slot))

    def _freed(self, slot: Slot) -> None:
        self._calls.pop(slot, None)
        self._answered.discard(slot)
        self._services.metrics.heartbeats.done(self._caller.beat_name(slot))
        self._wake.set()

    async def _guarded(self, job: Job) -> None:
        try:
            await self._attempted(job)
        except NotNowError:
            return  # what it was for stays due
        except FencedError as error:
            self._fenced = error
        except STORE_ERRORS as error:
            log.warning("recording_waits", tenant=self._tenant_id, reason=f"{type(error).__name__}: {error}"[:300])
            self._troubles.not_recorded(job.slot)
        except Exception as error:
            log.exception("trouble_broke", tenant=self._tenant_id, entity=job.entity, reason=described(error))
            self._troubles.stumbled(job.slot)

    async def _attempted(self, job: Job) -> None:
        # Those of the grant that the call goes out with: a new grant that came meanwhile must not pay for the old one.
        troubles, caller, begun = self._troubles, self._caller, time.monotonic()
        try:
            await self._do(job)
        except XeroError as error:
            await troubles.failed(job, error, caller.marks_of(job.slot))
        except (NotNowError, FencedError):
            raise
        except Exception as error:
            if passes_by_itself(error):
                raise
            await self._unforeseen(job, error, caller.marks_of(job.slot))
        else:
            await self._troubles.succeeded(job)
            await self._services.app_holds.works(self._app, begun)
        finally:
            caller.ended(job.slot)

    async def _unforeseen(self, job: Job, error: Exception, marks: int | None) -> None:
        """A fault of ours: held against what the answer holds, or against the kind of record where there was none."""
        answered = job.slot in self._answered
        reason = described(error)
        if answered:  # no traceback: the exception's message may quote a record
            log.error("call_broke", tenant=self._tenant_id, entity=job.entity, reason=reason)
        else:
            log.error("call_broke", tenant=self._tenant_id, entity=job.entity, reason=reason, exc_info=error)
        await self._troubles.unforeseen(job, error, answered=answered, marks=marks)

    async def _do(self, job: Job) -> None:
        """Make the job's calls, one after the other.

        Raises:
            NotNowError: no call was made: there is nothing to do by now, or it is time to stop. That shows nothing to go well.
        """
        state = await job.begin()
        while state is not None and not self._stopping:
            async with self._caller.call(job.request(state), job.slot) as (answer, marks):
                self._answered.add(job.slot)
                state = await job.apply(state, answer, marks)
        if job.slot not in self._answered:
            raise NotNowError
