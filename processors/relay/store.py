"""The relay's statements: the next changes to publish, and the mark behind them."""

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
from xero_stream.store.leases import FencedError, Lease, heads

MOST_CHANGES = 500
MOST_BYTES = 2 * 1024 * 1024
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# The first change always comes, however large; after it, as many as stay below the limit of bytes.
_NEXT = """
SELECT position, topic, entity, key, value, headers, record, recorded_at,
       (SELECT recorded_at FROM changes WHERE partition = $1 AND position = $2 LIMIT 1) AS recorded_before
FROM (
    SELECT *, sum(size) OVER (ORDER BY position) AS running
    FROM (SELECT * FROM changes WHERE partition = $1 AND position > $2 ORDER BY position LIMIT $3) AS window_of_changes
) AS counted
WHERE running <= $4 OR running = size
ORDER BY position
"""

_PUBLISHED = """
SELECT h.topic FROM unnest($2::text[], $3::bigint[]) AS h(topic, head)
WHERE h.head <= $4
   OR EXISTS (SELECT 1 FROM changes c WHERE c.partition = $1 AND c.topic = h.topic AND c.position <= $4)
"""

_PUBLISHED_ENTITIES = """
SELECT e.entity FROM unnest($2::text[]) AS e(entity)
WHERE EXISTS (SELECT 1 FROM tenants t JOIN records r ON r.tenant_id = t.tenant_id AND r.entity = e.entity
              WHERE t.partition = $1 AND r.position BETWEEN 1 AND $3)
"""

_LOAD_AGAIN = """
UPDATE passes SET generation = generation + 1, place = NULL, seen = 0, total = NULL, since = NULL, finished_at = NULL,
    started_at = NULL, attempts = 0, error = NULL, hint = NULL, failing_since = NULL, not_before = to_timestamp(0)
WHERE partition = $1 AND entity = ANY($2::text[]) AND kind = 'backfill'
"""


_FENCE = "SELECT 1 FROM positions WHERE partition = $1 AND epoch = $2 FOR UPDATE"

# S is not known: the earliest there is, so that every read to come counts as later.
_TAKE_OVER = """
INSERT INTO records (tenant_id, entity, record_id, partition, position, status, version_at, read_at, body, recorded_at)
SELECT tenant_id, $2, record_id, $1, position, status, version_at, to_timestamp(0), body, recorded_at
FROM unnest($3::text[], $4::text[], $5::bigint[], $6::text[], $7::timestamptz[], $8::bytea[], $9::timestamptz[])
     AS k(tenant_id, record_id, position, status, version_at, body, recorded_at)
ON CONFLICT (tenant_id, entity, record_id) DO UPDATE SET
    position = excluded.position, gone = NULL, status = excluded.status, version_at = excluded.version_at,
    read_at = excluded.read_at, body = excluded.body, raw = NULL, raw_form = NULL, form = NULL, shown = NULL,
    recorded_at = excluded.recorded_at
WHERE (records.position, records.gone, records.body) IS DISTINCT FROM (excluded.position, NULL, excluded.body)
"""

_LIVE = "SELECT tenant_id, record_id FROM records WHERE partition = $1 AND entity = $2 AND gone IS NULL"

_BURY = """
UPDATE records r SET gone = 'deleted', status = NULL, body = NULL, raw = NULL, raw_form = NULL, form = NULL, shown = NULL
FROM unnest($2::text[], $3::text[]) AS k(tenant_id, record_id)
WHERE r.tenant_id = k.tenant_id AND r.entity = $1 AND r.record_id = k.record_id
"""

