"""Keeps this process's part of each app's minute fresh: nobody who wants to call Xero waits for the store."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import uuid4

import structlog

from processors.heartbeats import Heartbeats
from processors.quotas.metrics import QuotaMetrics
from xero_api.budget.shared import Ledgers, SharedMinute
from xero_api.budget.tenant import ABANDONED_SECONDS, APP_PER_MINUTE
from xero_stream.contracts.names import AppName
from xero_stream.store.pool import STORE_ERRORS

log = structlog.get_logger(__name__)

_EXCHANGE_SECONDS = 5.0
_FAREWELL_SECONDS = 2.0


@dataclass(slots=True, kw_only=True)
class _Kept:
    """One app's minute, and the task that keeps it."""

    minute: SharedMinute
    due: asyncio.Event
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    task: "asyncio.Task[None] | None" = None


class AppMinutes:
    """The minutes of the apps that this process calls for. One per process."""

    def __init__(
        self,
        ledgers: Ledgers,
        *,
        http_timeout: float,
        metrics: QuotaMetrics,
        heartbeats: Heartbeats,
        limit: int = APP_PER_MINUTE,
        now: Callable[[], float] = time.monotonic,
        pace: float = 1.0,
    ) -> None:
        """Hold nothing yet.

        Args:
            ledgers: shared with the other processes.
            http_timeout: seconds a call may take.
            metrics: where our parts are shown.
            heartbeats: told that an app's task makes progress.
            limit: calls a minute of an app.
            now: seconds that never go back, as the budgets of the app's tenants count them.
            pace: how many of these pass in a second; tests let them pass faster.
        """
        self._ledgers = ledgers
        self._holder = uuid4().hex
        self._call_seconds = http_timeout + ABANDONED_SECONDS
        self._metrics = metrics
        self._heartbeats = heartbeats
        self._limit = limit
        self._now = now
        self._pace = pace
        self._kept: dict[AppName, _Kept] = {}

    async def of(self, app: AppName) -> SharedMinute:
        """An app's minute, once there is a part of it to use. From the second time on nobody waits."""
        kept = self._kept.get(app)
        if kept is None:
            due = asyncio.Event()
            minute = SharedMinute(whole=self._limit, call_seconds=self._call_seconds, on_due=due.set)
            kept = self._kept[app] = _Kept(minute=minute, due=due)
            kept.task = asyncio.create_task(self._keep(app, kept), name=f"app-minute-{app}")
        await kept.begun.wait()
        return kept.minute

    async def aclose(self) -> None:
        """Give back what is left. Tell it when no call is under way any more."""
        tasks = [kept.task for kept in self._kept.values() if kept.task is not None]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        with contextlib.suppress(*STORE_ERRORS):
            async with asyncio.timeout(_FAREWELL_SECONDS):
                for app, kept in self._kept.items():
                    await self._ledgers.exchange(app, self._holder, kept.minute.farewell(self._now()))
        for app in self._kept:
            self._heartbeats.done(_beat_name(app))
        self._kept.clear()

    async def _keep(self, app: AppName, kept: _Kept) -> None:
        while True:
            self._heartbeats.beat(_beat_name(app))
            kept.due.clear()
            wait = (kept.minute.next_at - self._now()) / self._pace
            if wait <= 0:
                await self._exchange(app, kept)
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await kept.due.wait()

    async def _exchange(self, app: AppName, kept: _Kept) -> None:
        minute = kept.minute
        ask = minute.ask(self._now())
        try:
            async with asyncio.timeout(_EXCHANGE_SECONDS):
                grant = await self._ledgers.exchange(app, self._holder, ask)
        except STORE_ERRORS as error:
            minute.failed(self._now())
            log.warning("app_minute_waits_for_store", app=app, reason=repr(error)[:300])
            return
        minute.granted(grant, self._now())
        kept.begun.set()
        self._metrics.app_minute(app, held=grant.calls, used=ask.keeps, short=grant.calls < ask.wish)


def _beat_name(app: AppName) -> str:
    return f"app-minute-{app}"
