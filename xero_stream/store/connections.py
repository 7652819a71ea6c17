"""Grants and organisations: who gave us access to what.

A grant is one consent (or one custom connection) and owns a token set; organisations hang off it. Connecting is one
transaction: a processor sees an organisation with its tokens and its first load, or not at all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import asyncpg
import orjson

from xero_stream.contracts.names import EntityName, TenantId
from xero_stream.contracts.partition import partition_of
from xero_stream.settings.apps import App
from xero_stream.store import apps, entity_holds
from xero_stream.store.entity_holds import EntityHold
from xero_stream.store.unconnected import Dropped, take_over

GrantKind = Literal["authorization_code", "client_credentials"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedTokens:
    """A token set, encrypted.

    Attributes:
        grant_id: of the grant that it is sealed for.
        access_token: from :class:`~xero_stream.store.crypto.TokenCipher`.
        refresh_token: the same; None for client credentials.
        previous_token: the refresh token that these were traded for: Xero takes it again for 30 minutes.
        refreshed_at: when Xero gave them.
        expires_at: when the access token ends.
    """

    grant_id: UUID
    access_token: bytes = field(repr=False)
    refresh_token: bytes | None = field(repr=False)
    refreshed_at: datetime
    expires_at: datetime
    previous_token: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """An organisation to connect.

    Attributes:
        tenant_id: Xero's id, lower case.
        name: for people.
        connection_id: id of Xero's connection.
        connection_created_at: when Xero made it, by Xero's clock; None keeps the one stored. A connection made beside another
            one (each user has their own) makes nothing new of the organisation.
        customer_ref: your own reference, carried in every change; None keeps the one stored.
        tags: your own labels, stored with it.
    """

    tenant_id: TenantId
    name: str = ""
    connection_id: str | None = None
    connection_created_at: datetime | None = None
    customer_ref: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """What became of an organisation.

    Attributes:
        tenant_id: which.
        before: its state before (``connected``, ``needs_reauth``, ``disconnected``), or None: it is new.
        passes: how many reads of a whole entity were opened.
        lacking: what is not read of it, and the scope that the grant lacks for it.
    """

    tenant_id: TenantId
    before: str | None
    passes: int
    lacking: Mapping[EntityName, str] = field(default_factory=dict)


class OtherAppError(Exception):
    """An organisation is connected through another app."""


_TENANT = """
INSERT INTO tenants (tenant_id, app, grant_id, connection_id, name, partition, customer_ref, tags, connection_created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (tenant_id) DO UPDATE SET
    app = excluded.app, grant_id = excluded.grant_id, state = 'connected', name = excluded.name,
    connection_id = coalesce(excluded.connection_id, tenants.connection_id),
    connection_created_at = CASE WHEN tenants.state = 'connected'
        THEN least(excluded.connection_created_at, tenants.connection_created_at)
        ELSE coalesce(excluded.connection_created_at, tenants.connection_created_at) END,
    customer_ref = coalesce(excluded.customer_ref, tenants.customer_ref),
    tags = tenants.tags || excluded.tags,
    roused = tenants.roused + 1,
    parked_until = CASE WHEN tenants.app = excluded.app THEN tenants.parked_until END,
    connected_at = CASE WHEN tenants.state = 'connected' THEN tenants.connected_at ELSE now() END
"""

# The first load of each entity. One that is under way goes on where it is, and at once.
_BACKFILL = """
INSERT INTO passes (tenant_id, entity, kind, partition) SELECT $1, entity, 'backfill', $2 FROM unnest($3::text[]) AS entity
ON CONFLICT (tenant_id, entity, kind) DO UPDATE SET not_before = to_timestamp(0), attempts = 0, error = NULL, hint = NULL, failing_since = NULL
    WHERE passes.finished_at IS NULL
RETURNING (xmax = 0) AS opened
"""

# Nobody told us what happened while it was away: everything is read again. Only what differs is published.
_CATCH_UP = """
INSERT INTO passes (tenant_id, entity, kind, partition)
SELECT $1, b.entity, 'catch_up', $2 FROM passes b
WHERE b.tenant_id = $1 AND b.kind = 'backfill' AND b.finished_at IS NOT NULL AND b.entity = ANY($3)
ON CONFLICT (tenant_id, entity, kind) DO UPDATE SET since = NULL, generation = passes.generation + 1, place = NULL, seen = 0, total = NULL,
    not_before = to_timestamp(0), attempts = 0, error = NULL, hint = NULL, failing_since = NULL, started_at = NULL, finished_at = NULL
RETURNING entity
"""


# What failed before is tried at once: the new grant may be what it waited for.
_NOW = (
    "UPDATE passes SET not_before = to_timestamp(0) WHERE tenant_id = $1 AND finished_at IS NULL",
    "UPDATE dirty SET not_before = to_timestamp(0) WHERE tenant_id = $1 AND attempts > 0",
)


async def rouse(connection: Any, tenant_id: str) -> None:
    """A human did something for an organisation: whichever process works for it ends its waits within a second.

    Limits that Xero set (parked until) stay.

    Args:
        connection: a pool, or the connection of a transaction.
    """
    await connection.execute("UPDATE tenants SET roused = roused + 1 WHERE tenant_id = $1", tenant_id)


async def connect(
    pool: "asyncpg.Pool[Any]",
    *,
    app: App,
    kind: GrantKind,
    tokens: SealedTokens,
    tenants: Sequence[Organisation],
    entities: Sequence[EntityName],
    partitions: int,
    grant_id: UUID | None = None,
    scopes: Sequence[str] = (),
    lacking: Mapping[EntityName, str] | None = None,
    now: datetime | None = None,
) -> list[Connected]:
    """Store a grant and connect its organisations; those that waited for one go on.

    Args:
        app: through which app.
        kind: how the grant was given.
        tenants: the organisations it reaches.
        entities: what is read of them: each gets a first load.
        grant_id: of a grant that :func:`keep_grant` stored before; None stores a new one.
        scopes: what the token opens; empty where that is not known.
        lacking: the scope that each of the entities lacks: they are held, the others go on.
        now: the clock; None takes the store's.

    Returns:
        One entry per organisation, in order.

    Raises:
        OtherAppError: one is connected through another app; nothing was stored.
    """
    async with pool.acquire() as connection, connection.transaction():
        if grant_id is None:
            grant_id = await _insert_grant(connection, app, kind, tokens)
        reached_before = await connection.fetch(
            "SELECT DISTINCT grant_id FROM tenants WHERE tenant_id = ANY($1)", [tenant.tenant_id for tenant in tenants]
        )
        homes = {tenant.tenant_id: partition_of(tenant.tenant_id, partitions) for tenant in tenants}
        dropped = await take_over(connection, homes)
        done = []
        for tenant in tenants:
            partition = homes[tenant.tenant_id]
            before = await _connect_one(connection, app, grant_id, tenant, partition)
            await entity_holds.end_all(connection, tenant.tenant_id)
            passes = await _open_passes(connection, tenant.tenant_id, partition, entities, before)
            for statement in _NOW:
                await connection.execute(statement, tenant.tenant_id)
            if tenant.tenant_id in dropped:
                await _read_again_later(connection, tenant.tenant_id, partition, entities, dropped[tenant.tenant_id])
            done.append(Connected(tenant_id=tenant.tenant_id, before=before, passes=passes, lacking=lacking or {}))
        if scopes:
            now = now or await connection.fetchval("SELECT now()")
            await entity_holds.scopes_seen(connection, grant_id, scopes, lacking or {}, now, again=True)
        # A grant that reaches nothing any more has no reason to keep its tokens here.
        await connection.execute(
            "DELETE FROM grants g WHERE g.grant_id = ANY($1) AND NOT EXISTS "
            "(SELECT 1 FROM tenants t WHERE t.grant_id = g.grant_id)",
            [row["grant_id"] for row in reached_before],
        )
    return done


async def keep_grant(pool: "asyncpg.Pool[Any]", *, app: App, kind: GrantKind, tokens: SealedTokens) -> UUID:
    """Store a token set before it is used: a rotated refresh token must not exist in memory only.

    Args:
        app: through which app.
        kind: how the grant was given.

    Returns:
        The grant's id, for :func:`connect`.
    """
    async with pool.acquire() as connection, connection.transaction():
        return await _insert_grant(connection, app, kind, tokens)


_DROP_GRANT = (
    "DELETE FROM grants g WHERE g.grant_id = $1 AND NOT EXISTS (SELECT 1 FROM tenants t WHERE t.grant_id = $1)"
)


async def drop_grant(pool: "asyncpg.Pool[Any]", grant_id: UUID) -> None:
    """Forget a grant that reaches no organisation; one that does is left alone."""
    await pool.execute(_DROP_GRANT, grant_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """An organisation as ``tenants list`` shows it.

    Attributes:
        tenant_id: Xero's id.
        grant_id: the grant it is read by.
        connection_id: of Xero's connection; None where it is not known.
        state: connected, needs_reauth or disconnected.
        connected_at: since when it is in this state of being connected.
    """

    tenant_id: TenantId
    name: str
    app: str
    grant_id: UUID
    connection_id: str | None
    state: str
    partition: int
    customer_ref: str | None
    tags: Mapping[str, str]
    connected_at: datetime


_TENANTS = (
    "SELECT tenant_id, name, app, grant_id, connection_id, state, partition, customer_ref, tags, connected_at FROM tenants "
    "WHERE ($1::text IS NULL OR tenant_id = $1) AND ($2::uuid IS NULL OR grant_id = $2) ORDER BY app, name, tenant_id"
)


async def tenants(
    pool: "asyncpg.Pool[Any]", *, tenant_id: TenantId | None = None, grant_id: UUID | None = None
) -> list[Tenant]:
    """The organisations that were ever connected and not removed.

    Args:
        tenant_id: only this one.
        grant_id: only those of this grant.
    """
    rows = await pool.fetch(_TENANTS, tenant_id, grant_id)
    return [Tenant(**{**dict(row), "tags": orjson.loads(row["tags"])}) for row in rows]


async def remove(pool: "asyncpg.Pool[Any]", tenant_id: TenantId) -> bool:
    """Forget an organisation: its connection, what is known to have changed and not read, its loads and holds.

    Its records and changes stay: what was published stays true, and a connection made later compares with them. A grant that
    reaches no other organisation goes with it. Processes that work for it notice within a second.

    Returns:
        False if there was none.
    """
    async with pool.acquire() as connection, connection.transaction():
        grant_id = await connection.fetchval("DELETE FROM tenants WHERE tenant_id = $1 RETURNING grant_id", tenant_id)
        if grant_id is None:
            return False
        await connection.execute("DELETE FROM dirty WHERE tenant_id = $1", tenant_id)
        await connection.execute(_DROP_GRANT, grant_id)
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """An organisation as ``grants list`` shows it.

    Attributes:
        tenant_id: which; None for a grant without any.
        app_trouble: why Xero refuses the app it is connected through; None: it doesn't.
        app_hint: what to do about that.
        loading: entities whose first load is not done.
        backlog: records known to have changed and not read yet.
        held: kinds of record that are not read for now, or keep failing.
        loaded: records seen by passes that are not done.
        load_total: records those passes have in all, as far as Xero said.
    """

    grant_id: UUID
    app: str
    kind: str
    grant_state: str
    refreshed_at: datetime | None
    tenant_id: TenantId | None
    name: str
    state: str | None
    partition: int | None
    customer_ref: str | None
    parked_until: datetime | None
    parked_reason: str | None
    day_remaining: int | None
    loading: list[str]
    loaded: int
    load_total: int | None
    backlog: int
    app_trouble: str | None = None
    app_hint: str | None = None
    held: list[EntityHold] = field(default_factory=list)


_STANDING = """
SELECT g.grant_id, g.app, g.kind, g.state AS grant_state, g.refreshed_at, t.tenant_id, coalesce(t.name, '') AS name,
       t.state, t.partition, t.customer_ref, t.day_remaining,
       CASE WHEN t.parked_until > now() THEN t.parked_until END AS parked_until,
       CASE WHEN t.parked_until > now() THEN t.parked_reason END AS parked_reason,
       a.trouble AS app_trouble, a.trouble_hint AS app_hint,
       coalesce(p.loading, '{}') AS loading, coalesce(p.loaded, 0) AS loaded, p.load_total,
       coalesce((SELECT count(*) FROM dirty d WHERE d.tenant_id = t.tenant_id), 0) AS backlog
FROM grants g JOIN apps a ON a.app = g.app LEFT JOIN tenants t USING (grant_id)
LEFT JOIN LATERAL (
    SELECT array_agg(entity ORDER BY entity) AS loading, sum(seen)::bigint AS loaded, sum(total)::bigint AS load_total
    FROM passes WHERE passes.tenant_id = t.tenant_id AND finished_at IS NULL
) p ON true
ORDER BY g.app, t.name, t.tenant_id
"""


async def standing(pool: "asyncpg.Pool[Any]") -> list[Standing]:
    """Every grant with its organisations."""
    held: dict[str, list[EntityHold]] = {}
    for hold in await entity_holds.shown(pool):
        held.setdefault(hold.tenant_id, []).append(hold)
    return [Standing(**dict(row), held=held.get(row["tenant_id"], [])) for row in await pool.fetch(_STANDING)]


async def _insert_grant(connection: Any, app: App, kind: GrantKind, tokens: SealedTokens) -> UUID:
    await apps.seen(connection, app)
    grant_id = tokens.grant_id
    await connection.execute(
        "INSERT INTO grants (grant_id, app, kind, access_token, refresh_token, refreshed_at, expires_at, previous_token) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        grant_id,
        app.name,
        kind,
        tokens.access_token,
        tokens.refresh_token,
        tokens.refreshed_at,
        tokens.expires_at,
        tokens.previous_token,
    )
    return grant_id


async def _connect_one(connection: Any, app: App, grant_id: UUID, tenant: Organisation, partition: int) -> str | None:
    row = await connection.fetchrow("SELECT app, state FROM tenants WHERE tenant_id = $1 FOR UPDATE", tenant.tenant_id)
    if row and row["app"] != app.name and row["state"] == "connected":
        raise OtherAppError(
            f"{tenant.name or tenant.tenant_id} is connected through the app {row['app']!r}: an organisation is read "
            "through one app only. Disconnect it there first, or leave it out with --tenant"
        )
    await connection.execute(
        _TENANT,
        tenant.tenant_id,
        app.name,
        grant_id,
        tenant.connection_id,
        tenant.name,
        partition,
        tenant.customer_ref,
        orjson.dumps(dict(tenant.tags)).decode(),
        tenant.connection_created_at,
    )
    state: str | None = row["state"] if row else None
    return state


async def _open_passes(
    connection: Any, tenant_id: TenantId, partition: int, entities: Sequence[EntityName], before: str | None
) -> int:
    names = [entity.value for entity in entities]
    opened = 0
    if before is not None and before != "connected":
        opened += len(await connection.fetch(_CATCH_UP, tenant_id, partition, names))
    rows = await connection.fetch(_BACKFILL, tenant_id, partition, names)
    return opened + sum(1 for row in rows if row["opened"])


# Its first load reads what was dropped, but Xero may answer it with a state that is older than an event of a moment ago.
_AFTER_DROPPED = """
INSERT INTO passes (tenant_id, entity, kind, partition, since, not_before)
SELECT $1, entity, 'catch_up', $2, $4::timestamptz - interval '1 day', $5::timestamptz + interval '10 minutes'
FROM unnest($3::text[]) AS entity WHERE $5 > now() - interval '10 minutes'
ON CONFLICT DO NOTHING
"""


async def _read_again_later(
    connection: Any, tenant_id: TenantId, partition: int, entities: Sequence[EntityName], dropped: Dropped
) -> None:
    names = [entity.value for entity in entities]
    await connection.execute(_AFTER_DROPPED, tenant_id, partition, names, dropped.since, dropped.until)
