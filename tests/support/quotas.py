"""Processes that draw from an app's minute, with the limits' time running fast."""

import asyncio
import time
from typing import Any

import asyncpg
from prometheus_client import CollectorRegistry

from processors.metrics import ProcessorMetrics
from processors.quotas.ledgers import StoredLedgers
from processors.quotas.minutes import AppMinutes
from xero_stream.contracts.names import DEFAULT_APP

PACE = 30.0
"""Seconds of the limits in one of ours: a minute passes in two."""
LIMIT = 60
TIMEOUT = 3.0


def at_pace() -> float:
    """Seconds as the limits count them."""
    return time.monotonic() * PACE


def minutes(
    pool: "asyncpg.Pool[Any]", *, limit: int = LIMIT, pace: float = PACE, http_timeout: float = TIMEOUT
) -> AppMinutes:
    """What one process keeps."""
    metrics = ProcessorMetrics(CollectorRegistry())
    return AppMinutes(
        StoredLedgers(pool, limit=limit, pace=pace),
        http_timeout=http_timeout,
        metrics=metrics.quotas,
        heartbeats=metrics.heartbeats,
        limit=limit,
        now=lambda: time.monotonic() * pace,
        pace=pace,
    )


class Calls:
    """Calls that take no time, of one process: made as its part of the minute allows."""

    def __init__(self, kept: AppMinutes, made: list[float]) -> None:
        self._kept = kept
        self._made = made
        self.count = 0

    async def run(self, most: int | None = None) -> None:
        """Make so many calls, or calls until cancelled."""
        minute = await self._kept.of(DEFAULT_APP)
        while self.count != most:
            now = at_pace()
            free = minute.free_at(now)
            if free > now:
                await asyncio.sleep((free - now) / PACE)
                continue
            self.count += 1
            self._made.append(now)
            minute.start(self.count, now)
            await asyncio.sleep(0)
            minute.end(self.count, at_pace(), at_pace())
