"""Connections to the store that a frozen process can't hold locks with."""

import ssl
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


STORE_ERRORS = (
    OSError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # what asyncpg says where the server ends a session in the middle of a statement
)
"""What a statement, or the attempt to get a connection for one, may end with when something is wrong with the store."""


class StoreUnreachableError(Exception):
    """PostgreSQL can't be reached or refuses us; the message says which and what to do."""


class StoreRefusesError(StoreUnreachableError):
    """PostgreSQL is there and turns us away: wrong user, password or database. Asking again changes nothing."""


_PASSES = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # it starts, stops or recovers; a session was terminated
    asyncpg.InsufficientResourcesError,  # too many sessions, a full disk
    asyncpg.TransactionRollbackError,  # deadlocks, conflicts
    asyncpg.LockNotAvailableError,
    asyncpg.InvalidTransactionStateError,  # a transaction that took too long; a standby that becomes the primary
    asyncpg.PostgresSystemError,  # its disk
    asyncpg.InternalServerError,
)


_SET_UP = (
    asyncpg.SyntaxOrAccessError,  # a right, a table or a column is missing
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InvalidSchemaNameError,
    asyncpg.ClientConfigurationError,
    ssl.SSLCertVerificationError,
)


def is_about_the_values(error: BaseException) -> bool:
    """Whether a failed transaction failed for what was to be written, so that some of it alone may succeed.

    False for a matter of time (:func:`passes`) and for one of rights, schema or settings, which would refuse everything.

    Args:
        error: what asyncpg raised, or a fault of ours on the way.
    """
    return not passes(error) and not isinstance(error, _SET_UP)


def passes(error: BaseException) -> bool:
    """Whether a failed statement or connection is a matter of time, and not of settings or rights.

    Args:
        error: what asyncpg raised.
    """
    if isinstance(error, ssl.SSLCertVerificationError | asyncpg.ClientConfigurationError):
        return False
    if isinstance(error, asyncpg.PostgresError):
        return isinstance(error, _PASSES)
    if isinstance(error, asyncpg.InterfaceError):
        return not isinstance(error, ValueError)  # asyncpg's own DataError: a value that no connection would take
    return isinstance(error, OSError | asyncpg.InternalClientError)


def store_unreachable(error: Exception) -> bool:
    """Whether an error says that PostgreSQL does not answer, and may do so later; False where it refuses us."""
    if isinstance(error, StoreUnreachableError):
        return not isinstance(error, StoreRefusesError)
    return isinstance(error, STORE_ERRORS) and passes(error)


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
        StoreRefusesError: PostgreSQL turns us away for good.
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
    except STORE_ERRORS as error:
        kind = StoreUnreachableError if passes(error) else StoreRefusesError
        raise kind(
            f"PostgreSQL does not answer ({type(error).__name__}: {error}); check DATABASE_URL, or start one with "
            "`xero-stream local`"
        ) from error
