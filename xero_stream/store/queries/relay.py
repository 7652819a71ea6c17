"""How far a partition is, and what of it was published."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from xero_stream.contracts.names import EntityName
from xero_stream.store import positions

_PUBLISHED = """
SELECT h.topic FROM unnest($2::text[], $3::bigint[]) AS h(topic, head)
WHERE h.head <= $4
   OR EXISTS (SELECT 1 FROM changes c WHERE c.partition = $1 AND c.topic = h.topic AND c.position <= $4)
"""

_PUBLISHED_ENTITIES = """
SELECT e.entity FROM unnest($2::text[]) AS e(entity)
WHERE EXISTS (SELECT 1 FROM tenants t JOIN records r ON r.tenant_id = t.tenant_id AND r.entity = e.entity
              WHERE t.partition = $1 AND r.position BETWEEN 1 AND $3)
"""

_STANDING = (
    "SELECT p.position AS last, m.position AS mark, "
    "(SELECT recorded_at FROM changes WHERE partition = $1 AND position = $2 LIMIT 1) AS recorded_at "
    "FROM positions p JOIN relay_marks m USING (partition) WHERE partition = $1"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far a partition is.

    Attributes:
        last: the last position given out.
        mark: the last position known to be on Kafka.
        recorded_at: when the change at the position asked for was recorded; None where the store has none there.
    """

    last: int
    mark: int
    recorded_at: datetime | None


async def standing(pool: "asyncpg.Pool[Any]", partition: int, after: int) -> Standing:
    """How far the partition is.

    Args:
        pool: the store.
        partition: which.
        after: the position of which the time is wanted.
    """
    return Standing(**dict(await pool.fetchrow(_STANDING, partition, after)))


async def published_topics(pool: "asyncpg.Pool[Any]", partition: int, after: int) -> list[str]:
    """The topics of changes that something was published on.

    Args:
        pool: the store.
        partition: which.
        after: the last position that was published.
    """
    known = await positions.by_topic(pool, partition)
    if not known:
        return []
    rows = await pool.fetch(_PUBLISHED, partition, list(known), list(known.values()), after)
    return [row["topic"] for row in rows]


async def published_entities(
    pool: "asyncpg.Pool[Any]", partition: int, after: int, entities: Sequence[EntityName]
) -> list[EntityName]:
    """The entities that something was published of, where all share one topic of changes.

    Args:
        pool: the store.
        partition: which.
        after: the last position that was published.
        entities: the candidates.
    """
    rows = await pool.fetch(_PUBLISHED_ENTITIES, partition, [entity.value for entity in entities], after)
    return [EntityName(row["entity"]) for row in rows]
