"""Which deployment a store belongs to, and that the settings still fit it."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg


class DeploymentMismatchError(Exception):
    """The settings don't fit the store; the message says what to change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What was fixed at first start.

    Attributes:
        store_id: the store's identity; stands beside the relay's offsets.
        topic_prefix: what the topics' names start with.
        partitions: of every keyed topic.
    """

    store_id: UUID
    topic_prefix: str
    partitions: int


async def claim(pool: "asyncpg.Pool[Any]", *, topic_prefix: str, partitions: int) -> Deployment:
    """Write the deployment down at first start; compare at every other.

    Args:
        pool: the store.
        topic_prefix: from the settings.
        partitions: from the settings.

    Raises:
        DeploymentMismatchError: the store was made with another prefix or partition count.
    """
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "INSERT INTO deployment (topic_prefix, partitions) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            topic_prefix,
            partitions,
        )
        row = await connection.fetchrow("SELECT store_id, topic_prefix, partitions FROM deployment")
        for table in ("leases", "intake_offsets", "positions", "relay_marks"):
            await connection.execute(
                f"INSERT INTO {table} (partition) SELECT generate_series(0, $1 - 1) ON CONFLICT DO NOTHING",
                row["partitions"],
            )
    found = Deployment(store_id=row["store_id"], topic_prefix=row["topic_prefix"], partitions=row["partitions"])
    if found.partitions != partitions:
        raise DeploymentMismatchError(
            f"this store was made with KAFKA_PARTITIONS={found.partitions}, the settings say {partitions}. Tenants would "
            f"change partition: set KAFKA_PARTITIONS={found.partitions}, or start over with a new prefix and an empty store"
        )
    if found.topic_prefix != topic_prefix:
        raise DeploymentMismatchError(
            f"this store was made with KAFKA_TOPIC_PREFIX={found.topic_prefix}, the settings say {topic_prefix}. Set it "
            "back, or use an empty store for the new prefix"
        )
    return found
