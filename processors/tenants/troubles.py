"""What happens after a failed call: again later, wait, ask a human, or set the record aside. One branch per intent."""

import random
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import structlog

from processors.partitions.store import Lease
from processors.planner.plan import GetIds, GetOne, PassPage, Slot, Work
from processors.quarantine.store import Kept, keep
from processors.sync import store as passes
from processors.tenants import store
from processors.tenants.services import Memory, RunnerServices
from processors.tenants.setbacks import NEXT_RECORD_WAIT, Setbacks
from xero_api.errors import (
    DisconnectedError,
    Intent,
    LimitKind,
    MisconfiguredError,
    RateLimitedError,
    UnauthorisedError,
    XeroError,
    intent,
)
from xero_stream.contracts.dead_letter import Stage
from xero_stream.contracts.names import AppName, TenantId
from xero_stream.store.clock import utc_now

log = structlog.get_logger(__name__)

LONG_WAIT = 90.0
"""Seconds: a longer wait is written to the store, so that a restart does not forget it."""
_UNAUTHORISED_WAITS = (5.0, 30.0, 30.0, 150.0, 600.0)
"""Xero may refuse a good token once; after a minute another token may be had; a missing scope or role stays missing until a
human came."""
_LONGEST_UNRECORDED_WAIT = 15.0
_UNTIL_A_HUMAN_CAME = timedelta(days=3650)


