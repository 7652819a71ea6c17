"""The relay's statements: the next changes to publish, and the mark behind them."""

from dataclasses import dataclass
from typing import Any

import asyncpg
import orjson

from processors.partitions.store import FencedError, Lease
from xero_stream.contracts.names import EntityName
from xero_stream.contracts.topics import Topics
from xero_stream.kafka.transactional import Outgoing

MOST_CHANGES = 500
MOST_BYTES = 2 * 1024 * 1024

# The first change always comes, however large; after it, as many as stay below the limit of bytes.
_NEXT = """
SELECT position, topic, entity, key, value, headers, record, recorded_at FROM (
    SELECT *, sum(size) OVER (ORDER BY position) AS running
    FROM (SELECT * FROM changes WHERE partition = $1 AND position > $2 ORDER BY position LIMIT $3) AS window_of_changes
) AS counted
WHERE running <= $4 OR running = size
ORDER BY position
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """Changes ready to go.

    Attributes:
        records: for Kafka, in order: each change and its latest-record twin.
        first: position of the first change.
        last: position of the last change.
        count: number of changes.
    """

    records: list[Outgoing]
    first: int
    last: int
    count: int


async def next_changes(pool: "asyncpg.Pool[Any]", partition: int, after: int, topics: Topics) -> Ready | None:
    """The next changes of a partition, at most 500 or about 2 MiB, or None."""
    rows = await pool.fetch(_NEXT, partition, after, MOST_CHANGES, MOST_BYTES)
    if not rows:
        return None
    records: list[Outgoing] = []
    for row in rows:
        headers = [(name, text.encode()) for name, text in orjson.loads(row["headers"]).items()]
        records.append(Outgoing(topic=row["topic"], key=row["key"], value=row["value"], headers=headers))
        records.append(
            Outgoing(
                topic=topics.records(EntityName(row["entity"])), key=row["key"], value=row["record"], headers=headers
            )
        )
    return Ready(records=records, first=rows[0]["position"], last=rows[-1]["position"], count=len(rows))


async def mark(pool: "asyncpg.Pool[Any]", lease: Lease, position: int) -> None:
    """Everything up to this position is on Kafka.

    Not flushed to disk: Kafka's committed offset is the witness that counts, the mark only stands in for it when Kafka
    forgot an idle group.

    Raises:
        FencedError: the partition has another owner.
    """
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL synchronous_commit = off")
        status = await connection.execute(
            "UPDATE relay_marks SET position = $3, marked_at = now() WHERE partition = $1 AND epoch = $2",
            lease.partition,
            lease.epoch,
            position,
        )
    if status != "UPDATE 1":
        raise FencedError(lease.partition, lease.epoch)


async def standing(pool: "asyncpg.Pool[Any]", partition: int) -> tuple[int, int]:
    """The last position given out and the mark."""
    row = await pool.fetchrow(
        "SELECT p.position, m.position AS mark FROM positions p JOIN relay_marks m USING (partition) WHERE partition = $1",
        partition,
    )
    return row["position"], row["mark"]
