"""A store that is older than Kafka takes over what Kafka has.

What was published is what consumers know. So after a rollback (a restored backup, a failover that lost its tail) the records
become those on the compacted topics and the last positions those on the topics of changes, before anything new is recorded.
What Xero has changed since is found by the passes that read everything again.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import asyncpg
import structlog
from aiokafka.structs import ConsumerRecord

from xero_api.decode import decode, encode
from xero_stream.contracts.names import EntityName
from xero_stream.kafka.admin import TopicAdmin
from xero_stream.kafka.partition_reader import PartitionReader
from xero_stream.settings.kafka import KafkaSettings
from xero_stream.store import changes as stored_changes
from xero_stream.store import passes as stored_passes
from xero_stream.store import positions, record_versions, relay_marks
from xero_stream.store import records as stored_records
from xero_stream.store.leases import Lease
from xero_stream.store.records import PublishedRecord

log = structlog.get_logger(__name__)

Identity = tuple[str, str]
"""Tenant and record id."""

_LONGEST_ID = 200
_LARGEST_POSITION = 2**63 - 1


class UnreadableMessageError(ValueError):
    """A message on one of our topics that no release of ours wrote; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """What was done.

    Attributes:
        records: stored records that became what Kafka has.
        gone: stored records that Kafka no longer has.
        passes: passes opened to read everything again.
        unreadable: messages on the compacted topics that somebody else wrote.
    """

    records: int
    gone: int
    passes: int
    unreadable: int


@dataclass(slots=True)
class _Compacted:
    """What a compacted topic says, read in order.

    Attributes:
        present: records that are there.
        ended: records whose tombstone is still there.
        unreadable: messages that somebody else wrote.
    """

    present: set[Identity] = field(default_factory=set)
    ended: set[Identity] = field(default_factory=set)
    unreadable: int = 0

    def rows(self, records: Iterable[ConsumerRecord]) -> list[PublishedRecord]:
        """The records among these messages that are there; the last message of each that is ours.

        A message that can't be read is left out: without it the topic says what consumers know. Where it has the key of a
        record, that record counts as present, in case the message before it was compacted.
        """
        latest: dict[Identity, PublishedRecord] = {}
        for message in records:
            try:
                identity = _identity(message.key)
                if message.value is None:
                    self.present.discard(identity)
                    self.ended.add(identity)
                    latest.pop(identity, None)
                    continue
                self.present.add(identity)
                self.ended.discard(identity)
                latest[identity] = published_record(identity, message.value)
            except UnreadableMessageError as error:
                self.unreadable += 1
                log.error(  # noqa: TRY400 - the message says all
                    "foreign_message", topic=message.topic, offset=message.offset, reason=str(error)
                )
        return list(latest.values())


def _identity(key: bytes | None) -> Identity:
    found = _object(key, "key")
    tenant_id, record_id = found.get("tenant_id"), found.get("id")
    for name in (tenant_id, record_id):
        if not isinstance(name, str) or len(name) > _LONGEST_ID or not name.isprintable():
            raise UnreadableMessageError("its key has no tenant_id and id")
    return str(tenant_id), str(record_id)


def _object(text: bytes | None, part: str) -> dict[str, Any]:
    try:
        found = decode(text or b"")
    except ValueError:
        raise UnreadableMessageError(f"its {part} is not JSON") from None
    if not isinstance(found, dict):
        raise UnreadableMessageError(f"its {part} is not an object")
    return found


def _whole(message: dict[str, Any], name: str) -> int:
    found = message.get(name)
    if type(found) is not int or not 0 <= found <= _LARGEST_POSITION:
        raise UnreadableMessageError(f"{name} is not a valid number")
    return found


def _says(text: bytes, record: dict[str, Any]) -> bool:
    try:
        return bool(decode(text) == record)
    except ValueError:
        return False


