"""The table ``passes``: everything of an entity since a moment, page by page. Every statement that writes it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from xero_stream.contracts.names import AppName, EntityName, TenantId
from xero_stream.store.states import PassKind

CATCH_UP_OVERLAP = timedelta(days=1)
"""Xero repeats a failed delivery for 24 hours: events that were lost may be that much older than their neighbours."""


_ANEW = """generation = passes.generation + 1, place = NULL, seen = 0, total = NULL, finished_at = NULL, started_at = NULL,
    attempts = 0, error = NULL, hint = NULL, failing_since = NULL"""
"""What a pass that starts again forgets. A new generation: a page of it that was asked for before says nothing of what
changed since."""

# Joined to one that is not finished: from the earlier of both beginnings, and null (everything) is the earliest.
_EARLIER = """CASE WHEN passes.finished_at IS NOT NULL THEN excluded.since
                 WHEN passes.since IS NULL OR excluded.since IS NULL THEN NULL
                 ELSE least(excluded.since, passes.since) END"""

_CATCH_UP = f"""
INSERT INTO passes (tenant_id, entity, kind, partition, since)
SELECT p.tenant_id, p.entity, 'catch_up', p.partition, $2::timestamptz
FROM passes p JOIN tenants t USING (tenant_id) WHERE {{whose}} AND p.kind = 'backfill'
ON CONFLICT (tenant_id, entity, kind) DO UPDATE SET since = {_EARLIER}, not_before = to_timestamp(0), {_ANEW}
"""  # noqa: S608 - our own text

_NEXT = f"""
INSERT INTO passes (tenant_id, entity, kind, partition, since, not_before)
SELECT tenant_id, entity, 'catch_up', partition, $4, $5 FROM passes WHERE tenant_id = $1 AND entity = $2 AND kind = $3
ON CONFLICT (tenant_id, entity, kind) DO UPDATE SET since = {_EARLIER}, not_before = excluded.not_before, {_ANEW}
"""  # noqa: S608 - our own text

# The first load of each entity. One that is under way goes on where it is, and at once.
_FIRST_LOAD = """
INSERT INTO passes (tenant_id, entity, kind, partition) SELECT $1, entity, 'backfill', $2 FROM unnest($3::text[]) AS entity
ON CONFLICT (tenant_id, entity, kind) DO UPDATE SET not_before = to_timestamp(0), attempts = 0, error = NULL, hint = NULL, failing_since = NULL
    WHERE passes.finished_at IS NULL
