"""A store that is older than Kafka takes over what Kafka has.

What was published is what consumers know. So after a rollback (a restored backup, a failover that lost its tail) the records
become those on the compacted topics and the last positions those on the topics of changes, before anything new is recorded.
What Xero has changed since is found by the passes that read everything again.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import asyncpg
from aiokafka.structs import ConsumerRecord

from processors.partitions.store import Lease, store_went_back
from processors.relay import store
from xero_api.decode import decode, encode
from xero_stream.contracts.names import EntityName
from xero_stream.kafka.admin import TopicAdmin
from xero_stream.kafka.partition_reader import PartitionReader
from xero_stream.settings.kafka import KafkaSettings

Identity = tuple[str, str]
"""Tenant and record id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """What was done.

    Attributes:
        records: stored records that became what Kafka has.
        gone: stored records that Kafka no longer has.
        passes: passes opened to read everything again.
    """

    records: int
    gone: int
    passes: int


@dataclass(slots=True)
class _Compacted:
    """What a compacted topic says, read in order."""

    present: set[Identity] = field(default_factory=set)

    def rows(self, records: Iterable[ConsumerRecord]) -> list[store.PublishedRecord]:
        """The records among these messages that are there; the last message of each."""
        latest: dict[Identity, store.PublishedRecord] = {}
        for message in records:
            key = decode(message.key)
            identity = (key["tenant_id"], key["id"])
            latest.pop(identity, None)
            if message.value is None:
                self.present.discard(identity)
                continue
            self.present.add(identity)
            latest[identity] = published_record(identity, message.value)
        return list(latest.values())


def published_record(identity: Identity, value: bytes) -> store.PublishedRecord:
    """A message of ``records.<entity>`` as a row of the store.

    Args:
        identity: from its key.
        value: not a tombstone's.
    """
    message = decode(value)
    record, version = message["record"], message["version_ts_ms"]
    # Byte for byte: another spelling of the same number would be published as a change of nothing. Before the record there
    # are only numbers, and behind it nothing, unless it was shortened.
    _, _, behind = value.partition(b'"record":')
    body = encode(record) if message.get("omitted") else behind[:-1]
    status = record.get("status")
    return store.PublishedRecord(
        tenant_id=identity[0],
        record_id=identity[1],
        position=message["position"],
        status=None if status is None else str(status).replace("\x00", "\ufffd"),
        version_at=None if version is None else datetime.fromtimestamp(version / 1000, UTC),
        body=body,
        recorded_at=datetime.fromtimestamp(message["ts_ms"] / 1000, UTC),
    )


async def last_positions(reader: PartitionReader, topics: Iterable[str]) -> dict[str, int]:
    """The position of the last change that Kafka has, by topic; topics without any are left out.

    Args:
        reader: of the partition.
        topics: topics of changes.
    """
    found: dict[str, int] = {}
    for topic in topics:
        newest = await reader.last(topic)
        if newest is not None:
            found[topic] = int(decode(newest.value)["source"]["position"])
    return found


async def entities_on_kafka(kafka: KafkaSettings) -> list[EntityName]:
    """The entities whose topics exist."""
    topics = kafka.topics
    async with TopicAdmin(kafka) as admin:
        there = await admin.partitions([name(e) for e in EntityName for name in (topics.changes, topics.records)])
    return [entity for entity in EntityName if {topics.changes(entity), topics.records(entity)} <= there.keys()]


async def recover(
    pool: "asyncpg.Pool[Any]", lease: Lease, kafka: KafkaSettings, reached: int, *, alive: Callable[[], None]
) -> Recovered:
    """Make the store what Kafka says was published, and open passes that read everything again.

    Nothing may be recorded meanwhile. Begun again after a failure, it does the same: only the last transaction moves
    positions, and until then the store is still known to be older.

    Args:
        pool: the store.
        lease: ours.
        kafka: where Kafka is.
        reached: the last position that Kafka has.
        alive: called after every step.

    Raises:
        FencedError: the partition has another owner.
        KafkaError, OSError, KafkaUnreachableError: Kafka does not give everything.
    """
    topics = kafka.topics
    entities = await entities_on_kafka(kafka)
    changes = sorted({topics.changes(entity) for entity in entities})
    records = [topics.records(entity) for entity in entities]
    replaced = gone = 0
    async with PartitionReader(kafka, [*changes, *records], lease.partition) as reader:
        heads = await last_positions(reader, changes)
        alive()
        for entity in entities:
            if not await reader.end(topics.changes(entity)) or not await reader.end(topics.records(entity)):
                continue  # emptied ones are loaded anew, which is another matter
            compacted = _Compacted()
            async for messages in reader.whole(topics.records(entity)):
                replaced += await store.take_over(pool, lease, entity, compacted.rows(messages))
                alive()
            gone += await store.bury_others(pool, lease, entity, compacted.present)
            alive()
    passes = await store_went_back(pool, lease, reached, heads)
    return Recovered(records=replaced, gone=gone, passes=passes)