def _moment(message: dict[str, Any], name: str) -> datetime:
    try:
        return datetime.fromtimestamp(_whole(message, name) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        raise UnreadableMessageError(f"{name} is not a valid time") from None


def published_record(identity: Identity, value: bytes) -> PublishedRecord:
    """A message of ``records.<entity>`` as a row of the store.

    Args:
        identity: from its key.
        value: not a tombstone's.

    Raises:
        UnreadableMessageError: it is none of ours.
    """
    message = _object(value, "value")
    record, version = message.get("record"), message.get("version_ts_ms")
    if not isinstance(record, dict):
        raise UnreadableMessageError("it has no record")
    status = record.get("status")
    return PublishedRecord(
        tenant_id=identity[0],
        record_id=identity[1],
        position=_whole(message, "position"),
        status=None if status is None else str(status).replace("\x00", "\ufffd"),
        version_at=None if version is None else _moment(message, "version_ts_ms"),
        body=_body(message, record, value),
        recorded_at=_moment(message, "ts_ms"),
    )


def _body(message: dict[str, Any], record: dict[str, Any], value: bytes) -> bytes:
    """Byte for byte: another spelling of the same number would be published as a change of nothing.

    Before the record there are only numbers, and behind it nothing, unless it was shortened.
    """
    _, _, behind = value.partition(b'"record":')
    if not message.get("omitted") and _says(behind[:-1], record):
        return behind[:-1]
    try:
        return encode(record)
    except TypeError:
        raise UnreadableMessageError("its record is nested too deeply") from None


async def last_positions(reader: PartitionReader, topics: Iterable[str]) -> dict[str, int]:
    """The position of the last change that Kafka has, by topic; topics without any are left out.

    Args:
        topics: topics of changes.
    """
    found: dict[str, int] = {}
    for topic in topics:
        newest = await reader.last(topic, lambda record: _position(record) is not None)
        position = None if newest is None else _position(newest)
        if position is not None:
            found[topic] = position
    return found


def _position(record: ConsumerRecord) -> int | None:
    """Of a change; None: somebody else wrote it."""
    try:
        source = _object(record.value, "value").get("source")
        return _whole(source, "position") if isinstance(source, dict) else None
    except UnreadableMessageError:
        return None


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
    replaced = gone = unreadable = 0
    async with PartitionReader(kafka, [*changes, *records], lease.partition) as reader:
        last = await last_positions(reader, changes)
        alive()
        for entity in entities:
            compacted = _Compacted()
            # Where one of them has never held anything, consumers know nothing of the entity. It was emptied, and is loaded
            # again; or what the store has of it was never published, and is when it is read again.
            if await reader.end(topics.changes(entity)) and await reader.end(topics.records(entity)):
                async for messages in reader.whole(topics.records(entity)):
                    replaced += await _take_over(pool, lease, entity, compacted.rows(messages))
                    alive()
            gone += await _bury(pool, lease, entity, compacted)
            unreadable += compacted.unreadable
            alive()
    passes = await store_rolled_back(pool, lease, reached, last)
    return Recovered(records=replaced, gone=gone, passes=passes, unreadable=unreadable)


async def _take_over(
    pool: "asyncpg.Pool[Any]", lease: Lease, entity: EntityName, rows: Sequence[PublishedRecord]
) -> int:
    if not rows:
        return 0
    async with pool.acquire() as connection, connection.transaction():
        await positions.lock(connection, lease)
        return await stored_records.take_over(connection, lease, entity, rows)


async def _bury(pool: "asyncpg.Pool[Any]", lease: Lease, entity: EntityName, compacted: _Compacted) -> int:
    """End what Kafka does not have; how many records the store had of these."""
    async with pool.acquire() as connection, connection.transaction():
        await positions.lock(connection, lease)
        gone = await stored_records.bury_others(connection, lease, entity, compacted.present)
    if compacted.ended:
        async with pool.acquire() as connection, connection.transaction():
            await positions.lock(connection, lease)
            await stored_records.bury_unknown(connection, lease, entity, compacted.ended)
    return gone


async def store_rolled_back(pool: "asyncpg.Pool[Any]", lease: Lease, position: int, last: Mapping[str, int]) -> int:
    """Go on behind what Kafka has, under a new incarnation, and read every record of the partition again.

    Changes behind that position, and the one at it, were recorded and never published, or they are others than Kafka's.

    Args:
        position: the last position that Kafka has.
        last: the last position that Kafka has, by topic of changes.

    Returns:
        How many passes were opened.

    Raises:
        FencedError: the partition has another owner.
    """
    async with pool.acquire() as connection, connection.transaction():
        head = await positions.lock(connection, lease)
        # Retention may have emptied a topic: then the store's is the last one known, if Kafka can have seen it.
        known = {topic: one for topic, one in head.by_topic.items() if one <= position}
        await positions.begin_anew(connection, lease, position, {**known, **last})
        await stored_changes.drop_from(connection, lease.partition, position)
        await record_versions.drop_after(connection, lease.partition, position)
        await relay_marks.set_back(connection, lease, position)
        return await stored_passes.catch_up_partition(connection, lease.partition, None)
