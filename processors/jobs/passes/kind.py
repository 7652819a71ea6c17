"""Passes as jobs: one page is one job; its last transaction moves the pass on."""

import itertools
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

import orjson
import structlog

from processors.jobs.passes.plan import OpenPass, PassPage, plan
from processors.recorder.scribe import SnapshotEnds
from processors.sync.progress import move
from processors.tenants.context import TenantContext
from processors.tenants.job import Due, Failure, Job, JobKind, Look, Reaction, Retry, Slot
from processors.tenants.setbacks import LONGEST_OUTAGE_WAIT
from xero_api.answers import Answer
from xero_api.errors import XeroError
from xero_api.paging import Done
from xero_api.passes import Place, begin, go_on, place_from_json
from xero_api.registry import by_name
from xero_api.requests import Request
from xero_api.verdicts import Subject
from xero_stream.contracts.change_event import Trigger
from xero_stream.contracts.names import EntityName
from xero_stream.process.backoff import Backoff
from xero_stream.store import passes
from xero_stream.store.clock import utc_now
from xero_stream.store.passes import PassId, PassRow
from xero_stream.store.states import PassKind

log = structlog.get_logger(__name__)

_BACKOFF = Backoff(first=1.0, longest=600.0, spread=(0.75, 1.0))
_OUTAGE_BACKOFF = Backoff(first=1.0, longest=LONGEST_OUTAGE_WAIT, spread=(0.75, 1.0))
_REFUSED_BACKOFF = Backoff(first=5.0, longest=3600.0, spread=(0.75, 1.0))


class Passes(JobKind):
    """First loads and catch-ups of a tenant."""

    def __init__(self, context: TenantContext) -> None:
        self._context = context
        self._turns: dict[tuple[PassKind, EntityName], int] = {}
        self._turn = itertools.count(1)

    async def due(self, look: Look) -> Due:
        """A page of the pass of each kind whose turn it is."""
        steps, later = [], []
        for row in await passes.open_of(look.connection, look.partition, look.tenant_id):
            if (at := look.later(EntityName(row.entity), row.not_before)) is not None:
                later.append(at)
            elif row.entity in look.entities:
                steps.append(_step(row))
        pages = plan(steps, busy=look.busy, turns=self._turns)
        return Due(jobs=[Page(page=page, kind=self) for page in pages], next_at=min(later, default=None))

    def has_turn(self, step: OpenPass) -> None:
        """A page of this pass is asked for now: the others of its kind come first next time."""
        self._turns[step.kind, step.entity] = next(self._turn)

    @property
    def context(self) -> TenantContext:
        """What the pages work with."""
        return self._context


def _step(row: PassRow) -> OpenPass:
    entity = EntityName(row.entity)
    # What can't be read since a moment is read whole.
    since = row.since if by_name(entity).modified_since else None
    place = place_from_json(orjson.loads(row.place)) if row.place else begin(by_name(entity), since)
    return OpenPass(
        entity=entity,
        kind=PassKind(row.kind),
        place=place,
        seen=row.seen,
        generation=row.generation,
        attempts=row.attempts,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Job):
    """The next page of a pass; its state is the place in the list, which the store keeps from page to page."""

    page: PassPage
    kind: Passes = field(repr=False, compare=False)

    @property
    def slot(self) -> Slot:
        """Shared by all passes of a kind."""
        return self.page.slot

    @property
    def entity(self) -> EntityName:
        """What is read."""
        return self.page.entity

    @property
    def subject(self) -> Subject:
        """A page of a list."""
        return Subject.LIST

    async def begin(self) -> Place:
        """At the place where the page before ended."""
        self.kind.has_turn(self.page.step)
        return self.page.step.place

    def request(self, state: Place) -> Request:
        """That page."""
        return state.request(by_name(self.entity))

    async def apply(self, state: Place, answer: Answer, marks: int) -> None:
        """Record the page; the last of its transactions moves the pass on."""
        step, place = self.page.step, go_on(state, answer)
        done = isinstance(place, Done)
        count = len(answer.records)

        async def move_on(connection: Any) -> None:
            await move(
                connection,
                self._which(),
                seen_before=step.seen,
                place=place,
                seen=count,
                total=answer.pagination.item_count if answer.pagination and step.seen == 0 else None,
                now=utc_now(),
            )

        backfill = step.kind is PassKind.BACKFILL
        await self.kind.context.scribe.record(
            answer,
            marks,
            Trigger.BACKFILL if backfill else Trigger.RECONCILE,
            alive=partial(self.kind.context.alive, self.slot),
            also=move_on,
            snapshot=SnapshotEnds(first=step.seen == 0, last=done) if backfill else None,
        )
        if isinstance(place, Done):
            log.info(
                "pass_done",
                tenant=self.kind.context.tenant_id,
                entity=step.entity,
                kind=step.kind,
                records=step.seen + count,
                more=place.more,
            )

    def on_error(self, failure: Failure) -> Reaction:
        """The pass waits by itself, for longer each time; the next one has its turn meanwhile, unless none would fare better."""
        if not failure.transient:
            backoff, pause = _REFUSED_BACKOFF, None
        elif failure.others_succeed:
            backoff, pause = _BACKOFF, None
        else:
            backoff, pause = _OUTAGE_BACKOFF, failure.delay
        return Retry(put_off=backoff.delay(self.page.step.attempts + 1, failure.draw), pause=pause, shown=True)

    async def put_off(self, until: datetime, error: XeroError) -> None:
        """Read this pass on later."""
        await passes.failed(
            self.kind.context.pool, self._which(), error=str(error), hint=error.hint, now=utc_now(), not_before=until
        )

    def _which(self) -> PassId:
        step = self.page.step
        return PassId(
            tenant_id=self.kind.context.tenant_id, entity=step.entity, kind=step.kind, generation=step.generation
        )