_BURY_UNKNOWN = """
INSERT INTO records (tenant_id, entity, record_id, partition, position, gone, read_at, recorded_at)
SELECT tenant_id, $2, record_id, $1, 0, 'deleted', to_timestamp(0), now()
FROM unnest($3::text[], $4::text[]) AS k(tenant_id, record_id)
ON CONFLICT (tenant_id, entity, record_id) DO NOTHING
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedRecord:
    """A record as Kafka has it."""

    tenant_id: str
    record_id: str
    position: int
    status: str | None
    version_at: datetime | None
    body: bytes
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far a partition is.

    Attributes:
        last: the last position given out.
        mark: the last position known to be on Kafka.
        stamp: when the change at the position asked for was recorded, in microseconds since 1970; None where the store
            has none there.
    """

    last: int
    mark: int
    stamp: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """Changes ready to go.

    Attributes:
        records: for Kafka, in order: each change and its latest-record twin.
        first: position of the first change.
        last: position of the last change.
        count: number of changes.
        stamp: when the last of them was recorded, as in :class:`Standing`.
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
    rows = await pool.fetch(_NEXT, partition, after, MOST_CHANGES, MOST_BYTES)
    if not rows:
        return None
    records: list[Outgoing] = []
    for row in rows:
        records += _twins(row, topics)
    return Ready(
        records=records,
        first=rows[0]["position"],
        last=rows[-1]["position"],
        count=len(rows),
        stamp=microseconds(rows[-1]["recorded_at"]),
        stamp_before=_stamp(rows[0]["recorded_before"]),
    )


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970: PostgreSQL keeps no more of a moment."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _stamp(moment: datetime | None) -> int | None:
    return None if moment is None else microseconds(moment)


def _twins(row: Any, topics: Topics) -> Iterator[Outgoing]:
    """A change, and the latest record beside it."""
    entity, headers = EntityName(row["entity"]), orjson.loads(row["headers"])
    yield Outgoing(topic=row["topic"], key=row["key"], value=row["value"], headers=_bytes(headers))
    latest = latest_headers(headers, entity, None if row["record"] is None else _latest_urn(entity))
    yield Outgoing(topic=topics.records(entity), key=row["key"], value=row["record"], headers=_bytes(latest))


def _bytes(headers: Mapping[str, str]) -> list[tuple[str, bytes]]:
    return [(name, text.encode()) for name, text in headers.items()]


@cache
def _latest_urn(entity: EntityName) -> str:
    return schema_urn(*latest_schema(entity, by_name(entity).model.version))


async def mark(pool: "asyncpg.Pool[Any]", lease: Lease, position: int) -> None:
    """Everything up to this position is on Kafka.

    Not flushed to disk: Kafka's committed offset is the witness that counts, the mark only stands in for it when Kafka
    forgot an idle group.

    Raises:
        FencedError: the partition has another owner.
    """
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL synchronous_commit = off")
        status = await connection.execute(
            "UPDATE relay_marks SET position = $3, marked_at = now() WHERE partition = $1 AND epoch = $2",
            lease.partition,
            lease.epoch,
            position,
        )
    if status != "UPDATE 1":
        raise FencedError(lease.partition, lease.epoch)


async def standing(pool: "asyncpg.Pool[Any]", partition: int, after: int) -> Standing:
    """How far the partition is.

    Args:
        pool: the store.
        partition: which.
        after: the position of which the stamp is wanted.
    """
    row = await pool.fetchrow(
        "SELECT p.position, m.position AS mark, "
        "(SELECT recorded_at FROM changes WHERE partition = $1 AND position = $2 LIMIT 1) AS recorded_at "
        "FROM positions p JOIN relay_marks m USING (partition) WHERE partition = $1",
        partition,
        after,
    )
    return Standing(last=row["position"], mark=row["mark"], stamp=_stamp(row["recorded_at"]))


async def take_over(
    pool: "asyncpg.Pool[Any]", lease: Lease, entity: EntityName, records: Sequence[PublishedRecord]
) -> int:
    """Make stored records what Kafka has; those that are so already are left alone.

    Returns:
        How many were not.

    Raises:
        FencedError: the partition has another owner.
    """
    if not records:
        return 0
    columns = [
        [getattr(record, name) for record in records]
        for name in ("tenant_id", "record_id", "position", "status", "version_at", "body", "recorded_at")
    ]
    async with pool.acquire() as connection, connection.transaction():
        await _fence(connection, lease)
        status = await connection.execute(_TAKE_OVER, lease.partition, entity.value, *columns)
    return int(status.rsplit(" ", 1)[1])


async def bury_others(
    pool: "asyncpg.Pool[Any]", lease: Lease, entity: EntityName, present: Collection[tuple[str, str]]
) -> int:
    """Stored records that Kafka does not have count as deleted: its tombstone is the last that consumers saw of them.

    Args:
        pool: the store.
        lease: ours.
        entity: whose records.
        present: tenant and record id of all that Kafka has.

    Returns:
        How many there were.

    Raises:
        FencedError: the partition has another owner.
    """
    async with pool.acquire() as connection, connection.transaction():
        await _fence(connection, lease)
        rows = await connection.fetch(_LIVE, lease.partition, entity.value)
        others = [identity for row in rows if (identity := (row["tenant_id"], row["record_id"])) not in present]
        await connection.execute(_BURY, entity.value, [one for one, _ in others], [other for _, other in others])
    return len(others)


async def bury_unknown(
    pool: "asyncpg.Pool[Any]", lease: Lease, entity: EntityName, ended: Collection[tuple[str, str]]
) -> None:
    """Records that began and ended on Kafka after the store's state: their end is not published again.

    Args:
        pool: the store.
        lease: ours.
        entity: whose records.
        ended: tenant and record id of all that Kafka has a tombstone of.

    Raises:
        FencedError: the partition has another owner.
    """
    if not ended:
        return
    async with pool.acquire() as connection, connection.transaction():
        await _fence(connection, lease)
        columns = [tenant_id for tenant_id, _ in ended], [record_id for _, record_id in ended]
        await connection.execute(_BURY_UNKNOWN, lease.partition, entity.value, *columns)


async def _fence(connection: Any, lease: Lease) -> None:
    if await connection.fetchval(_FENCE, lease.partition, lease.epoch) is None:
        raise FencedError(lease.partition, lease.epoch)


async def published_topics(pool: "asyncpg.Pool[Any]", partition: int, after: int) -> list[str]:
    """The topics of changes that something was published on.

    Args:
        pool: the store.
        partition: which.
        after: the last position that was published.
    """
    known = heads(await pool.fetchval("SELECT heads FROM positions WHERE partition = $1", partition))
    if not known:
        return []
    rows = await pool.fetch(_PUBLISHED, partition, list(known), list(known.values()), after)
    return [row["topic"] for row in rows]


async def published_entities(
    pool: "asyncpg.Pool[Any]", partition: int, after: int, entities: Sequence[EntityName]
) -> list[EntityName]:
    """The entities that something was published of, where all share one topic of changes.

    Args:
        pool: the store.
        partition: which.
        after: the last position that was published.
        entities: the candidates.
    """
    rows = await pool.fetch(_PUBLISHED_ENTITIES, partition, [entity.value for entity in entities], after)
    return [EntityName(row["entity"]) for row in rows]


async def load_anew(
    pool: "asyncpg.Pool[Any]", lease: Lease, gone: Collection[str], entities: Sequence[EntityName]
) -> int:
    """Forget what was published of these entities, and load them again: consumers have lost it.

    Args:
        pool: the store.
        lease: ours.
        gone: topics of changes that begin anew.
        entities: whose changes are gone from Kafka.

    Returns:
        How many loads were begun.

    Raises:
        FencedError: the partition has another owner; nothing was forgotten.
    """
    names = [entity.value for entity in entities]
    async with pool.acquire() as connection, connection.transaction():
        stored = await connection.fetchval(
            "SELECT heads FROM positions WHERE partition = $1 AND epoch = $2 FOR UPDATE", lease.partition, lease.epoch
        )
        if stored is None:
            raise FencedError(lease.partition, lease.epoch)
        left = {topic: position for topic, position in heads(stored).items() if topic not in gone}
        await connection.execute(
            "UPDATE positions SET heads = $2 WHERE partition = $1", lease.partition, orjson.dumps(left)
        )
        await connection.execute(
            "DELETE FROM records WHERE partition = $1 AND entity = ANY($2::text[])", lease.partition, names
        )
        status = await connection.execute(_LOAD_AGAIN, lease.partition, names)
    return int(status.rsplit(" ", 1)[1])
