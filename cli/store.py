"""The store, for commands that ask it something and end."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from xero_stream.settings.base import SettingsError
from xero_stream.settings.store import StoreSettings
from xero_stream.store.pool import StoreUnreachableError, open_pool
from xero_stream.store.revision import NEEDED

STORE_ERRORS = (StoreUnreachableError, asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError)
"""It does not answer, or no longer."""


class NotPreparedError(SettingsError):
    """A step of the set-up is missing; the message says which."""


def database_url() -> str:
    """Where the store is.

    Raises:
        SettingsError: DATABASE_URL is malformed.
    """
    return StoreSettings.read().database_url.get_secret_value()


@asynccontextmanager
async def store() -> AsyncIterator["asyncpg.Pool[Any]"]:
    """Connections to a migrated store.

    Raises:
        StoreUnreachableError: it does not answer.
        NotPreparedError: it has no schema, or that of a release before.
        SettingsError: DATABASE_URL is malformed.
    """
    pool = await open_pool(database_url(), size=4, name="xero-stream-cli")
    try:
        if await pool.fetchval("SELECT to_regclass('alembic_version')") is None:
            raise NotPreparedError("the store is empty: run `xero-stream migrate` first")
        found = await pool.fetchval("SELECT version_num FROM alembic_version")
        if found < NEEDED:
            raise NotPreparedError(
                f"the store's schema is {found}, this release needs {NEEDED}: run `xero-stream migrate` first"
            )
        yield pool
    finally:
        await pool.close()
