"""Statements of a tenant's task: what it has to do, what it may still call, whether it may call at all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import orjson

from processors.planner.plan import Due, OpenPass, PassKind
from processors.recorder.judge import Mode
from xero_api.paging import Keyset, first
from xero_stream.contracts.names import AppName, EntityName, TenantId
from xero_stream.store.leases import FencedError, Lease

SEEN_PER_ENTITY = 200
"""Dirty rows looked at per entity: more than a sweep's threshold, so a backlog of any size costs the same."""

# A tenant has work if something is due now; parked ones are looked at again when their time has come.
_WITH_WORK = """
SELECT t.tenant_id FROM tenants t
WHERE t.partition = $1 AND t.state = 'connected' AND coalesce(t.parked_until, to_timestamp(0)) <= $2
  AND EXISTS (
    SELECT 1 FROM unnest($3::text[]) AS e(entity)
    WHERE NOT EXISTS (SELECT 1 FROM entity_holds h
                      WHERE h.tenant_id = t.tenant_id AND h.entity = e.entity AND h.not_before > $2)
      AND (EXISTS (SELECT 1 FROM dirty d WHERE d.partition = $1 AND d.tenant_id = t.tenant_id AND d.entity = e.entity
                   AND d.not_before <= $2)
        OR EXISTS (SELECT 1 FROM passes p WHERE p.partition = $1 AND p.tenant_id = t.tenant_id AND p.entity = e.entity
                   AND p.finished_at IS NULL AND p.not_before <= $2)))
"""

_DUE = """
SELECT e.entity, d.record_id, d.mode, d.not_before
FROM unnest($3::text[]) AS e(entity),
     LATERAL (SELECT record_id, mode, not_before FROM dirty
              WHERE partition = $1 AND tenant_id = $2 AND entity = e.entity
              ORDER BY not_before LIMIT $4) AS d
"""

_PASSES = """
SELECT entity, kind, since, place, seen, generation, not_before, attempts FROM passes
WHERE partition = $1 AND tenant_id = $2 AND finished_at IS NULL ORDER BY entity
"""

_HELD = "SELECT entity, not_before FROM entity_holds WHERE tenant_id = $1"

# Written before the request is sent, only while the lease is ours. It also tells where the marks sequence stands: the
# answer can settle what was marked up to here.
_STARTED = """
WITH ours AS (SELECT 1 FROM leases WHERE partition = $1 AND epoch = $2 FOR SHARE)
INSERT INTO calls (tenant_id, call_id, started_at) SELECT $3, $4, $5 FROM ours
RETURNING (SELECT last_value FROM dirty_marks) AS marks
"""

