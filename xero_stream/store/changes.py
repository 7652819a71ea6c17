"""The table ``changes``: the outbox of the relay, and the feed. Every statement that writes it; its days: ``days``."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

import asyncpg

MOST_CHANGES = 500
MOST_BYTES = 2 * 1024 * 1024

_ADD = """
INSERT INTO changes (partition, position, recorded_at, topic, tenant_id, entity, record_id, op, key, value, headers,
                     record, size)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
"""

# The first change always comes, however large; after it, as many as stay below the limit of bytes.
_NEXT = """
SELECT position, topic, entity, key, value, headers, record, recorded_at,
       (SELECT recorded_at FROM changes WHERE partition = $1 AND position = $2 LIMIT 1) AS recorded_before
FROM (
    SELECT *, sum(size) OVER (ORDER BY position) AS running
    FROM (SELECT * FROM changes WHERE partition = $1 AND position > $2 ORDER BY position LIMIT $3) AS window_of_changes
) AS counted
WHERE running <= $4 OR running = size
ORDER BY position
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRow:
    """A change with its final bytes; the fields are the table's columns, in their order.

    Attributes:
        topic: where it goes.
        key: of both messages.
        value: the change event.
        headers: of the change event, as JSON.
        record: the latest record; None: a tombstone.
        size: bytes that both messages take.
    """

    partition: int
    position: int
    recorded_at: datetime
    topic: str
    tenant_id: str
    entity: str
    record_id: str
    op: str
    key: bytes
    value: bytes
    headers: bytes
    record: bytes | None
    size: int


_COLUMNS = attrgetter(*ChangeRow.__dataclass_fields__)


async def add(connection: Any, rows: Sequence[ChangeRow]) -> None:
    """Insert changes."""
    await connection.executemany(_ADD, map(_COLUMNS, rows))


@dataclass(frozen=True, slots=True, kw_only=True)
class NextChange:
    """A change as the relay reads it.

    Attributes:
        recorded_before: when the change at the position asked for was recorded; None: there is none.
    """

    position: int
    topic: str
    entity: str
    key: bytes
    value: bytes
    headers: bytes
    record: bytes | None
    recorded_at: datetime
    recorded_before: datetime | None


async def following(pool: "asyncpg.Pool[Any]", partition: int, after: int) -> list[NextChange]:
    """The changes after a position, in order: at most 500 or about 2 MiB."""
    return [NextChange(**dict(row)) for row in await pool.fetch(_NEXT, partition, after, MOST_CHANGES, MOST_BYTES)]


_DROP_FROM = """
DELETE FROM changes
WHERE partition = $1 AND (position >= $2 OR position > (SELECT position FROM relay_marks WHERE partition = $1))
"""


async def drop_from(connection: Any, partition: int, position: int) -> None:
    """Drop the change at a position and those behind it: Kafka has others, or none. So are those that the store never knew to be on Kafka.

    Kafka may have others at their positions, and once the mark is beyond them, readers of the feed would take them for published.

    Args:
        connection: of the transaction that sets the mark, before it does.
        partition: which.
        position: the first that goes.
    """
    await connection.execute(_DROP_FROM, partition, position)
