"""The table ``dirty``: records that are known to have changed and were not read since. Every statement that writes it.

A row stands for all events of its record up to its ``marks``, a number that grows with each event: what a read settles is
deleted only where that number is still the same.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import asyncpg

from xero_stream.contracts.names import EntityName, RecordId, TenantId

SEEN_PER_ENTITY = 200
"""Rows looked at per entity: more than a sweep's threshold, so a backlog of any size costs the same."""
ALL_MARKS = 2**62
"""Above every number of the marks sequence: whatever came meanwhile counts too."""
GIVEN_UP_AFTER = 3
"""Failures of ours on one record until it goes into quarantine."""
_AT_ONCE = 200
_SLICE = 10_000
"""Rows of one statement: a backlog of any size stays below the store's time limits, and events are marked in between."""


class Mark(Protocol):
    """What the events of one record come to."""

    @property
    def tenant_id(self) -> TenantId:
        """Whose record."""

    @property
    def entity(self) -> EntityName:
        """Its kind."""

    @property
    def record_id(self) -> RecordId:
        """Its id."""

    @property
    def event_at(self) -> datetime:
        """The latest event's date."""

    @property
    def received_at(self) -> datetime:
        """When the first of them was appended, by the broker's clock."""

    @property
    def deliveries(self) -> Sequence[str]:
        """Ids of the deliveries they came in, oldest first, at most 20."""

    @property
    def traceparent(self) -> str | None:
        """Trace context of the first."""

    @property
    def dated(self) -> bool:
        """Whether the event's date can be: else the record is read, whatever is known of it."""

    @property
    def created(self) -> bool:
        """Whether one of them said that the record was created."""


# A stored record read from Xero after the event, and at least as new as it, leaves nothing to do: replays cost no call.
# Two seconds: Xero's stamps of the event and of the record may differ a little. LIMIT keeps the look-up a look-up: for
# a full poll the planner would rather read all records once.
_MARK = """
INSERT INTO dirty (tenant_id, entity, record_id, partition, event_at, first_received_at, deliveries, traceparent,
                   created)
SELECT m.tenant_id, m.entity, m.record_id, $1, m.event_at, m.received_at, string_to_array(m.deliveries, ','), m.traceparent,
       m.created
FROM unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::text[], $8::text[], $9::bool[],
            $10::bool[])
     AS m(tenant_id, entity, record_id, event_at, received_at, deliveries, traceparent, dated, created)
LEFT JOIN LATERAL (
    SELECT true AS known FROM records r
    WHERE r.tenant_id = m.tenant_id AND r.entity = m.entity AND r.record_id = m.record_id
      AND r.version_at >= m.event_at - interval '2 seconds'
      AND r.read_at > m.event_at + interval '2 seconds'
    LIMIT 1) AS settled ON true
WHERE settled.known IS NULL OR NOT m.dated
ORDER BY m.tenant_id, m.entity, m.record_id
ON CONFLICT (tenant_id, entity, record_id) DO UPDATE SET
    event_at = greatest(dirty.event_at, excluded.event_at),
    marks = excluded.marks,
    created = dirty.created OR excluded.created,
    deliveries = (dirty.deliveries || excluded.deliveries)[1:20],
    not_before = CASE WHEN excluded.event_at > dirty.event_at THEN to_timestamp(0) ELSE dirty.not_before END,
    attempts = CASE WHEN excluded.event_at > dirty.event_at THEN 0 ELSE dirty.attempts END,
    equal_reads = CASE WHEN excluded.event_at > dirty.event_at THEN 0 ELSE dirty.equal_reads END,
    mode = CASE WHEN excluded.event_at > dirty.event_at THEN 'any' ELSE dirty.mode END
"""
_MARK_RETURNING = f"{_MARK}RETURNING tenant_id, (xmax = 0) AS new"

