"""How things stand, over all tenants: the gauges that need a look into the store."""

from typing import Any

import asyncpg

from processors.metrics import ProcessorMetrics

_SURVEY = """
SELECT (SELECT count(*) FROM (SELECT 1 FROM dirty LIMIT 1000000) AS d) AS dirty,
       (SELECT extract(epoch FROM now() - min(d.first_received_at)) FROM dirty d
        JOIN tenants t USING (tenant_id) WHERE t.state = 'connected') AS oldest,
       (SELECT count(*) FROM quarantine WHERE state = 'open') AS quarantined,
       (SELECT count(*) FROM tenants WHERE parked_until > now()) AS parked,
       (SELECT count(*) FROM tenants WHERE state <> 'connected') AS suspended,
       (SELECT min(day_remaining) FROM tenants WHERE day_seen_at > now() - interval '1 day') AS lowest_day
"""


async def survey(pool: "asyncpg.Pool[Any]", metrics: ProcessorMetrics) -> None:
    """Read the gauges from the store.

    Args:
        pool: the store.
        metrics: where they are shown.
    """
    row = await pool.fetchrow(_SURVEY)
    metrics.dirty.set(row["dirty"])
    metrics.oldest.set(float(row["oldest"] or 0))
    metrics.quarantine_open.set(row["quarantined"])
    metrics.parked.set(row["parked"])
    metrics.suspended.set(row["suspended"])
    if row["lowest_day"] is not None:
        metrics.lowest_day.set(row["lowest_day"])
