"""The table ``leases``: who owns a partition, and the epoch that turns a previous owner away. Every statement that writes it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg


class FencedError(Exception):
    """Another process took the partition over; stop working on it."""

    def __init__(self, partition: int, epoch: int) -> None:
        super().__init__(f"partition {partition}: lease {epoch} is no longer ours")
        self.partition = partition
        self.epoch = epoch


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """What a new owner finds.

    Attributes:
        partition: the partition.
        epoch: our epoch; part of every later write.
        next_offset: of webhook-events, or None for the beginning.
        last_digest: of the record before it, where that was noted.
        received_at: when the newest event taken in was appended, by the broker's clock.
        position: the last position given out.
        mark: the last position known to be on Kafka.
        clean: whether the previous owner gave it up itself.
    """

    partition: int
    epoch: int
    next_offset: int | None
    last_digest: bytes | None
    received_at: datetime | None
    position: int
    mark: int
    clean: bool


async def holds(pool: "asyncpg.Pool[Any]", lease: Lease) -> bool:
    """Whether the lease is still ours."""
    held: bool = await pool.fetchval(
        "SELECT EXISTS (SELECT 1 FROM leases WHERE partition = $1 AND epoch = $2)", lease.partition, lease.epoch
    )
    return held


async def release(pool: "asyncpg.Pool[Any]", lease: Lease) -> None:
    """Give the partition up; a later owner's lease is left alone."""
    await pool.execute(
        "UPDATE leases SET released = true, owner = NULL WHERE partition = $1 AND epoch = $2",
        lease.partition,
        lease.epoch,
    )


async def raise_epoch(connection: Any, partition: int, owner: str) -> tuple[int, bool]:
    """Take a partition from whoever has it; waits for the transactions that hold its row.

    Args:
        connection: of the transaction that takes it.
        partition: which.
        owner: our name, for people.

    Returns:
        Our epoch, and whether the previous owner gave it up itself.
    """
    clean = await connection.fetchval("SELECT released FROM leases WHERE partition = $1 FOR UPDATE", partition)
    epoch: int = await connection.fetchval(
        "UPDATE leases SET epoch = epoch + 1, owner = $2, acquired_at = now(), released = false "
        "WHERE partition = $1 RETURNING epoch",
        partition,
        owner,
    )
    return epoch, bool(clean)


async def make(connection: Any, partitions: int) -> None:
    """A row for each partition."""
    await connection.execute(
        "INSERT INTO leases (partition) SELECT generate_series(0, $1 - 1) ON CONFLICT DO NOTHING", partitions
    )
