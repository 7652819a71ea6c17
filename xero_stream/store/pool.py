"""Connections to the store that a frozen process can't hold locks with."""

from datetime import UTC, datetime
from typing import Any

import asyncpg

SESSION = {
    "application_name": "xero-stream",
    # A process that is frozen inside a transaction must not hold locks: the server ends it.
    "idle_in_transaction_session_timeout": "10s",
    "transaction_timeout": "30s",
    "lock_timeout": "15s",
    "jit": "off",  # our statements are short; compiling them costs more than it saves
}


class StoreUnreachableError(Exception):
    """PostgreSQL can't be reached or refuses us; the message says which and what to do."""


async def open_pool(
    database_url: str, *, size: int = 12, name: str = "xero-stream", synchronous_commit: bool = True
) -> "asyncpg.Pool[Any]":
    """A pool of connections.

    Args:
        database_url: ``postgres://`` or ``postgresql://``.
        size: most connections at a time.
        name: shown in ``pg_stat_activity``.
        synchronous_commit: False for what may lose its last half second if PostgreSQL itself crashes.

    Raises:
        StoreUnreachableError: no connection could be made.
    """
    try:
        return await asyncpg.create_pool(
            database_url,
            min_size=1,
            max_size=size,
            timeout=10,
            command_timeout=30,
            max_inactive_connection_lifetime=300,
            server_settings={
                **SESSION,
                "application_name": name,
                "synchronous_commit": "on" if synchronous_commit else "off",
            },
        )
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise StoreUnreachableError(
            f"PostgreSQL does not answer ({type(error).__name__}: {error}); check DATABASE_URL, or start one with "
            "`xero-stream local`"
        ) from error


def utc_now() -> datetime:
    """The local clock, aware."""
    return datetime.now(UTC)
