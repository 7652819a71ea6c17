"""Refreshes as jobs: a single GET, a call for several ids, or a sweep, as :mod:`processors.jobs.refresh.plan` decides."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

import structlog

from processors.jobs.refresh.plan import DueRow, GetIds, GetOne, Read, Sweep, plan
from processors.jobs.refresh.unseen import count, set_aside
from processors.recorder.judge import Verdict
from processors.tenants.context import TenantContext
from processors.tenants.job import Due, Failure, Job, JobKind, Look, Quarantine, Reaction, Retry, Slot, Split
from processors.tenants.metrics import NeverSeen
from processors.tenants.setbacks import ISOLATE_AFTER, NEXT_RECORD_WAIT
from processors.tenants.unseen import limit_of
from xero_api.answers import Answer
from xero_api.errors import UnforeseenError, UnsendableError, XeroError
from xero_api.paging import Done
from xero_api.passes import Place, begin, go_on
from xero_api.registry import by_name
from xero_api.requests import Request, get_ids, get_one
from xero_api.verdicts import Subject
from xero_stream.contracts.change_event import Trigger
from xero_stream.contracts.dead_letter import Stage
from xero_stream.contracts.names import EntityName, RecordId
from xero_stream.store import dirty
from xero_stream.store.clock import utc_now
from xero_stream.store.dirty import ALL_MARKS
from xero_stream.store.states import Mode

log = structlog.get_logger(__name__)

_SWEEP_OVERLAP = timedelta(seconds=3)
_REFUSED_SWEEP_PAUSE = 5.0


def _ids_per_call(name: EntityName) -> int:
    by_ids = by_name(name).by_ids
    return by_ids.limit if by_ids else 0


class Refresh(JobKind):
    """Records of a tenant that are known to have changed."""

    def __init__(self, context: TenantContext) -> None:
        self._context = context

    @property
    def context(self) -> TenantContext:
        """What the jobs work with."""
        return self._context

    async def due(self, look: Look) -> Due:
        """For each entity the call that asks for its due records."""
        rows: dict[EntityName, list[DueRow]] = {}
        later = []
        for row in await dirty.waiting(look.connection, look.partition, look.tenant_id, look.entities):
            entity = EntityName(row.entity)
            if (at := look.later(entity, row.not_before)) is not None:
                later.append(at)
            else:
                rows.setdefault(entity, []).append(DueRow(record_id=row.record_id, mode=Mode(row.mode)))
        ids = {entity: _ids_per_call(entity) for entity in rows}
        reads = plan(rows, busy=look.busy, ids_per_call=ids, most=look.most)
        return Due(jobs=[job_of(read, self) for read in reads], next_at=min(later, default=None))


def job_of(read: Read, kind: Refresh) -> Job:
    """The job that makes a planned call."""
    match read:
        case GetOne():
            return OneRecord(read=read, kind=kind)
        case GetIds():
            return SomeRecords(read=read, kind=kind)
        case Sweep():
            return Swept(read=read, kind=kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class OneRecord(Job):
    """A single GET: the only proof of absence."""

    read: GetOne
    kind: Refresh = field(repr=False, compare=False)

    @property
    def slot(self) -> Slot:
        """Of the entity, or of its records that are asked for alone."""
        return self.read.slot

    @property
    def entity(self) -> EntityName:
        """What is read."""
        return self.read.entity

    @property
    def record_id(self) -> RecordId:
        """Which."""
        return RecordId(self.read.record_id)

    @property
    def subject(self) -> Subject:
        """One record."""
        return Subject.RECORD

    async def begin(self) -> bool | None:
        """Unless the hour's calls for records never seen are used up: then such records wait, or are put aside."""
        return None if await _too_many_unseen(self.kind.context, self.entity) else True

    def request(self, state: bool) -> Request:
        """The record.

        Raises:
            UnsendableError: its id is none.
        """
        del state
        try:
            return get_one(by_name(self.entity), self.record_id)
        except ValueError as error:
            raise UnsendableError(str(error)) from error

    async def apply(self, state: bool, answer: Answer, marks: int) -> None:
        """Record it, or that it is absent."""
        del state
        context = self.kind.context
        await context.scribe.record(answer, marks, Trigger.POLL, alive=partial(context.alive, self.slot))
        if answer.missing:
            await _count_unseen(context, self.entity, await context.scribe.record_missing(answer, marks))

    def on_error(self, failure: Failure) -> Reaction:
        """Put off: another record of the slot goes meanwhile, unless none would fare better. Refused for good: quarantine."""
        if not failure.transient:
            return Quarantine(after_some=isinstance(failure.error, UnforeseenError))
        pause = min(failure.delay, NEXT_RECORD_WAIT) if failure.others_succeed else failure.delay
        return Retry(put_off=failure.delay, pause=pause)

    async def put_off(self, until: datetime, error: XeroError) -> None:
        """Read it no earlier, and alone."""
        del error
        context = self.kind.context
        await dirty.postpone(context.pool, context.tenant_id, self.entity, [self.record_id], until)


