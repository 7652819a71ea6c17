"""An answer of Xero is handed to the recorder in slices; the last one carries what else belongs to it."""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from processors.recorder.amounts import Amounts
from processors.recorder.decide import Read
from processors.recorder.envelope import Fetch
from processors.recorder.judge import Verdict
from processors.recorder.metrics import RecorderMetrics
from processors.recorder.policy import FieldPolicy
from processors.recorder.read import Reading, read_answer
from processors.recorder.recorder import SLICE, Batch, Recorded, Recorder
from xero_api.answers import Answer
from xero_stream.contracts.change_event import Snapshot, Trigger
from xero_stream.contracts.names import TenantId
from xero_stream.store.clock import utc_now

log = structlog.get_logger(__name__)

Also = Callable[[Any], Awaitable[None]]
"""Further statements for the last transaction of an answer, given its connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotEnds:
    """Which ends of a snapshot a page holds."""

    first: bool
    last: bool

    def of(self, reads: Sequence[Read], *, first: bool, last: bool) -> dict[str, Snapshot]:
        """Debezium's place for each record of a slice.

        Args:
            reads: the slice.
            first: it is the first of the page.
            last: it is the last of the page.
        """
        places = {read.record_id: Snapshot.TRUE for read in reads}
        if reads and self.first and first:
            places[reads[0].record_id] = Snapshot.FIRST
        if reads and self.last and last:
            places[reads[-1].record_id] = Snapshot.LAST
        return places


class Scribe:
    """Records the answers of one tenant."""

    def __init__(
        self,
        *,
        recorder: Recorder,
        metrics: RecorderMetrics,
        tenant_id: TenantId,
        customer_ref: str | None,
        keep_raw: bool,
        policy: FieldPolicy,
        amounts: Amounts,
    ) -> None:
        self._recorder = recorder
        self._metrics = metrics
        self._tenant_id = tenant_id
        self._customer_ref = customer_ref
        self._keep_raw = keep_raw
        self._policy = policy
        self._amounts = amounts

    async def record(
        self,
        answer: Answer,
        marks: int,
        trigger: Trigger,
        *,
        alive: Callable[[], None],
        also: Also | None = None,
        snapshot: SnapshotEnds | None = None,
    ) -> None:
        """Record all records of an answer.

        Args:
            answer: Xero's.
            marks: where the marks sequence stood when it was asked for.
            trigger: why it was read.
            alive: told after each slice: a thousand records on a slow store take their time.
            also: goes into the last transaction.
            snapshot: the page's place in a snapshot, if it is part of one.
        """
        pending: Reading | None = None
        first = True
        async for reading in read_answer(
            answer,
            tenant_id=self._tenant_id,
            keep_raw=self._keep_raw,
            policy=self._policy,
            size=SLICE,
            amounts=self._amounts,
        ):
            if pending is not None:
                places = snapshot.of(pending.reads, first=first, last=False) if snapshot else {}
                await self._write(answer, marks, trigger, pending, snapshots=places)
                first = False
                alive()
            self._tell_oddities(answer, reading)
            pending = reading
        if pending is None and also is None:
            return
        pending = pending or Reading()
        places = snapshot.of(pending.reads, first=first, last=True) if snapshot else {}
        await self._write(answer, marks, trigger, pending, snapshots=places, also=also)

    def _tell_oddities(self, answer: Answer, reading: Reading) -> None:
        entity = answer.request.entity.name
        for record_id, oddity in reading.oddities:
            if self._metrics.odd_field(entity, oddity):
                log.warning(
                    "odd_field",
                    tenant=self._tenant_id,
                    entity=entity,
                    record=record_id,
                    field=oddity.path,
                    kind=oddity.kind,
                    correlation_id=answer.meta.correlation_id,
                    hint="The first of its kind; further ones are counted in xero_stream_record_oddities_total only.",
                )

    async def record_missing(self, answer: Answer, marks: int) -> Mapping[Verdict, int]:
        """Record that a single GET proved a record absent; answers what that led to."""
        reads = [Read(record_id=record_id, missing=True) for record_id in answer.absent]
        return (await self._write(answer, marks, Trigger.POLL, Reading(reads=reads))).verdicts

    async def _write(
        self,
        answer: Answer,
        marks: int,
        trigger: Trigger,
        reading: Reading,
        *,
        snapshots: dict[str, Snapshot] | None = None,
        also: Also | None = None,
    ) -> Recorded:
        timing = answer.timing
        if timing is None:
            raise ValueError("an answer without its times can't be recorded")
        started = time.monotonic()
        batch = Batch(
            tenant_id=self._tenant_id,
            entity=answer.request.entity.name,
            customer_ref=self._customer_ref,
            reads=reading.reads,
            bad=reading.bad,
            broken=reading.broken,
            read_at=timing.server_sent_at,
            marks=marks,
            trigger=trigger,
            fetch=Fetch(correlation_id=answer.meta.correlation_id, fetched_at=timing.fetched_at),
            snapshots=snapshots or {},
            also=also,
        )
        recorded = await self._recorder.record(batch, utc_now())
        for one in recorded.form_differences:
            if self._metrics.forms_differ(batch.entity, one.paths):
                log.warning(
                    "forms_differ",
                    tenant=self._tenant_id,
                    entity=batch.entity,
                    record=one.record_id,
                    forms=one.forms,
                    fields=one.paths,
                    correlation_id=batch.fetch.correlation_id,
                    hint="Published as a change. If it is none, these ways to read differ in more than docs/entities.md lists: "
                    "report it. The first of its kind; further ones are counted in xero_stream_form_differences_total only.",
                )
        self._metrics.batch_recorded(batch.entity, recorded, time.monotonic() - started, utc_now())
        return recorded
