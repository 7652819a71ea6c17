"""The recorder's statements. All run in one transaction that holds the partition's ``positions`` row."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from processors.recorder.decide import Stored
from processors.recorder.envelope import Webhook
from processors.recorder.judge import Row
from processors.recorder.versions import Version
from xero_api.entity import Form
from xero_stream.store.leases import FencedError, Lease, heads

_LOCK = "SELECT position, heads, incarnation FROM positions WHERE partition = $1 AND epoch = $2 FOR UPDATE"

# raw_form is of the release before 0010, which knew two forms: where it is set, that release wrote the record last. A record
# taken over from Kafka has no read time. A catch-up counts as loading: it may be what is left of a first load that ended at its
# bound, and what it reads may be older than our first sight of it too.
_LOAD = """
SELECT i.record_id, r.version_at, r.read_at, r.gone, r.status, r.body, r.raw, r.shown,
       CASE r.raw_form WHEN 'one' THEN 'one' WHEN 'list' THEN 'page' ELSE r.form END AS form,
       r.read_at = to_timestamp(0) AS taken_over,
       d.event_at, d.first_received_at, d.attempts, d.equal_reads, d.marks, d.deliveries, d.traceparent,
       coalesce(d.created, false) AS created, coalesce(d.broke, 0) > 0 AS broke, q.kept, coalesce(q.created, false) AS kept_created,
       EXISTS (SELECT 1 FROM passes p WHERE p.tenant_id = $1 AND p.entity = $2 AND p.finished_at IS NULL) AS loading
FROM unnest($3::text[]) AS i(record_id)
LEFT JOIN records r ON r.tenant_id = $1 AND r.entity = $2 AND r.record_id = i.record_id
LEFT JOIN dirty d ON d.tenant_id = $1 AND d.entity = $2 AND d.record_id = i.record_id
CROSS JOIN LATERAL (
    SELECT count(*) > 0 AS kept, bool_or(created) AS created FROM quarantine
    WHERE tenant_id = $1 AND entity = $2 AND record_id = i.record_id AND state <> 'resolved') AS q
"""

_CHANGE = """
INSERT INTO changes (partition, position, recorded_at, topic, tenant_id, entity, record_id, op, key, value, headers,
                     record, size)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
