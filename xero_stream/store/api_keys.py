"""API keys of the console. Every statement that writes ``api_keys``; each change is in the audit log."""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from xero_stream.contracts.api_key import ID_BYTES, SECRET_BYTES, ApiKey, Presented, Scope
from xero_stream.store.audit import Act, record


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A key to make.

    Attributes:
        name: for people.
        scopes: what it may do; at least one.
        tenant_ids: the organisations that it is restricted to; None: no restriction.
        customer_ref: the customer that it is restricted to; None: no restriction.
        expires_at: when it ends; None: never.
    """

    name: str
    scopes: Collection[Scope]
    tenant_ids: Collection[str] | None = None
    customer_ref: str | None = None
    expires_at: datetime | None = None


_COLUMNS = (
    "key_id, name, scopes, tenant_ids, customer_ref, created_at, created_by, expires_at, revoked_at, last_used_at"
)

_CREATE = f"""
INSERT INTO api_keys (key_id, name, digest, scopes, tenant_ids, customer_ref, created_by, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING {_COLUMNS}
"""  # noqa: S608 - our own text


async def create(
    pool: "asyncpg.Pool[Any]", new: NewKey, *, actor: str, request_id: str | None = None
) -> tuple[ApiKey, Presented]:
    """Make a key.

    Args:
        new: what it may do.
        actor: who makes it.
        request_id: of the HTTP request; None: it was a command.

    Returns:
        What is stored, and the key itself: it can't be shown again.

    Raises:
        ValueError: it would have no scope, or be restricted to no organisation at all.
    """
    if not new.scopes:
        raise ValueError("a key needs a scope")
    if new.tenant_ids is not None and not new.tenant_ids:
        raise ValueError("a key restricted to no organisation would open nothing")
    key = Presented(secrets.token_hex(ID_BYTES), secrets.token_urlsafe(SECRET_BYTES))
    async with pool.acquire() as connection, connection.transaction():
        row = await connection.fetchrow(
            _CREATE,
            key.key_id,
            new.name,
            key.digest,
            sorted(set(new.scopes)),
            None if new.tenant_ids is None else sorted(set(new.tenant_ids)),
            new.customer_ref,
            actor,
            new.expires_at,
        )
        stored = api_key(row)
        act = Act(
            actor=actor, action="api-key.create", subject=key.key_id, after=described(stored), request_id=request_id
        )
        await record(connection, act)
    return stored, key


async def revoke(pool: "asyncpg.Pool[Any]", key_id: str, *, actor: str, request_id: str | None = None) -> ApiKey | None:
    """End a key. A key that was revoked before keeps the time of the first revocation.

    Args:
        actor: who ends it.
        request_id: of the HTTP request; None: it was a command.

    Returns:
        The key, or None where there is none.
    """
    async with pool.acquire() as connection, connection.transaction():
        row = await connection.fetchrow(
            f"SELECT {_COLUMNS} FROM api_keys WHERE key_id = $1 FOR UPDATE",  # noqa: S608 - our own text
            key_id,
        )
        if row is None or row["revoked_at"] is not None:
            return None if row is None else api_key(row)
        before = api_key(row)
        after = api_key(
            await connection.fetchrow(
                f"UPDATE api_keys SET revoked_at = now() WHERE key_id = $1 RETURNING {_COLUMNS}",  # noqa: S608 - our own text
                key_id,
            )
        )
        act = Act(
            actor=actor,
            action="api-key.revoke",
            subject=key_id,
            before=described(before),
            after=described(after),
            request_id=request_id,
        )
        await record(connection, act)
    return after


async def used(pool: "asyncpg.Pool[Any]", key_id: str) -> None:
    """A key was used just now. Written once a minute, so that a busy key is not a row that everybody updates."""
    await pool.execute(
        "UPDATE api_keys SET last_used_at = now() "
        "WHERE key_id = $1 AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')",
        key_id,
    )


async def api_keys(pool: "asyncpg.Pool[Any]") -> list[ApiKey]:
    """All keys, the newest first; ended ones too."""
    rows = await pool.fetch(f"SELECT {_COLUMNS} FROM api_keys ORDER BY created_at DESC, key_id")  # noqa: S608 - our own text
    return [api_key(row) for row in rows]


def api_key(row: Any) -> ApiKey:
    """A row of the table as a key.

    Args:
        row: with the table's columns.
    """
    return ApiKey(
        key_id=row["key_id"],
        name=row["name"],
        scopes=frozenset(row["scopes"]),
        tenant_ids=None if row["tenant_ids"] is None else frozenset(row["tenant_ids"]),
        customer_ref=row["customer_ref"],
        created_at=row["created_at"],
        created_by=row["created_by"],
        expires_at=row["expires_at"],
        revoked_at=row["revoked_at"],
        last_used_at=row["last_used_at"],
    )


def described(key: ApiKey) -> dict[str, Any]:
    """A key as JSON has it: everything but its secret."""
    return {
        "key_id": key.key_id,
        "name": key.name,
        "scopes": sorted(key.scopes),
        "tenant_ids": None if key.tenant_ids is None else sorted(key.tenant_ids),
        "customer_ref": key.customer_ref,
        "created_at": key.created_at,
        "created_by": key.created_by,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
        "last_used_at": key.last_used_at,
    }
