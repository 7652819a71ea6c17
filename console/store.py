"""The store as the console has it: there, or not for now. A request waits for nothing; the connection is made again beside it."""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import structlog

from xero_stream.settings.store import StoreSettings
from xero_stream.store.clock import set_clock
from xero_stream.store.pool import STORE_ERRORS, StoreUnreachableError, open_pool
from xero_stream.store.revision import NEEDED
from xero_stream.telemetry.health import Health

log = structlog.get_logger(__name__)

_LOOKS_EVERY = 2.0
_LONGEST_PAUSE = 5.0
_PATIENCE = 5.0
_CLOCK_EVERY = 60.0


class NotMigratedError(StoreUnreachableError):
    """The store has no schema, or that of a release before."""


class Store:
    """Connections to the store, made while :meth:`opened` runs."""

    def __init__(self, settings: StoreSettings) -> None:
        """Nothing is opened yet.

        Args:
            settings: where it is.
        """
        self._settings = settings
        self._pool: asyncpg.Pool[Any] | None = None
        self._reason: str | None = "not looked for yet"
        self._looked_at = time.monotonic()
        self._clock_at = 0.0

    @property
    def pool(self) -> "asyncpg.Pool[Any]":
        """Connections.

        Raises:
            StoreUnreachableError: there were none so far.
        """
        if self._pool is None:
            raise StoreUnreachableError("the store was not reached yet")
        return self._pool

    @property
    def up(self) -> bool:
        """Whether it answered when last looked at."""
        return self._reason is None

    def ready(self) -> Health:
        """Whether requests can be answered."""
        return Health(ok=self._reason is None, reasons={"store": self._reason or "answers"})

    def silent_seconds(self) -> float:
        """For how long it was not looked at: the loop stands, or this task does."""
        return time.monotonic() - self._looked_at

    @contextlib.asynccontextmanager
    async def opened(self) -> "AsyncIterator[None]":
        """Look for the store until the block ends."""
        task = asyncio.create_task(self._keep(), name="store")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})
            if self._pool is not None:
                with contextlib.suppress(*STORE_ERRORS):
                    async with asyncio.timeout(3):
                        await self._pool.close()
                self._pool.terminate()

    async def _keep(self) -> None:
        failures = 0
        while True:
            try:
                async with asyncio.timeout(_PATIENCE * 2):
                    await self._look()
            except (StoreUnreachableError, *STORE_ERRORS) as error:
                failures += 1
                reason = (
                    f"{type(error).__name__}: {error}" if isinstance(error, NotMigratedError) else type(error).__name__
                )
                if self._reason != reason:
                    log.warning("store_unavailable", reason=reason)
                self._reason = reason
            else:
                failures = 0
                if self._reason is not None:
                    log.info("store_available")
                self._reason = None
            self._looked_at = time.monotonic()
            pause = min(_LONGEST_PAUSE, 0.25 * 2**failures) if failures else _LOOKS_EVERY
            await asyncio.sleep(pause * random.uniform(0.8, 1.2))

    async def _look(self) -> None:
        if self._pool is None:
            pool = await open_pool(
                self._settings.database_url.get_secret_value(),
                size=self._settings.pool_size,
                name="xero-stream-console",
            )
            try:
                await _check_schema(pool)
            except BaseException:
                pool.terminate()
                raise
            self._pool = pool
        if time.monotonic() - self._clock_at > _CLOCK_EVERY:
            await set_clock(self._pool)
            self._clock_at = time.monotonic()
        else:
            await self._pool.fetchval("SELECT 1", timeout=_PATIENCE)


async def _check_schema(pool: "asyncpg.Pool[Any]") -> None:
    if await pool.fetchval("SELECT to_regclass('alembic_version')") is None:
        raise NotMigratedError("the store is empty: run `xero-stream migrate` first")
    found = await pool.fetchval("SELECT version_num FROM alembic_version")
    if found < NEEDED:
        raise NotMigratedError(f"the store's schema is {found}, this release needs {NEEDED}: run `xero-stream migrate`")
