"""Events for records that no read ever gave: how many calls of an hour they may cost, and what becomes of the others.

Whoever can sign events of an app (a key that leaked, a webhook of another system) can make up ids. Each would cost single GETs,
as only those prove absence. A record that was never stored, and that a first read did not bring, is asked for inside a budget per
organisation and hour. What is beyond it waits for its last try, and is put aside without it if the budget is used up then as
well: into quarantine, where the next event of the record, or a pass that brings it, ends it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from xero_stream.contracts.names import EntityName, TenantId
from xero_stream.settings.xero import AppTier
from xero_stream.store import dirty, tenants
from xero_stream.store.quarantine import keep, never_seen

_LEAST = 10
_SHARE = 100
"""One call in so many of a day may be spent so in each of its hours: a quarter of a day at most."""
_AFTER_PATIENCE = timedelta(seconds=2)
_ERROR = (
    "Xero sent an event for a record that no read ever gave; it was not asked for again, as this hour's calls for such records "
    "are used up"
)


@dataclass(slots=True, kw_only=True)
class UnseenCalls:
    """Calls of an hour that were answered 404 for a record never seen.

    Attributes:
        hour: its beginning; None before the first such call.
        calls: how many.
    """

    hour: datetime | None = None
    calls: int = 0

    def spent(self, now: datetime, tier: AppTier) -> bool:
        """Whether the hour's budget is used up.

        Args:
            now: the clock.
            tier: of the app.
        """
        return self.hour == hour_of(now) and self.calls >= limit_of(tier)


def hour_of(now: datetime) -> datetime:
    """When an hour began."""
    return now.replace(minute=0, second=0, microsecond=0)


def limit_of(tier: AppTier) -> int:
    """Calls per organisation and hour for records never seen.

    Args:
        tier: of the app: it decides the calls of a day.
    """
    return max(_LEAST, tier.calls_per_day // _SHARE)


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
