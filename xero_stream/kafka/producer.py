"""Making and closing aiokafka's idempotent producer, each within a time limit."""

import asyncio

from aiokafka import AIOKafkaProducer
from aiokafka.structs import TopicPartition

from xero_stream.kafka.compression import compression
from xero_stream.kafka.connect import connection
from xero_stream.settings.base import SettingsError
from xero_stream.settings.kafka import KafkaSettings

MAX_BATCH_BYTES = 524_288
MAX_REQUEST_BYTES = 8_388_608
REQUEST_TIMEOUT_MS = 10_000
NO_LEADER = -1


class PartitionsDifferError(SettingsError):
    """The topic has not the number of partitions that the settings say."""


class Producers:
    """Makes and closes aiokafka producers."""

    def __init__(self, settings: KafkaSettings, *, client_id: str, topic: str) -> None:
        """Nothing is opened before :meth:`build`.

        Args:
            settings: where Kafka is; the partition count to find there.
            client_id: name in the broker's logs.
            topic: the topic that must exist, with that many partitions.
        """
        self._settings = settings
        self._client_id = client_id
        self._topic = topic

    async def build(self) -> AIOKafkaProducer:
        """A started producer that knows the topic.

        Raises:
            KafkaError: Kafka can't be reached, or the topic is missing.
            PartitionsDifferError: the topic has another number of partitions.
        """
        producer = AIOKafkaProducer(
            **connection(self._settings, client_id=self._client_id),
            **compression(self._settings),
            acks="all",
            enable_idempotence=True,
            linger_ms=0,
            max_batch_size=MAX_BATCH_BYTES,
            max_request_size=MAX_REQUEST_BYTES,
            request_timeout_ms=REQUEST_TIMEOUT_MS,
        )
        try:
            await producer.start()
            partitions = await producer.partitions_for(self._topic)
            if len(partitions) != self._settings.partitions:
                raise PartitionsDifferError(
                    f"topic {self._topic} has {len(partitions)} partitions, KAFKA_PARTITIONS is "
                    f"{self._settings.partitions}; they can't be changed later: correct the setting or the prefix"
                )
        except BaseException:
            await self.discard(producer, flush_seconds=0)
            raise
        return producer

    def leader(self, producer: AIOKafkaProducer, topic: str, partition: int) -> int | None:
        """The id of the broker that leads a partition, or None while nobody is known to."""
        leader = producer.client.cluster.leader_for_partition(TopicPartition(topic, partition))
        return None if leader == NO_LEADER else leader

    async def discard(self, producer: AIOKafkaProducer, *, flush_seconds: float) -> bool:
        """Close a producer without waiting for what can't be delivered.

        Args:
            producer: it; not used by anybody from now on.
            flush_seconds: how long to wait for batches under way.

        Returns:
            Whether everything had been delivered.
        """
        try:
            async with asyncio.timeout(flush_seconds):
                await producer.flush()
        except TimeoutError:
            # AIOKafkaProducer.stop() would flush without a bound, and leave its tasks behind if cancelled.
            producer._closed = True  # noqa: SLF001 - no public way to close without a flush
            sender = asyncio.ensure_future(producer._sender.close())  # noqa: SLF001 - as above
            await asyncio.wait({sender}, timeout=REQUEST_TIMEOUT_MS / 1000)
            sender.cancel()
            await producer.client.close()
            return False
        await producer.stop()
        return True