_DUE = """
SELECT e.entity, d.record_id, d.mode, d.not_before
FROM unnest($3::text[]) AS e(entity),
     LATERAL (SELECT record_id, mode, not_before FROM dirty
              WHERE partition = $1 AND tenant_id = $2 AND entity = e.entity
              ORDER BY not_before LIMIT $4) AS d
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

# A row of its own where there is none: it has no event, so any read settles it. Its marks stay those of its events.
_BROKE = """
INSERT INTO dirty (tenant_id, entity, record_id, partition, event_at, first_received_at, not_before, marks, mode, broke)
VALUES ($1, $2, $3, $4, to_timestamp(0), $5, $5::timestamptz + interval '2 seconds', 0, 'alone', 1)
ON CONFLICT (tenant_id, entity, record_id) DO UPDATE SET broke = dirty.broke + 1, mode = 'alone',
    not_before = greatest(dirty.not_before, $5::timestamptz + 2 * power(3, least(dirty.broke, 5)) * interval '1 second')
RETURNING broke, created
"""

_ASK_BY_ID = """
UPDATE dirty SET mode = 'ids' WHERE (tenant_id, entity, record_id) IN (
    SELECT tenant_id, entity, record_id FROM dirty
    WHERE partition = $1 AND tenant_id = $2 AND entity = $3 AND mode = 'any' AND marks <= $4 AND attempts = 0
    LIMIT $5)
"""

_POSTPONE = (
    "UPDATE dirty SET mode = 'alone', attempts = attempts + 1, "
    "not_before = greatest(not_before, $4, now() + least(3600, power(2, least(attempts, 12))) * interval '1 second') "
    "WHERE tenant_id = $1 AND entity = $2 AND record_id = ANY($3)"
)

_DROP = (
    "WITH found AS (SELECT created FROM dirty WHERE tenant_id = $1 AND entity = $2 AND record_id = $3), "
    "dropped AS (DELETE FROM dirty WHERE tenant_id = $1 AND entity = $2 AND record_id = $3 "
    "AND ($4::bigint IS NULL OR marks <= $4)) SELECT created FROM found"
)

# A first read (of any kind) did not bring it, and none ever did. An event that is dated ahead is due by its receipt.
_UNSEEN = """
d.tenant_id = $1 AND d.entity = $2 AND d.not_before <= $3 AND (d.mode = 'alone' OR d.attempts > 0)
AND NOT EXISTS (SELECT 1 FROM records r WHERE r.tenant_id = $1 AND r.entity = $2 AND r.record_id = d.record_id)
"""
_LAST_TRY = "least(d.event_at, d.first_received_at) + $4::interval"

_UNSEEN_TO_LAST_TRY = f"""
UPDATE dirty d SET not_before = {_LAST_TRY} + $5::interval, mode = 'alone'
WHERE {_UNSEEN} AND {_LAST_TRY} > $3 AND d.broke = 0
"""  # noqa: S608 - our own text

_UNSEEN_DROP = f"""
DELETE FROM dirty WHERE (tenant_id, entity, record_id) IN (
    SELECT d.tenant_id, d.entity, d.record_id FROM dirty d WHERE {_UNSEEN} AND {_LAST_TRY} <= $3 AND d.broke = 0 LIMIT $5)
RETURNING record_id, traceparent, created, partition
"""  # noqa: S608 - our own text

_READ_AGAIN = (
    "INSERT INTO dirty (tenant_id, entity, record_id, partition, event_at, first_received_at, mode) "
    "VALUES ($1, $2, $3, $4, to_timestamp(0), now(), 'alone') "
    "ON CONFLICT (tenant_id, entity, record_id) DO UPDATE SET not_before = to_timestamp(0), marks = excluded.marks"
)

# Dated by the broker's clock. A date in the future would never be old enough; to let go too early does no harm.
_EXPIRE_UNCONNECTED = """
WITH old AS (
    SELECT d.tenant_id, d.entity, d.record_id FROM dirty d JOIN unconnected u USING (tenant_id)
    WHERE (d.first_received_at < now() - make_interval(days => $1) OR d.first_received_at > now() + interval '1 day')
      AND NOT EXISTS (SELECT 1 FROM tenants t WHERE t.tenant_id = d.tenant_id)
    ORDER BY d.tenant_id, d.entity, d.record_id LIMIT $2 FOR UPDATE OF d SKIP LOCKED)
