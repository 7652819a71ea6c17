"""Bring the store's schema up to date. Safe to run from many processes at once and under load."""

import asyncio
import logging
from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

_LOCK = 0x7865726F  # "xero": one migration at a time, whichever process starts it
_HERE = Path(__file__).parent / "migrations"
LOCK_TIMEOUT = "10s"
"""A step must not queue behind a long reader while everybody queues behind the step."""


class MigrationError(Exception):
    """The schema can't be brought up to date; the message says why."""


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_HERE).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def newest() -> str:
    """The revision this release needs."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    if head is None:
        raise MigrationError("this installation has no migrations: reinstall xero-stream")
    return head


async def upgrade(database_url: str) -> None:
    """Apply every missing step, each in a transaction of its own, under an advisory lock.

    Args:
        database_url: where the store is.

    Raises:
        MigrationError: a step failed or the database can't be reached; what was applied stays applied.
    """
    logging.getLogger("alembic").setLevel(logging.WARNING)
    engine = create_async_engine("postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(database_url))
    try:
        async with engine.connect() as lock, engine.connect() as connection:
            await lock.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
            try:
                await connection.run_sync(_upgrade)
            finally:
                await lock.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _LOCK})
    except DBAPIError as error:
        # Its own text quotes the whole statement; what PostgreSQL said is inside.
        raise MigrationError(f"the store could not be migrated: {error.orig}") from error
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise MigrationError(f"the store could not be migrated: {error}") from error
    finally:
        await engine.dispose()
        await asyncio.sleep(0)


def _upgrade(connection: Connection) -> None:
    connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
    connection.commit()
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    connection.commit()
