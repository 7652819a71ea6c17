"""Grants in the store: the row a token set lives in, locked while it is renewed. Tokens are bytes here: encrypted."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from xero_stream.contracts.names import AppName
from xero_stream.store import apps


class UnknownGrantError(Exception):
    """There is no such grant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantRow:
    """A grant as stored.

    Attributes:
        grant_id: its id.
        app: the app it was given to.
        kind: authorization_code or client_credentials.
        state: active or needs_reauth.
        access_token: encrypted; None before the first refresh.
        refresh_token: encrypted; None with client credentials.
        previous_token: encrypted: the refresh token before, good for 30 minutes after ``refreshed_at``.
        refreshed_at: when the set was obtained.
        expires_at: when the access token ends.
    """

    grant_id: UUID
    app: str
    kind: str
    state: str
    access_token: bytes | None
    refresh_token: bytes | None
    previous_token: bytes | None
    refreshed_at: datetime | None
    expires_at: datetime | None


class LockedGrantRow:
    """A grant whose row no other process can change until the block ends."""

    def __init__(self, connection: Any, row: GrantRow) -> None:
        self._connection = connection
        self.row = row

    async def save(
        self,
        *,
        access_token: bytes,
        refresh_token: bytes | None,
        previous_token: bytes | None,
        refreshed_at: datetime,
        expires_at: datetime,
    ) -> None:
        """Store a new set; durable when the block ends."""
        await self._connection.execute(
            "UPDATE grants SET access_token = $2, refresh_token = $3, previous_token = $4, refreshed_at = $5, "
            "expires_at = $6, version = version + 1, state = 'active' WHERE grant_id = $1",
            self.row.grant_id,
            access_token,
            refresh_token,
            previous_token,
            refreshed_at,
            expires_at,
        )
        await apps.works(self._connection, AppName(self.row.app))

    async def mark_dead(self) -> None:
        """A human has to connect it again; so do all tenants that live by it."""
        await self._connection.execute(
            "UPDATE grants SET state = 'needs_reauth', version = version + 1 WHERE grant_id = $1", self.row.grant_id
        )
        await self._connection.execute(
            "UPDATE tenants SET state = 'needs_reauth' WHERE grant_id = $1 AND state = 'connected'", self.row.grant_id
        )


@asynccontextmanager
async def locked(pool: "asyncpg.Pool[Any]", grant_id: UUID) -> AsyncIterator[LockedGrantRow]:
    """Lock a grant's row: lock, row and data are one thing, and die with the session.

    Args:
        pool: the store.
        grant_id: which.

    Raises:
        UnknownGrantError: there is none.
    """
    async with pool.acquire() as connection, connection.transaction():
        row = await connection.fetchrow(
            "SELECT grant_id, app, kind, state, access_token, refresh_token, previous_token, refreshed_at, expires_at "
            "FROM grants WHERE grant_id = $1 FOR UPDATE",
            grant_id,
        )
        if row is None:
            raise UnknownGrantError(f"there is no grant {grant_id}")
        yield LockedGrantRow(connection, GrantRow(**dict(row)))


async def grant_of(pool: "asyncpg.Pool[Any]", tenant_id: str) -> UUID | None:
    """The grant that reaches an organisation, or None."""
    found: UUID | None = await pool.fetchval(
        "SELECT grant_id FROM tenants WHERE tenant_id = $1 AND state <> 'disconnected'", tenant_id
    )
    return found
