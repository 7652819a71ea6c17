"""The table ``tenants``: the organisations, their connections, waits and what is left of their day. Every statement that writes it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from xero_stream.contracts.names import AppName, TenantId

_CONNECT = """
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

_PARK = (
    "UPDATE tenants SET parked_until = greatest(coalesce(parked_until, $2), $2), parked_reason = $3, "
    "day_remaining = CASE WHEN $4::timestamptz IS NULL THEN day_remaining ELSE 0 END, "
    "day_seen_at = coalesce($4, day_seen_at) WHERE tenant_id = $1"
)

_COUNT_UNSEEN = """
UPDATE tenants SET unseen_hour = $2, unseen_calls = CASE WHEN unseen_hour = $2 THEN unseen_calls + 1 ELSE 1 END
WHERE tenant_id = $1 RETURNING unseen_calls
"""

_TENANTS = (
    "SELECT tenant_id, name, app, grant_id, connection_id, state, partition, customer_ref, tags, connected_at FROM tenants "
    "WHERE ($1::text IS NULL OR tenant_id = $1) AND ($2::uuid IS NULL OR grant_id = $2) ORDER BY app, name, tenant_id"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectedTenant:
    """An organisation as a grant reaches it.

    Attributes:
        connection_id: id of Xero's connection; None keeps the one stored.
        connection_created_at: when Xero made it; None keeps the one stored.
        customer_ref: your own reference; None keeps the one stored.
        tags: your own labels, added to those stored.
    """

    tenant_id: TenantId
    app: AppName
    grant_id: UUID
    connection_id: str | None
    name: str
    partition: int
    customer_ref: str | None
    tags: Mapping[str, str]
    connection_created_at: datetime | None


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


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantRow:
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
class Told:
    """What ends the waits of a tenant's task when it changes.

    Attributes:
        roused: how often an operator did something for the organisation.
        connected: whether it is to be read.
    """

    roused: int
    connected: bool


async def load(pool: "asyncpg.Pool[Any]", tenant_id: TenantId) -> TenantRow | None:
    """One organisation, or None if it is not connected (yet)."""
    row = await pool.fetchrow(
        "SELECT tenant_id, app, grant_id, connection_created_at, name, customer_ref, state, roused, parked_until, "
        "day_remaining, day_seen_at, unseen_hour, unseen_calls FROM tenants WHERE tenant_id = $1",
        tenant_id,
    )
    return TenantRow(**dict(row)) if row else None


async def told(pool: "asyncpg.Pool[Any]", tenants: Sequence[TenantId]) -> dict[TenantId, Told]:
    """How these organisations stand."""
    rows = await pool.fetch("SELECT tenant_id, roused, state FROM tenants WHERE tenant_id = ANY($1)", tenants)
    return {
        TenantId(row["tenant_id"]): Told(roused=row["roused"], connected=row["state"] == "connected") for row in rows
    }


async def apps_of(pool: "asyncpg.Pool[Any]", tenants: Sequence[str]) -> dict[TenantId, AppName]:
    """The app that each organisation is connected through, whatever state it is in."""
    rows = await pool.fetch("SELECT tenant_id, app FROM tenants WHERE tenant_id = ANY($1)", tenants)
    return {TenantId(row["tenant_id"]): AppName(row["app"]) for row in rows}


async def tenants(
    pool: "asyncpg.Pool[Any]", *, tenant_id: TenantId | None = None, grant_id: UUID | None = None
) -> list[Tenant]:
    """The organisations that were ever connected and not removed.

    Args:
        pool: the store.
        tenant_id: only this one.
        grant_id: only those of this grant.
    """
    rows = await pool.fetch(_TENANTS, tenant_id, grant_id)
    return [Tenant(**{**dict(row), "tags": orjson.loads(row["tags"])}) for row in rows]


async def lock(connection: Any, tenant_id: TenantId) -> tuple[AppName, str] | None:
    """Lock an organisation's row; its app and state, or None where there is none."""
    row = await connection.fetchrow("SELECT app, state FROM tenants WHERE tenant_id = $1 FOR UPDATE", tenant_id)
    return (AppName(row["app"]), row["state"]) if row else None


async def connect(connection: Any, tenant: ConnectedTenant) -> None:
    """Connect an organisation, or connect it again."""
    await connection.execute(
        _CONNECT,
        tenant.tenant_id,
        tenant.app,
        tenant.grant_id,
        tenant.connection_id,
        tenant.name,
        tenant.partition,
        tenant.customer_ref,
        orjson.dumps(dict(tenant.tags)).decode(),
        tenant.connection_created_at,
    )


async def delete(connection: Any, tenant_id: TenantId) -> UUID | None:
    """Forget an organisation; the grant that reached it, or None where there was no such organisation."""
    grant_id: UUID | None = await connection.fetchval(
        "DELETE FROM tenants WHERE tenant_id = $1 RETURNING grant_id", tenant_id
    )
    return grant_id


async def rouse(connection: Any, tenant_id: str) -> None:
    """An operator did something for an organisation: whichever process works for it ends its waits within a second.

    Limits that Xero set (parked until) stay.

    Args:
        connection: a pool, or the connection of a transaction.
        tenant_id: which.
    """
    await connection.execute("UPDATE tenants SET roused = roused + 1 WHERE tenant_id = $1", tenant_id)


async def park(
    pool: "asyncpg.Pool[Any]", tenant_id: TenantId, until: datetime, reason: str, *, day_used_up: datetime | None = None
) -> None:
    """No call for this organisation before a time; survives restarts.

    Args:
        pool: the store.
        tenant_id: who waits.
        until: when calls may go on.
        reason: why.
        day_used_up: when Xero said so, if it is for the day's sake.
    """
    await pool.execute(_PARK, tenant_id, until, reason, day_used_up)


async def suspend(pool: "asyncpg.Pool[Any]", tenant_id: TenantId, state: str, roused: int) -> bool:
    """The organisation waits for an operator: ``needs_reauth`` or ``disconnected``. Its dirty rows stay.

    Args:
        pool: the store.
        tenant_id: who waits.
        state: for what.
        roused: how often an operator had done something for it when the call was made: one who has done so since gave it
            another grant, of which the call says nothing.

    Returns:
        Whether it waits.
    """
    status = await pool.execute(
        "UPDATE tenants SET state = $2 WHERE tenant_id = $1 AND roused = $3", tenant_id, state, roused
    )
    return bool(status == "UPDATE 1")


async def suspend_all_of(connection: Any, grant_id: UUID) -> None:
    """Every organisation that a grant reaches waits for an operator to connect it again."""
    await connection.execute(
        "UPDATE tenants SET state = 'needs_reauth' WHERE grant_id = $1 AND state = 'connected'", grant_id
    )


async def day_seen(connection: Any, tenant_id: TenantId, remaining: int, now: datetime) -> None:
    """Xero said how many calls are left of the day."""
    await connection.execute(
        "UPDATE tenants SET day_remaining = $3, day_seen_at = $2 WHERE tenant_id = $1", tenant_id, now, remaining
    )


async def count_unseen_call(pool: "asyncpg.Pool[Any]", tenant_id: TenantId, hour: datetime) -> int:
    """Count a call that was answered 404 for a record never seen; how many there were in its hour."""
    calls: int | None = await pool.fetchval(_COUNT_UNSEEN, tenant_id, hour)
    return calls or 0
