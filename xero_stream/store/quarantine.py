"""The quarantine: what could not be applied, with its bytes. Every statement that writes ``quarantine``.

An open entry stays until a later read of its record is applied, or an operator settles it. Its bytes may go before: when it is
resolved, after some days, or when an app's entries are too many. They are on the topic ``dead-letters`` then, which has a
retention of its own; nothing that was not published there loses its bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

import asyncpg

from xero_stream.contracts.dead_letter import DeadLetter, Stage
from xero_stream.contracts.names import EntityName, TenantId
from xero_stream.store import dirty
from xero_stream.store.tenants import rouse

_NAMESPACE = UUID("8c0f4f6e-6a3b-5d0e-9b6d-0f6a5f1c7d11")
LARGEST_LETTER = 8 * 1024 * 1024 - 16 * 1024
"""Bytes of a dead letter: the topic's ``max.message.bytes`` less room for key, headers and framing."""
_MOST_BYTES = 2 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One thing to keep.

    Attributes:
        identity: what makes two occurrences the same entry.
        stage: where it went wrong.
        reason: closed snake_case word.
        error: one sentence; no payload in it.
        source: where the bytes came from.
        value: the bytes.
        attempts: how often it was tried.
        app: the app that it is counted for; None: that of its organisation.
        created: an event said that the record was created: once it can be applied, it is published so.
    """

    identity: str
    stage: Stage
    reason: str
    error: str
    source: str
    value: bytes
    tenant_id: str | None = None
    entity: str | None = None
    record_id: str | None = None
    key: bytes | None = None
    traceparent: str | None = None
    attempts: int = 1
    app: str | None = None
    created: bool = False


def never_seen(
    tenant_id: TenantId,
    entity: EntityName,
    record_id: str,
    *,
    error: str,
    traceparent: str | None,
    created: bool,
) -> Kept:
    """An event names a record that no read ever gave. The next event of it, or a pass that brings it, ends that."""
    return Kept(
        identity=f"{tenant_id}/{entity}/{record_id}/never-seen",
        stage=Stage.FETCH,
        reason="never_seen",
        error=error,
        source=f"{entity}/{record_id}",
        value=b"",
        tenant_id=tenant_id,
        entity=entity.value,
        record_id=record_id,
        traceparent=traceparent,
        created=created,
    )


_KEEP = """
INSERT INTO quarantine (id, partition, tenant_id, entity, record_id, stage, reason, error, attempts, source, key, value,
                        traceparent, created, app)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14,
        coalesce($15, (SELECT app FROM tenants WHERE tenant_id = $3)))
ON CONFLICT (id) DO UPDATE SET
    attempts = quarantine.attempts + 1, last_at = now(), error = excluded.error, value = excluded.value,
    published_at = CASE WHEN excluded.value IN (quarantine.value, '') THEN quarantine.published_at END,
    state = 'open', created = excluded.created OR (quarantine.created AND quarantine.state <> 'resolved')
"""


async def keep(connection: Any, partition: int, kept: Kept) -> UUID:
    """Put something into quarantine, or count one more attempt at it.

    Args:
        connection: of the transaction that takes it out of the normal flow.
        partition: whose relay will publish the dead letter.

    Returns:
        The entry's id: the same for the same identity.
    """
    entry = uuid5(_NAMESPACE, f"{kept.stage}/{kept.identity}")
    await connection.execute(
        _KEEP,
        entry,
        partition,
        _text(kept.tenant_id),
        _text(kept.entity),
        _text(kept.record_id),
        kept.stage.value,
        kept.reason,
        _text(kept.error),
        kept.attempts,
        _text(kept.source),
        kept.key,
        kept.value,
        _text(kept.traceparent),
        kept.created,
        _text(kept.app),
    )
    return entry


def _text(value: str | None) -> str | None:
    """What a text column takes: no NUL, and not so long that an index refuses it."""
    return None if value is None else value.replace("\x00", "\ufffd")[:1000]


# What is not on dead-letters yet keeps its bytes until it is.
_RESOLVE = "UPDATE quarantine SET state = 'resolved', value = CASE WHEN published_at IS NULL THEN value ELSE '' END"


async def resolve(connection: Any, tenant_id: str, entity: str, record_ids: Sequence[str]) -> None:
    """A later read of these records was applied: their entries are history, and their bytes go."""
    await connection.execute(
        f"{_RESOLVE} WHERE tenant_id = $1 AND entity = $2 AND record_id = ANY($3) AND state <> 'resolved'",
        tenant_id,
        entity,
        list(record_ids),
    )


# The first entry always comes, however large; after it, as many as stay below the limit of bytes.
_UNPUBLISHED = """
SELECT *, length(value) AS size FROM quarantine WHERE id IN (
    SELECT id FROM (
        SELECT id, sum(size) OVER (ORDER BY first_at, id) AS running, size
        FROM (SELECT id, first_at, length(value) AS size FROM quarantine
              WHERE partition = $1 AND published_at IS NULL ORDER BY first_at, id LIMIT $2) AS waiting
    ) AS counted WHERE running <= $3 OR running = size)
