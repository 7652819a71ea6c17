"""Statements of passes: where they are, that they are done, what went wrong."""

from datetime import datetime
from typing import Any

import asyncpg
import orjson

from processors.planner.plan import PassKind
from xero_api.paging import Keyset
from xero_stream.contracts.names import EntityName, TenantId


async def move(
    connection: Any,
    tenant_id: TenantId,
    entity: EntityName,
    kind: PassKind,
    *,
    begun: tuple[datetime | None, int],
    place: Keyset | None,
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
        begun: since when it reads, and how many records it had seen, when the page was asked for.
        place: where the next page is; None: this was the last.
        seen: records of this page.
        total: how many there are in all, as Xero said on the first page.
        now: the local clock.
    """
    await connection.execute(
        "UPDATE passes SET place = $4, seen = seen + $5, total = coalesce(total, $6), attempts = 0, error = NULL, "
        "started_at = coalesce(started_at, $7), finished_at = CASE WHEN $4::bytea IS NULL THEN $7::timestamptz END "
        "WHERE tenant_id = $1 AND entity = $2 AND kind = $3 AND finished_at IS NULL "
        "AND since IS NOT DISTINCT FROM $8::timestamptz AND seen = $9",
        tenant_id,
        entity.value,
        kind.value,
        orjson.dumps(place.to_json()) if place else None,
        seen,
        total,
        now,
        *begun,
    )


async def failed(
    pool: "asyncpg.Pool[Any]",
    tenant_id: TenantId,
    entity: EntityName,
    kind: PassKind,
    *,
    error: str,
    not_before: datetime,
) -> None:
    """A page of the pass could not be read; try again later."""
    await pool.execute(
        "UPDATE passes SET attempts = attempts + 1, error = $4, not_before = $5 "
        "WHERE tenant_id = $1 AND entity = $2 AND kind = $3",
        tenant_id,
        entity.value,
        kind.value,
        error[:500],
        not_before,
    )