_FINISHED = """
WITH finished AS (UPDATE calls SET finished_at = $3 WHERE tenant_id = $1 AND call_id = $2),
     old AS (DELETE FROM calls WHERE tenant_id = $1 AND started_at < $3 - interval '10 minutes')
UPDATE tenants SET day_remaining = $4, day_seen_at = $3 WHERE tenant_id = $1 AND $4::int IS NOT NULL
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """An organisation as its task needs it."""

    tenant_id: TenantId
    app: AppName
    grant_id: Any
    connection_created_at: datetime | None
    name: str
    customer_ref: str | None
    state: str
    roused: int
    parked_until: datetime | None
    day_remaining: int | None
    day_seen_at: datetime | None
    unseen_hour: datetime | None
    unseen_calls: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Agenda:
    """What a tenant has to do.

    Attributes:
        due: due dirty rows per entity, oldest first.
        passes: due passes.
        holds: kinds of record with a hold; those whose wait is over are tried again, and in ``due`` and ``passes``.
        next_at: when the next thing falls due, or None for nothing more.
    """

    due: Mapping[EntityName, Sequence[Due]]
    passes: Sequence[OpenPass]
    holds: frozenset[EntityName] = frozenset()
    next_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PastCall:
    """A call of the last minutes, also of a previous owner."""

    call_id: int
    started_at: datetime
    finished_at: datetime | None


async def with_work(
    pool: "asyncpg.Pool[Any]", partition: int, entities: Sequence[EntityName], now: datetime
) -> list[TenantId]:
    """Connected tenants of the partition with something due of these entities that is not held."""
    rows = await pool.fetch(_WITH_WORK, partition, now, [entity.value for entity in entities])
    return [TenantId(row["tenant_id"]) for row in rows]


async def load(pool: "asyncpg.Pool[Any]", tenant_id: TenantId) -> Tenant | None:
    """One tenant, or None if it is not connected (yet)."""
    row = await pool.fetchrow(
        "SELECT tenant_id, app, grant_id, connection_created_at, name, customer_ref, state, roused, parked_until, "
        "day_remaining, day_seen_at, unseen_hour, unseen_calls FROM tenants WHERE tenant_id = $1",
        tenant_id,
    )
    return Tenant(**dict(row)) if row else None


async def agenda(
    pool: "asyncpg.Pool[Any]", partition: int, tenant_id: TenantId, entities: Sequence[EntityName], now: datetime
) -> Agenda:
    """What the tenant has to do now, and when there is more."""
    async with pool.acquire() as connection:
        rows = await connection.fetch(_DUE, partition, tenant_id, [e.value for e in entities], SEEN_PER_ENTITY)
        passes = await connection.fetch(_PASSES, partition, tenant_id)
        holds = {row["entity"]: row["not_before"] for row in await connection.fetch(_HELD, tenant_id)}
    due: dict[EntityName, list[Due]] = {}
    held = {entity for entity, until in holds.items() if until > now}
    later: list[datetime] = [holds[entity] for entity in held & {row["entity"] for row in (*rows, *passes)}]
    for row in rows:
        if row["entity"] in held:
            continue
        if row["not_before"] <= now:
            entity = EntityName(row["entity"])
            due.setdefault(entity, []).append(Due(record_id=row["record_id"], mode=Mode(row["mode"])))
        else:
            later.append(row["not_before"])
    steps = []
    for row in passes:
        if row["entity"] in held:
            continue
        if row["not_before"] > now:
            later.append(row["not_before"])
        elif row["entity"] in {e.value for e in entities}:
            steps.append(
                OpenPass(
                    entity=EntityName(row["entity"]),
                    kind=PassKind(row["kind"]),
                    place=Keyset.from_json(orjson.loads(row["place"])) if row["place"] else first(row["since"]),
                    seen=row["seen"],
                    generation=row["generation"],
                    attempts=row["attempts"],
                )
            )
    return Agenda(due=due, passes=steps, holds=frozenset(map(EntityName, holds)), next_at=min(later, default=None))


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


async def not_brought(
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
        status = await pool.execute(_NOT_BROUGHT, partition, tenant_id, entity.value, marks, _SLICE)
        slice_of = int(status.rsplit(" ", 1)[1])
        changed += slice_of
    return changed


# A slice at a time: a backlog of any size stays below the store's time limits, and events are marked in between.
_SLICE = 10_000
_NOT_BROUGHT = """
UPDATE dirty SET mode = 'ids' WHERE (tenant_id, entity, record_id) IN (
    SELECT tenant_id, entity, record_id FROM dirty
    WHERE partition = $1 AND tenant_id = $2 AND entity = $3 AND mode = 'any' AND marks <= $4 AND attempts = 0
    LIMIT $5)
