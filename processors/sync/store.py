"""Statements of passes: where they are, that they are done, what went wrong."""

from datetime import datetime, timedelta
from typing import Any

import asyncpg
import orjson

from processors.planner.plan import PassKind
from xero_api.paging import Done, Keyset
from xero_stream.contracts.names import EntityName, TenantId

BETWEEN_PASSES = timedelta(seconds=5)
"""Until a pass that goes on from another one begins: other entities' passes get their turn."""

# Joined to one that is not finished, which begins anew, as a new generation: a page of it that was asked for before says
# nothing of what changed since.
_NEXT = """
INSERT INTO passes (tenant_id, entity, kind, partition, since, not_before)
SELECT tenant_id, entity, 'catch_up', partition, $4, $5 FROM passes WHERE tenant_id = $1 AND entity = $2 AND kind = $3
ON CONFLICT (tenant_id, entity, kind) DO UPDATE SET
    since = CASE WHEN passes.finished_at IS NOT NULL THEN excluded.since
                 WHEN passes.since IS NULL THEN NULL  -- everything is the earliest
                 ELSE least(excluded.since, passes.since) END, generation = passes.generation + 1,
    place = NULL, seen = 0, total = NULL, finished_at = NULL, started_at = NULL, attempts = 0, error = NULL,
    hint = NULL, failing_since = NULL, not_before = excluded.not_before
"""


async def move(
    connection: Any,
    tenant_id: TenantId,
    entity: EntityName,
    kind: PassKind,
    *,
    begun: tuple[int, int],
    place: Keyset | Done,
    seen: int,
    total: int | None,
    now: datetime,
) -> None:
    """Move a pass on, in the transaction that recorded its page; not if it was begun anew while the page was read.

    Args:
        connection: of that transaction.
        tenant_id: the tenant.
        entity: what is read.
        kind: which pass.
        begun: its generation, and how many records it had seen, when the page was asked for.
        place: where the next page is, or that this was the last. Where the list goes on with what changed since the pass
            began, another one is opened: it reads from where this one ends.
        seen: records of this page.
        total: how many there are in all, as Xero said on the first page.
        now: the local clock.
    """
    moved = await connection.execute(
        "UPDATE passes SET place = $4, seen = seen + $5, total = coalesce(total, $6), attempts = 0, error = NULL, "
        "hint = NULL, failing_since = NULL, "
        "started_at = coalesce(started_at, $7), finished_at = CASE WHEN $4::bytea IS NULL THEN $7::timestamptz END "
        "WHERE tenant_id = $1 AND entity = $2 AND kind = $3 AND finished_at IS NULL "
        "AND generation = $8 AND seen = $9",
        tenant_id,
        entity.value,
        kind.value,
        orjson.dumps(place.to_json()) if isinstance(place, Keyset) else None,
        seen,
        total,
        now,
        *begun,
    )
    if isinstance(place, Done) and place.more and moved == "UPDATE 1":
        await connection.execute(_NEXT, tenant_id, entity.value, kind.value, place.reached, now + BETWEEN_PASSES)


async def failed(
    pool: "asyncpg.Pool[Any]",
    tenant_id: TenantId,
    entity: EntityName,
    kind: PassKind,
    *,
    generation: int,
    error: str,
    hint: str,
    now: datetime,
    not_before: datetime,
) -> None:
    """A page of the pass could not be read; try again later. A pass that was begun anew meanwhile is left alone.

    Args:
        pool: the store.
        tenant_id: the tenant.
        entity: what is read.
        kind: which pass.
        generation: of it, when the page was asked for.
        error: what went wrong.
        hint: what a human can do.
        now: the clock.
        not_before: when it is tried again.
    """
    await pool.execute(
        "UPDATE passes SET attempts = attempts + 1, error = $4, hint = $5, not_before = $7, "
        "failing_since = coalesce(failing_since, $6) "
        "WHERE tenant_id = $1 AND entity = $2 AND kind = $3 AND finished_at IS NULL AND generation = $8",
        tenant_id,
        entity.value,
        kind.value,
        error[:500],
        hint[:500],
        now,
        not_before,
        generation,
    )
