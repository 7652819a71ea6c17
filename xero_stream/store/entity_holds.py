"""Kinds of record that are not read of an organisation for now, and why. Every statement that writes ``entity_holds``.

A hold is about one kind of record of one organisation; the others go on. It is tried again after growing waits, ended by a
call that goes well, and by an operator's command: ``grants add``, ``grants retry``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from xero_stream.contracts.names import EntityName, TenantId
from xero_stream.store import dirty, grants, passes
from xero_stream.store.states import HoldState

WAITS = (5.0, 20.0, 80.0, 300.0, 900.0, 1800.0)
"""Seconds until a held kind of record is tried again: Xero may refuse a good token once; a role stays missing for days."""
SCOPE_WAIT = 3600.0
"""The same where the token itself says that the scope is missing: tried all the same, in case we read it wrongly."""
SHOWN_FROM = 2
"""Failures in a row of a pass from which it is shown: one alone happens every day."""

_LONGEST_TEXT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityHold:
    """One kind of record of one organisation that is held or fails.

    Attributes:
        tenant_id: whose.
        entity: what.
        state: why, one word.
        error: what Xero said, or what went wrong.
        hint: what an operator can do.
        since: when it began.
        not_before: when it is tried again.
        attempts: how often it went wrong in a row.
    """

    tenant_id: TenantId
    entity: EntityName
    state: HoldState
    error: str
    hint: str
    since: datetime
    not_before: datetime
    attempts: int


_HOLD = """
INSERT INTO entity_holds (tenant_id, entity, partition, state, error, hint, since, not_before, attempts)
VALUES ($1, $2, $3, $4, $5, $6, $7, $7::timestamptz + make_interval(secs => ($8::float8[])[least($9 + 1, cardinality($8))]), $9 + 1)
ON CONFLICT (tenant_id, entity) DO UPDATE SET
    -- What the token says of itself tells more than the 401 that follows from it.
    state = CASE WHEN {scope} THEN entity_holds.state ELSE excluded.state END,
    error = CASE WHEN {scope} THEN entity_holds.error ELSE excluded.error END,
    hint = CASE WHEN {scope} THEN entity_holds.hint ELSE excluded.hint END,
    -- Calls that were under way together are one attempt.
    attempts = entity_holds.attempts + (entity_holds.not_before <= $7::timestamptz)::int,
    not_before = CASE WHEN entity_holds.not_before <= $7::timestamptz AND {scope}
        THEN $7::timestamptz + make_interval(secs => $10)
        WHEN entity_holds.not_before <= $7::timestamptz
        THEN $7::timestamptz + make_interval(secs => ($8::float8[])[least(entity_holds.attempts + 1, cardinality($8))])
        ELSE entity_holds.not_before END
RETURNING not_before
""".format(scope="(entity_holds.state = 'no_scope' AND excluded.state = 'unauthorised')")

# Only reported: the calls have waits of their own.
_FAILING = """
INSERT INTO entity_holds (tenant_id, entity, partition, state, error, hint, since, not_before, attempts)
VALUES ($1, $2, $3, 'failing', $4, $5, $6, $6, $7)
ON CONFLICT (tenant_id, entity) DO UPDATE SET
    state = 'failing', error = excluded.error, hint = excluded.hint, not_before = $6,
    attempts = greatest(entity_holds.attempts + 1, excluded.attempts)
    WHERE entity_holds.not_before <= $6
"""

_LACKING = """
INSERT INTO entity_holds (tenant_id, entity, partition, state, error, hint, since, not_before)
SELECT t.tenant_id, l.entity, t.partition, 'no_scope', l.error, l.hint, $5, $5::timestamptz + make_interval(secs => $6)
FROM tenants t, unnest($2::text[], $3::text[], $4::text[]) AS l(entity, error, hint)
WHERE t.grant_id = $1
ON CONFLICT (tenant_id, entity) DO UPDATE SET
    state = 'no_scope', error = excluded.error, hint = excluded.hint, not_before = excluded.not_before
"""

_ALL = """
SELECT tenant_id, entity, state, error, hint, since, not_before, attempts FROM entity_holds
UNION ALL
SELECT tenant_id, entity, kind || '_failing', coalesce(error, ''), coalesce(hint, ''), coalesce(failing_since, now()),
       not_before, attempts