ORDER BY first_at, id
"""


async def unpublished(pool: "asyncpg.Pool[Any]", partition: int, limit: int = 50) -> list[tuple[UUID, DeadLetter]]:
    """Entries not yet on ``dead-letters``, oldest first; not more than one transaction takes."""
    rows = await pool.fetch(_UNPUBLISHED, partition, limit, _MOST_BYTES)
    return [
        (
            row["id"],
            DeadLetter(
                id=str(row["id"]),
                stage=Stage(row["stage"]),
                reason=row["reason"],
                error=row["error"],
                attempts=row["attempts"],
                key=row["key"] or (row["tenant_id"] or "").encode() or None,
                value=row["value"][:LARGEST_LETTER],
                source=row["source"],
                traceparent=row["traceparent"],
                cut_from=row["size"] if row["size"] > LARGEST_LETTER else None,
            ),
        )
        for row in rows
    ]


async def published(pool: "asyncpg.Pool[Any]", entries: Sequence[UUID]) -> None:
    """These entries are on ``dead-letters``."""
    await pool.execute(
        "UPDATE quarantine SET published_at = now(), value = CASE WHEN state = 'resolved' THEN '' ELSE value END "
        "WHERE id = ANY($1)",
        list(entries),
    )


async def settle(pool: "asyncpg.Pool[Any]", identity: UUID) -> None:
    """An entry was sent round again as bytes: what becomes of them is another entry, or none."""
    await pool.execute(f"{_RESOLVE} WHERE id = $1", identity)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One row as ``quarantine list`` shows it."""

    id: UUID
    state: str
    stage: str
    reason: str
    error: str
    attempts: int
    tenant_id: str | None
    entity: str | None
    record_id: str | None
    source: str
    first_at: datetime
    last_at: datetime
    value: bytes


async def entries(pool: "asyncpg.Pool[Any]", *, state: str | None = "open", limit: int = 100) -> list[Entry]:
    """Entries, newest first.

    Args:
        state: open, retrying, resolved, or None for all.
        limit: at most so many.
    """
    rows = await pool.fetch(
        "SELECT * FROM quarantine WHERE ($1::text IS NULL OR state = $1) ORDER BY last_at DESC LIMIT $2", state, limit
    )
    return [_entry(row) for row in rows]


async def entry(pool: "asyncpg.Pool[Any]", identity: UUID) -> Entry | None:
    """One entry, or None."""
    row = await pool.fetchrow("SELECT * FROM quarantine WHERE id = $1", identity)
    return _entry(row) if row else None


def _entry(row: Any) -> Entry:
    return Entry(**{name: row[name] for name in Entry.__dataclass_fields__})


async def retry(pool: "asyncpg.Pool[Any]", identity: UUID) -> bool:
    """Send a record's entry round again: it is read from Xero again.

    Returns:
        False where the entry names no record (an unreadable event): there is nothing to read again.
    """
    async with pool.acquire() as connection, connection.transaction():
        row = await connection.fetchrow(
            "UPDATE quarantine SET state = 'retrying' WHERE id = $1 AND record_id IS NOT NULL AND state = 'open' "
            "RETURNING tenant_id, entity, record_id, partition",
            identity,
        )
        if row is None:
            return False
        await dirty.read_again(connection, row["tenant_id"], row["entity"], row["record_id"], row["partition"])
        await rouse(connection, row["tenant_id"])
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Trimmed:
    """What became of old or too many entries.

    Attributes:
        resolved: resolved entries that were deleted.
        emptied: open entries that lost their bytes.
        open: open entries that were deleted.
    """

    resolved: int = 0
    emptied: int = 0
    open: int = 0


_ROW_BYTES = 1024
"""What an entry counts besides its bytes."""