RETURNING (xmax = 0) AS opened
"""

# Nobody told us what happened while it was away: everything is read again. Only what differs is published.
_AFTER_ABSENCE = f"""
INSERT INTO passes (tenant_id, entity, kind, partition)
SELECT $1, b.entity, 'catch_up', $2 FROM passes b
WHERE b.tenant_id = $1 AND b.kind = 'backfill' AND b.finished_at IS NOT NULL AND b.entity = ANY($3)
ON CONFLICT (tenant_id, entity, kind) DO UPDATE SET since = NULL, not_before = to_timestamp(0), {_ANEW}
RETURNING entity
"""  # noqa: S608 - our own text

# Its first load reads what was dropped, but Xero may answer it with a state that is older than an event of a moment ago.
_AFTER_DROPPED = """
INSERT INTO passes (tenant_id, entity, kind, partition, since, not_before)
SELECT $1, entity, 'catch_up', $2, $4::timestamptz - interval '1 day', $5::timestamptz + interval '10 minutes'
FROM unnest($3::text[]) AS entity WHERE $5 > now() - interval '10 minutes'
ON CONFLICT DO NOTHING
"""

_LOAD = f"""
INSERT INTO passes (tenant_id, entity, kind, partition)
SELECT t.tenant_id, e.entity, CASE WHEN b.finished_at IS NULL THEN 'backfill' ELSE 'catch_up' END, t.partition
FROM tenants t CROSS JOIN unnest($1::text[]) AS e(entity)
LEFT JOIN passes b ON b.tenant_id = t.tenant_id AND b.entity = e.entity AND b.kind = 'backfill'
WHERE t.app <> ALL($2::text[])
ON CONFLICT (tenant_id, entity, kind) DO UPDATE SET since = NULL, not_before = to_timestamp(0), {_ANEW}
"""  # noqa: S608 - our own text

_LOAD_AGAIN = f"""
UPDATE passes SET since = NULL, not_before = to_timestamp(0), {_ANEW}
WHERE partition = $1 AND entity = ANY($2::text[]) AND kind = 'backfill'
"""  # noqa: S608 - our own text

_MOVE = (
    "UPDATE passes SET place = $4, seen = seen + $5, total = coalesce(total, $6), attempts = 0, error = NULL, "
    "hint = NULL, failing_since = NULL, "
    "started_at = coalesce(started_at, $7), finished_at = CASE WHEN $4::bytea IS NULL THEN $7::timestamptz END "
    "WHERE tenant_id = $1 AND entity = $2 AND kind = $3 AND finished_at IS NULL "
    "AND generation = $8 AND seen = $9"
)

_FAILED = (
    "UPDATE passes SET attempts = attempts + 1, error = $4, hint = $5, not_before = $7, "
    "failing_since = coalesce(failing_since, $6) "
    "WHERE tenant_id = $1 AND entity = $2 AND kind = $3 AND finished_at IS NULL AND generation = $8"
)
_LONGEST_TEXT = 500

_OPEN = """
SELECT entity, kind, since, place, seen, generation, not_before, attempts FROM passes
WHERE partition = $1 AND tenant_id = $2 AND finished_at IS NULL ORDER BY entity
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PassRow:
    """A pass that is not finished.

    Attributes:
        since: what changed since then is read; None: everything.
        place: where the next page is; None: at the beginning.
        seen: records read so far.
        generation: how often it was restarted.
        not_before: when it is due.
        attempts: failures in a row.
    """

    entity: str
    kind: str
    since: datetime | None
    place: bytes | None
    seen: int
    generation: int
    not_before: datetime
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PassId:
    """A pass as it was when a page of it was asked for.

    Attributes:
        generation: one that was restarted since is another pass.
    """

    tenant_id: TenantId
    entity: EntityName
    kind: PassKind
    generation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What a page brought.

    Attributes:
        seen_before: how many records had been read when the page was asked for.
        place: where the next page is; None: this was the last.
        seen: records of this page.
        total: how many there are in all, as Xero said on the first page.
    """

    seen_before: int
    place: bytes | None
    seen: int
    total: int | None


async def open_of(connection: Any, partition: int, tenant_id: TenantId) -> list[PassRow]:
    """Passes of an organisation that are not finished, by entity."""
    return [PassRow(**dict(row)) for row in await connection.fetch(_OPEN, partition, tenant_id)]


async def move(connection: Any, which: PassId, moved: Moved, now: datetime) -> bool:
    """Move a pass on, in the transaction that recorded its page; not if it was restarted while the page was read.

    Returns:
        Whether it moved.
    """
    status = await connection.execute(
        _MOVE,
        which.tenant_id,
        which.entity.value,
        which.kind.value,
        moved.place,
        moved.seen,
        moved.total,
        now,
        which.generation,
        moved.seen_before,
    )
    return bool(status == "UPDATE 1")


async def follow(connection: Any, which: PassId, since: datetime | None, not_before: datetime) -> None:
    """Open a catch-up pass that reads from where a finished pass ended; None: everything."""
    await connection.execute(_NEXT, which.tenant_id, which.entity.value, which.kind.value, since, not_before)


async def failed(
    pool: "asyncpg.Pool[Any]", which: PassId, *, error: str, hint: str, now: datetime, not_before: datetime
) -> None:
    """A page of the pass could not be read; try again later. A pass that was restarted meanwhile is left alone.

    Args:
        pool: the store.
        which: as it was when the page was asked for.
        error: what went wrong.
        hint: what an operator can do.
        now: the clock.
        not_before: when it is tried again.
    """
    await pool.execute(
        _FAILED,
        which.tenant_id,
        which.entity.value,
        which.kind.value,
        error[:_LONGEST_TEXT],
        hint[:_LONGEST_TEXT],
        now,
        not_before,
        which.generation,
    )


async def catch_up_partition(connection: Any, partition: int, since: datetime | None) -> int:
    """Open a catch-up pass per tenant and entity of a partition, since a moment (None: everything).

    Returns:
        How many passes were opened.
    """
    return _count(await connection.execute(_CATCH_UP.format(whose="p.partition = $1"), partition, since))


async def catch_up_app(connection: Any, app: AppName, since: datetime) -> int:
    """Open a catch-up pass per entity for every organisation of an app, whoever owns its partition.

    Returns:
        How many passes were opened.
    """
    return _count(await connection.execute(_CATCH_UP.format(whose="t.app = $1"), app, since))


async def open_first_loads(
    connection: Any, tenant_id: TenantId, partition: int, entities: Sequence[EntityName], *, was_away: bool
) -> int:
    """Open the first load of each entity; where it is done and the organisation was away, a catch-up over everything.

    Returns:
        How many passes were opened.
    """
    names = [entity.value for entity in entities]
    opened = len(await connection.fetch(_AFTER_ABSENCE, tenant_id, partition, names)) if was_away else 0
    rows = await connection.fetch(_FIRST_LOAD, tenant_id, partition, names)
    return opened + sum(1 for row in rows if row["opened"])


async def read_again_later(
    connection: Any,
    tenant_id: TenantId,
    partition: int,
    entities: Sequence[EntityName],
    since: datetime,
    until: datetime,
) -> None:
    """Read again, ten minutes on, what changed while events were dropped."""
    names = [entity.value for entity in entities]
    await connection.execute(_AFTER_DROPPED, tenant_id, partition, names, since, until)


async def load_everywhere(connection: Any, entity: EntityName, left_out: Sequence[AppName]) -> int:
    """Load an entity of every organisation: its first load, or a pass over all where that is done.

    Args:
        connection: of a transaction.
        entity: what.
        left_out: apps whose organisations can't be read.

    Returns:
        How many loads and passes were opened.
    """
    return _count(await connection.execute(_LOAD, [entity.value], list(left_out)))


async def load_again(connection: Any, partition: int, entities: Sequence[EntityName]) -> int:
    """Begin the first loads of a partition again.

    Returns:
        How many.
    """
    return _count(await connection.execute(_LOAD_AGAIN, partition, [entity.value for entity in entities]))


async def due_at_once(connection: Any, tenant_id: TenantId) -> None:
    """What failed before is tried at once: a new grant may be what it waited for."""
    await connection.execute(
        "UPDATE passes SET not_before = to_timestamp(0) WHERE tenant_id = $1 AND finished_at IS NULL", tenant_id
    )


async def retry(connection: Any, tenant_id: TenantId | None, entity: EntityName | None) -> set[tuple[str, str]]:
    """Try again at once what fails, of an organisation and entity or (None) of all.

    Returns:
        The organisations and entities that it concerns.
    """
    rows = await connection.fetch(
        "UPDATE passes SET not_before = to_timestamp(0) WHERE finished_at IS NULL AND attempts > 0 "
        "AND ($1::text IS NULL OR tenant_id = $1) AND ($2::text IS NULL OR entity = $2) RETURNING tenant_id, entity",
        tenant_id,
        entity.value if entity else None,
    )
    return {(row["tenant_id"], row["entity"]) for row in rows}


async def drop_unfinished(connection: Any, entities: Sequence[EntityName]) -> None:
    """These entities are not read any more."""
    await connection.execute(
        "DELETE FROM passes WHERE entity = ANY($1::text[]) AND finished_at IS NULL", [one.value for one in entities]
    )


async def keep_only(connection: Any, entities: Sequence[EntityName]) -> None:
    """Drop unfinished passes of all other entities."""
    await connection.execute(
        "DELETE FROM passes WHERE entity <> ALL($1::text[]) AND finished_at IS NULL", [one.value for one in entities]
    )


def _count(status: str) -> int:
    return int(status.rsplit(" ", 1)[1])
