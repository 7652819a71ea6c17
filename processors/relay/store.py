"""The relay's statements: the next changes to publish, and the mark behind them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import asyncpg
import orjson

from processors.partitions.store import FencedError, Lease, heads
from xero_api.registry import by_name
from xero_stream.contracts.change_event import latest_headers
from xero_stream.contracts.dataschema import latest_schema, schema_urn
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

_PUBLISHED = """
SELECT h.topic FROM unnest($2::text[], $3::bigint[]) AS h(topic, head)
WHERE h.head <= $4
   OR EXISTS (SELECT 1 FROM changes c WHERE c.partition = $1 AND c.topic = h.topic AND c.position <= $4)
"""

_LOAD_AGAIN = """
UPDATE passes SET place = NULL, seen = 0, total = NULL, since = NULL, finished_at = NULL, started_at = NULL, attempts = 0,
    error = NULL, not_before = to_timestamp(0)
WHERE partition = $1 AND entity = ANY($2::text[]) AND kind = 'backfill'
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
        records += _twins(row, topics)
    return Ready(records=records, first=rows[0]["position"], last=rows[-1]["position"], count=len(rows))


def _twins(row: Any, topics: Topics) -> Iterator[Outgoing]:
    """A change, and the latest record beside it."""
    entity, headers = EntityName(row["entity"]), orjson.loads(row["headers"])
    yield Outgoing(topic=row["topic"], key=row["key"], value=row["value"], headers=_bytes(headers))
    latest = latest_headers(headers, entity, None if row["record"] is None else _latest_urn(entity))
    yield Outgoing(topic=topics.records(entity), key=row["key"], value=row["record"], headers=_bytes(latest))


def _bytes(headers: Mapping[str, str]) -> list[tuple[str, bytes]]:
    return [(name, text.encode()) for name, text in headers.items()]


@cache
def _latest_urn(entity: EntityName) -> str:
    return schema_urn(*latest_schema(entity, by_name(entity).model.version))


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


async def published_topics(pool: "asyncpg.Pool[Any]", partition: int, after: int) -> list[str]:
    """The topics of changes that something was published on.

    Args:
        pool: the store.
        partition: which.
        after: the last position that was published.
    """
    known = heads(await pool.fetchval("SELECT heads FROM positions WHERE partition = $1", partition))
    if not known:
        return []
    rows = await pool.fetch(_PUBLISHED, partition, list(known), list(known.values()), after)
    return [row["topic"] for row in rows]


async def load_anew(pool: "asyncpg.Pool[Any]", lease: Lease, topics: Topics, entities: Sequence[EntityName]) -> int:
    """Forget what was published of these entities, and load them again: consumers have lost it.

    Args:
        pool: the store.
        lease: ours.
        topics: the topics' names.
        entities: whose changes are gone from Kafka.

    Returns:
        How many loads were begun.

    Raises:
        FencedError: the partition has another owner; nothing was forgotten.
    """
    names = [entity.value for entity in entities]
    async with pool.acquire() as connection, connection.transaction():
        stored = await connection.fetchval(
            "SELECT heads FROM positions WHERE partition = $1 AND epoch = $2 FOR UPDATE", lease.partition, lease.epoch
        )
        if stored is None:
            raise FencedError(lease.partition, lease.epoch)
        gone = {topics.changes(entity) for entity in entities}
        left = {topic: position for topic, position in heads(stored).items() if topic not in gone}
        await connection.execute(
            "UPDATE positions SET heads = $2 WHERE partition = $1", lease.partition, orjson.dumps(left)
        )
        await connection.execute(
            "DELETE FROM records WHERE partition = $1 AND entity = ANY($2::text[])", lease.partition, names
        )
        status = await connection.execute(_LOAD_AGAIN, lease.partition, names)
    return int(status.rsplit(" ", 1)[1])
