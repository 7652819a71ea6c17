"""Reading Kafka: live from now on for the view, and everything from the beginning for the verification."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from aiokafka.structs import ConsumerRecord, TopicPartition

from verify.history import Change, EventRef, RecordMessage, Spot, read_change, read_record
from xero_stream.contracts.names import STREAMED
from xero_stream.kafka.connect import connection
from xero_stream.settings.kafka import KafkaSettings

READ_SECONDS = 120.0
"""How long reading everything may take without a single new record."""


class NotReadError(Exception):
    """Kafka was not read to its end."""


def _consumer(settings: KafkaSettings) -> Any:
    return AIOKafkaConsumer(
        **connection(settings, client_id="xero-stream-demo"),
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=100,
        max_partition_fetch_bytes=4 * 1024 * 1024,
        retry_backoff_ms=100,
        metadata_max_age_ms=30_000,
    )


def changes_topics(settings: KafkaSettings) -> list[str]:
    """The topics that changes are on."""
    return list(dict.fromkeys(settings.topics.changes(name) for name in STREAMED))


def _partitions(settings: KafkaSettings, topics: Sequence[str]) -> list[TopicPartition]:
    return [TopicPartition(topic, number) for topic in topics for number in range(settings.partitions)]


class Live:
    """Hands on every record that is committed from the start on; goes on where it was when Kafka comes back."""

    def __init__(self, settings: KafkaSettings, on_record: Callable[[ConsumerRecord], None]) -> None:
        self._settings = settings
        self._on_record = on_record
        self._places: dict[TopicPartition, int] = {}
        self.started = asyncio.Event()

    async def run(self) -> None:
        """Read until cancelled."""
        while True:
            try:
                await self._session()
            except (KafkaError, OSError):
                await asyncio.sleep(0.5)

    async def _session(self) -> None:
        consumer = _consumer(self._settings)
        try:
            await consumer.start()
            topics = [self._settings.topics.webhook_events, *changes_topics(self._settings)]
            partitions = _partitions(self._settings, topics)
            consumer.assign(partitions)
            if not self._places:
                self._places = await consumer.end_offsets(partitions)
            for partition, offset in self._places.items():
                consumer.seek(partition, offset)
            self.started.set()
            while True:
                for partition, records in (await consumer.getmany(timeout_ms=250)).items():
                    for record in records:
                        self._on_record(record)
                        self._places[partition] = record.offset + 1
        finally:
            with contextlib.suppress(KafkaError, OSError, TimeoutError):
                async with asyncio.timeout(5):
                    await consumer.stop()


class Whole:
    """Everything that is on Kafka, as a read_committed consumer gets it."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._consumer = _consumer(settings)

    async def __aenter__(self) -> "Whole":
        try:
            await self._consumer.start()
        except BaseException:
            await self._consumer.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._consumer.stop()

    async def event_ends(self) -> dict[int, int]:
        """End offsets of ``webhook-events``."""
        ends = await self._consumer.end_offsets(_partitions(self._settings, [self._settings.topics.webhook_events]))
        return {partition.partition: offset for partition, offset in ends.items()}

    async def changes(self) -> tuple[list[Change], dict[int, int]]:
        """All changes, and by partition the position from which they are complete where retention dropped older ones.

        Raises:
            NotReadError: it takes too long.
        """
        topics = changes_topics(self._settings)
        found = [
            read_change(Spot(record.topic, record.partition, record.offset), record.key, record.value, record.headers)
            for record in await self._read(topics)
        ]
        begins = await self._consumer.beginning_offsets(_partitions(self._settings, topics))
        return found, complete_from(found, {(tp.topic, tp.partition): offset for tp, offset in begins.items()})

    async def records(self) -> list[RecordMessage]:
        """All messages of the compacted topics.

        Raises:
            NotReadError: it takes too long.
        """
        entity_of = {self._settings.topics.records(name): name.value for name in STREAMED}
        return [
            read_record(
                Spot(record.topic, record.partition, record.offset),
                record.key,
                record.value,
                record.headers,
                entity_of[record.topic],
            )
            for record in await self._read(list(entity_of))
        ]

    async def events(self) -> list[EventRef]:
        """All webhook events.

        Raises:
            NotReadError: it takes too long.
        """
        found = []
        for record in await self._read([self._settings.topics.webhook_events]):
            event = orjson.loads(record.value)
            found.append(EventRef(event["delivery_id"], event["index"]))
        return found

    async def _read(self, topics: Sequence[str]) -> list[ConsumerRecord]:
        consumer, loop = self._consumer, asyncio.get_running_loop()
        partitions = _partitions(self._settings, topics)
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        await consumer.seek_to_beginning(*partitions)
        found: list[ConsumerRecord] = []
        patience_ends = loop.time() + READ_SECONDS
        # A position may pass the last record (control records follow it), so positions are asked, not offsets.
        while waiting := [tp for tp in partitions if await consumer.position(tp) < ends[tp]]:
            if loop.time() > patience_ends:
                raise NotReadError(f"Kafka does not give everything of {waiting[0].topic}: see its log")
            for records in (await consumer.getmany(*waiting, timeout_ms=250)).values():
                found += records
                patience_ends = loop.time() + READ_SECONDS
        return found


def complete_from(changes: Sequence[Change], begins: dict[tuple[str, int], int]) -> dict[int, int]:
    """By partition, the position from which its log is complete; only partitions that lost older changes. Pure.

    Args:
        changes: all that are there.
        begins: the first offset kept, by topic and partition; 0 where nothing was dropped.
    """
    firsts: dict[tuple[str, int], int] = {}
    for change in changes:
        place = (change.spot.topic, change.spot.partition)
        firsts[place] = min(firsts.get(place, change.position), change.position)
    newest: dict[int, int] = {}
    for change in changes:
        newest[change.spot.partition] = max(newest.get(change.spot.partition, 0), change.position)
    complete: dict[int, int] = {}
    for (topic, partition), offset in begins.items():
        if offset > 0:
            first = firsts.get((topic, partition), newest.get(partition, 0) + 1)
            complete[partition] = max(complete.get(partition, 1), first)
    return complete
