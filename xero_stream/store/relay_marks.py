"""The table ``relay_marks``: the last position known to be on Kafka, by partition. Every statement that writes it."""

from typing import Any

import asyncpg

from xero_stream.store.leases import FencedError, Lease

_MARK = "UPDATE relay_marks SET position = $3, marked_at = now() WHERE partition = $1 AND epoch = $2"


async def mark(pool: "asyncpg.Pool[Any]", lease: Lease, position: int) -> None:
    """Everything up to this position is on Kafka.

    Not flushed to disk: Kafka's committed offset is the witness that counts, the mark only stands in for it when Kafka
    forgot an idle group.

    Raises:
        FencedError: the partition has another owner.
    """
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL synchronous_commit = off")
        status = await connection.execute(_MARK, lease.partition, lease.epoch, position)
    if status != "UPDATE 1":
        raise FencedError(lease.partition, lease.epoch)


async def set_back(connection: Any, lease: Lease, position: int) -> None:
    """The mark becomes what Kafka has, after a rollback of the store."""
    await connection.execute(
        "UPDATE relay_marks SET position = $3 WHERE partition = $1 AND epoch = $2",
        lease.partition,
        lease.epoch,
        position,
    )


async def make(connection: Any, partitions: int) -> None:
    """A row for each partition."""
    await connection.execute(
        "INSERT INTO relay_marks (partition) SELECT generate_series(0, $1 - 1) ON CONFLICT DO NOTHING", partitions
    )


async def take(connection: Any, partition: int, epoch: int) -> int:
    """Write a new owner's epoch; the last position known to be on Kafka."""
    position: int = await connection.fetchval(
        "UPDATE relay_marks SET epoch = $2 WHERE partition = $1 RETURNING position", partition, epoch
    )
    return position
