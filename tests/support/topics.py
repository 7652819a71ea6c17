"""What people do to topics who should not."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from aiokafka.admin import AIOKafkaAdminClient, NewPartitions

from xero_stream.kafka.admin import TopicAdmin, TopicSpec


@asynccontextmanager
async def _client(bootstrap_servers: str) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await client.start()
    try:
        yield client
    finally:
        await client.close()


async def delete(bootstrap_servers: str, admin: TopicAdmin, topics: Sequence[str]) -> None:
    """Delete topics, and wait until they are gone.

    Args:
        bootstrap_servers: where Kafka is.
        admin: connected.
        topics: which.
    """
    async with _client(bootstrap_servers) as client, asyncio.timeout(30):
        await client.delete_topics(list(topics))
        while await admin.partitions(topics):  # noqa: ASYNC110 - the broker deletes in its own time, and does not tell
            await asyncio.sleep(0.05)


async def make_anew(bootstrap_servers: str, admin: TopicAdmin, specs: Sequence[TopicSpec]) -> None:
    """Delete topics and make them again, empty."""
    await delete(bootstrap_servers, admin, [spec.name for spec in specs])
    await admin.apply(specs)


async def grow(bootstrap_servers: str, topic: str, partitions: int) -> None:
    """Give a topic more partitions."""
    async with _client(bootstrap_servers) as client:
        await client.create_partitions({topic: NewPartitions(total_count=partitions)})