class Troubles:
    """Remembers what is held back, and until when."""

    def __init__(
        self,
        *,
        services: RunnerServices,
        lease: Lease,
        app: AppName,
        tenant_id: TenantId,
        memory: Memory,
        parked_until: datetime | None,
        roused: int,
        on_change: Callable[[], None],
    ) -> None:
        self._services = services
        self._lease = lease
        self._app = app
        self._tenant_id = tenant_id
        self._roused = roused
        self._memory = memory
        self._on_change = on_change
        self._held: dict[Slot, float] = {}
        self._setbacks = Setbacks()
        self._unrecorded: Counter[Slot] = Counter()
        self.parked_until = parked_until

    def held(self, now: float) -> dict[Slot, float]:
        """Slots that have to wait, with the monotonic time until when."""
        return {slot: until for slot, until in self._held.items() if until > now}

    @property
    def most(self) -> Mapping[Slot, int]:
        """How many records a slot may ask for in one call, where that is fewer than usual."""
        return self._setbacks.most

    def hold(self, slot: Slot, seconds: float) -> None:
        """Let a slot wait."""
        self._held[slot] = time.monotonic() + seconds

    def not_recorded(self, slot: Slot) -> None:
        """Xero answered and the store did not take it: each further call would be spent for as little."""
        self._unrecorded[slot] += 1
        self.hold(slot, min(_LONGEST_UNRECORDED_WAIT, 2.0 ** (self._unrecorded[slot] - 1)))

    def succeeded(self, slot: Slot) -> None:
        """The slot's last call went well."""
        self._unrecorded.pop(slot, None)
        self._setbacks.succeeded(slot, time.monotonic())
        self._held.pop(slot, None)

    async def failed(self, work: Work, error: XeroError) -> None:
        """React to a failed call.

        Args:
            work: what it was made for.
            error: what came back.
        """
        slot, wish = work.slot, intent(error)
        failures = self._setbacks.failed(slot, time.monotonic())
        log.warning(
            "call_failed",
            tenant=self._tenant_id,
            entity=slot.entity,
            lane=slot.lane,
            attempt=failures,
            intent=wish,
            reason=f"{type(error).__name__}: {error}"[:300],
            correlation_id=error.meta.correlation_id,
        )
        match wish:
            case Intent.RETRY:
                await self._again_later(work, error)
            case Intent.PARK:
                await self._wait(slot, error)
            case Intent.REAUTHORISE:
                await self._ask_a_human(slot, error, failures)
            case Intent.QUARANTINE:
                await self._set_aside(work, error)
            case Intent.STOP:
                log.error("xero_misconfigured", tenant=self._tenant_id, reason=str(error)[:300], hint=error.hint)
                assert isinstance(error, MisconfiguredError)
                await self._services.app_holds.refused(self._app, error)

    async def park_if_long(self, seconds: float, reason: str) -> None:
        """A long wait is written down, so that a restart does not forget it; a short one stays with the budget."""
        if not LONG_WAIT < seconds < float("inf"):
            return
        until = utc_now() + timedelta(seconds=seconds)
        if self.parked_until is None or self.parked_until < until - timedelta(seconds=5):
            await self._park(until, reason)

    async def _park(self, until: datetime, reason: str, *, day_used_up: datetime | None = None) -> None:
        self.parked_until = max(until, self.parked_until or until)
        await store.park(self._services.pool, self._tenant_id, until, reason, day_used_up=day_used_up)
        log.warning("tenant_parked", tenant=self._tenant_id, until=until.isoformat(), reason=reason)

    async def _again_later(self, work: Work, error: XeroError) -> None:
        delay = self._setbacks.wait(work.slot) * random.uniform(0.75, 1.25)
        until = utc_now() + timedelta(seconds=delay)
        pool = self._services.pool
        if isinstance(work, GetOne):
            # Postponed in the store: another record of the slot goes meanwhile, unless none would fare better.
            await store.postpone(pool, self._tenant_id, work.entity, [work.record_id], until)
            others = self._setbacks.others_go_well(work.slot)
            self.hold(work.slot, min(delay, NEXT_RECORD_WAIT) if others else delay)
            return
        if isinstance(work, GetIds):
            self._setbacks.halve(work.slot, len(work.record_ids))
        if isinstance(work, PassPage):
            step = work.step
            await passes.failed(pool, self._tenant_id, step.entity, step.kind, error=str(error), not_before=until)
        self.hold(work.slot, delay)

    async def _wait(self, slot: Slot, error: XeroError) -> None:
        now, retry_after = time.monotonic(), error.meta.retry_after
        if isinstance(error, RateLimitedError):
            until = self._memory.budget.limited(error.limit, now, retry_after, random.random())
        else:
            until = self._memory.budget.offline(now, retry_after, random.random())
        self.hold(slot, min(until - now, LONG_WAIT))
        if isinstance(error, RateLimitedError) and error.limit is LimitKind.DAY:
            # Written down however short: else who takes over finds a day without calls, and not when it ends.
            told_at = utc_now()
            await self._park(told_at + timedelta(seconds=until - now), "day", day_used_up=told_at)
        else:
            await self.park_if_long(until - now, type(error).__name__)

    async def _ask_a_human(self, slot: Slot, error: XeroError, failures: int) -> None:
        if isinstance(error, UnauthorisedError):
            # One entity's scope or role may be missing; the others go on.
            log.error("not_authorised", tenant=self._tenant_id, entity=slot.entity, hint=error.hint)
            self.hold(slot, _UNAUTHORISED_WAITS[min(failures, len(_UNAUTHORISED_WAITS)) - 1])
            return
        state = "disconnected" if isinstance(error, DisconnectedError) else "needs_reauth"
        if not await store.suspend(self._services.pool, self._tenant_id, state, self._roused):
            return  # the desk has us look at the new grant
        log.error("tenant_suspended", tenant=self._tenant_id, state=state, hint=error.hint)
        self.parked_until = utc_now() + _UNTIL_A_HUMAN_CAME

    async def _set_aside(self, work: Work, error: XeroError) -> None:
        """This request will never work: find the record that spoils it, put that one into quarantine."""
        pool = self._services.pool
        match work:
            case GetOne():
                await self._quarantine(work, error)
            case GetIds():
                await store.ask_alone(pool, self._tenant_id, work.entity, work.record_ids, 2**62)
            case PassPage():
                await self._again_later(work, error)
            case _:
                # A sweep: its records are asked for by id instead.
                await store.not_brought(pool, self._lease.partition, self._tenant_id, work.entity, 2**62)
                self.hold(work.slot, 5.0)

    async def _quarantine(self, work: GetOne, error: XeroError) -> None:
        kept = Kept(
            identity=f"{self._tenant_id}/{work.entity}/{work.record_id}",
            stage=Stage.FETCH,
            reason="refused",
            error=str(error),
            source=f"{work.entity}/{work.record_id}",
            # Of a kind of record that a policy covers, an answer holds what must not be passed on.
            value=b"" if self._services.policy.covers(work.entity) else error.body,
            tenant_id=self._tenant_id,
            entity=work.entity.value,
            record_id=work.record_id,
        )
        async with self._services.pool.acquire() as connection, connection.transaction():
            await keep(connection, self._lease.partition, kept)
            await store.drop(connection, self._tenant_id, work.entity, work.record_id)
        self._services.metrics.quarantined(Stage.FETCH)
        self._on_change()
