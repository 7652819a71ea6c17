"""What counts as trouble of the store: never as a fault of what was to be stored."""

import asyncpg
import pytest

from xero_stream.store.pool import STORE_ERRORS, passes


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is in progress"),
        asyncpg.InterfaceError("cannot perform operation: another operation is in progress"),
        asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation"),
        asyncpg.AdminShutdownError("terminating connection due to administrator command"),
        TimeoutError(),
        ConnectionResetError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_ended_session_is_the_stores_trouble_and_passes(error: Exception) -> None:
    """Whatever asyncpg makes of it: the work stays due, and nothing is held against a record."""
    assert isinstance(error, STORE_ERRORS)
    assert passes(error)