# Resolved ones, and open ones about no record: without their bytes there is nothing to try again.
_EXPIRED = """
DELETE FROM quarantine WHERE published_at IS NOT NULL AND last_at < $1 AND (state = 'resolved' OR record_id IS NULL)
RETURNING state
"""
_EMPTIED = "UPDATE quarantine SET value = '' WHERE published_at IS NOT NULL AND last_at < $1 AND value <> ''"

_OVER = f"""
SELECT 1 FROM quarantine GROUP BY coalesce(app, '') HAVING sum(length(value) + {_ROW_BYTES}) > $1 LIMIT 1
"""  # noqa: S608 - our own text
# The newest open entries stay as they are; the oldest resolved ones go first.
_BEYOND = """
SELECT id FROM (
    SELECT id, published_at, sum({size}) OVER (PARTITION BY coalesce(app, '')
                                                ORDER BY state = 'resolved', last_at DESC, id) AS running
    FROM quarantine) AS sized
WHERE running > $1 AND published_at IS NOT NULL
"""
_WHOLE = _BEYOND.format(size=f"length(value) + {_ROW_BYTES}")
_DROP_RESOLVED = f"DELETE FROM quarantine WHERE state = 'resolved' AND id IN ({_WHOLE})"  # noqa: S608 - our own text
_DROP_BYTES = f"UPDATE quarantine SET value = '' WHERE value <> '' AND id IN ({_WHOLE})"  # noqa: S608 - our own text
_DROP_OPEN = f"DELETE FROM quarantine WHERE id IN ({_BEYOND.format(size=_ROW_BYTES)})"  # noqa: S608 - our own text


async def expire(pool: "asyncpg.Pool[Any]", before: datetime) -> Trimmed:
    """End the retention of entries: resolved ones go, open ones about a record lose their bytes, other open ones go.

    Args:
        before: what was last seen before this is old.
    """
    async with pool.acquire() as connection, connection.transaction():
        states = [row["state"] for row in await connection.fetch(_EXPIRED, before)]
        emptied = _count(await connection.execute(_EMPTIED, before))
    resolved = states.count("resolved")
    return Trimmed(resolved=resolved, emptied=emptied, open=len(states) - resolved)


async def bound(pool: "asyncpg.Pool[Any]", most: int) -> Trimmed:
    """Keep each app's entries below a size: of what is beyond it, oldest first, resolved ones go, then bytes, then open ones.

    Args:
        most: bytes per app; each entry counts 1 KiB besides its bytes.
    """
    if await pool.fetchval(_OVER, most) is None:
        return Trimmed()
    async with pool.acquire() as connection, connection.transaction():
        resolved = _count(await connection.execute(_DROP_RESOLVED, most))
        emptied = _count(await connection.execute(_DROP_BYTES, most))
        gone = _count(await connection.execute(_DROP_OPEN, most))
    return Trimmed(resolved=resolved, emptied=emptied, open=gone)


_ERASE_TENANT = """
DELETE FROM quarantine
WHERE tenant_id = $1 OR (tenant_id IS NULL AND (position(convert_to($1, 'UTF8') IN value) > 0
                                                OR position(convert_to(upper($1), 'UTF8') IN value) > 0))
"""
_ERASE_RECORDS = """
DELETE FROM quarantine q
WHERE (q.tenant_id = $1 AND q.entity = $2 AND q.record_id = ANY($3))
   OR ((q.tenant_id = $1 OR q.tenant_id IS NULL) AND q.record_id IS NULL AND EXISTS (
        SELECT 1 FROM unnest($3::text[]) AS r(id)
        WHERE position(convert_to(r.id, 'UTF8') IN q.value) > 0 OR position(convert_to(upper(r.id), 'UTF8') IN q.value) > 0))
"""


async def erase(
    connection: Any, tenant_id: TenantId, *, entity: EntityName | None = None, record_ids: Sequence[str] = ()
) -> int:
    """Delete what is kept about an organisation, or about some of its records, whatever its state.

    Unreadable entries count too, where their bytes name the organisation or the record. What is on the topic
    ``dead-letters`` stays there until its retention ends.

    Args:
        connection: of the transaction that erases the rest.
        entity: only records of this kind; None: everything of the organisation.

    Returns:
        How many entries there were.
    """
    if entity is None:
        return _count(await connection.execute(_ERASE_TENANT, tenant_id))
    return _count(await connection.execute(_ERASE_RECORDS, tenant_id, entity.value, list(record_ids)))


def _count(status: str) -> int:
    return int(status.rsplit(" ", 1)[1])