DELETE FROM dirty d USING old o
WHERE d.tenant_id = o.tenant_id AND d.entity = o.entity AND d.record_id = o.record_id RETURNING d.tenant_id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A row as a tenant's task looks at it."""

    entity: str
    record_id: str
    mode: str
    not_before: datetime


async def waiting(
    connection: Any, partition: int, tenant_id: TenantId, entities: Sequence[EntityName]
) -> list[Waiting]:
    """Rows of a tenant, per entity those due first, at most :data:`SEEN_PER_ENTITY`."""
    rows = await connection.fetch(_DUE, partition, tenant_id, [e.value for e in entities], SEEN_PER_ENTITY)
    return [Waiting(**dict(row)) for row in rows]


async def oldest_event(
    pool: "asyncpg.Pool[Any]", partition: int, tenant_id: TenantId, entity: EntityName, now: datetime
) -> datetime | None:
    """The oldest event date among due rows that a pass may bring."""
    oldest: datetime | None = await pool.fetchval(
        "SELECT min(event_at) FROM dirty WHERE partition = $1 AND tenant_id = $2 AND entity = $3 AND mode = 'any' "
        "AND not_before <= $4",
        partition,
        tenant_id,
        entity.value,
        now,
    )
    return oldest


async def mark(connection: Any, partition: int, marks: Sequence[Mark]) -> int:
    """Mark records, in the transaction that takes their events in; one that is known to be settled already is not.

    Returns:
        How many rows were written.
    """
    return _count(await connection.execute(_MARK, partition, *_columns(marks))) if marks else 0


async def mark_and_tell(connection: Any, partition: int, marks: Sequence[Mark]) -> tuple[int, Counter[TenantId]]:
    """The same as :func:`mark`; how many rows were written, and how many of them are new by tenant."""
    rows = await connection.fetch(_MARK_RETURNING, partition, *_columns(marks))
    return len(rows), Counter(TenantId(row["tenant_id"]) for row in rows if row["new"])


