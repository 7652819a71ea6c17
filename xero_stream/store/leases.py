"""Leases on partitions: the epoch that turns a previous owner away."""

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import orjson
import structlog

from xero_stream.contracts.names import AppName
from xero_stream.settings.shared import Shared
from xero_stream.store.deployment import hold_same
from xero_stream.store.pool import STORE_ERRORS

CATCH_UP_OVERLAP = timedelta(days=1)
"""Xero repeats a failed delivery for 24 hours: events that were lost may be that much older than their neighbours."""


log = structlog.get_logger(__name__)


class FencedError(Exception):
    """Another process took the partition over; stop working on it."""

    def __init__(self, partition: int, epoch: int) -> None:
        super().__init__(f"partition {partition}: lease {epoch} is no longer ours")
        self.partition = partition
        self.epoch = epoch


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """What a new owner finds.

    Attributes:
        partition: the partition.
        epoch: our epoch; part of every later write.
        next_offset: of webhook-events, or None for the beginning.
        last_digest: of the record before it, where that was noted.
        received_at: when the newest event taken in was appended, by the broker's clock.
        position: the last position given out.
        mark: the last position known to be on Kafka.
        clean: whether the previous owner gave it up itself.
    """

    partition: int
    epoch: int
    next_offset: int | None
    last_digest: bytes | None
    received_at: datetime | None
    position: int
    mark: int
    clean: bool


# Whoever keeps a new owner waiting is a transaction of an owner that Kafka no longer counts on: it would be turned away at its
# end. A process that froze between two messages to the store is not even idle for it, so no time-out of a session ends it soon.
_EVICT = """
SELECT application_name, pg_terminate_backend(pid) FROM pg_stat_activity
WHERE pid = ANY(pg_blocking_pids($1)) AND usename = current_user AND application_name LIKE 'xero-stream%'
  AND xact_start < clock_timestamp() - make_interval(secs => $2)
"""
_EVICT_AFTER = 2.0


async def take(pool: "asyncpg.Pool[Any]", partition: int, owner: str, ours: Shared | None = None) -> Lease:
    """Take a partition over, whoever has it.

    Waits for the previous owner's open transactions, two seconds for each, then ends them; all its later ones are turned
    away.

    Args:
        owner: our name, for people.
        ours: our values of the settings that must be the same in all processes; None compares nothing.

    Raises:
        DeploymentMismatchError: the deployment's settings were changed: a process with the former ones takes nothing more.
    """
    async with pool.acquire() as connection:
        evicting = asyncio.create_task(_evict(pool, connection.get_server_pid(), partition))
        try:
            async with connection.transaction():
                if ours is not None:
                    await hold_same(connection, ours)
                return await _take(connection, partition, owner)
        finally:
            evicting.cancel()


async def _evict(pool: "asyncpg.Pool[Any]", pid: int, partition: int) -> None:
    """End, again and again, what keeps a backend waiting."""
    while True:
        await asyncio.sleep(_EVICT_AFTER)
        with contextlib.suppress(*STORE_ERRORS):
            for row in await pool.fetch(_EVICT, pid, _EVICT_AFTER):
                log.warning("previous_owner_ended", partition=partition, session=row["application_name"])


async def _take(connection: Any, partition: int, owner: str) -> Lease:
    clean = await connection.fetchval("SELECT released FROM leases WHERE partition = $1 FOR UPDATE", partition)
    epoch = await connection.fetchval(
        "UPDATE leases SET epoch = epoch + 1, owner = $2, acquired_at = now(), released = false "
        "WHERE partition = $1 RETURNING epoch",
        partition,
        owner,
    )
    intake = await connection.fetchrow(
        "UPDATE intake_offsets SET epoch = $2 WHERE partition = $1 "
        "RETURNING next_offset, received_at, CASE WHEN last_offset = next_offset - 1 THEN last_digest END AS last_digest",
        partition,
        epoch,
    )
    position = await connection.fetchval(
        "UPDATE positions SET epoch = $2 WHERE partition = $1 RETURNING position", partition, epoch
    )
    mark = await connection.fetchval(
        "UPDATE relay_marks SET epoch = $2 WHERE partition = $1 RETURNING position", partition, epoch
    )
    return Lease(
        partition=partition,
        epoch=epoch,
        next_offset=intake["next_offset"],
        last_digest=intake["last_digest"],
        received_at=intake["received_at"],
        position=position,
        mark=mark,
        clean=bool(clean),
    )


async def holds(pool: "asyncpg.Pool[Any]", lease: Lease) -> bool:
    """Whether the lease is still ours."""
    held: bool = await pool.fetchval(
        "SELECT EXISTS (SELECT 1 FROM leases WHERE partition = $1 AND epoch = $2)", lease.partition, lease.epoch
    )
    return held


