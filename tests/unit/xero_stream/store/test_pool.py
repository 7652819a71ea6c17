"""Which troubles with PostgreSQL pass by themselves."""

import socket
import ssl

import asyncpg
import pytest

from xero_stream.store.pool import passes


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError(),
        TimeoutError(),
        socket.gaierror("the name server is not up yet"),
        asyncpg.InterfaceError("connection is closed"),
        asyncpg.ConnectionDoesNotExistError(),
        asyncpg.CannotConnectNowError("the database system is starting up"),
        asyncpg.AdminShutdownError(),
        asyncpg.TooManyConnectionsError(),
        asyncpg.DiskFullError(),
        asyncpg.DeadlockDetectedError(),
        asyncpg.SerializationError(),
        asyncpg.LockNotAvailableError(),
        asyncpg.IdleInTransactionSessionTimeoutError(),
        asyncpg.ReadOnlySQLTransactionError(),
        asyncpg.InternalServerError("could not write to log file: File too large"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_trouble_that_passes(error: Exception) -> None:
    """Outages, restarts, failovers, full disks, conflicts: asked again, they may be gone."""
    assert passes(error)


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.InvalidPasswordError(),
        asyncpg.InvalidCatalogNameError(),
        asyncpg.InvalidAuthorizationSpecificationError(),
        asyncpg.InsufficientPrivilegeError(),
        asyncpg.UndefinedTableError(),
        asyncpg.ClientConfigurationError("invalid DSN"),
        ssl.SSLCertVerificationError(),
        ValueError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_trouble_that_stays(error: Exception) -> None:
    """Settings, rights and our own faults: asking again changes nothing."""
    assert not passes(error)
