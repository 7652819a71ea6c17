"""How things stand over all partitions and organisations, in numbers."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import asyncpg

# The first change behind the mark is the oldest one that is not on Kafka.
_SURVEY = """
SELECT (SELECT count(*) FROM (SELECT 1 FROM dirty LIMIT 1000000) AS d) AS dirty,
       (SELECT extract(epoch FROM now() - min(d.first_received_at)) FROM dirty d
        JOIN tenants t USING (tenant_id) WHERE t.state = 'connected') AS oldest,
       (SELECT count(*) FROM quarantine WHERE state = 'open') AS quarantined,
       (SELECT count(*) FROM tenants WHERE parked_until > now()) AS parked,
       (SELECT count(*) FROM tenants JOIN apps USING (app)
        WHERE state <> 'connected' OR trouble IS NOT NULL) AS suspended,
       (SELECT count(*) FROM unconnected) AS unconnected,
       (SELECT coalesce(sum(kept), 0) FROM unconnected) AS unconnected_records,
       (SELECT extract(epoch FROM now() - max(dropped_at)) FROM unconnected) AS unconnected_dropped,
       (SELECT min(day_remaining) FROM tenants WHERE day_seen_at > now() - interval '1 day') AS lowest_day,
       (SELECT coalesce(sum(greatest(p.position - m.position, 0)), 0)
        FROM positions p JOIN relay_marks m USING (partition)) AS relay_lag,
       (SELECT extract(epoch FROM clock_timestamp() - min(c.recorded_at)) FROM relay_marks m CROSS JOIN LATERAL (
            SELECT recorded_at FROM changes WHERE partition = m.partition AND position > m.position
            ORDER BY position LIMIT 1) AS c) AS relay_oldest
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """Counts and ages (seconds); None where there is nothing to tell the age of."""

    dirty: int
    oldest: Decimal | None
    quarantined: int
    parked: int
    suspended: int
    unconnected: int
    unconnected_records: Decimal
    unconnected_dropped: Decimal | None
    lowest_day: int | None
    relay_lag: Decimal
    relay_oldest: Decimal | None


async def numbers(pool: "asyncpg.Pool[Any]") -> Numbers:
    """All of them, as of now."""
    return Numbers(**dict(await pool.fetchrow(_SURVEY)))


async def next_offsets(pool: "asyncpg.Pool[Any]") -> dict[int, int | None]:
    """The next offset to take in by partition; None: at the beginning of the topic."""
    rows = await pool.fetch("SELECT partition, next_offset FROM intake_offsets")
    return {row["partition"]: row["next_offset"] for row in rows}
