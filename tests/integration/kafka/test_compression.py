"""What the record batches on a real Kafka are compressed with."""

import uuid

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.record.default_records import DefaultRecordBatch

from tests.support.servers import SharedServers
from xero_stream.kafka.admin import TopicAdmin, wanted
from xero_stream.kafka.producer import Producers
from xero_stream.kafka.transactional import Outgoing, TransactionalProducer
from xero_stream.settings.kafka import KafkaSettings

CODECS = {
    "none": DefaultRecordBatch.CODEC_NONE,
    "gzip": DefaultRecordBatch.CODEC_GZIP,
    "lz4": DefaultRecordBatch.CODEC_LZ4,
    "zstd": DefaultRecordBatch.CODEC_ZSTD,
}
ATTRIBUTES, RECORDS = 21, 61
"""Where a batch has its attributes, and its records (https://kafka.apache.org/documentation/#recordbatch)."""
FASTEST_GZIP = b"\x1f\x8b\x08\0\0\0\0\0\x04"
"""How gzip begins where level 1 made it (RFC 1952: XFL is 4)."""


@pytest.mark.parametrize("codec", [None, *CODECS])
async def test_batches_and_topics_have_the_codec_of_the_settings(
    shared_servers: SharedServers, kafka: str, topic_prefix: str, codec: str | None
) -> None:
    """The receiver's and the relay's batches are stored as they were sent; gzip, at its fastest level, is the default."""
    settings = KafkaSettings.read(
        bootstrap_servers=kafka, topic_prefix=topic_prefix, partitions=1, replication_factor=1, compression=codec
    )
    topic = settings.topics.webhook_events
    specs = wanted(settings, ())
    value = b'{"status":"authorised"}' * 100
    async with TopicAdmin(settings) as admin:
        await admin.apply(specs)
        assert await admin.check(specs) == []
        other = settings.model_copy(update={"compression": "lz4" if codec == "none" else "none"})
        problems = [problem.what for problem in await admin.check(wanted(other, ()))]
    assert all(problem.startswith("compression.type is ") for problem in problems)
    assert len(problems) == len(specs)

    producers = Producers(settings, client_id="test", topic=topic)
    producer = await producers.build()
    await producer.send_and_wait(topic, value, partition=0)
    await producers.discard(producer, flush_seconds=5)
    relay = await TransactionalProducer.start(settings, transactional_id=uuid.uuid4().hex, partition=0)
    await relay.publish([Outgoing(topic=topic, key=None, value=value)], offsets={}, group="g")
    await relay.discard()

    log = shared_servers.log_of(topic)
    for batch in _batches(log)[:2]:
        assert batch[ATTRIBUTES + 1] & 0b111 == CODECS[codec or "gzip"]
        assert batch[RECORDS:].startswith(FASTEST_GZIP) == (codec in {None, "gzip"})
    async with AIOKafkaConsumer(topic, bootstrap_servers=kafka, auto_offset_reset="earliest") as consumer:
        assert [(await consumer.getone()).value for _ in range(2)] == [value, value]


def _batches(log: bytes) -> list[bytes]:
    found = []
    while log:
        length = 12 + int.from_bytes(log[8:12], "big")
        found.append(log[:length])
        log = log[length:]
    return found
