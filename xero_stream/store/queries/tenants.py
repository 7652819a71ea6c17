"""Which organisations have something to do."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import asyncpg

from xero_stream.contracts.names import EntityName, TenantId

# A tenant has work if something is due now; parked ones are looked at again when their time has come.
_WITH_WORK = """
SELECT t.tenant_id FROM tenants t
WHERE t.partition = $1 AND t.state = 'connected' AND coalesce(t.parked_until, to_timestamp(0)) <= $2
  AND EXISTS (
    SELECT 1 FROM unnest($3::text[]) AS e(entity)
    WHERE NOT EXISTS (SELECT 1 FROM entity_holds h
                      WHERE h.tenant_id = t.tenant_id AND h.entity = e.entity AND h.not_before > $2)
      AND (EXISTS (SELECT 1 FROM dirty d WHERE d.partition = $1 AND d.tenant_id = t.tenant_id AND d.entity = e.entity
                   AND d.not_before <= $2)
        OR EXISTS (SELECT 1 FROM passes p WHERE p.partition = $1 AND p.tenant_id = t.tenant_id AND p.entity = e.entity
                   AND p.finished_at IS NULL AND p.not_before <= $2)))
"""


async def with_work(
    pool: "asyncpg.Pool[Any]", partition: int, entities: Sequence[EntityName], now: datetime
) -> list[TenantId]:
    """Connected tenants of the partition with something due of these entities that is not held."""
    rows = await pool.fetch(_WITH_WORK, partition, now, [entity.value for entity in entities])
    return [TenantId(row["tenant_id"]) for row in rows]
