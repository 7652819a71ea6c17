"""Grants in the store: the row a token set lives in, locked while it is renewed. Tokens are bytes here: encrypted."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from xero_stream.contracts.names import AppName
from xero_stream.store import apps, tenants
from xero_stream.store.crypto import Column, TokenCipher, UndecryptableError


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

    @property
    def sealed(self) -> dict[Column, bytes]:
        """Its tokens as stored, by column."""
        found = {
            Column.ACCESS: self.access_token,
            Column.REFRESH: self.refresh_token,
            Column.PREVIOUS: self.previous_token,
        }
        return {column: token for column, token in found.items() if token}


_GRANT = "SELECT grant_id, app, kind, state, access_token, refresh_token, previous_token, refreshed_at, expires_at FROM grants"


def _grant_row(row: Any) -> GrantRow:
    return GrantRow(**dict(row))


class LockedGrantRow:
    """A grant whose row no other process can change until the block ends."""

    def __init__(self, connection: Any, row: GrantRow) -> None:
        self._connection = connection
        self.row = row

    @property
    def connection(self) -> Any:
        """Of the transaction that holds the lock."""
        return self._connection

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
        """An operator has to connect it again; so do all tenants that live by it."""
        await self._connection.execute(
            "UPDATE grants SET state = 'needs_reauth', version = version + 1 WHERE grant_id = $1", self.row.grant_id
        )
        await tenants.suspend_all_of(self._connection, self.row.grant_id)


@asynccontextmanager
async def locked(pool: "asyncpg.Pool[Any]", grant_id: UUID) -> AsyncIterator[LockedGrantRow]:
    """Lock a grant's row: lock, row and data are one thing, and die with the session.

    Raises:
        UnknownGrantError: there is none.
    """
    async with pool.acquire() as connection, connection.transaction():
        row = await connection.fetchrow(f"{_GRANT} WHERE grant_id = $1 FOR UPDATE", grant_id)
        if row is None:
            raise UnknownGrantError(f"there is no grant {grant_id}")
        yield LockedGrantRow(connection, _grant_row(row))


async def grant_of(pool: "asyncpg.Pool[Any]", tenant_id: str) -> UUID | None:
    """The grant that reaches an organisation, or None."""
    found: UUID | None = await pool.fetchval(
        "SELECT grant_id FROM tenants WHERE tenant_id = $1 AND state <> 'disconnected'", tenant_id
    )
    return found


async def all_grants(pool: "asyncpg.Pool[Any]") -> list[GrantRow]:
    """Every grant, with its tokens encrypted as they are stored."""
    return [_grant_row(row) for row in await pool.fetch(f"{_GRANT} ORDER BY grant_id")]


async def sealed_tokens(pool: "asyncpg.Pool[Any]") -> list[GrantRow]:
    """Every grant that is in use, with its tokens encrypted as they are stored."""
    return [_grant_row(row) for row in await pool.fetch(f"{_GRANT} WHERE state = 'active' ORDER BY grant_id")]


Seal = Callable[[bytes, UUID, Column], bytes | None]
"""A token as stored before, its grant and its column, to what is stored from now on; None: it can't be read."""


async def seal_again(connection: Any, seal: Seal) -> tuple[int, int]:
    """Encrypt every stored token again; a grant with one that can't be read is marked as dead.

    Args:
        connection: in a transaction that ends soon: no token can be renewed meanwhile.

    Returns:
        How many grants were re-encrypted, and how many are dead.
    """
    rows = [_grant_row(row) for row in await connection.fetch(f"{_GRANT} ORDER BY grant_id FOR UPDATE")]
    dead = 0
    for row in rows:
        tokens = {column: seal(token, row.grant_id, column) for column, token in row.sealed.items()}
        if any(token is None for column, token in tokens.items() if column is not Column.PREVIOUS):
            dead += 1
            await LockedGrantRow(connection, row).mark_dead()
            continue
        await _write_sealed(connection, row.grant_id, tokens)
    return len(rows) - dead, dead


async def bind_tokens(pool: "asyncpg.Pool[Any]", cipher: TokenCipher) -> int:
    """Seal the tokens that a release before stored for their grant and column; what can't be read is left alone.

    Args:
        cipher: with our keys.

    Returns:
        How many grants had such tokens.
    """
    bound = 0
    async with pool.acquire() as connection, connection.transaction():
        for row in map(_grant_row, await connection.fetch(f"{_GRANT} ORDER BY grant_id FOR UPDATE")):
            try:
                if all(cipher.is_bound(token) for token in row.sealed.values()):
                    continue
                tokens = {
                    column: cipher.seal_again(token, row.grant_id, column) for column, token in row.sealed.items()
                }
            except UndecryptableError:
                continue
            await _write_sealed(connection, row.grant_id, tokens)
            bound += 1
    return bound


async def _write_sealed(connection: Any, grant_id: UUID, tokens: Mapping[Column, bytes | None]) -> None:
    await connection.execute(
        "UPDATE grants SET access_token = $2, refresh_token = $3, previous_token = $4 WHERE grant_id = $1",
        grant_id,
        *(tokens.get(column) for column in Column),
    )


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


async def insert(connection: Any, app: AppName, kind: str, tokens: SealedTokens) -> None:
    """Store a new grant."""
    await connection.execute(
        "INSERT INTO grants (grant_id, app, kind, access_token, refresh_token, refreshed_at, expires_at, previous_token) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        tokens.grant_id,
        app,
        kind,
        tokens.access_token,
        tokens.refresh_token,
        tokens.refreshed_at,
        tokens.expires_at,
        tokens.previous_token,
    )


async def drop_unused(connection: Any, grant_ids: Sequence[UUID]) -> None:
    """Forget those of these grants that reach no organisation any more: they have no reason to keep their tokens here."""
    await connection.execute(
        "DELETE FROM grants g WHERE g.grant_id = ANY($1) AND NOT EXISTS "
        "(SELECT 1 FROM tenants t WHERE t.grant_id = g.grant_id)",
        list(grant_ids),
    )


async def note_scopes(connection: Any, grant_id: UUID, scopes: Sequence[str], *, again: bool) -> bool:
    """Write down what a token opens.

    Args:
        connection: of the transaction that stores the token.
        grant_id: whose token.
        scopes: sorted.
        again: also where they are the same as before.

    Returns:
        Whether they were written.
    """
    return bool(
        await connection.fetchval(
            "UPDATE grants SET scopes = $2 WHERE grant_id = $1 AND (scopes IS DISTINCT FROM $2 OR $3) RETURNING true",
            grant_id,
            list(scopes),
            again,
        )
    )


async def forget_scopes(connection: Any) -> None:
    """At the next refresh each token is compared with what is needed."""
    await connection.execute("UPDATE grants SET scopes = NULL")
