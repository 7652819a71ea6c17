"""The ledgers of the apps' minutes, in the store."""

import asyncio
import random
from types import MappingProxyType
from typing import Any

import asyncpg
import orjson

from xero_api.budget.shared import Ask, Grant, Ledger, Part, exchange
from xero_stream.contracts.names import AppName
from xero_stream.store import app_minutes

_LONGEST_PAUSE = 0.02


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
            row = await app_minutes.read(self._pool, AppName(app))
            ledger, grant = exchange(_ledger(row.ledger), holder, ask, limit=self._limit, now=row.now * self._pace)
            if await app_minutes.write(self._pool, AppName(app), row.version, _stored(ledger)):
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
