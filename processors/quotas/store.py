"""Statements of quotas: the ledgers of the apps' minutes, and what was read from Xero by day."""

import asyncio
import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any

import asyncpg
import orjson

from xero_api.budget.shared import Ask, Grant, Ledger, Part, exchange
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
_LONGEST_PAUSE = 0.02

_ADD_EGRESS = """
INSERT INTO egress AS known (app, day, tenant_id, entity, calls, bytes)
SELECT * FROM unnest($1::text[], $2::date[], $3::text[], $4::text[], $5::bigint[], $6::bigint[])
ON CONFLICT (day, app, tenant_id, entity)
DO UPDATE SET calls = known.calls + excluded.calls, bytes = known.bytes + excluded.bytes
"""

_BILLED = """
SELECT app, day, sum(bytes)::bigint AS bytes FROM egress WHERE day >= $1 AND entity <> ALL($2) GROUP BY app, day
"""


class StoredLedgers:
    """The apps' ledgers, in the store; see :class:`xero_api.budget.shared.Ledgers`."""

    def __init__(self, pool: "asyncpg.Pool[Any]", *, limit: int, pace: float = 1.0) -> None:
        """Nothing is read yet.

        Args:
            pool: the store; its clock is that of the ledgers.
            limit: calls a minute of an app.
            pace: how many seconds of the limits pass in one; tests let them pass faster.
        """
        self._pool = pool
        self._limit = limit
        self._pace = pace

    async def exchange(self, app: str, holder: str, ask: Ask) -> Grant:
        """Change the ledger as it was read; read it again if somebody else was faster."""
        while True:
            row = await self._pool.fetchrow(_READ, app)
            now = row["now"] * self._pace
            ledger, grant = exchange(_ledger(row["ledger"]), holder, ask, limit=self._limit, now=now)
            if await self._pool.fetchval(_WRITE, app, row["version"], _stored(ledger)) is not None:
                return grant
            await asyncio.sleep(random.uniform(0, _LONGEST_PAUSE))


def _stored(ledger: Ledger) -> bytes:
    return orjson.dumps(
        {
            "parts": {name: [part.held, part.wish, part.at, part.until] for name, part in ledger.parts.items()},
            "foreign": [ledger.foreign, ledger.foreign_until],
            "quiet_until": ledger.quiet_until,
            "most": ledger.most,
            "since": ledger.since,
        }
    )


def _ledger(stored: bytes) -> Ledger:
    content = orjson.loads(stored)
    if not content:
        return Ledger()
    foreign, foreign_until = content["foreign"]
    return Ledger(
        parts=MappingProxyType(
            {
                name: Part(held=held, wish=wish, at=at, until=until)
                for name, (held, wish, at, until) in content["parts"].items()
            }
        ),
        foreign=foreign,
        foreign_until=foreign_until,
        quiet_until=content["quiet_until"],
        most=tuple(content["most"]),
        since=content["since"],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What was read from Xero.

    Attributes:
        app: for which app.
        day: when, UTC.
        tenant_id: of which organisation; empty for none.
        entity: what.
        calls: in how many calls.
        bytes: bodies as they came over the wire.
    """

    app: str
    day: date
    tenant_id: str
    entity: str
    calls: int
    bytes: int


async def add_egress(pool: "asyncpg.Pool[Any]", reads: Sequence[Read]) -> None:
    """Add to what was read.

    Args:
        pool: the store.
        reads: no two of the same app, day, organisation and entity.
    """
    columns = zip(*((one.app, one.day, one.tenant_id, one.entity, one.calls, one.bytes) for one in reads), strict=True)
    await pool.execute(_ADD_EGRESS, *(list(column) for column in columns))


async def billed(
    pool: "asyncpg.Pool[Any]", since: date, *, free: Collection[str]
) -> Mapping[AppName, Mapping[date, int]]:
    """Bytes that Xero bills, by app and day.

    Args:
        pool: the store.
        since: the first day.
        free: the entities that are not billed.
    """
    found: dict[AppName, dict[date, int]] = {}
    for row in await pool.fetch(_BILLED, since, list(free)):
        found.setdefault(AppName(row["app"]), {})[row["day"]] = row["bytes"]
    return found


async def forget_egress(pool: "asyncpg.Pool[Any]", before: date) -> None:
    """Forget what was read on earlier days.

    Args:
        pool: the store.
        before: the first day to keep.
    """
    await pool.execute("DELETE FROM egress WHERE day < $1", before)
