"""What a process does for the whole store on a timer: whichever process does it first, it is done."""

import asyncio
import contextlib
import math
import time
from datetime import timedelta
from typing import Any

import asyncpg
import structlog

from processors.maintenance.metrics import MaintenanceMetrics
from processors.quotas.egress import KEPT as EGRESS_KEPT
from processors.quotas.egress import Egress
from processors.sync.missed import heal_missed
from xero_stream.settings.processors import ProcessorSettings
from xero_stream.store import egress
from xero_stream.store.clock import set_clock, utc_now
from xero_stream.store.days import drop_days, make_days
from xero_stream.store.pool import STORE_ERRORS
from xero_stream.store.quarantine import Trimmed, bound
from xero_stream.store.quarantine import expire as expire_quarantine
from xero_stream.store.unconnected import expire
from xero_stream.telemetry.memory import give_back

log = structlog.get_logger(__name__)

_TRIMMED_EVERY = 60.0


def _trimmed(metrics: MaintenanceMetrics, trimmed: Trimmed) -> None:
    metrics.quarantine.trimmed(trimmed)
    if trimmed.open or trimmed.emptied:
        log.warning(
            "quarantine_trimmed",
            open_deleted=trimmed.open,
            open_without_bytes=trimmed.emptied,
            resolved_deleted=trimmed.resolved,
            hint="they are old, or an app has too many; their bytes are on the topic dead-letters",
        )


async def chores(
    settings: ProcessorSettings, pool: "asyncpg.Pool[Any]", read: Egress, metrics: MaintenanceMetrics
) -> None:
    """The store's clock and missed events every few seconds, what grows old every hour; until cancelled.

    Args:
        settings: how long things are kept.
        read: bytes read from Xero that are not written down yet.
        metrics: what is counted.
    """
    days_at, trimmed_at, gap_patience = -math.inf, 0.0, timedelta(seconds=settings.gap_patience_seconds)
    while True:
        metrics.heartbeats.beat("chores")
        try:
            await set_clock(pool)
            await read.write(pool)
            await heal_missed(pool, metrics.sync, now=utc_now(), patience=gap_patience)
            if time.monotonic() - days_at > 3600:
                days_at = time.monotonic()
                today = utc_now().date()
                metrics.heartbeats.beat("chores")
                await make_days(pool, today)
                metrics.heartbeats.beat("chores")
                await drop_days(pool, today - timedelta(days=settings.change_days))
                await egress.forget(pool, today - EGRESS_KEPT)
                _trimmed(metrics, await expire_quarantine(pool, utc_now() - timedelta(days=settings.quarantine_days)))
                metrics.intake.unconnected_expired(await expire(pool, settings.unconnected_events_days))
        except STORE_ERRORS as error:
            log.warning("chores_wait_for_store", reason=str(error)[:300])
        if time.monotonic() - trimmed_at > _TRIMMED_EVERY:
            trimmed_at = time.monotonic()
            give_back()
            with contextlib.suppress(*STORE_ERRORS):
                _trimmed(metrics, await bound(pool, settings.quarantine_megabytes * 1024 * 1024))
        await asyncio.sleep(5)


async def write_egress(pool: "asyncpg.Pool[Any]", read: Egress) -> None:
    """Write down at the end how many bytes the last seconds brought."""
    try:
        async with asyncio.timeout(3):
            await read.write(pool)
    except STORE_ERRORS as error:
        log.warning("egress_not_written", reason=repr(error)[:300])
