"""What time it is, by the store's clock: all processes count the same hours, whatever their machines' clocks do.

Between two looks at the store's clock our own monotonic one goes on: somebody who sets a machine's time moves nothing.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import asyncpg

_SOON_ENOUGH = 0.25
"""Seconds. An answer that took longer says too little about when it was written."""


class StoreClock:
    """The store's time. Until the first look at it, the machine's own at the start: look before anything is decided."""

    def __init__(
        self,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,  # noqa: TID251 - only until the first look
    ) -> None:
        self._monotonic = monotonic
        self._ahead = wall() - monotonic()
        self._seen = False

    def now(self) -> datetime:
        """Aware, in UTC."""
        return datetime.fromtimestamp(self._monotonic() + self._ahead, UTC)

    async def set(self, pool: "asyncpg.Pool[Any]") -> None:
        """Look at the store's clock. The first look is believed however long it took: the machine's own may be a day off."""
        sent = self._monotonic()
        found: datetime = await pool.fetchval("SELECT clock_timestamp()")
        received = self._monotonic()
        if received - sent <= _SOON_ENOUGH or not self._seen:
            self._seen = True
            self._ahead = found.timestamp() - (sent + received) / 2


_CLOCK = StoreClock()


def utc_now() -> datetime:
    """The store's time, aware, in UTC."""
    return _CLOCK.now()


async def set_clock(pool: "asyncpg.Pool[Any]") -> None:
    """Look at the store's clock: at the start, and every now and then."""
    await _CLOCK.set(pool)
