"""What happens after a failed call: one branch per act of ``xero_api.verdicts``, each held against exactly what failed."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from processors.tenants.job import Failure, Hold, Job, OutcomeUnknown, Quarantine, Retry, Slot, Split
from processors.tenants.services import Memory, RunnerServices
from processors.tenants.setbacks import LONGEST_OUTAGE_WAIT, Setbacks
from xero_api.calling.caller import parked_by
from xero_api.errors import (
    DisconnectedError,
    LimitKind,
    MisconfiguredError,
    RateLimitedError,
    UnforeseenError,
    XeroError,
)
from xero_api.registry import by_name
from xero_api.verdicts import Act, act
from xero_stream.contracts.dead_letter import Stage
from xero_stream.contracts.names import AppName, EntityName, RecordId, TenantId
from xero_stream.process.backoff import Backoff
from xero_stream.store import dirty, entity_holds, tenants
from xero_stream.store.clock import utc_now
from xero_stream.store.dirty import ALL_MARKS
from xero_stream.store.leases import Lease
from xero_stream.store.quarantine import Kept, keep
from xero_stream.store.states import HoldState
from xero_stream.unforeseen import described

log = structlog.get_logger(__name__)

LONG_WAIT = 90.0
"""Seconds: a longer wait is written to the store, so that a restart does not forget it."""

_UNRECORDED_BACKOFF = Backoff(first=1.0, longest=15.0)
_STUMBLED_BACKOFF = Backoff(first=60.0, longest=3600.0)
_UNTIL_A_HUMAN_CAME = timedelta(days=3650)
_LISTED_FOR = 60.0
"""Seconds for which Xero's word that an organisation is connected is not asked for again."""
_REMEMBERED = 900.0
"""Seconds after the end of a hold in which another one goes on where it was: what is forbidden for lists may work for one."""
_FAILING_FROM = 5
"""Failures in a row of a kind of record from which they are reported."""


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
        outbox: asyncio.Event,
    ) -> None:
        self._services = services
        self._lease = lease
        self._app = app
        self._tenant_id = tenant_id
        self._roused = roused
        self._memory = memory
        self._outbox = outbox
        self._held: dict[Slot, float] = {}
        self._setbacks = Setbacks()
        self._unrecorded: Counter[Slot] = Counter()
        self._failing: Counter[EntityName] = Counter()
        self.parked_until = parked_until
        self.holds: frozenset[EntityName] = frozenset()
        """Kinds of record with a hold in the store, as of the last look."""

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
        self.hold(slot, _UNRECORDED_BACKOFF.delay(self._unrecorded[slot]))

    def stumbled(self, slot: Slot) -> None:
        """Not even the reaction to a failure went well: the slot waits, for longer each time."""
        failures = self._setbacks.failed(slot, time.monotonic())
        self.hold(slot, _STUMBLED_BACKOFF.delay(failures))

    async def succeeded(self, job: Job) -> None:
        """A call went well: nothing of its kind of record is held any more."""
        slot, entity = job.slot, job.entity
        self._unrecorded.pop(slot, None)
        self._setbacks.succeeded(slot, time.monotonic())
        self._held.pop(slot, None)
        self._failing.pop(entity, None)
        if entity in self.holds:
            attempts = await entity_holds.end(self._services.pool, self._tenant_id, entity)
            self.holds -= {entity}
            self._memory.ended[entity] = (attempts, time.monotonic())
            log.info("entity_goes_on", tenant=self._tenant_id, entity=entity)

    async def failed(self, job: Job, error: XeroError, marks: int | None = None) -> None:
        """React to a failed call.

        Args:
            job: what it was made for.
            error: what came back.
            marks: where the marks sequence stood when the call was sent; None where none was.
        """
        slot, what = job.slot, act(error, job.subject)
        failures = self._setbacks.failed(slot, time.monotonic())
        log.warning(
            "call_failed",
            tenant=self._tenant_id,
            entity=job.entity,
            priority=slot.priority,
            attempt=failures,
            act=what,
            reason=f"{type(error).__name__}: {error}"[:300],
            correlation_id=error.meta.correlation_id,
        )
        match what:
            case Act.RETRY | Act.TELL | Act.SET_ASIDE | Act.SPLIT | Act.POSTPONE:
                await self._react(job, error, what, marks)
            case Act.WAIT:
                await self._wait(slot, error)
            case Act.HOLD_ENTITY:
                await self._hold_entity(job, HoldState.UNAUTHORISED, str(error), _scope_hint(job.entity))
            case Act.ASK_CONNECTIONS:
                await self._ask_connections(job, error)
            case Act.SUSPEND:
                await self._suspend(error)
            case Act.STOP:
                log.error("xero_misconfigured", tenant=self._tenant_id, reason=str(error)[:300], hint=error.hint)
                assert isinstance(error, MisconfiguredError)
                await self._services.app_holds.refused(self._app, error)

    async def unforeseen(self, job: Job, error: Exception, *, answered: bool, marks: int | None = None) -> None:
        """Our code failed in a way that nobody foresaw, outside of any one record's reading.

        Args:
            job: what the call was made for.
            error: what was raised.
            answered: whether the answer was there: then what it holds may be the reason.
            marks: where the marks sequence stood when the call was sent; None where none was.
        """
        what = described(error)
        self._setbacks.failed(job.slot, time.monotonic())
        if not answered:
            hint = UnforeseenError.hint
            await self._hold_entity(job, HoldState.BROKEN, what, hint)
            return
        await self._react(job, UnforeseenError(what), Act.SET_ASIDE, marks)

    async def park_if_long(self, seconds: float, reason: str) -> None:
        """A long wait is written down, so that a restart does not forget it; a short one stays with the budget."""
        if not LONG_WAIT < seconds < float("inf"):
            return
        until = utc_now() + timedelta(seconds=seconds)
        if self.parked_until is None or self.parked_until < until - timedelta(seconds=5):
            await self._park(until, reason)

    async def _park(self, until: datetime, reason: str, *, day_used_up: datetime | None = None) -> None:
        self.parked_until = max(until, self.parked_until or until)
        await tenants.park(self._services.pool, self._tenant_id, until, reason, day_used_up=day_used_up)
        log.warning("tenant_parked", tenant=self._tenant_id, until=until.isoformat(), reason=reason)

    async def _react(self, job: Job, error: XeroError, what: Act, marks: int | None) -> None:
        """Do what the job says that its failure leads to."""
        slot = job.slot
        failure = Failure(
            error=error,
            act=what,
            delay=self._delay(slot, error),
            failures=self._setbacks.failures(slot),
            others_succeed=self._setbacks.others_go_well(slot),
            draw=random.random(),
        )
        match job.on_error(failure):
            case Retry() as retry:
                await self._retry(job, retry, error)
            case Split(pause=pause, failing=failing):
                if failing:
                    await self._count_failing(job.entity, error)
                await job.split()
                if pause is not None:
                    self.hold(slot, pause)
            case Quarantine(after_some=True):
                await self._broke(job, error, ALL_MARKS if marks is None else marks)
            case Quarantine():
                await self._quarantine(job, error, marks)
            case Hold(state=state):
                await self._hold_entity(job, state, str(error), error.hint)
            case OutcomeUnknown():
                log.error("outcome_unknown", tenant=self._tenant_id, entity=job.entity, reason=str(error)[:300])

    async def _retry(self, job: Job, retry: Retry, error: XeroError) -> None:
        if not retry.shown:
            await self._count_failing(job.entity, error)
        if retry.fewer is not None:
            self._setbacks.halve(job.slot, retry.fewer)
        if retry.put_off is not None:
            await job.put_off(utc_now() + timedelta(seconds=retry.put_off), error)
        if retry.pause is not None:
            self.hold(job.slot, retry.pause)

    async def _count_failing(self, entity: EntityName, error: XeroError) -> None:
        self._failing[entity] += 1
        if self._failing[entity] >= _FAILING_FROM:
            await self._tell_failing(entity, error)

    def _delay(self, slot: Slot, error: XeroError) -> float:
        delay = self._setbacks.wait(slot) * random.uniform(0.75, 1.25)
        return max(delay, min(error.meta.retry_after or 0.0, LONGEST_OUTAGE_WAIT))

    async def _tell_failing(self, entity: EntityName, error: XeroError) -> None:
        await entity_holds.failing(
            self._services.pool,
            self._tenant_id,
            entity,
            self._lease.partition,
            error=str(error),
            hint=error.hint,
            now=utc_now(),
            attempts=self._failing[entity],
        )
        self.holds |= {entity}

    async def _wait(self, slot: Slot, error: XeroError) -> None:
        until, now = parked_by(self._memory.budget, error), time.monotonic()
        self.hold(slot, min(until - now, LONG_WAIT))
        if isinstance(error, RateLimitedError) and error.limit is LimitKind.DAY:
            # Written down however short: else who takes over finds a day without calls, and not when it ends.
            told_at = utc_now()
            await self._park(told_at + timedelta(seconds=until - now), "day", day_used_up=told_at)
        else:
            await self.park_if_long(until - now, type(error).__name__)

    async def _hold_entity(self, job: Job, state: HoldState, error: str, hint: str) -> None:
        """This kind of record waits, in the store; the others go on."""
        entity = job.entity
        attempts, ended = self._memory.ended.get(entity, (0, 0.0))
        until = await entity_holds.hold(
            self._services.pool,
            self._tenant_id,
            entity,
            self._lease.partition,
            state=state,
            error=error,
            hint=hint,
            now=utc_now(),
            before=attempts if time.monotonic() - ended < _REMEMBERED else 0,
        )
        self.holds |= {entity}
        log.error(
            "entity_held",
            tenant=self._tenant_id,
            entity=entity,
            state=state,
            reason=error[:300],
            until=until.isoformat(timespec="seconds"),
            hint=hint,
        )

    async def _ask_connections(self, job: Job, error: XeroError) -> None:
        """403: a role is missing for this kind of record, or the organisation is gone. ``/connections`` says which."""
        if self._memory.listed_at + _LISTED_FOR < time.monotonic():
            try:
                listed = await self._services.client.reaches(self._app, self._tenant_id, priority=job.slot.priority)
            except XeroError as unknown:
                # Nobody knows: the narrower of the two, until a later refusal finds out.
                log.warning("connection_unknown", tenant=self._tenant_id, reason=f"{type(unknown).__name__}: {unknown}")
            else:
                if not listed:
                    await self._suspend(DisconnectedError(str(error)))
                    return
                self._memory.listed_at = time.monotonic()
        await self._hold_entity(job, HoldState.FORBIDDEN, str(error), error.hint)

    async def _suspend(self, error: XeroError) -> None:
        state = "disconnected" if isinstance(error, DisconnectedError) else "needs_reauth"
        if not await tenants.suspend(self._services.pool, self._tenant_id, state, self._roused):
            return  # the desk has us look at the new grant
        log.error("tenant_suspended", tenant=self._tenant_id, state=state, hint=error.hint)
        self.parked_until = utc_now() + _UNTIL_A_HUMAN_CAME

    async def _broke(self, job: Job, error: XeroError, marks: int) -> None:
        """Count it against the record; after a few times the record goes into quarantine."""
        record_id = _record_of(job)
        async with self._services.pool.acquire() as connection, connection.transaction():
            created = await dirty.broke(
                connection,
                self._lease.partition,
                self._tenant_id,
                job.entity.value,
                record_id,
                marks=marks,
                now=utc_now(),
            )
            if created is None:
                return
            kept = replace(self._kept(job, record_id, error, "broke"), created=created)
            ended = await self._keep(connection, kept, job.entity)
        self._kept_aside(job.entity, ended=ended)

    async def _quarantine(self, job: Job, error: XeroError, marks: int | None) -> None:
        record_id = _record_of(job)
        async with self._services.pool.acquire() as connection, connection.transaction():
            created = await dirty.drop(connection, self._tenant_id, job.entity, record_id, marks)
            kept = replace(self._kept(job, record_id, error, "refused"), created=created)
            ended = await self._keep(connection, kept, job.entity)
        self._kept_aside(job.entity, ended=ended)

    async def _keep(self, connection: Any, kept: Kept, entity: EntityName) -> bool:
        """Put a record into quarantine. Its failures count no more; another one that fails is counted from the beginning."""
        await keep(connection, self._lease.partition, kept)
        return await entity_holds.end_failing(connection, self._tenant_id, entity)

    def _kept_aside(self, entity: EntityName, *, ended: bool) -> None:
        self._failing.pop(entity, None)
        if ended:
            self.holds -= {entity}
        self._services.metrics.quarantine.quarantined(Stage.FETCH)
        self._outbox.set()

    def _kept(self, job: Job, record_id: RecordId, error: XeroError, reason: str) -> Kept:
        return Kept(
            identity=f"{self._tenant_id}/{job.entity}/{record_id}",
            stage=Stage.FETCH,
            reason=reason,
            error=str(error),
            source=f"{job.entity}/{record_id}",
            # Of a kind of record that a policy covers, an answer holds what must not be passed on.
            value=b"" if self._services.policy.covers(job.entity) else error.body,
            tenant_id=self._tenant_id,
            entity=job.entity.value,
            record_id=record_id,
        )


def _scope_hint(entity: EntityName) -> str:
    scope = by_name(entity).scope.reading
    return f"Either the grant lacks the scope {scope}: connect the organisation again with it; or the user who connected it lacks a role in Xero."


def _record_of(job: Job) -> RecordId:
    if job.record_id is None:
        raise ValueError("a job that stands for no record can't put one into quarantine")
    return job.record_id