"""


async def ask_alone(
    pool: "asyncpg.Pool[Any]", tenant_id: TenantId, entity: EntityName, record_ids: Sequence[str], marks: int
) -> None:
    """These ids were not in an IDs= answer: only a single GET says whether they exist."""
    await pool.execute(
        "UPDATE dirty SET mode = 'alone' WHERE tenant_id = $1 AND entity = $2 AND record_id = ANY($3) AND marks <= $4",
        tenant_id,
        entity.value,
        list(record_ids),
        marks,
    )


async def call_started(
    fast: "asyncpg.Pool[Any]", lease: Lease, tenant_id: TenantId, call_id: int, now: datetime
) -> int:
    """Write a call down before it is sent.

    Returns:
        Where the marks sequence stands.

    Raises:
        FencedError: the partition has another owner; do not send.
    """
    marks: int | None = await fast.fetchval(_STARTED, lease.partition, lease.epoch, tenant_id, call_id, now)
    if marks is None:
        raise FencedError(lease.partition, lease.epoch)
    return marks


async def call_finished(
    fast: "asyncpg.Pool[Any]", tenant_id: TenantId, call_id: int, now: datetime, day_remaining: int | None
) -> None:
    """A call is over; keep what Xero said is left of the day."""
    await fast.execute(_FINISHED, tenant_id, call_id, now, day_remaining)


async def past_calls(pool: "asyncpg.Pool[Any]", tenant_id: TenantId, now: datetime) -> list[PastCall]:
    """Calls of the last three minutes, whoever made them."""
    rows = await pool.fetch(
        "SELECT call_id, started_at, finished_at FROM calls WHERE tenant_id = $1 AND started_at > $2",
        tenant_id,
        now - timedelta(minutes=3),
    )
    return [PastCall(**dict(row)) for row in rows]


async def park(
    pool: "asyncpg.Pool[Any]", tenant_id: TenantId, until: datetime, reason: str, *, day_used_up: datetime | None = None
) -> None:
    """No call for this tenant before a time; survives restarts.

    Args:
        pool: the store.
        tenant_id: who waits.
        until: when calls may go on.
        reason: why.
        day_used_up: when Xero said so, if it is for the day's sake.
    """
    await pool.execute(
        "UPDATE tenants SET parked_until = greatest(coalesce(parked_until, $2), $2), parked_reason = $3, "
        "day_remaining = CASE WHEN $4::timestamptz IS NULL THEN day_remaining ELSE 0 END, "
        "day_seen_at = coalesce($4, day_seen_at) WHERE tenant_id = $1",
        tenant_id,
        until,
        reason,
        day_used_up,
    )


async def suspend(pool: "asyncpg.Pool[Any]", tenant_id: TenantId, state: str, roused: int) -> bool:
    """The tenant waits for a human: ``needs_reauth`` or ``disconnected``. Its dirty rows stay.

    Args:
        pool: the store.
        tenant_id: who waits.
        state: for what.
        roused: how often a human had done something for it when the call was made: one who has done so since gave it
            another grant, of which the call says nothing.

    Returns:
        Whether it waits.
    """
    status = await pool.execute(
        "UPDATE tenants SET state = $2 WHERE tenant_id = $1 AND roused = $3", tenant_id, state, roused
    )
    return bool(status == "UPDATE 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What ends the waits of a tenant's task when it changes.

    Attributes:
        roused: how often a human did something for the organisation.
        connected: whether it is to be read.
    """

    roused: int
    connected: bool


async def told(pool: "asyncpg.Pool[Any]", tenants: Sequence[TenantId]) -> dict[TenantId, Told]:
    """How these tenants stand."""
    rows = await pool.fetch("SELECT tenant_id, roused, state FROM tenants WHERE tenant_id = ANY($1)", tenants)
    return {
        TenantId(row["tenant_id"]): Told(roused=row["roused"], connected=row["state"] == "connected") for row in rows
    }


async def postpone(
    pool: "asyncpg.Pool[Any]", tenant_id: TenantId, entity: EntityName, record_ids: Sequence[str], until: datetime
) -> None:
    """Read these rows no earlier, and alone: their last calls failed, and one of them may be the reason.

    A row that fails for ever waits twice as long each time, up to an hour: it must not use up the day.
    """
    await pool.execute(
        "UPDATE dirty SET mode = 'alone', attempts = attempts + 1, "
        "not_before = greatest(not_before, $4, now() + least(3600, power(2, least(attempts, 12))) * interval '1 second') "
        "WHERE tenant_id = $1 AND entity = $2 AND record_id = ANY($3)",
        tenant_id,
        entity.value,
        list(record_ids),
        until,
    )


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
    created: bool | None = await connection.fetchval(
        "WITH found AS (SELECT created FROM dirty WHERE tenant_id = $1 AND entity = $2 AND record_id = $3), "
        "dropped AS (DELETE FROM dirty WHERE tenant_id = $1 AND entity = $2 AND record_id = $3 "
        "AND ($4::bigint IS NULL OR marks <= $4)) SELECT created FROM found",
        tenant_id,
        entity.value,
        record_id,
        marks,
    )
    return bool(created)
