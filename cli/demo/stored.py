"""What the demo asks the store: how organisations stand, and what is still to be done."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

_ORGANISATIONS = """
SELECT t.tenant_id, t.state,
       (SELECT count(*) FROM dirty d WHERE d.tenant_id = t.tenant_id) AS backlog,
       (SELECT extract(epoch FROM now() - min(d.first_received_at))::float FROM dirty d WHERE d.tenant_id = t.tenant_id)
           AS oldest,
       CASE WHEN t.parked_until > now() THEN extract(epoch FROM t.parked_until - now())::float END AS parked,
       coalesce((SELECT sum(p.seen) FROM passes p WHERE p.tenant_id = t.tenant_id), 0)::bigint AS loaded,
       (SELECT count(*) FROM passes p WHERE p.tenant_id = t.tenant_id AND p.finished_at IS NULL) AS open_passes
FROM tenants t
"""

_LEFT = """
SELECT (SELECT count(*) FROM dirty) AS dirty,
       (SELECT count(*) FROM passes WHERE finished_at IS NULL) AS passes,
       (SELECT coalesce(sum(p.position - m.position), 0)::bigint FROM positions p JOIN relay_marks m USING (partition)
        WHERE p.position > m.position) AS unpublished,
       (SELECT count(*) FROM quarantine WHERE state <> 'resolved') AS quarantined
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """How an organisation stands in the store.

    Attributes:
        tenant_id: which.
        state: ``connected``, or why not.
        backlog: records known to have changed and not read yet.
        oldest: age of the oldest of their events, seconds.
        parked: seconds until it may be called again.
        loaded: records seen by its loads.
        open_passes: loads that are not done.
    """

    tenant_id: str
    state: str
    backlog: int
    oldest: float | None
    parked: float | None
    loaded: int
    open_passes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What is left to do.

    Attributes:
        dirty: records to read.
        passes: loads that are not done.
        unpublished: changes recorded and not on Kafka.
        quarantined: what could not be applied.
    """

    dirty: int
    passes: int
    unpublished: int
    quarantined: int


async def organisations(pool: "asyncpg.Pool[Any]") -> list[Stored]:
    """Every organisation."""
    return [Stored(**dict(row)) for row in await pool.fetch(_ORGANISATIONS)]


async def left(pool: "asyncpg.Pool[Any]") -> Left:
    """What is left to do."""
    return Left(**dict(await pool.fetchrow(_LEFT)))


async def taken_in(pool: "asyncpg.Pool[Any]") -> dict[int, int]:
    """Offsets of ``webhook-events`` up to which events were taken in, by partition."""
    rows = await pool.fetch("SELECT partition, coalesce(next_offset, 0) AS next FROM intake_offsets")
    return {row["partition"]: row["next"] for row in rows}


def since(received_at: str | None, now: datetime) -> float | None:
    """Seconds since a moment written in ISO 8601; None for one that can't be read. Pure."""
    try:
        return max(0.0, (now - datetime.fromisoformat(received_at or "")).total_seconds())
    except ValueError:
        return None
