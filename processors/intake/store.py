"""Intake's statements: marks and the offsets they came from, in one transaction under the partition's epoch."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from processors.intake.fold import Arrived, Mark, Refused
from processors.intake.line import digest
from processors.intake.unconnected import admit
from xero_stream.contracts.dead_letter import Stage
from xero_stream.contracts.names import AppName, EntityName, TenantId
from xero_stream.failpoints import Failpoint, reach
from xero_stream.store.leases import FencedError
from xero_stream.store.quarantine import Kept, keep
from xero_stream.store.unconnected import count, kept_of, note

# A stored record read from Xero after the event, and at least as new as it, leaves nothing to do: replays cost no call.
# Two seconds: Xero's stamps of the event and of the record may differ a little. LIMIT keeps the look-up a look-up: for
# a full poll the planner would rather read all records once.
_MARK = """
INSERT INTO dirty (tenant_id, entity, record_id, partition, event_at, first_received_at, deliveries, traceparent,
                   created)
SELECT m.tenant_id, m.entity, m.record_id, $1, m.event_at, m.received_at, string_to_array(m.deliveries, ','), m.traceparent,
       m.created
FROM unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::text[], $8::text[], $9::bool[],
            $10::bool[])
     AS m(tenant_id, entity, record_id, event_at, received_at, deliveries, traceparent, dated, created)
LEFT JOIN LATERAL (
    SELECT true AS known FROM records r
    WHERE r.tenant_id = m.tenant_id AND r.entity = m.entity AND r.record_id = m.record_id
      AND r.version_at >= m.event_at - interval '2 seconds'
      AND r.read_at > m.event_at + interval '2 seconds'
    LIMIT 1) AS settled ON true
WHERE settled.known IS NULL OR NOT m.dated
ORDER BY m.tenant_id, m.entity, m.record_id
ON CONFLICT (tenant_id, entity, record_id) DO UPDATE SET
    event_at = greatest(dirty.event_at, excluded.event_at),
    marks = excluded.marks,
    created = dirty.created OR excluded.created,
    deliveries = (dirty.deliveries || excluded.deliveries)[1:20],
    not_before = CASE WHEN excluded.event_at > dirty.event_at THEN to_timestamp(0) ELSE dirty.not_before END,
    attempts = CASE WHEN excluded.event_at > dirty.event_at THEN 0 ELSE dirty.attempts END,
    equal_reads = CASE WHEN excluded.event_at > dirty.event_at THEN 0 ELSE dirty.equal_reads END,
    mode = CASE WHEN excluded.event_at > dirty.event_at THEN 'any' ELSE dirty.mode END
"""
_MARK_RETURNING = f"{_MARK}RETURNING tenant_id, (xmax = 0) AS new"


_RANGES = """
INSERT INTO delivered_ranges (app, first, last, received_at)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::timestamptz[])
"""

_IGNORED = """
INSERT INTO ignored_events (partition, entity, events, first_at, last_at)
SELECT $1, i.entity, i.events, $4, $4 FROM unnest($2::text[], $3::bigint[]) AS i(entity, events) ORDER BY i.entity
ON CONFLICT (partition, entity) DO UPDATE SET events = ignored_events.events + excluded.events,
    last_at = greatest(ignored_events.last_at, excluded.last_at)
"""

_OFFSET = """
UPDATE intake_offsets SET next_offset = $3::bigint, received_at = greatest(received_at, $4), last_offset = $3::bigint - 1, last_digest = $5
WHERE partition = $1 AND epoch = $2
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenIn:
    """What a poll came to.

    Attributes:
        marked: rows that were marked; the rest were known to be settled already.
        dropped: events of organisations that are not connected that were only counted.
    """

    marked: int
    dropped: int = 0


async def owners(pool: "asyncpg.Pool[Any]", records: Iterable[Arrived]) -> dict[TenantId, AppName]:
    """The app that each organisation is connected through, whatever state it is in, for those that the keys name."""
    keys = {record.key.decode("utf-8", "replace").replace("\x00", "") for record in records if record.key}
    rows = await pool.fetch("SELECT tenant_id, app FROM tenants WHERE tenant_id = ANY($1)", list(keys))
    return {TenantId(row["tenant_id"]): AppName(row["app"]) for row in rows}


