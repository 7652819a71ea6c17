"""The next changes to publish as messages; what is forgotten when Kafka has lost them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import asyncpg
import orjson

from xero_api.registry import by_name
from xero_stream.contracts.change_event import latest_headers
from xero_stream.contracts.dataschema import latest_schema, schema_urn
from xero_stream.contracts.names import EntityName
from xero_stream.contracts.topics import Topics
from xero_stream.kafka.transactional import Outgoing
from xero_stream.store import changes, passes, positions, records
from xero_stream.store.changes import NextChange
from xero_stream.store.leases import Lease

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """Changes ready to go.

    Attributes:
        records: for Kafka, in order: each change and its latest-record twin.
        first: position of the first change.
        last: position of the last change.
        count: number of changes.
        stamp: when the last of them was recorded, in microseconds since 1970.
        stamp_before: the same of the change they follow.
    """

    records: list[Outgoing]
    first: int
    last: int
    count: int
    stamp: int
    stamp_before: int | None


async def next_changes(pool: "asyncpg.Pool[Any]", partition: int, after: int, topics: Topics) -> Ready | None:
    """The next changes of a partition, at most 500 or about 2 MiB, or None."""
    rows = await changes.following(pool, partition, after)
    if not rows:
        return None
    records: list[Outgoing] = []
    for row in rows:
        records += _twins(row, topics)
    return Ready(
        records=records,
        first=rows[0].position,
        last=rows[-1].position,
        count=len(rows),
        stamp=microseconds(rows[-1].recorded_at),
        stamp_before=stamp_of(rows[0].recorded_before),
    )


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970: PostgreSQL keeps no more of a moment."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def stamp_of(moment: datetime | None) -> int | None:
    """The same of a moment that may be missing."""
    return None if moment is None else microseconds(moment)


def _twins(row: NextChange, topics: Topics) -> Iterator[Outgoing]:
    """A change, and the latest record beside it."""
    entity, headers = EntityName(row.entity), orjson.loads(row.headers)
    yield Outgoing(topic=row.topic, key=row.key, value=row.value, headers=_bytes(headers))
    latest = latest_headers(headers, entity, None if row.record is None else _latest_urn(entity))
    yield Outgoing(topic=topics.records(entity), key=row.key, value=row.record, headers=_bytes(latest))


def _bytes(headers: Mapping[str, str]) -> list[tuple[str, bytes]]:
    return [(name, text.encode()) for name, text in headers.items()]


@cache
def _latest_urn(entity: EntityName) -> str:
    return schema_urn(*latest_schema(entity, by_name(entity).model.version))


async def load_anew(
    pool: "asyncpg.Pool[Any]", lease: Lease, gone: Collection[str], entities: Sequence[EntityName]
) -> int:
    """Forget what was published of these entities, and load them again: consumers have lost it.

    Args:
        gone: topics of changes that start again.
        entities: whose changes are gone from Kafka.

    Returns:
        How many loads were begun.

    Raises:
        FencedError: the partition has another owner; nothing was forgotten.
    """
    async with pool.acquire() as connection, connection.transaction():
        await positions.forget_topics(connection, lease, gone)
        await records.forget(connection, lease.partition, entities)
        return await passes.load_again(connection, lease.partition, entities)