FROM passes WHERE finished_at IS NULL AND attempts >= $1
ORDER BY tenant_id, entity, state
"""


async def hold(
    pool: "asyncpg.Pool[Any]",
    tenant_id: TenantId,
    entity: EntityName,
    partition: int,
    *,
    state: HoldState,
    error: str,
    hint: str,
    now: datetime,
    before: int = 0,
    waits: Sequence[float] = WAITS,
) -> datetime:
    """Hold a kind of record, for longer each time.

    Args:
        partition: the organisation's.
        hint: what an operator can do.
        before: refusals before this one, where a call that went well ended that hold only just now.
        waits: seconds, by the number of refusals.

    Returns:
        When it is tried again.
    """
    until: datetime = await pool.fetchval(
        _HOLD,
        tenant_id,
        entity.value,
        partition,
        state.value,
        error[:_LONGEST_TEXT],
        hint[:_LONGEST_TEXT],
        now,
        list(waits),
        before,
        SCOPE_WAIT,
    )
    return until


async def failing(
    pool: "asyncpg.Pool[Any]",
    tenant_id: TenantId,
    entity: EntityName,
    partition: int,
    *,
    error: str,
    hint: str,
    now: datetime,
    attempts: int,
) -> None:
    """Tell that calls for a kind of record fail again and again; nothing is held by that."""
    await pool.execute(
        _FAILING,
        tenant_id,
        entity.value,
        partition,
        error[:_LONGEST_TEXT],
        hint[:_LONGEST_TEXT],
        now,
        attempts,
    )


async def end(pool: "asyncpg.Pool[Any]", tenant_id: TenantId, entity: EntityName) -> int:
    """A call for that kind of record went well; answers how many had not."""
    attempts: int | None = await pool.fetchval(
        "DELETE FROM entity_holds WHERE tenant_id = $1 AND entity = $2 RETURNING attempts", tenant_id, entity.value
    )
    return attempts or 0


async def end_failing(connection: Any, tenant_id: TenantId, entity: EntityName) -> bool:
    """What made calls for a kind of record fail was set aside; answers whether that was shown. Holds for other reasons stay."""
    return bool(
        await connection.fetchval(
            "DELETE FROM entity_holds WHERE tenant_id = $1 AND entity = $2 AND state = 'failing' RETURNING true",
            tenant_id,
            entity.value,
        )
    )


async def end_all(connection: Any, tenant_id: TenantId) -> None:
    """A human gave the organisation another grant: everything is tried at once."""
    await connection.execute("DELETE FROM entity_holds WHERE tenant_id = $1", tenant_id)


async def scopes_seen(
    connection: Any,
    grant_id: UUID,
    granted: Sequence[str],
    lacking: Mapping[EntityName, str],
    now: datetime,
    *,
    again: bool = False,
) -> bool:
    """Hold what a token can't read, where its scopes are others than those last seen.

    Args:
        connection: of the transaction that stores the token.
        granted: its scopes.
        lacking: the scope that each enabled kind of record lacks.
        again: compare also where nothing changed: the organisations may be others.

    Returns:
        Whether they were compared.
    """
    if not await grants.note_scopes(connection, grant_id, sorted(set(granted)), again=again):
        return False
    await connection.execute(
        "DELETE FROM entity_holds h USING tenants t WHERE h.tenant_id = t.tenant_id AND t.grant_id = $1 "
        "AND h.state = 'no_scope' AND NOT h.entity = ANY($2)",
        grant_id,
        [entity.value for entity in lacking],
    )
    if lacking:
        await connection.execute(
            _LACKING,
            grant_id,
            [entity.value for entity in lacking],
            [f"the grant lacks the scope {scope}" for scope in lacking.values()],
            [scope_hint(scope) for scope in lacking.values()],
            now,
            SCOPE_WAIT,
        )
    return True


async def entities_changed(connection: Any, *, added: Sequence[EntityName], gone: Sequence[EntityName]) -> None:
    """Other kinds of record are read from now on.

    Args:
        connection: of the transaction that changes that.
        added: these are new: at the next refresh each token is compared with them.
        gone: nothing is held of these any more.
    """
    if added:
        await grants.forget_scopes(connection)
    await connection.execute("DELETE FROM entity_holds WHERE entity = ANY($1)", [entity.value for entity in gone])


def scope_hint(scope: str) -> str:
    """What to do about a missing scope."""
    return f"Connect the organisation again with the scope {scope} (xero-stream grants add), or leave the entity out of XERO_STREAM_ENTITIES."


async def shown(pool: "asyncpg.Pool[Any]") -> list[EntityHold]:
    """Everything that is held or fails, over all organisations."""
    return [
        EntityHold(
            tenant_id=TenantId(row["tenant_id"]),
            entity=EntityName(row["entity"]),
            state=HoldState(row["state"]),
            error=row["error"],
            hint=row["hint"],
            since=row["since"],
            not_before=row["not_before"],
            attempts=row["attempts"],
        )
        for row in await pool.fetch(_ALL, SHOWN_FROM)
    ]


async def count(pool: "asyncpg.Pool[Any]") -> int:
    """How many there are."""
    found: int = await pool.fetchval(f"SELECT count(*) FROM ({_ALL}) AS held", SHOWN_FROM)  # noqa: S608 - our own text
    return found


async def retry(connection: Any, tenant_id: TenantId | None, entity: EntityName | None) -> set[tuple[str, str]]:
    """Try again at once what is held or fails.

    Args:
        tenant_id: of this organisation; None: of all.
        entity: this kind of record; None: all.

    Returns:
        The organisations and kinds of record that it concerns.
    """
    which = tenant_id, entity.value if entity else None
    rows = await connection.fetch(
        "UPDATE entity_holds SET not_before = to_timestamp(0) WHERE ($1::text IS NULL OR tenant_id = $1) "
        "AND ($2::text IS NULL OR entity = $2) RETURNING tenant_id, entity",
        *which,
    )
    # Records whose reads failed wait by themselves, for up to an hour, while their entity is only shown as failing.
    return (
        {(row["tenant_id"], row["entity"]) for row in rows}
        | await passes.retry(connection, tenant_id, entity)
        | await dirty.retry(connection, tenant_id, entity)
    )


async def keep_only(connection: Any, entities: Sequence[EntityName]) -> None:
    """Nothing is held of any other entity."""
    await connection.execute(
        "DELETE FROM entity_holds WHERE entity <> ALL($1::text[])", [entity.value for entity in entities]
    )


async def held_until(connection: Any, tenant_id: TenantId) -> dict[str, datetime]:
    """When each kind of record with a hold is tried again."""
    rows = await connection.fetch("SELECT entity, not_before FROM entity_holds WHERE tenant_id = $1", tenant_id)
    return {row["entity"]: row["not_before"] for row in rows}
