"""The table ``records``: the latest state of each record. Every statement that writes it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

from xero_stream.contracts.names import EntityName
from xero_stream.store.leases import Lease

_PUT = """
INSERT INTO records (tenant_id, entity, record_id, partition, position, gone, status, version_at, read_at, body, raw,
                     form, shown, recorded_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
ON CONFLICT (tenant_id, entity, record_id) DO UPDATE SET
    position = CASE WHEN excluded.position > 0 THEN excluded.position ELSE records.position END,
    gone = excluded.gone, status = excluded.status, version_at = excluded.version_at, read_at = excluded.read_at,
    body = excluded.body, raw = excluded.raw, raw_form = NULL, form = excluded.form, shown = excluded.shown,
    recorded_at = excluded.recorded_at
"""

_TOUCH = """
UPDATE records r SET version_at = t.version_at, read_at = $3
FROM unnest($4::text[], $5::timestamptz[]) AS t(record_id, version_at)
WHERE r.tenant_id = $1 AND r.entity = $2 AND r.record_id = t.record_id
"""

_SHOWN = """
UPDATE records r SET shown = s.shown FROM unnest($3::text[], $4::bytea[]) AS s(record_id, shown)
WHERE r.tenant_id = $1 AND r.entity = $2 AND r.record_id = s.record_id
"""

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
class RecordRow:
    """A record as a read left it; the fields are the table's columns, in their order.

    Attributes:
        position: of its last change; 0 keeps the stored one.
        gone: why it is gone, or None.
        version_at: Xero's stamp.
        read_at: Xero's clock when the request was sent.
        body: the unified record; None where it is gone.
        raw: Xero's own JSON, where that is kept.
        form: how it was read.
        shown: how another form shows fields that it gives with other values.
    """

    tenant_id: str
    entity: str
    record_id: str
    partition: int
    position: int
    gone: str | None
    status: str | None
    version_at: datetime | None
    read_at: datetime
    body: bytes | None
    raw: bytes | None
    form: str | None
    shown: bytes | None
    recorded_at: datetime


_COLUMNS = attrgetter(*RecordRow.__dataclass_fields__)


async def put(connection: Any, rows: Sequence[RecordRow]) -> None:
    """Insert or replace records."""
    await connection.executemany(_PUT, map(_COLUMNS, rows))


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """A record that was read again with the same content.

    Attributes:
        version_at: its stamp now.
    """

    record_id: str
    version_at: datetime | None


async def touch(connection: Any, tenant_id: str, entity: str, read_at: datetime, rows: Sequence[Touched]) -> None:
    """Same content, newer version."""
    ids, stamps = [row.record_id for row in rows], [row.version_at for row in rows]
    await connection.execute(_TOUCH, tenant_id, entity, read_at, ids, stamps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """How another form shows fields of a record that it gives with other values."""

    record_id: str
    shown: bytes | None


async def remember_shown(connection: Any, tenant_id: str, entity: str, rows: Sequence[Shown]) -> None:
    """Remember how another form shows records."""
    await connection.execute(_SHOWN, tenant_id, entity, [row.record_id for row in rows], [row.shown for row in rows])


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


_PUBLISHED = PublishedRecord.__dataclass_fields__


async def take_over(connection: Any, lease: Lease, entity: EntityName, records: Sequence[PublishedRecord]) -> int:
    """Make stored records what Kafka has; those that are so already are left alone.

    Returns:
        How many were not.
    """
    columns = [[getattr(record, name) for record in records] for name in _PUBLISHED]
    status = await connection.execute(_TAKE_OVER, lease.partition, entity.value, *columns)
    return int(status.rsplit(" ", 1)[1])


async def bury_others(connection: Any, lease: Lease, entity: EntityName, present: Collection[tuple[str, str]]) -> int:
    """Stored records that Kafka does not have count as deleted: its tombstone is the last that consumers saw of them.

    Args:
        connection: of a transaction that holds the partition's position.
        lease: ours.
        entity: whose records.
        present: tenant and record id of all that Kafka has.

    Returns:
        How many there were.
    """
    rows = await connection.fetch(_LIVE, lease.partition, entity.value)
    others = [identity for row in rows if (identity := (row["tenant_id"], row["record_id"])) not in present]
    await connection.execute(_BURY, entity.value, [one for one, _ in others], [other for _, other in others])
    return len(others)


async def bury_unknown(connection: Any, lease: Lease, entity: EntityName, ended: Collection[tuple[str, str]]) -> None:
    """Records that began and ended on Kafka after the store's state: their end is not published again.

    Args:
        connection: of a transaction that holds the partition's position.
        lease: ours.
        entity: whose records.
        ended: tenant and record id of all that Kafka has a tombstone of.
    """
    columns = [tenant_id for tenant_id, _ in ended], [record_id for _, record_id in ended]
    await connection.execute(_BURY_UNKNOWN, lease.partition, entity.value, *columns)


async def forget(connection: Any, partition: int, entities: Sequence[EntityName]) -> None:
    """Forget records of a partition that consumers have lost: they are loaded and published again."""
    await connection.execute(
        "DELETE FROM records WHERE partition = $1 AND entity = ANY($2::text[])",
        partition,
        [entity.value for entity in entities],
    )
