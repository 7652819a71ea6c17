"""The table ``intake_offsets``: how far ``webhook-events`` is taken in, by partition. Every statement that writes it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from xero_stream.store.leases import FencedError, Lease

_MOVE = """
UPDATE intake_offsets SET next_offset = $3::bigint, received_at = greatest(received_at, $4), last_offset = $3::bigint - 1, last_digest = $5
WHERE partition = $1 AND epoch = $2
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """Where a poll ended.

    Attributes:
        next_offset: where the next poll starts; None: at the beginning of the topic.
        received_at: latest receipt in the poll; None: it had no event.
        last_digest: of the record before ``next_offset``.
    """

    next_offset: int | None
    received_at: datetime | None
    last_digest: bytes | None


async def move(connection: Any, partition: int, epoch: int, reached: Reached) -> None:
    """Store where a poll ended, in the transaction that takes it in.

    Raises:
        FencedError: the partition has another owner.
    """
    status = await connection.execute(
        _MOVE, partition, epoch, reached.next_offset, reached.received_at, reached.last_digest
    )
    if status != "UPDATE 1":
        raise FencedError(partition, epoch)


async def reset(pool: "asyncpg.Pool[Any]", lease: Lease, next_offset: int | None) -> None:
    """Set where intake goes on, after the topic was found shorter or longer than it should be.

    Raises:
        FencedError: the partition has another owner.
    """
    status = await pool.execute(
        "UPDATE intake_offsets SET next_offset = $3, last_digest = NULL WHERE partition = $1 AND epoch = $2",
        lease.partition,
        lease.epoch,
        next_offset,
    )
    if status != "UPDATE 1":
        raise FencedError(lease.partition, lease.epoch)


async def make(connection: Any, partitions: int) -> None:
    """A row for each partition."""
    await connection.execute(
        "INSERT INTO intake_offsets (partition) SELECT generate_series(0, $1 - 1) ON CONFLICT DO NOTHING", partitions
    )


async def take(connection: Any, partition: int, epoch: int) -> Reached:
    """Write a new owner's epoch.

    Returns:
        Where intake goes on. The digest only where it is of the record before.
    """
    row = await connection.fetchrow(
        "UPDATE intake_offsets SET epoch = $2 WHERE partition = $1 "
        "RETURNING next_offset, received_at, CASE WHEN last_offset = next_offset - 1 THEN last_digest END AS last_digest",
        partition,
        epoch,
    )
    return Reached(**dict(row))