"""

_RECORD = """
INSERT INTO records (tenant_id, entity, record_id, partition, position, gone, status, version_at, read_at, body, raw,
                     form, shown, recorded_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
ON CONFLICT (tenant_id, entity, record_id) DO UPDATE SET
    position = CASE WHEN excluded.position > 0 THEN excluded.position ELSE records.position END,
    gone = excluded.gone, status = excluded.status, version_at = excluded.version_at, read_at = excluded.read_at,
    body = excluded.body, raw = excluded.raw, raw_form = NULL, form = excluded.form, shown = excluded.shown,
    recorded_at = excluded.recorded_at
"""

_VERSION = """
INSERT INTO record_versions (tenant_id, entity, record_id, position, op, version_at, recorded_at, body)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""

_TOUCH = """
UPDATE records r SET version_at = t.version_at, read_at = $3
FROM unnest($4::text[], $5::timestamptz[]) AS t(record_id, version_at)
WHERE r.tenant_id = $1 AND r.entity = $2 AND r.record_id = t.record_id
"""

_SETTLE = """
DELETE FROM dirty d USING unnest($3::text[], $4::bigint[]) AS s(record_id, marks)
WHERE d.tenant_id = $1 AND d.entity = $2 AND d.record_id = s.record_id AND d.marks = s.marks
"""

_AGAIN = """
UPDATE dirty d SET not_before = a.not_before, attempts = a.attempts, equal_reads = a.equal_reads,
    mode = CASE WHEN a.alone THEN 'alone' WHEN d.mode = 'any' THEN 'ids' ELSE d.mode END
FROM unnest($3::text[], $4::bigint[], $5::timestamptz[], $6::int[], $7::int[], $8::bool[])
     AS a(record_id, marks, not_before, attempts, equal_reads, alone)
WHERE d.tenant_id = $1 AND d.entity = $2 AND d.record_id = a.record_id AND d.marks = a.marks
"""

_DOUBT = """
INSERT INTO dirty (tenant_id, entity, record_id, partition, event_at, first_received_at, not_before, mode)
SELECT $1, $2, i.record_id, $3, $4, $5, $6, 'ids' FROM unnest($7::text[]) AS i(record_id)
ON CONFLICT (tenant_id, entity, record_id) DO NOTHING
"""

_ALONE = """
INSERT INTO dirty (tenant_id, entity, record_id, partition, event_at, first_received_at, mode)
SELECT $1, $2, i.record_id, $3, i.event_at, $4, 'alone'
FROM unnest($5::text[], $6::timestamptz[]) AS i(record_id, event_at)
ON CONFLICT (tenant_id, entity, record_id) DO UPDATE SET mode = 'alone'
"""

_SHOWN = """
UPDATE records r SET shown = s.shown FROM unnest($3::text[], $4::bytea[]) AS s(record_id, shown)
WHERE r.tenant_id = $1 AND r.entity = $2 AND r.record_id = s.record_id
"""

_ADVANCE = "UPDATE positions SET position = $3, heads = $4 WHERE partition = $1 AND epoch = $2"


GIVEN_UP_AFTER = 3
"""Failures of ours on one record until it goes into quarantine."""

# A row of its own where there is none: it has no event, so any read settles it. Its marks stay those of its events.
_BROKE = """
INSERT INTO dirty (tenant_id, entity, record_id, partition, event_at, first_received_at, not_before, marks, mode, broke)
VALUES ($1, $2, $3, $4, to_timestamp(0), $5, $5::timestamptz + interval '2 seconds', 0, 'alone', 1)
ON CONFLICT (tenant_id, entity, record_id) DO UPDATE SET broke = dirty.broke + 1, mode = 'alone',
    not_before = greatest(dirty.not_before, $5::timestamptz + 2 * power(3, least(dirty.broke, 5)) * interval '1 second')
RETURNING broke, created
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A dirty row beside a record.

    Attributes:
        row: what a judgement needs.
        marks: which events it stands for.
        webhook: what goes into the change.
        traceparent: trace context of its first event.
        created: whether one of its events said that the record was created.
    """

    row: Row
    marks: int
    webhook: Webhook
    traceparent: str | None
    created: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What the store has on one record.

    Attributes:
        stored: the record.
        waiting: its dirty row.
        created: whether an event said that it was created, and it could not be applied then.
        unclear: whether it may be older than our first sight of it: a pass is not done, a read of it failed in our
            code, or it is in quarantine.
    """

    stored: Stored | None
    waiting: Waiting | None
    created: bool
    unclear: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Where a partition's log ends.

    Attributes:
        position: the last one given out.
        by_topic: the last one per topic.
        incarnation: part of every ``ce_id``; drawn anew when positions are given out again.
    """

    position: int
    by_topic: dict[str, int]
    incarnation: UUID


async def lock(connection: Any, lease: Lease) -> Head:
    """Take the partition's position for the rest of the transaction.

    Raises:
        FencedError: the partition has another owner.
    """
    row = await connection.fetchrow(_LOCK, lease.partition, lease.epoch)
    if row is None:
        raise FencedError(lease.partition, lease.epoch)
    return Head(position=row["position"], by_topic=heads(row["heads"]), incarnation=row["incarnation"])


async def load(connection: Any, tenant_id: str, entity: str, record_ids: Sequence[str]) -> dict[str, Loaded]:
    """The stored records and dirty rows of these ids."""
    rows = await connection.fetch(_LOAD, tenant_id, entity, list(record_ids))
    return {row["record_id"]: _loaded(row) for row in rows}


def _loaded(row: Any) -> Loaded:
    stored = (
        Stored(
            version=Version(updated_at=row["version_at"], read_at=row["read_at"]),
            gone=row["gone"],
            status=row["status"],
            body=row["body"],
            raw=row["raw"],
            form=Form(row["form"]) if row["form"] else None,
            shown=row["shown"],
            taken_over=row["taken_over"],
        )
        if row["read_at"] is not None
        else None
    )
    waiting = (
        Waiting(
            row=Row(event_at=row["event_at"], attempts=row["attempts"], equal_reads=row["equal_reads"]),
            marks=row["marks"],
            webhook=Webhook(
                deliveries=row["deliveries"], event_at=row["event_at"], received_at=row["first_received_at"]
            ),
            traceparent=row["traceparent"],
            created=row["created"],
        )
        if row["marks"] is not None
        else None
    )
    unclear = row["loading"] or row["kept"] or row["broke"]
    return Loaded(stored=stored, waiting=waiting, created=row["kept_created"], unclear=unclear)


async def write_changes(connection: Any, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert changes: the outbox of the relay."""
    await connection.executemany(_CHANGE, rows)


async def write_records(connection: Any, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert or replace records."""
    await connection.executemany(_RECORD, rows)


async def write_versions(connection: Any, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert the history of records."""
    await connection.executemany(_VERSION, rows)


async def touch(
    connection: Any, tenant_id: str, entity: str, read_at: datetime, rows: Sequence[tuple[str, datetime | None]]
) -> None:
    """Same content, newer version."""
    await connection.execute(_TOUCH, tenant_id, entity, read_at, [row[0] for row in rows], [row[1] for row in rows])


async def settle(connection: Any, tenant_id: str, entity: str, rows: Sequence[tuple[str, int]]) -> None:
    """Remove dirty rows that were not marked again since they were loaded."""
    await connection.execute(_SETTLE, tenant_id, entity, [row[0] for row in rows], [row[1] for row in rows])


async def again(
    connection: Any, tenant_id: str, entity: str, rows: Sequence[tuple[str, int, datetime, int, int, bool]]
) -> None:
    """Read these again later, by id or alone; rows marked again since they were loaded are due anyway."""
    await connection.execute(_AGAIN, tenant_id, entity, *[list(column) for column in zip(*rows, strict=True)])


async def doubt(
    connection: Any,
    lease: Lease,
    tenant_id: str,
    entity: str,
    *,
    event_at: datetime,
    now: datetime,
    not_before: datetime,
    record_ids: Sequence[str],
) -> None:
    """Mark records dirty ourselves: a read could not tell which of two contents is the newer."""
    await connection.execute(_DOUBT, tenant_id, entity, lease.partition, event_at, now, not_before, list(record_ids))


async def read_alone(
    connection: Any,
    lease: Lease,
    tenant_id: str,
    entity: str,
    *,
    now: datetime,
    rows: Sequence[tuple[str, datetime]],
) -> None:
    """Mark records dirty ourselves, each by a single GET: the read that brought them could not tell what they are.

    Args:
        connection: of the recorder's transaction.
        lease: on the tenant's partition.
        tenant_id: whose records.
        entity: of which kind.
        now: the local clock.
        rows: ids, each with the stamp that the single read must reach.
    """
    await connection.execute(
        _ALONE, tenant_id, entity, lease.partition, now, [row[0] for row in rows], [row[1] for row in rows]
    )


async def remember_shown(
    connection: Any, tenant_id: str, entity: str, rows: Sequence[tuple[str, bytes | None]]
) -> None:
    """How another form shows fields that it gives with other values; see :mod:`processors.recorder.forms`."""
    await connection.execute(_SHOWN, tenant_id, entity, [row[0] for row in rows], [row[1] for row in rows])


async def broke(
    connection: Any, lease: Lease, tenant_id: str, entity: str, record_id: str, *, marks: int, now: datetime
) -> bool | None:
    """Our code failed on a record in a way that nobody foresaw: ask for it alone, later; or give it up.

    Args:
        connection: of the transaction that keeps what is given up.
        lease: ours, on the tenant's partition.
        tenant_id: the tenant.
        entity: its kind.
        record_id: its id.
        marks: where the marks sequence stood when it was asked for.
        now: the clock.

    Returns:
        None: not given up yet. Else the caller puts it into quarantine: whether an event said that it was created. An event
        that came meanwhile stays.
    """
    row = await connection.fetchrow(_BROKE, tenant_id, entity, record_id, lease.partition, now)
    if row["broke"] < GIVEN_UP_AFTER:
        return None
    await connection.execute(
        "DELETE FROM dirty WHERE tenant_id = $1 AND entity = $2 AND record_id = $3 AND marks <= $4",
        tenant_id,
        entity,
        record_id,
        marks,
    )
    return bool(row["created"])


async def advance(connection: Any, lease: Lease, position: int, last: dict[str, int]) -> None:
    """Write the position given out and the last one per topic."""
    await connection.execute(_ADVANCE, lease.partition, lease.epoch, position, orjson.dumps(last))
