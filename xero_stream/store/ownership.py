"""Taking a partition: its lease and the rows that its owner works on, in one transaction."""

import asyncio
import contextlib
from typing import Any

import asyncpg
import structlog

from xero_stream.settings.shared import Shared
from xero_stream.store import intake_offsets, leases, positions, relay_marks
from xero_stream.store.deployment import hold_same
from xero_stream.store.leases import Lease
from xero_stream.store.pool import STORE_ERRORS

log = structlog.get_logger(__name__)

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
        pool: the store.
        partition: which.
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
    epoch, clean = await leases.raise_epoch(connection, partition, owner)
    reached = await intake_offsets.take(connection, partition, epoch)
    return Lease(
        partition=partition,
        epoch=epoch,
        next_offset=reached.next_offset,
        last_digest=reached.last_digest,
        received_at=reached.received_at,
        position=await positions.take(connection, partition, epoch),
        mark=await relay_marks.take(connection, partition, epoch),
        clean=clean,
    )
