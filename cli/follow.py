"""Reading committed records of some topics, without a group: nothing is committed, nobody is disturbed."""

from collections.abc import AsyncGenerator, Sequence

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError

from xero_stream.kafka.admin import KafkaUnreachableError
from xero_stream.kafka.connect import connection
from xero_stream.settings.base import SettingsError
from xero_stream.settings.kafka import KafkaSettings


class NoSuchTopicError(SettingsError):
    """A topic does not exist."""


async def follow(
    settings: KafkaSettings,
    topics: Sequence[str],
    *,
    partition: int | None = None,
    from_beginning: bool = False,
    until_end: bool = False,
) -> AsyncGenerator[list[ConsumerRecord], None]:
    """Records as they come, in batches; in order within a partition of a topic.

    Args:
        settings: where Kafka is.
        topics: what to read.
        partition: only this one; None for all.
        from_beginning: all that Kafka still has, not only what comes from now on.
        until_end: end with what was there at the start.

    Raises:
        KafkaUnreachableError: Kafka does not answer at the start. Later on it is waited for.
        NoSuchTopicError: one of the topics does not exist.
    """
    consumer = AIOKafkaConsumer(
        *topics,
        **connection(settings, client_id="xero-stream-tail"),
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    try:
        await _start(consumer, settings)
        spots = set(consumer.assignment())
        skipped = {spot for spot in spots if partition is not None and spot.partition != partition}
        if skipped:
            consumer.pause(*skipped)
        spots -= skipped
        ends: dict[TopicPartition, int] = await consumer.end_offsets(list(spots))
        starts = await consumer.beginning_offsets(list(spots)) if from_beginning else ends
        for spot, offset in starts.items():
            consumer.seek(spot, offset)
        while not (until_end and await _reached(consumer, ends)):
            batches = await consumer.getmany(timeout_ms=500)
            for batch in batches.values():
                yield batch
    finally:
        await consumer.stop()


async def _start(consumer: AIOKafkaConsumer, settings: KafkaSettings) -> None:
    try:
        await consumer.start()
    except UnknownTopicOrPartitionError as error:
        raise NoSuchTopicError(
            "a topic does not exist yet: run `xero-stream topics apply`, or check KAFKA_TOPIC_PREFIX "
            f"({settings.topic_prefix})"
        ) from error
    except (KafkaError, OSError) as error:
        raise KafkaUnreachableError(
            f"Kafka does not answer at {settings.bootstrap_servers} ({type(error).__name__}); check "
            "KAFKA_BOOTSTRAP_SERVERS, or start one with `xero-stream local`"
        ) from error


async def _reached(consumer: AIOKafkaConsumer, ends: dict[TopicPartition, int]) -> bool:
    return all([await consumer.position(spot) >= end for spot, end in ends.items()])
