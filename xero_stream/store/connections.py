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

from xero_stream.contracts.names import EntityName, TenantId
from xero_stream.contracts.partition import partition_of
from xero_stream.settings.apps import App
from xero_stream.store import apps, dirty, entity_holds, grants, passes, tenants, unconnected
from xero_stream.store.grants import SealedTokens
from xero_stream.store.tenants import ConnectedTenant

GrantKind = Literal["authorization_code", "client_credentials"]


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
        dropped = await unconnected.take_over(connection, homes)
        done = []
        for tenant in tenants:
            partition = homes[tenant.tenant_id]
            before = await _connect_one(connection, app, grant_id, tenant, partition)
            await entity_holds.end_all(connection, tenant.tenant_id)
            was_away = before is not None and before != "connected"
            opened = await passes.open_first_loads(connection, tenant.tenant_id, partition, entities, was_away=was_away)
            await passes.due_at_once(connection, tenant.tenant_id)
            await dirty.due_at_once(connection, tenant.tenant_id)
            if tenant.tenant_id in dropped:
                gap = dropped[tenant.tenant_id]
                await passes.read_again_later(connection, tenant.tenant_id, partition, entities, gap.since, gap.until)
            done.append(Connected(tenant_id=tenant.tenant_id, before=before, passes=opened, lacking=lacking or {}))
        if scopes:
            now = now or await connection.fetchval("SELECT now()")
            await entity_holds.scopes_seen(connection, grant_id, scopes, lacking or {}, now, again=True)
        await grants.drop_unused(connection, [row["grant_id"] for row in reached_before])
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


async def drop_grant(pool: "asyncpg.Pool[Any]", grant_id: UUID) -> None:
    """Forget a grant that reaches no organisation; one that does is left alone."""
    await grants.drop_unused(pool, [grant_id])


async def remove(pool: "asyncpg.Pool[Any]", tenant_id: TenantId) -> bool:
    """Forget an organisation: its connection, what is known to have changed and not read, its loads and holds.

    Its records and changes stay: what was published stays true, and a connection made later compares with them. A grant that
    reaches no other organisation goes with it. Processes that work for it notice within a second.

    Returns:
        False if there was none.
    """
    async with pool.acquire() as connection, connection.transaction():
        grant_id = await tenants.delete(connection, tenant_id)
        if grant_id is None:
            return False
        await dirty.forget_tenant(connection, tenant_id)
        await grants.drop_unused(connection, [grant_id])
        return True


async def _insert_grant(connection: Any, app: App, kind: GrantKind, tokens: SealedTokens) -> UUID:
    await apps.seen(connection, app)
    await grants.insert(connection, app.name, kind, tokens)
    return tokens.grant_id


async def _connect_one(connection: Any, app: App, grant_id: UUID, tenant: Organisation, partition: int) -> str | None:
    stored_app, state = await tenants.lock(connection, tenant.tenant_id) or (None, None)
    if stored_app not in {None, app.name} and state == "connected":
        raise OtherAppError(
            f"{tenant.name or tenant.tenant_id} is connected through the app {stored_app!r}: an organisation is read "
            "through one app only. Disconnect it there first, or leave it out with --tenant"
        )
    await tenants.connect(
        connection,
        ConnectedTenant(
            tenant_id=tenant.tenant_id,
            app=app.name,
            grant_id=grant_id,
            connection_id=tenant.connection_id,
            name=tenant.name,
            partition=partition,
            customer_ref=tenant.customer_ref,
            tags=tenant.tags,
            connection_created_at=tenant.connection_created_at,
        ),
    )
    return state
