"""The table ``calls``: calls to Xero, written down before they are sent. Every statement that writes it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from xero_stream.contracts.names import TenantId
from xero_stream.store.leases import FencedError, Lease

# Written before the request is sent, only while the lease is ours. It also tells where the marks sequence stands: the
# answer can settle what was marked up to here.
_STARTED = """
WITH ours AS (SELECT 1 FROM leases WHERE partition = $1 AND epoch = $2 FOR SHARE)
INSERT INTO calls (tenant_id, call_id, started_at) SELECT $3, $4, $5 FROM ours
RETURNING (SELECT last_value FROM dirty_marks) AS marks
"""

_FINISHED = """
WITH finished AS (UPDATE calls SET finished_at = $3 WHERE tenant_id = $1 AND call_id = $2)
DELETE FROM calls WHERE tenant_id = $1 AND started_at < $3 - interval '10 minutes'
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastCall:
    """A call of the last minutes, also of a previous owner."""

    call_id: int
    started_at: datetime
    finished_at: datetime | None


async def started(fast: "asyncpg.Pool[Any]", lease: Lease, tenant_id: TenantId, call_id: int, now: datetime) -> int:
    """Write a call down before it is sent.

    Returns:
        Where the marks sequence stands.

    Raises:
        FencedError: the partition has another owner; do not send.
    """
    marks: int | None = await fast.fetchval(_STARTED, lease.partition, lease.epoch, tenant_id, call_id, now)
    if marks is None:
        raise FencedError(lease.partition, lease.epoch)
    return marks


async def finished(connection: Any, tenant_id: TenantId, call_id: int, now: datetime) -> None:
    """A call is over; those of ten minutes ago count for nothing any more."""
    await connection.execute(_FINISHED, tenant_id, call_id, now)


async def past(pool: "asyncpg.Pool[Any]", tenant_id: TenantId, now: datetime) -> list[PastCall]:
    """Calls of the last three minutes, whoever made them."""
    rows = await pool.fetch(
        "SELECT call_id, started_at, finished_at FROM calls WHERE tenant_id = $1 AND started_at > $2",
        tenant_id,
        now - timedelta(minutes=3),
    )
    return [PastCall(**dict(row)) for row in rows]
