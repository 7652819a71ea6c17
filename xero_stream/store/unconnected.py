"""The table ``unconnected``: organisations that send events and are not connected."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from xero_stream.contracts.names import AppName, TenantId
from xero_stream.store import dirty

# Waits for a connection that is being made of the same organisation, and makes it wait: what was dropped is then known to it.
_NOTE = """
INSERT INTO unconnected (tenant_id, partition, app, events)
SELECT n.tenant_id, $1, n.app, n.events FROM unnest($2::text[], $3::text[], $4::bigint[]) AS n(tenant_id, app, events)
ORDER BY n.tenant_id
ON CONFLICT (tenant_id) DO UPDATE SET
    app = excluded.app, events = unconnected.events + excluded.events, last_at = now()
"""

_COUNT = """
UPDATE unconnected u SET kept = u.kept + n.kept, dropped = u.dropped + n.dropped,
    dropped_since = CASE WHEN n.dropped > 0 THEN coalesce(u.dropped_since, now()) ELSE u.dropped_since END,
    dropped_at = CASE WHEN n.dropped > 0 THEN now() ELSE u.dropped_at END
FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS n(tenant_id, kept, dropped) WHERE u.tenant_id = n.tenant_id
"""

_EXPIRED = """
UPDATE unconnected u SET expired = u.expired + n.expired
FROM unnest($1::text[], $2::bigint[]) AS n(tenant_id, expired) WHERE u.tenant_id = n.tenant_id
"""
_SLICE = 10_000

# Counted again: a row of dirty is written, or goes, in more ways than are counted above.
_RECOUNT = """
INSERT INTO unconnected (tenant_id, partition, first_at, last_at, events, kept)
SELECT tenant_id, min(partition), min(first_received_at), max(first_received_at), count(*), count(*) FROM dirty d
WHERE NOT EXISTS (SELECT 1 FROM tenants t WHERE t.tenant_id = d.tenant_id) GROUP BY tenant_id ORDER BY tenant_id
ON CONFLICT (tenant_id) DO UPDATE SET kept = excluded.kept
"""

_FORGET = """
DELETE FROM unconnected u
WHERE EXISTS (SELECT 1 FROM tenants t WHERE t.tenant_id = u.tenant_id)
   OR (u.last_at < now() - make_interval(days => $1)
       AND NOT EXISTS (SELECT 1 FROM dirty d WHERE d.tenant_id = u.tenant_id))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unconnected:
    """An organisation that sends events and is not connected.

    Attributes:
        app: by whose webhook they come; None: unknown.
        events: how many came.
        kept: its records that are marked and wait.
        dropped: events that were only counted, because too many records waited.
        expired: records that waited for too long, and are marked no more.
    """

    tenant_id: TenantId
    app: str | None
    first_at: datetime
    last_at: datetime
    events: int
    kept: int
    dropped: int
    expired: int


async def kept_of(connection: Any, partition: int) -> dict[TenantId, int]:
    """How many records are kept marked, by organisation of the partition that is noted."""
    rows = await connection.fetch("SELECT tenant_id, kept FROM unconnected WHERE partition = $1", partition)
    return {TenantId(row["tenant_id"]): row["kept"] for row in rows}


async def note(
    connection: Any, partition: int, apps: Mapping[TenantId, AppName], events: Mapping[TenantId, int]
) -> set[TenantId]:
    """Note events of organisations that are not connected, in the transaction that takes them in.

    Args:
        apps: by whose webhook they came.

    Returns:
        Those that have been connected meanwhile.
    """
    tenants = list(apps)
    await connection.execute(_NOTE, partition, tenants, list(apps.values()), [events[one] for one in tenants])
    rows = await connection.fetch("SELECT tenant_id FROM tenants WHERE tenant_id = ANY($1)", tenants)
    return {TenantId(row["tenant_id"]) for row in rows}


async def count(connection: Any, kept: Mapping[TenantId, int], dropped: Mapping[TenantId, int]) -> None:
    """Count what became of events, in the transaction that noted them.

    Args:
        kept: rows of ``dirty`` that are new.
        dropped: events that marked nothing.
    """
    tenants = sorted({*kept, *dropped})
    await connection.execute(
        _COUNT, tenants, [kept.get(one, 0) for one in tenants], [dropped.get(one, 0) for one in tenants]
    )


async def expire(pool: "asyncpg.Pool[Any]", days: int) -> int:
    """Let go what waited for so many days; forget organisations that sent nothing for as long.

    Organisations that are connected, or were and wait for an operator, keep everything.

    Args:
        days: how long a record stays marked.

    Returns:
        How many records are marked no more.
    """
    expired, slice_of = 0, _SLICE
    while slice_of == _SLICE:
        async with pool.acquire() as connection, connection.transaction():
            gone = await dirty.expire_unconnected(connection, days, _SLICE)
            await connection.execute(_EXPIRED, list(gone), list(gone.values()))
        slice_of = gone.total()
        expired += slice_of
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(_RECOUNT)
        await connection.execute(
            "UPDATE unconnected u SET kept = 0 WHERE kept > 0 AND NOT EXISTS "
            "(SELECT 1 FROM dirty d WHERE d.tenant_id = u.tenant_id)"
        )
        await connection.execute(_FORGET, days)
    return expired


async def unconnected(pool: "asyncpg.Pool[Any]", limit: int = 100) -> list[Unconnected]:
    """Organisations that are not connected, the one that sent an event last first.

    Args:
        limit: at most so many.
    """
    rows = await pool.fetch(
        "SELECT tenant_id, app, first_at, last_at, events, kept, dropped, expired FROM unconnected u "
        "WHERE NOT EXISTS (SELECT 1 FROM tenants t WHERE t.tenant_id = u.tenant_id) ORDER BY last_at DESC LIMIT $1",
        limit,
    )
    return [Unconnected(**dict(row)) for row in rows]


# Inserted even where there is none: an event that comes now waits for the end of the transaction that connects.
_TAKE_OVER = """
INSERT INTO unconnected (tenant_id, partition)
SELECT * FROM unnest($1::text[], $2::integer[]) AS n(tenant_id, partition) ORDER BY n.tenant_id
ON CONFLICT (tenant_id) DO UPDATE SET last_at = unconnected.last_at
RETURNING tenant_id, dropped_since, dropped_at
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """When events of an organisation were dropped, the first and the last."""

    since: datetime
    until: datetime


async def take_over(connection: Any, partitions: Mapping[TenantId, int]) -> dict[TenantId, Dropped]:
    """Forget that these organisations were not connected, in the transaction that connects them.

    Returns:
        When events of theirs were dropped, for those of which some were.
    """
    tenants = list(partitions)
    rows = await connection.fetch(_TAKE_OVER, tenants, list(partitions.values()))
    await connection.execute("DELETE FROM unconnected WHERE tenant_id = ANY($1)", tenants)
    return {
        TenantId(row["tenant_id"]): Dropped(since=row["dropped_since"], until=row["dropped_at"])
        for row in rows
        if row["dropped_at"] is not None
    }
