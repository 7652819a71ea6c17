"""A tenant's calls to Xero: inside its budget, at a distance, each written down before it is sent."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import partial

import structlog

from processors.planner.pace import distance
from processors.planner.plan import Slot
from processors.tenants.services import Memory, RunnerServices
from xero_api.answers import Answer
from xero_api.budget.tenant import ABANDONED_SECONDS, PER_MINUTE, Go, Past, TenantBudget, Wait, rapid_sync_seconds
from xero_api.call import Lane
from xero_api.errors import RateLimitedError, XeroError
from xero_api.requests import Request
from xero_stream.failpoints import Failpoint, reach
from xero_stream.settings.xero import AppTier
from xero_stream.store import calls, tenants
from xero_stream.store.clock import utc_now
from xero_stream.store.leases import Lease
from xero_stream.store.pool import STORE_ERRORS
from xero_stream.store.tenants import TenantRow
from xero_stream.telemetry.watchdog import SILENT_SECONDS

log = structlog.get_logger(__name__)

_BESIDE_THE_CALL = 15.0
"""Seconds for what a call waits for besides its answer: a token, mostly."""

_CLOCKS_APART = timedelta(minutes=5)
"""How far Xero's clock may be ahead of the store's, as long as no answer told."""

_DAY_RUNS_LOW = 4 * 3600.0
_TOLD_EVERY = 3600.0


class NotNowError(Exception):
    """A call was not made: it would have to wait for long, or it is time to stop."""


async def restored_budget(services: RunnerServices, tenant: TenantRow) -> TenantBudget:
    """The budget as the calls of the last minutes left it, whoever made them."""
    app = await services.app_minute_of(tenant.app)
    now, wall = time.monotonic(), utc_now()

    def on_our_clock(moment: datetime) -> float:
        return now - (wall - moment).total_seconds()

    tier = services.tier_of(tenant.app)
    lifted = _lifted_seconds(tier, tenant, wall + _CLOCKS_APART)
    budget = TenantBudget(day_limit=tier.calls_per_day, app=app, lifted_until=now + lifted)
    past = await calls.past(services.pool, tenant.tenant_id, wall)
    budget.restore(
        [
            Past(
                started=on_our_clock(call.started_at),
                finished=on_our_clock(call.finished_at) if call.finished_at else None,
            )
            for call in past
        ],
        http_timeout=services.http_timeout,
        now=now,
    )
    if tenant.day_remaining is not None and tenant.day_seen_at is not None:
        budget.restore_day(tenant.day_remaining, on_our_clock(tenant.day_seen_at))
    if tenant.parked_until is not None:
        budget.park(on_our_clock(tenant.parked_until))
    return budget


def _lifted_seconds(tier: AppTier, tenant: TenantRow, xeros_now: datetime) -> float:
    created = tenant.connection_created_at
    return rapid_sync_seconds(tier, created, xeros_now) if created else 0.0


class Caller:
    """Makes the calls of one tenant."""

    def __init__(
        self,
        *,
        services: RunnerServices,
        lease: Lease,
        tenant: TenantRow,
        memory: Memory,
        on_wait: Callable[[Wait, float], Awaitable[bool]],
    ) -> None:
        """Make nothing yet.

        Args:
            services: what tasks share.
            lease: ours, on the tenant's partition.
            tenant: whose calls.
            memory: its budget.
            on_wait: told of every wait before it begins, with the current monotonic time; answers whether to wait at all.
        """
        self._services = services
        self._lease = lease
        self._tenant = tenant
        self._memory = memory
        self._on_wait = on_wait
        self._tier = services.tier_of(tenant.app)
        self._writing: set[asyncio.Task[None]] = set()
        self._marks: dict[Slot, int] = {}
        self._silent_seconds = max(SILENT_SECONDS, services.http_timeout + _BESIDE_THE_CALL)

    def beat_name(self, slot: Slot) -> str:
        """What the watchdog calls a slot's work."""
        return f"call-{self._tenant.tenant_id}-{slot.lane}-{slot.entity}-{slot.alone}"

    def marks_of(self, slot: Slot) -> int | None:
        """Where the marks sequence stood when the slot's last call was sent; None where none was."""
        return self._marks.get(slot)

    def ended(self, slot: Slot) -> None:
        """The slot's work is over."""
        self._marks.pop(slot, None)

    def alive(self, slot: Slot) -> None:
        """The slot's work makes progress."""
        self._services.metrics.heartbeats.beat(self.beat_name(slot), limit=self._silent_seconds)

    def may_start(self, lane: Lane, now: float) -> Go | Wait | float:
        """Whether a call may be made up now: yes, no for a reason of the budget, or no before a time, to keep a distance.

        Args:
            lane: why it would be made.
            now: monotonic seconds.
        """
        memory = self._memory
        # After a wait that Xero asked for, calls go at once until an answer says what is left: one without an answer
        # leaves the day at 0, and that would be the longest distance of all.
        waited = memory.last_for_events < memory.budget.parked_until <= now or memory.budget.feels_for_the_day(now)
        if lane is Lane.WEBHOOK and not waited:
            day_limit = self._tier.calls_per_day
            apart = distance(
                used_this_minute=PER_MINUTE - memory.budget.minute_left(now),
                day_left=day_limit if memory.budget.lifted(now) else memory.budget.day_left(now),
                day_limit=day_limit,
            )
            if memory.last_for_events + apart > now:
                return memory.last_for_events + apart
        return memory.budget.decide(lane, now)

    def starts(self, lane: Lane, now: float) -> None:
        """Work of this lane starts."""
        if lane is Lane.WEBHOOK:
            self._memory.last_for_events = now

    @asynccontextmanager
    async def call(self, request: Request, slot: Slot) -> AsyncIterator[tuple[Answer, int]]:
        """One call inside the budget, written down before it is sent; its answer keeps its room until the block ends.

        Args:
            request: what to ask.
            slot: what for.

        Yields:
            The answer, and where the marks sequence stood when it was sent.

        Raises:
            XeroError: it failed.
            NotNowError: it was not made.
            FencedError: the partition has another owner; nothing was sent.
        """
        async with self._services.room.share(partial(self.alive, slot)) as take:
            yield await self._call(request, slot, take)

    async def _call(
        self, request: Request, slot: Slot, before_unpacking: Callable[[int], Awaitable[None]]
    ) -> tuple[Answer, int]:
        exchanges = [await self._begin(slot)]

        async def again() -> bool:
            exchanges.append(await self._begin(slot))  # a second exchange is a call of its own for Xero's limits
            return True

        limits, ok, abandoned, refused = None, False, True, False
        try:
            answer = await self._services.client.send(
                self._tenant.app,
                self._tenant.tenant_id,
                request,
                lane=slot.lane,
                again=again,
                before_unpacking=before_unpacking,
            )
            limits, ok, abandoned = answer.meta.limits, True, False
        except XeroError as error:
            limits, abandoned = error.meta.limits, error.status is None
            refused = isinstance(error, RateLimitedError)
            raise
        finally:
            # What a refusal says of the day is written with the time when the day ends, or not at all.
            day = limits.day if limits is not None and not refused else None
            for call_id, _ in exchanges:
                self._memory.budget.finished(call_id, time.monotonic(), limits, ok=ok, abandoned=abandoned)
                self._write_off(call_id, day, abandoned=abandoned)
        self._believe_clock(answer)
        self._tell_day(time.monotonic())
        await reach(Failpoint.CALL_ANSWERED)
        self.alive(slot)
        return answer, exchanges[-1][1]

    async def _begin(self, slot: Slot) -> tuple[int, int]:
        await self._turn(slot)
        call_id = random.getrandbits(62)
        self._memory.budget.started(call_id, time.monotonic())
        try:
            marks = await calls.started(self._services.fast, self._lease, self._tenant.tenant_id, call_id, utc_now())
        except BaseException:
            self._memory.budget.finished(call_id, time.monotonic())
            raise
        self._marks[slot] = marks
        await reach(Failpoint.CALL_LEDGERED)
        self.alive(slot)
        return call_id, marks

    async def _turn(self, slot: Slot) -> None:
        while True:
            now = time.monotonic()
            decision = self._memory.budget.decide(slot.lane, now)
            if isinstance(decision, Go):
                return
            self.alive(slot)
            if not await self._on_wait(decision, now):
                raise NotNowError
            await asyncio.sleep(min(max(decision.until - now, 0.01), 1.0))

    def _believe_clock(self, answer: Answer) -> None:
        """For how long a new connection's limits are lifted goes by Xero's clock, and every answer says what that shows."""
        if answer.timing is not None and answer.meta.server_date is not None:
            lifted = _lifted_seconds(self._tier, self._tenant, answer.meta.server_date)
            self._memory.budget.lift(answer.timing.sent + lifted)

    def _tell_day(self, now: float) -> None:
        """Say how long the day's calls will last; aloud, once an hour, where they will not last for much longer."""
        lasts = self._memory.budget.day_lasts_until(now) - now
        self._services.metrics.quotas.day_lasts(self._tenant.tenant_id, lasts)
        if lasts < _DAY_RUNS_LOW and now >= self._memory.day_told_at + _TOLD_EVERY:
            self._memory.day_told_at = now
            log.warning(
                "day_budget_runs_low",
                tenant=self._tenant.tenant_id,
                left=self._memory.budget.day_left(now),
                until=(utc_now() + timedelta(seconds=lasts)).isoformat(timespec="minutes"),
            )

    async def written_off(self) -> None:
        """Wait until the ends of all calls are written down."""
        if self._writing:
            await asyncio.wait(self._writing, timeout=5)

    def _write_off(self, call_id: int, day: int | None, *, abandoned: bool) -> None:
        """Write the end of a call down beside the work on its answer: nobody waits for that."""
        # Xero may still be busy with one given up on: whoever takes over must not use its slot yet.
        end = utc_now() + timedelta(seconds=ABANDONED_SECONDS if abandoned else 0)
        task = asyncio.create_task(self._written_off(call_id, end, day))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def _written_off(self, call_id: int, now: datetime, day: int | None) -> None:
        try:
            await calls.finished(self._services.fast, self._tenant.tenant_id, call_id, now)
            if day is not None:
                await tenants.day_seen(self._services.fast, self._tenant.tenant_id, day, now)
        except STORE_ERRORS:
            return  # left open, it counts for longer: on the safe side
