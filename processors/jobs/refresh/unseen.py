"""Events for records that no read ever gave: how many calls of an hour they may cost, and what becomes of the others.

Whoever can sign events of an app (a key that leaked, a webhook of another system) can make up ids. Each would cost single GETs,
as only those prove absence. A record that was never stored, and that a first read did not bring, is asked for inside a budget per
organisation and hour. What is beyond it waits for its last try, and is put aside without it if the budget is used up then as
well: into quarantine, where the next event of the record, or a pass that brings it, ends it.
"""

from datetime import datetime, timedelta
from typing import Any

import asyncpg

from processors.tenants.unseen import UnseenCalls, hour_of
from xero_stream.contracts.names import EntityName, TenantId
from xero_stream.store import dirty, tenants
from xero_stream.store.quarantine import keep, never_seen

_AFTER_PATIENCE = timedelta(seconds=2)
_ERROR = (
    "Xero sent an event for a record that no read ever gave; it was not asked for again, as this hour's calls for such records "
    "are used up"
)


async def count(pool: "asyncpg.Pool[Any]", tenant_id: TenantId, now: datetime) -> UnseenCalls:
    """Count a call that was answered 404 for a record never seen; answers the count of its hour."""
    hour = hour_of(now)
    return UnseenCalls(hour=hour, calls=await tenants.count_unseen_call(pool, tenant_id, hour))


async def set_aside(
    pool: "asyncpg.Pool[Any]", tenant_id: TenantId, entity: EntityName, now: datetime, patience: timedelta
) -> tuple[int, int]:
    """The hour's budget is used up: what is due of such records waits for its last try, or is put into quarantine.

    Args:
        pool: the store.
        tenant_id: the organisation.
        entity: a kind of record.
        now: the clock.
        patience: how long after its event a record may be missing.

    Returns:
        How many wait, and how many are in quarantine.
    """
    postponed = await dirty.unseen_to_last_try(pool, tenant_id, entity, now, patience=patience, after=_AFTER_PATIENCE)
    async with pool.acquire() as connection, connection.transaction():
        rows = await dirty.drop_unseen(connection, tenant_id, entity, now, patience)
        for row in rows:
            kept = never_seen(
                tenant_id, entity, row.record_id, error=_ERROR, traceparent=row.traceparent, created=row.created
            )
            await keep(connection, row.partition, kept)
    return postponed, len(rows)
