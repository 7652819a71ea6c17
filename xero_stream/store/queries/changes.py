"""The feed of changes as readers of the HTTP API see it: how far each partition may be read, and the changes of a stretch of one."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import asyncpg

from xero_stream.contracts.names import EntityName

MOST_CHANGES = 1000
"""Changes looked at by one statement."""
MOST_BYTES = 4 * 1024 * 1024
"""Bytes that one statement gives, after the first change."""

_ENDS = (
    "SELECT p.partition, p.position AS last, m.position AS mark FROM positions p JOIN relay_marks m USING (partition)"
)

# The first position behind each one asked for, and whether there is any before it. Every day's table has the index that answers it.
_AROUND = """
SELECT a.partition, (SELECT c.position FROM changes c WHERE c.partition = a.partition AND c.position > a.after
                     ORDER BY c.position LIMIT 1) AS position,
       EXISTS (SELECT FROM changes c WHERE c.partition = a.partition AND c.position <= a.after) AS earlier
FROM unnest($1::int[], $2::bigint[]) AS a(partition, after)
"""

# All positions of the stretch come, so that a missing one is noticed; the bytes come only of what is wanted.
_STRETCH = """
SELECT position, tenant_id, entity, op, wanted, CASE WHEN wanted THEN value END AS value
FROM (
    SELECT *, coalesce(sum(CASE WHEN wanted THEN length(value) ELSE 0 END)
                       OVER (ORDER BY position ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS before
    FROM (
        SELECT position, tenant_id, entity, op, value,
               ($5::text[] IS NULL OR tenant_id = ANY($5)) AND ($6::text[] IS NULL OR entity = ANY($6))
               AND ($7::text[] IS NULL OR op = ANY($7)) AS wanted
        FROM changes WHERE partition = $1 AND position > $2 AND position <= $3 ORDER BY position LIMIT $4
    ) AS stretch
) AS counted
WHERE before < $8
ORDER BY position
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How far a partition is.

    Attributes:
        last: the last position given out.
        mark: the last position known to be on Kafka: what is behind it may be given out again, and is shown to nobody.
    """

    last: int
    mark: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedRow:
    """A change of the stretch.

    Attributes:
        value: the change event as it is on Kafka; None: it is not wanted.
    """

    position: int
    tenant_id: str
    entity: str
    op: str
    value: bytes | None


async def ends(pool: "asyncpg.Pool[Any]") -> dict[int, End]:
    """How far each partition is. The mark is read before any change is: those up to it are there."""
    return {row["partition"]: End(last=row["last"], mark=row["mark"]) for row in await pool.fetch(_ENDS)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What is stored around a position.

    Attributes:
        following: the first position behind it; None: there is none.
        earlier: whether there is a change at it or before it.
    """

    following: int | None
    earlier: bool


async def around(pool: "asyncpg.Pool[Any]", positions: Mapping[int, int]) -> dict[int, Around]:
    """What is stored around each position.

    Args:
        pool: the store.
        positions: one by partition.
    """
    rows = await pool.fetch(_AROUND, list(positions), list(positions.values()))
    return {row["partition"]: Around(following=row["position"], earlier=row["earlier"]) for row in rows}


async def stretch(
    pool: "asyncpg.Pool[Any]",
    partition: int,
    after: int,
    upto: int,
    *,
    limit: int = MOST_CHANGES,
    most_bytes: int = MOST_BYTES,
    tenants: Collection[str] | None = None,
    entities: Collection[EntityName] | None = None,
    ops: Collection[str] | None = None,
) -> list[FeedRow]:
    """The changes of a partition in a stretch, in order, those that are not wanted without their bytes.

    Args:
        pool: the store.
        partition: which.
        after: the position before the stretch.
        upto: its last position; at most the relay's mark.
        limit: at most so many changes are looked at.
        most_bytes: of the wanted ones; the first always comes.
        tenants: wanted ones; None: all.
        entities: wanted ones; None: all.
        ops: wanted ones; None: all.
    """
    rows = await pool.fetch(
        _STRETCH,
        partition,
        after,
        upto,
        limit,
        None if tenants is None else list(tenants),
        None if entities is None else [entity.value for entity in entities],
        None if ops is None else list(ops),
        most_bytes,
    )
    return [
        FeedRow(
            position=row["position"],
            tenant_id=row["tenant_id"],
            entity=row["entity"],
            op=row["op"],
            value=row["value"],
        )
        for row in rows
    ]
