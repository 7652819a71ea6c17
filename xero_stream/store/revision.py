"""Which schema the store has, and which one this release needs: without the tools that change it, which load slowly."""

import asyncpg

NEEDED = "0015"
"""The newest migration. A test holds it against the migrations themselves."""


async def current(database_url: str) -> str | None:
    """The revision the store is at, or None for an empty database.

    Args:
        database_url: where the store is.
    """
    connection = await asyncpg.connect(database_url)
    try:
        if await connection.fetchval("SELECT to_regclass('alembic_version')") is None:
            return None
        version: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
        return version
    finally:
        await connection.close()
