"""The table ``positions``: where each partition's log of changes ends. Every statement that writes it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from xero_stream.store.leases import FencedError, Lease

_LOCK = "SELECT position, heads, incarnation FROM positions WHERE partition = $1 AND epoch = $2 FOR UPDATE"
_ADVANCE = "UPDATE positions SET position = $3, heads = $4 WHERE partition = $1 AND epoch = $2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Where a partition's log ends.

    Attributes:
        position: the last one given out.
        by_topic: the last one per topic.
        incarnation: part of every ``ce_id``; drawn again when positions are given out again.
    """

    position: int
    by_topic: dict[str, int]
    incarnation: UUID


async def lock(connection: Any, lease: Lease) -> Head:
    """Take the partition's position for the rest of the transaction: nobody with another epoch gets it.

    Raises:
        FencedError: the partition has another owner.
    """
    row = await connection.fetchrow(_LOCK, lease.partition, lease.epoch)
    if row is None:
        raise FencedError(lease.partition, lease.epoch)
    return Head(position=row["position"], by_topic=_heads(row["heads"]), incarnation=row["incarnation"])


async def advance(connection: Any, lease: Lease, position: int, by_topic: Mapping[str, int]) -> None:
    """Write the position given out and the last one per topic."""
    await connection.execute(_ADVANCE, lease.partition, lease.epoch, position, orjson.dumps(dict(by_topic)))


async def begin_anew(connection: Any, lease: Lease, position: int, by_topic: Mapping[str, int]) -> None:
    """Go on behind a position under a new incarnation; the row is locked."""
    await connection.execute(
        "UPDATE positions SET position = $2, heads = $3, incarnation = gen_random_uuid() WHERE partition = $1",
        lease.partition,
        position,
        orjson.dumps(dict(by_topic)),
    )


async def forget_topics(connection: Any, lease: Lease, topics: Collection[str]) -> None:
    """These topics start again: no change on them has one before it.

    Raises:
        FencedError: the partition has another owner.
    """
    head = await lock(connection, lease)
    left = {topic: position for topic, position in head.by_topic.items() if topic not in topics}
    await connection.execute(
        "UPDATE positions SET heads = $2 WHERE partition = $1", lease.partition, orjson.dumps(left)
    )


async def by_topic(pool: "asyncpg.Pool[Any]", partition: int) -> dict[str, int]:
    """The last position per topic."""
    return _heads(await pool.fetchval("SELECT heads FROM positions WHERE partition = $1", partition))


def _heads(stored: bytes) -> dict[str, int]:
    decoded: dict[str, int] = orjson.loads(stored)
    return decoded


async def make(connection: Any, partitions: int) -> None:
    """A row for each partition."""
    await connection.execute(
        "INSERT INTO positions (partition) SELECT generate_series(0, $1 - 1) ON CONFLICT DO NOTHING", partitions
    )


async def take(connection: Any, partition: int, epoch: int) -> int:
    """Write a new owner's epoch; the last position given out."""
    position: int = await connection.fetchval(
        "UPDATE positions SET epoch = $2 WHERE partition = $1 RETURNING position", partition, epoch
    )
    return position