def _columns(marks: Sequence[Mark]) -> tuple[list[Any], ...]:
    return (
        [m.tenant_id for m in marks],
        [m.entity.value for m in marks],
        [m.record_id for m in marks],
        [m.event_at for m in marks],
        [m.received_at for m in marks],
        [",".join(m.deliveries) for m in marks],
        [m.traceparent for m in marks],
        [m.dated for m in marks],
        [m.created for m in marks],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """A row that a read settled, as it was when the read was recorded."""

    record_id: str
    marks: int


async def settle(connection: Any, tenant_id: str, entity: str, rows: Sequence[Settled]) -> None:
    """Delete rows that were not marked again since they were loaded."""
    await connection.execute(_SETTLE, tenant_id, entity, [row.record_id for row in rows], [row.marks for row in rows])


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """A row to be read again.

    Attributes:
        marks: as it was loaded.
        not_before: when.
        attempts: stale reads so far.
        equal_reads: how many of them, up to the last, found the same.
        alone: by a single GET.
    """

    record_id: str
    marks: int
    not_before: datetime
    attempts: int
    equal_reads: int
    alone: bool


async def again(connection: Any, tenant_id: str, entity: str, rows: Sequence[Again]) -> None:
    """Read these again later, by id or alone; rows marked again since they were loaded are due anyway."""
    await connection.execute(
        _AGAIN,
        tenant_id,
        entity,
        [row.record_id for row in rows],
        [row.marks for row in rows],
        [row.not_before for row in rows],
        [row.attempts for row in rows],
        [row.equal_reads for row in rows],
        [row.alone for row in rows],
    )


async def doubt(
    connection: Any,
    partition: int,
    tenant_id: str,
    entity: str,
    *,
    event_at: datetime,
    now: datetime,
    not_before: datetime,
    record_ids: Sequence[str],
) -> None:
    """Mark records ourselves: a read could not tell which of two contents is the newer."""
    await connection.execute(_DOUBT, tenant_id, entity, partition, event_at, now, not_before, list(record_ids))


@dataclass(frozen=True, slots=True, kw_only=True)
class Alone:
    """A record to be read by a single GET.

    Attributes:
        event_at: the stamp that the single read must reach.
    """

    record_id: str
    event_at: datetime


async def read_alone(
    connection: Any, partition: int, tenant_id: str, entity: str, *, now: datetime, rows: Sequence[Alone]
) -> None:
    """Mark records ourselves, each by a single GET: the read that brought them could not tell what they are."""
    await connection.execute(
        _ALONE, tenant_id, entity, partition, now, [row.record_id for row in rows], [row.event_at for row in rows]
    )


async def broke(
    connection: Any, partition: int, tenant_id: str, entity: str, record_id: str, *, marks: int, now: datetime
) -> bool | None:
    """Our code failed on a record in a way that nobody foresaw: ask for it alone, later; or give it up.

    Args:
        connection: of the transaction that keeps what is given up.
        partition: the tenant's.
        tenant_id: the tenant.
        entity: its kind.
        record_id: its id.
        marks: where the marks sequence stood when it was asked for.
        now: the clock.

    Returns:
        None: not given up yet. Else the caller puts it into quarantine: whether an event said that it was created. An event
        that came meanwhile stays.
    """
    row = await connection.fetchrow(_BROKE, tenant_id, entity, record_id, partition, now)
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


async def ask_by_id(
    pool: "asyncpg.Pool[Any]", partition: int, tenant_id: TenantId, entity: EntityName, marks: int
) -> int:
    """Rows that a finished sweep did not bring have to be asked for by id.

    Args:
        pool: the store.
        partition: the tenant's.
        tenant_id: the tenant.
        entity: what was swept.
        marks: where the marks sequence stood when the sweep began.
    """
    changed, slice_of = 0, _SLICE
    while slice_of == _SLICE:
        slice_of = _count(await pool.execute(_ASK_BY_ID, partition, tenant_id, entity.value, marks, _SLICE))
        changed += slice_of
    return changed


async def ask_alone(
    pool: "asyncpg.Pool[Any]", tenant_id: TenantId, entity: EntityName, record_ids: Sequence[str], marks: int
) -> None:
    """These ids were not in an ``IDs=`` answer: only a single GET says whether they exist."""
    await pool.execute(
        "UPDATE dirty SET mode = 'alone' WHERE tenant_id = $1 AND entity = $2 AND record_id = ANY($3) AND marks <= $4",
        tenant_id,
        entity.value,
        list(record_ids),
        marks,
    )


async def postpone(
    pool: "asyncpg.Pool[Any]", tenant_id: TenantId, entity: EntityName, record_ids: Sequence[str], until: datetime
) -> None:
    """Read these rows no earlier, and alone: their last calls failed, and one of them may be the reason.

    A row that keeps failing waits twice as long each time, up to an hour: it must not use up the day.
    """
    await pool.execute(_POSTPONE, tenant_id, entity.value, list(record_ids), until)


async def drop(connection: Any, tenant_id: TenantId, entity: EntityName, record_id: str, marks: int | None) -> bool:
    """The record goes into quarantine; an event that came while it was asked for stays.

    Args:
        connection: of the transaction that keeps it.
        tenant_id: the tenant.
        entity: its kind.
        record_id: its id.
        marks: where the marks sequence stood when it was asked for; None: it was not, no event of it could be asked for.

    Returns:
        Whether an event said that the record was created.
    """
    return bool(await connection.fetchval(_DROP, tenant_id, entity.value, record_id, marks))


async def unseen_to_last_try(
    pool: "asyncpg.Pool[Any]",
    tenant_id: TenantId,
    entity: EntityName,
    now: datetime,
    *,
    patience: timedelta,
    after: timedelta,
) -> int:
    """Due rows of records that no read ever gave wait for their last try.

    Args:
        pool: the store.
        tenant_id: the organisation.
        entity: a kind of record.
        now: the clock.
        patience: how long after its event a record may be missing.
        after: how long after that the last try is.

    Returns:
        How many.
    """
    return _count(await pool.execute(_UNSEEN_TO_LAST_TRY, tenant_id, entity.value, now, patience, after))


@dataclass(frozen=True, slots=True, kw_only=True)
class Unseen:
    """A row that is gone: no read ever gave its record."""

    record_id: str
    traceparent: str | None
    created: bool
    partition: int


async def drop_unseen(
    connection: Any, tenant_id: TenantId, entity: EntityName, now: datetime, patience: timedelta
) -> list[Unseen]:
    """Rows of records that no read ever gave, and whose last try is due, go; at most 200.

    Args:
        connection: of the transaction that keeps them.
        tenant_id: the organisation.
        entity: a kind of record.
        now: the clock.
        patience: how long after its event a record may be missing.
    """
    rows = await connection.fetch(_UNSEEN_DROP, tenant_id, entity.value, now, patience, _AT_ONCE)
    return [Unseen(**dict(row)) for row in rows]


async def read_again(connection: Any, tenant_id: str, entity: str, record_id: str, partition: int) -> None:
    """A human wants a record read again, alone."""
    await connection.execute(_READ_AGAIN, tenant_id, entity, record_id, partition)


async def due_at_once(connection: Any, tenant_id: TenantId) -> None:
    """What failed before is tried at once: a new grant may be what it waited for."""
    await connection.execute(
        "UPDATE dirty SET not_before = to_timestamp(0) WHERE tenant_id = $1 AND attempts > 0", tenant_id
    )


async def retry(connection: Any, tenant_id: TenantId | None, entity: EntityName | None) -> set[tuple[str, str]]:
    """Try again at once what failed and waits, of an organisation and entity or (None) of all.

    Returns:
        The organisations and entities that it concerns.
    """
    rows = await connection.fetch(
        "WITH due AS (UPDATE dirty SET not_before = to_timestamp(0) WHERE attempts > 0 AND not_before > now() "
        "AND ($1::text IS NULL OR tenant_id = $1) AND ($2::text IS NULL OR entity = $2) RETURNING tenant_id, entity) "
        "SELECT DISTINCT tenant_id, entity FROM due",
        tenant_id,
        entity.value if entity else None,
    )
    return {(row["tenant_id"], row["entity"]) for row in rows}


async def forget_tenant(connection: Any, tenant_id: TenantId) -> None:
    """An organisation is removed."""
    await connection.execute("DELETE FROM dirty WHERE tenant_id = $1", tenant_id)


async def forget_entities(connection: Any, entities: Sequence[EntityName]) -> int:
    """These entities are not read any more; how many rows there were."""
    return _count(
        await connection.execute("DELETE FROM dirty WHERE entity = ANY($1::text[])", [one.value for one in entities])
    )


async def keep_only(connection: Any, entities: Sequence[EntityName]) -> int:
    """Drop rows of all other entities; how many there were."""
    return _count(
        await connection.execute("DELETE FROM dirty WHERE entity <> ALL($1::text[])", [one.value for one in entities])
    )


async def expire_unconnected(connection: Any, days: int, most: int) -> Counter[TenantId]:
    """Drop rows of organisations that are not connected and that waited for so many days; how many, by organisation.

    Args:
        connection: of a transaction.
        days: how long a record stays marked.
        most: rows at most.
    """
    rows = await connection.fetch(_EXPIRE_UNCONNECTED, days, most)
    return Counter(TenantId(row["tenant_id"]) for row in rows)


def _count(status: str) -> int:
    return int(status.rsplit(" ", 1)[1])