@dataclass(frozen=True, slots=True, kw_only=True)
class SomeRecords(Job):
    """One call for several ids."""

    read: GetIds
    kind: Refresh = field(repr=False, compare=False)

    @property
    def slot(self) -> Slot:
        """Of the entity."""
        return self.read.slot

    @property
    def entity(self) -> EntityName:
        """What is read."""
        return self.read.entity

    @property
    def subject(self) -> Subject:
        """Several records."""
        return Subject.BATCH

    async def begin(self) -> bool:
        """At once."""
        return True

    def request(self, state: bool) -> Request:
        """The records.

        Raises:
            UnsendableError: an id is none, or such records can't be read so.
        """
        del state
        try:
            return get_ids(by_name(self.entity), [RecordId(one) for one in self.read.record_ids])
        except ValueError as error:
            raise UnsendableError(str(error)) from error

    async def apply(self, state: bool, answer: Answer, marks: int) -> None:
        """Record them; those that are absent are asked for alone: only that proves it."""
        del state
        context = self.kind.context
        await context.scribe.record(answer, marks, Trigger.POLL, alive=partial(context.alive, self.slot))
        if answer.absent:
            await dirty.ask_alone(context.pool, context.tenant_id, self.entity, sorted(answer.absent), marks)

    def on_error(self, failure: Failure) -> Reaction:
        """Ask for fewer, once that is a habit. Refused for good: each alone."""
        if not failure.transient:
            return Split()
        return Retry(pause=failure.delay, fewer=len(self.read.record_ids))

    async def split(self) -> None:
        """Each is asked for alone."""
        context = self.kind.context
        await dirty.ask_alone(context.pool, context.tenant_id, self.entity, self.read.record_ids, ALL_MARKS)


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepState:
    """Where a sweep is.

    Attributes:
        place: in the list.
        marks: where the marks sequence stood when its first page was asked for; None before.
    """

    place: Place
    marks: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept(Job):
    """Pages of everything since the oldest due event: a thousand records a call."""

    read: Sweep
    kind: Refresh = field(repr=False, compare=False)

    @property
    def slot(self) -> Slot:
        """Of the entity."""
        return self.read.slot

    @property
    def entity(self) -> EntityName:
        """What is read."""
        return self.read.entity

    @property
    def subject(self) -> Subject:
        """A page of a list."""
        return Subject.LIST

    async def begin(self) -> SweepState | None:
        """Since the oldest event that is due by now."""
        context, entity = self.kind.context, by_name(self.entity)
        oldest = await dirty.oldest_event(context.pool, context.partition, context.tenant_id, self.entity, utc_now())
        if oldest is None:
            return None
        return SweepState(place=begin(entity, oldest - _SWEEP_OVERLAP if entity.modified_since else None))

    def request(self, state: SweepState) -> Request:
        """The page there."""
        return state.place.request(by_name(self.entity))

    async def apply(self, state: SweepState, answer: Answer, marks: int) -> SweepState | None:
        """Record the page. At the end, what the sweep did not bring is asked for by id."""
        context, first = self.kind.context, marks if state.marks is None else state.marks
        place = go_on(state.place, answer)
        await context.scribe.record(answer, marks, Trigger.POLL, alive=partial(context.alive, self.slot))
        if not isinstance(place, Done):
            return SweepState(place=place, marks=first)
        await dirty.ask_by_id(context.pool, context.partition, context.tenant_id, self.entity, first)
        return None

    def on_error(self, failure: Failure) -> Reaction:
        """Where only the list fails, or Xero refuses it for good, its records are asked for by id."""
        if not failure.transient:
            return Split(pause=_REFUSED_SWEEP_PAUSE)
        if failure.others_succeed and failure.failures >= ISOLATE_AFTER:
            return Split(pause=failure.delay, failing=True)
        return Retry(pause=failure.delay)

    async def split(self) -> None:
        """Its records are asked for by id."""
        context = self.kind.context
        await dirty.ask_by_id(context.pool, context.partition, context.tenant_id, self.entity, ALL_MARKS)


async def _too_many_unseen(context: TenantContext, entity: EntityName) -> bool:
    """Whether such records wait, or are put aside, as the hour's calls for records never seen are used up."""
    now = utc_now()
    if not context.memory.unseen.spent(now, context.tier):
        return False
    postponed, aside = await set_aside(context.pool, context.tenant_id, entity, now, context.patience)
    if aside:
        context.metrics.never_seen(NeverSeen.OVER_BUDGET, aside)
        context.metrics.quarantine.quarantined(Stage.FETCH, aside)
        context.recorder.outbox.set()
    if postponed or aside:
        log.warning(
            "records_never_seen",
            tenant=context.tenant_id,
            entity=entity,
            postponed=postponed,
            put_aside=aside,
            hint="events name records that Xero does not have: see docs/operations.md",
        )
    return bool(postponed or aside)


async def _count_unseen(context: TenantContext, entity: EntityName, verdicts: Mapping[Verdict, int]) -> None:
    """Count what was spent on a record that no read ever gave."""
    if not verdicts.keys() & {Verdict.NOT_YET_SEEN, Verdict.NEVER_SEEN}:
        return
    if Verdict.NEVER_SEEN in verdicts:
        context.metrics.never_seen(NeverSeen.ASKED)
    before = context.memory.unseen
    context.memory.unseen = await count(context.pool, context.tenant_id, utc_now())
    limit = limit_of(context.tier)
    if context.memory.unseen.calls >= limit and not before.spent(utc_now(), context.tier):
        log.error(
            "never_seen_budget_spent",
            tenant=context.tenant_id,
            entity=entity,
            calls=limit,
            hint="events name records that Xero does not have; others of them wait until they are put aside",
        )
