"""Intake's transaction: marks and the offsets they came from, at once, under the partition's epoch."""

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
from xero_stream.store import delivered_ranges, dirty, ignored_events, intake_offsets, passes, tenants
from xero_stream.store.delivered_ranges import DeliveredRange
from xero_stream.store.intake_offsets import Reached
from xero_stream.store.leases import Lease
from xero_stream.store.quarantine import Kept, keep
from xero_stream.store.unconnected import count, kept_of, note


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
    return await tenants.apps_of(pool, list(keys))


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
        partition: the partition polled.
        epoch: our lease on it.
        next_offset: where the next poll starts.
        newest: latest receipt in the poll.
        marks: what to mark dirty.
        topic: the topic's name, for the quarantine entry.
        ranges: the numbers of the events' deliveries by app, with their receipt.
        disabled: how many events were of entities that are not enabled.
        last_digest: of the record before ``next_offset``.
        owners: organisations that are connected, or were and wait for an operator.
        unconnected_limit: records of all others that are kept marked, of this partition.

    Returns:
        What was written.

    Raises:
        FencedError: the partition has another owner; nothing was written.
    """
    async with pool.acquire() as connection, connection.transaction():
        reached = Reached(next_offset=next_offset, received_at=newest, last_digest=last_digest)
        await intake_offsets.move(connection, partition, epoch, reached)
        written = await _mark_all(connection, partition, marks, owners, unconnected_limit)
        if ranges:
            await delivered_ranges.add(
                connection,
                [
                    DeliveredRange(app=app, first=first, last=last, received_at=received_at)
                    for (app, first, last), received_at in ranges.items()
                ],
            )
        if disabled:
            await ignored_events.count(connection, partition, disabled, newest)
        await keep_refused(connection, partition, refused, topic)
        await reach(Failpoint.INTAKE_OPEN)
    return written


async def _mark_all(
    connection: Any, partition: int, marks: Sequence[Mark], owners: Collection[TenantId], limit: int
) -> TakenIn:
    strange = [mark for mark in marks if mark.tenant_id not in owners]
    if not strange:
        return TakenIn(marked=await dirty.mark(connection, partition, marks))
    admitted = admit(strange, await kept_of(connection, partition), limit)
    connected = await note(connection, partition, admitted.apps, admitted.events)
    own = [mark for mark in marks if mark.tenant_id in owners or mark.tenant_id in connected]
    waiting = [mark for mark in admitted.marks if mark.tenant_id not in connected]
    marked, kept = await dirty.mark_and_tell(connection, partition, [*own, *waiting])
    dropped = {tenant_id: n for tenant_id, n in admitted.dropped.items() if tenant_id not in connected}
    await count(connection, {mark.tenant_id: kept[mark.tenant_id] for mark in waiting}, dropped)
    return TakenIn(marked=marked, dropped=sum(dropped.values()) + admitted.nameless)


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


async def events_lost(pool: "asyncpg.Pool[Any]", lease: Lease, since: datetime | None) -> int:
    """Open a catch-up pass per tenant and entity of the partition, since a moment (None: everything).

    Returns:
        How many passes were opened.
    """
    async with pool.acquire() as connection, connection.transaction():
        return await passes.catch_up_partition(connection, lease.partition, since)
