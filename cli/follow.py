"""Reading committed records of some topics, without a group: nothing is committed, nobody is disturbed."""

from collections.abc import AsyncGenerator, Sequence

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from xero_stream.contracts.names import TenantId
from xero_stream.contracts.partition import partition_of
from xero_stream.kafka.admin import KafkaUnreachableError, TopicAdmin
from xero_stream.kafka.connect import connection
from xero_stream.settings.base import SettingsError
from xero_stream.settings.kafka import KafkaSettings


class NoSuchTopicError(SettingsError):
    """A topic does not exist."""


async def follow(
    settings: KafkaSettings,
    topics: Sequence[str],
    *,
    tenant: TenantId | None = None,
    from_beginning: bool = False,
    until_end: bool = False,
) -> AsyncGenerator[list[ConsumerRecord], None]:
    """Records as they come, in batches; in order within a partition of a topic.

    Args:
        tenant: only the partition of this organisation (others live in it too); None for all.
        from_beginning: all that Kafka still has, not only what comes from now on.
        until_end: end with what was there at the start.

    Raises:
        KafkaUnreachableError: Kafka does not answer at the start. Later on it is waited for.
        NoSuchTopicError: one of the topics does not exist.
    """
    spots = await _spots(settings, topics, tenant)
    consumer = AIOKafkaConsumer(
        **connection(settings, client_id="xero-stream-tail"),
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    try:
        await _start(consumer, settings)
        consumer.assign(spots)
        ends: dict[TopicPartition, int] = await consumer.end_offsets(spots)
        starts = await consumer.beginning_offsets(spots) if from_beginning else ends
        for spot, offset in starts.items():
            consumer.seek(spot, offset)
        while not (until_end and await _reached(consumer, ends)):
            batches = await consumer.getmany(timeout_ms=500)
            for batch in batches.values():
                yield batch
    finally:
        await consumer.stop()


async def _spots(settings: KafkaSettings, topics: Sequence[str], tenant: TenantId | None) -> list[TopicPartition]:
    async with TopicAdmin(settings) as admin:
        counts = await admin.partitions(topics)
    missing = [topic for topic in topics if topic not in counts]
    if missing:
        raise NoSuchTopicError(
            f"there is no topic {', '.join(missing)}: run `xero-stream topics apply`, or check KAFKA_TOPIC_PREFIX"
        )
    return [
        TopicPartition(topic, partition)
        for topic, count in counts.items()
        for partition in (range(count) if tenant is None else [partition_of(tenant, count)])
    ]


async def _start(consumer: AIOKafkaConsumer, settings: KafkaSettings) -> None:
    try:
        await consumer.start()
    except (KafkaError, OSError) as error:
        raise KafkaUnreachableError(
            f"Kafka does not answer at {settings.bootstrap_servers} any more ({type(error).__name__})"
        ) from error


async def _reached(consumer: AIOKafkaConsumer, ends: dict[TopicPartition, int]) -> bool:
    return all([await consumer.position(spot) >= end for spot, end in ends.items()])