async def take_in(
    pool: "asyncpg.Pool[Any]",
    *,
    partition: int,
    epoch: int,
    next_offset: int,
    newest: datetime | None,
    marks: Sequence[Mark],
    refused: Sequence[Refused],
    topic: str,
    ranges: Mapping[tuple[AppName, int, int], datetime] | None = None,
    disabled: Mapping[EntityName, int] | None = None,
    last_digest: bytes | None = None,
    owners: Collection[TenantId],
    unconnected_limit: int,
) -> TakenIn:
    """Write a poll's marks and its end offset.

    Args:
        pool: the store.
        partition: the partition polled.
        epoch: our lease on it.
        next_offset: where the next poll starts.
        newest: latest receipt in the poll.
        marks: what to mark dirty.
        refused: what to quarantine.
        topic: the topic's name, for the quarantine entry.
        ranges: the numbers of the events' deliveries by app, with their receipt.
        disabled: how many events were of entities that are not enabled.
        last_digest: of the record before ``next_offset``.
        owners: organisations that are connected, or were and wait for a human.
        unconnected_limit: records of all others that are kept marked, of this partition.

    Returns:
        What was written.

    Raises:
        FencedError: the partition has another owner; nothing was written.
    """
    async with pool.acquire() as connection, connection.transaction():
        if await connection.execute(_OFFSET, partition, epoch, next_offset, newest, last_digest) != "UPDATE 1":
            raise FencedError(partition, epoch)
        written = await _mark_all(connection, partition, marks, owners, unconnected_limit)
        if ranges:
            apps, firsts, lasts = zip(*ranges, strict=True)
            await connection.execute(_RANGES, apps, firsts, lasts, list(ranges.values()))
        if disabled:
            await connection.execute(
                _IGNORED, partition, [one.value for one in disabled], list(disabled.values()), newest
            )
        await keep_refused(connection, partition, refused, topic)
        await reach(Failpoint.INTAKE_OPEN)
    return written


async def _mark_all(
    connection: Any, partition: int, marks: Sequence[Mark], owners: Collection[TenantId], limit: int
) -> TakenIn:
    strange = [mark for mark in marks if mark.tenant_id not in owners]
    if not strange:
        status = await connection.execute(_MARK, partition, *_columns(marks)) if marks else "INSERT 0 0"
        return TakenIn(marked=int(status.rsplit(" ", 1)[1]))
    admitted = admit(strange, await kept_of(connection, partition), limit)
    connected = await note(connection, partition, admitted.apps, admitted.events)
    own = [mark for mark in marks if mark.tenant_id in owners or mark.tenant_id in connected]
    waiting = [mark for mark in admitted.marks if mark.tenant_id not in connected]
    rows = await connection.fetch(_MARK_RETURNING, partition, *_columns([*own, *waiting]))
    dropped = {tenant_id: n for tenant_id, n in admitted.dropped.items() if tenant_id not in connected}
    kept = Counter(row["tenant_id"] for row in rows if row["new"])
    await count(connection, {mark.tenant_id: kept[mark.tenant_id] for mark in waiting}, dropped)
    return TakenIn(marked=len(rows), dropped=sum(dropped.values()) + admitted.nameless)


def _columns(marks: Sequence[Mark]) -> tuple[list[Any], ...]:
    return (
        [m.tenant_id for m in marks],
        [m.entity.value for m in marks],
        [m.record_id for m in marks],
        [m.event_at for m in marks],
        [m.received_at for m in marks],
        [",".join(m.deliveries) for m in marks],
        [m.traceparent for m in marks],
        [m.dated for m in marks],
        [m.created for m in marks],
    )


async def keep_refused(connection: Any, partition: int, refused: Sequence[Refused], topic: str) -> None:
    """Quarantine records of ``webhook-events`` that intake refused."""
    for item in refused:
        source = f"{topic}/{partition}@{item.arrived.offset}"
        # With the bytes: a topic that was deleted and created again gives the same offsets to other records.
        await keep(
            connection,
            partition,
            Kept(
                identity=f"{source}/{digest(item.arrived).hex()}",
                stage=Stage.INTAKE,
                reason=item.reason,
                error=item.error,
                source=source,
                key=item.arrived.key,
                value=item.arrived.value,
                tenant_id=item.tenant_id,
                app=item.app,
                traceparent=item.arrived.traceparent,
            ),
        )
