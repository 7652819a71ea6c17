"""A tenant's calls to Xero: inside its budget, at a distance, each written down before it is sent."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import partial

import structlog

from processors.tenants.job import Slot
from processors.tenants.ledger import StoredLedger, StoredPermit
from processors.tenants.pace import distance
from processors.tenants.services import Memory, RunnerServices
from xero_api.answers import Answer
from xero_api.budget.tenant import PER_MINUTE, Go, Past, TenantBudget, Wait, rapid_sync_seconds
from xero_api.call import Priority
from xero_api.calling.caller import BudgetedCaller
from xero_api.requests import Request
from xero_stream.failpoints import Failpoint, reach
from xero_stream.settings.xero import AppTier
from xero_stream.store import calls
from xero_stream.store.clock import utc_now
from xero_stream.store.leases import Lease
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
            on_wait: called before every wait with the current monotonic time; returns whether to wait at all.
        """
        self._services = services
        self._tenant = tenant
        self._memory = memory
        self._on_wait = on_wait
        self._tier = services.tier_of(tenant.app)
        self._ledger = StoredLedger(services.fast, lease, tenant.tenant_id)
        self._caller = BudgetedCaller(
            app=tenant.app,
            tenant_id=tenant.tenant_id,
            budget=memory.budget,
            ledger=self._ledger,
            tier=self._tier,
            connected_at=tenant.connection_created_at,
        )
        self._marks: dict[Slot, int] = {}
        self._silent_seconds = max(SILENT_SECONDS, services.http_timeout + _BESIDE_THE_CALL)

    def beat_name(self, slot: Slot) -> str:
        """What the watchdog calls a slot's work."""
        return f"call-{self._tenant.tenant_id}-{slot.priority}-{slot.entity}-{slot.alone}"

    def marks_of(self, slot: Slot) -> int | None:
        """Where the marks sequence stood when the slot's last call was sent; None where none was."""
        return self._marks.get(slot)

    def ended(self, slot: Slot) -> None:
        """The slot's work is over."""
        self._marks.pop(slot, None)

    def alive(self, slot: Slot) -> None:
        """The slot's work makes progress."""
        self._services.metrics.heartbeats.beat(self.beat_name(slot), limit=self._silent_seconds)

    def may_start(self, priority: Priority, now: float) -> Go | Wait | float:
        """Whether a call may be made up now: yes, no for a reason of the budget, or no before a time, to keep a distance.

        Args:
            priority: why it would be made.
            now: monotonic seconds.
        """
        memory = self._memory
        # After a wait that Xero asked for, calls go at once until an answer says what is left: one without an answer
        # leaves the day at 0, and that would be the longest distance of all.
        waited = memory.last_for_events < memory.budget.parked_until <= now or memory.budget.feels_for_the_day(now)
        if priority is Priority.WEBHOOK and not waited:
            day_limit = self._tier.calls_per_day
            apart = distance(
                used_this_minute=PER_MINUTE - memory.budget.minute_left(now),
                day_left=day_limit if memory.budget.lifted(now) else memory.budget.day_left(now),
                day_limit=day_limit,
            )
            if memory.last_for_events + apart > now:
                return memory.last_for_events + apart
        return memory.budget.decide(priority, now)

    def starts(self, priority: Priority, now: float) -> None:
        """Work of this priority starts."""
        if priority is Priority.WEBHOOK:
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
        waiting, permitted = partial(self._waiting, slot), partial(self._permitted, slot)
        async with self._caller.turn(slot.priority, waiting, permitted=permitted) as turn:
            answer = await self._services.client.send(turn.context, request, before_unpacking=before_unpacking)
            turn.answered(answer.meta)
        self._tell_day(time.monotonic())
        await reach(Failpoint.CALL_ANSWERED)
        self.alive(slot)
        return answer, turn.permits[-1].marks

    async def _waiting(self, slot: Slot, wait: Wait, now: float) -> None:
        self.alive(slot)
        if not await self._on_wait(wait, now):
            raise NotNowError

    async def _permitted(self, slot: Slot, permit: StoredPermit) -> None:
        self._marks[slot] = permit.marks
        await reach(Failpoint.CALL_LEDGERED)
        self.alive(slot)

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

    async def flush(self) -> None:
        """Wait until the ends of all calls are written down."""
        await self._ledger.flush()