async def release(pool: "asyncpg.Pool[Any]", lease: Lease) -> None:
    """Give the partition up; a later owner's lease is left alone."""
    await pool.execute(
        "UPDATE leases SET released = true, owner = NULL WHERE partition = $1 AND epoch = $2",
        lease.partition,
        lease.epoch,
    )


async def store_went_back(pool: "asyncpg.Pool[Any]", lease: Lease, position: int, last: Mapping[str, int]) -> int:
    """Go on behind what Kafka has, under a new incarnation, and read every record of the partition again.

    Changes behind that position, and the one at it, were recorded and never published, or they are others than Kafka's.

    Args:
        position: the last position that Kafka has.
        last: the last position that Kafka has, by topic of changes.

    Returns:
        How many passes were opened.

    Raises:
        FencedError: the partition has another owner.
    """
    async with pool.acquire() as connection, connection.transaction():
        stored = await connection.fetchval(
            "SELECT heads FROM positions WHERE partition = $1 AND epoch = $2 FOR UPDATE", lease.partition, lease.epoch
        )
        if stored is None:
            raise FencedError(lease.partition, lease.epoch)
        # Retention may have emptied a topic: then the store's is the last one known, if Kafka can have seen it.
        known = {topic: head for topic, head in heads(stored).items() if head <= position}
        await connection.execute(
            "UPDATE positions SET position = $2, heads = $3, incarnation = gen_random_uuid() WHERE partition = $1",
            lease.partition,
            position,
            orjson.dumps({**known, **last}),
        )
        await connection.execute(
            "DELETE FROM changes WHERE partition = $1 AND position >= $2", lease.partition, position
        )
        await connection.execute(
            "DELETE FROM record_versions v USING tenants t "
            "WHERE v.tenant_id = t.tenant_id AND t.partition = $1 AND v.position > $2",
            lease.partition,
            position,
        )
        await connection.execute(
            "UPDATE relay_marks SET position = $3 WHERE partition = $1 AND epoch = $2",
            lease.partition,
            lease.epoch,
            position,
        )
        return await _open_catch_up(connection, lease.partition, None)


async def events_lost(pool: "asyncpg.Pool[Any]", lease: Lease, since: datetime | None) -> int:
    """Open a catch-up pass per tenant and entity of the partition, since a moment (None: everything).

    Returns:
        How many passes were opened.
    """
    async with pool.acquire() as connection, connection.transaction():
        return await _open_catch_up(connection, lease.partition, since)


async def reset_offset(pool: "asyncpg.Pool[Any]", lease: Lease, next_offset: int | None) -> None:
    """Set where intake goes on, after the topic was found shorter or longer than it should be.

    Raises:
        FencedError: the partition has another owner.
    """
    status = await pool.execute(
        "UPDATE intake_offsets SET next_offset = $3, last_digest = NULL WHERE partition = $1 AND epoch = $2",
        lease.partition,
        lease.epoch,
        next_offset,
    )
    if status != "UPDATE 1":
        raise FencedError(lease.partition, lease.epoch)


async def open_catch_up_of_app(connection: Any, app: AppName, since: datetime) -> int:
    """Open a catch-up pass per entity for every organisation of an app, whoever owns its partition.

    Returns:
        How many passes were opened.
    """
    status = await connection.execute(_CATCH_UP.format(whose="t.app = $1"), app, since)
    return int(status.rsplit(" ", 1)[1])


async def _open_catch_up(connection: Any, partition: int, since: datetime | None) -> int:
    status = await connection.execute(_CATCH_UP.format(whose="p.partition = $1"), partition, since)
    return int(status.rsplit(" ", 1)[1])


# Joined to one that is not finished: from the earlier of both beginnings, and null (everything) is the earliest.
_CATCH_UP = """
INSERT INTO passes (tenant_id, entity, kind, partition, since)
SELECT p.tenant_id, p.entity, 'catch_up', p.partition, $2::timestamptz
FROM passes p JOIN tenants t USING (tenant_id) WHERE {whose} AND p.kind = 'backfill'
ON CONFLICT (tenant_id, entity, kind) DO UPDATE SET
    since = CASE WHEN passes.finished_at IS NOT NULL THEN excluded.since
                 WHEN passes.since IS NULL OR excluded.since IS NULL THEN NULL
                 ELSE least(excluded.since, passes.since) END,
    generation = passes.generation + 1, place = NULL, seen = 0, total = NULL, finished_at = NULL, started_at = NULL,
    attempts = 0, error = NULL, hint = NULL, failing_since = NULL, not_before = to_timestamp(0)
"""


def heads(stored: bytes) -> dict[str, int]:
    """Last position per topic, from the ``positions`` row."""
    decoded: dict[str, int] = orjson.loads(stored)
    return decoded
