"""The table ``app_minutes``: the ledger of each app's calls a minute, by version. Every statement that writes it."""

from dataclasses import dataclass
from typing import Any

import asyncpg

from xero_stream.contracts.names import AppName

_READ = """
SELECT coalesce(version, -1) AS version, coalesce(ledger, '{}') AS ledger,
       extract(epoch FROM clock_timestamp())::float8 AS now
FROM (SELECT $1::text AS app) AS asked LEFT JOIN app_minutes USING (app)
"""

_WRITE = """
INSERT INTO app_minutes AS known (app, version, ledger) VALUES ($1, 0, $3)
ON CONFLICT (app) DO UPDATE SET version = known.version + 1, ledger = $3 WHERE known.version = $2
RETURNING version
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRow:
    """A ledger as stored.

    Attributes:
        version: -1 where there is none yet.
        ledger: JSON.
        now: Unix time of the store's clock when it was read.
    """

    version: int
    ledger: bytes
    now: float


async def read(pool: "asyncpg.Pool[Any]", app: AppName) -> LedgerRow:
    """An app's ledger, and the time."""
    return LedgerRow(**dict(await pool.fetchrow(_READ, app)))


async def write(pool: "asyncpg.Pool[Any]", app: AppName, version: int, ledger: bytes) -> bool:
    """Write a ledger over the version that it was made from; False where somebody else was faster."""
    return await pool.fetchval(_WRITE, app, version, ledger) is not None
