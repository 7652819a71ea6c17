"""The days of the ``changes`` table: made ahead, dropped when old, never past the relay's mark."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg


def partition_name(day: date) -> str:
    """The table of one day, e.g. ``changes_20261122``."""
    return f"changes_{day:%Y%m%d}"


async def make_days(pool: "asyncpg.Pool[Any]", today: date, *, ahead: int = 3) -> list[str]:
    """Make today's partition and those of the next days.

    A day whose changes already fell into the default partition is left there: it stays readable, and the next day gets
    its own table.

    Args:
        today: the current date, UTC.
        ahead: how many further days.

    Returns:
        The names of the tables made.
    """
    made = []
    for offset in range(ahead + 1):
        day = today + timedelta(days=offset)
        name = partition_name(day)
        async with pool.acquire() as connection:
            if await connection.fetchval("SELECT to_regclass($1) IS NOT NULL", name):
                continue
            start = datetime(day.year, day.month, day.day, tzinfo=UTC)
            try:
                await connection.execute(
                    f"CREATE TABLE IF NOT EXISTS {name} PARTITION OF changes "
                    f"FOR VALUES FROM ('{start.isoformat()}') TO ('{(start + timedelta(days=1)).isoformat()}')"
                )
                made.append(name)
            except (asyncpg.CheckViolationError, asyncpg.UniqueViolationError, asyncpg.DuplicateTableError):
                continue
    return made


async def drop_days(pool: "asyncpg.Pool[Any]", before: date) -> list[str]:
    """Drop the days before a date whose every change is on Kafka.

    Args:
        before: the first day to keep.

    Returns:
        The names of the tables dropped.
    """
    dropped = []
    async with pool.acquire() as connection:
        names = await connection.fetch(
            "SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'changes'::regclass"
        )
        for name in sorted(row["name"] for row in names):
            if name == "changes_default" or name >= partition_name(before):
                continue
            unsent = await connection.fetchval(
                f"SELECT EXISTS (SELECT 1 FROM {name} c JOIN relay_marks m USING (partition) WHERE c.position > m.position)"  # noqa: S608 - a table name from the catalogue
            )
            if not unsent:
                await connection.execute(f"DROP TABLE {name}")
                dropped.append(name)
    return dropped
