"""How things stand, over all partitions and tenants: the gauges that are read from the servers on a timer.

Every process reads all of them, so none is lost with the process that owned a partition. What could not be read for a while
is left out, and ``xero_stream_readings_age_seconds`` grows.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import asyncpg
import structlog
from aiokafka.errors import KafkaError

from processors.maintenance.metrics import MaintenanceMetrics, Source, Standing
from processors.quotas import egress
from xero_stream.contracts.names import AppName
from xero_stream.settings.xero import AppTier
from xero_stream.store import entity_holds
from xero_stream.store.pool import STORE_ERRORS
from xero_stream.store.queries.maintenance import next_offsets, numbers

log = structlog.get_logger(__name__)

EVERY_SECONDS = 5.0
Bounds = Callable[[], Awaitable[Mapping[int, tuple[int, int]]]]
"""The first offset of ``webhook-events`` and the one after the last, of every partition."""
_LONGEST_SECONDS = 10.0


async def survey(pool: "asyncpg.Pool[Any]", metrics: MaintenanceMetrics, tier_of: Callable[[AppName], AppTier]) -> None:
    """Read the gauges that come from the store.

    Args:
        tier_of: an app's tier.
    """
    row = await numbers(pool)
    billed = await egress.survey(pool, tier_of)
    metrics.stands(
        Source.STORE,
        {
            Standing.DIRTY: row.dirty,
            Standing.OLDEST_UNSETTLED: max(0.0, float(row.oldest or 0)),
            Standing.QUARANTINE_OPEN: row.quarantined,
            Standing.PARKED: row.parked,
            Standing.SUSPENDED: row.suspended,
            Standing.UNCONNECTED: row.unconnected,
            Standing.UNCONNECTED_RECORDS: float(row.unconnected_records),
            Standing.UNCONNECTED_DROPPED: _seconds(row.unconnected_dropped),
            Standing.HELD: await entity_holds.count(pool),
            Standing.LOWEST_DAY: row.lowest_day,
            Standing.RELAY_LAG: float(row.relay_lag),
            Standing.RELAY_OLDEST: max(0.0, float(row.relay_oldest or 0)),
            Standing.EGRESS_MONTH: billed.read,
            Standing.EGRESS_FORECAST: billed.forecast,
            Standing.EGRESS_SHARE: billed.share,
        },
    )


async def survey_intake(pool: "asyncpg.Pool[Any]", bounds: Bounds, metrics: MaintenanceMetrics) -> None:
    """Read how much of ``webhook-events`` was not taken in, from Kafka and the store.

    Args:
        bounds: asks Kafka.
        metrics: where it is shown.
    """
    reached = await next_offsets(pool)
    ends = await bounds()
    # Read after the offsets were: events that come meanwhile only wait for the next look.
    places = {
        partition: (ends[partition][0] if next_offset is None else next_offset, ends[partition][1])
        for partition, next_offset in reached.items()
        if partition in ends
    }
    metrics.intake.stands(places)
    waiting = sum(max(0, end - next_offset) for next_offset, end in places.values())
    metrics.stands(Source.KAFKA, {Standing.INTAKE_LAG: waiting})


async def watch(
    pool: "asyncpg.Pool[Any]",
    bounds: Bounds,
    metrics: MaintenanceMetrics,
    tier_of: Callable[[AppName], AppTier],
) -> None:
    """Read them all every five seconds, until cancelled."""
    while True:
        metrics.heartbeats.beat("standing")
        try:
            async with asyncio.timeout(_LONGEST_SECONDS):
                await survey(pool, metrics, tier_of)
            async with asyncio.timeout(_LONGEST_SECONDS):
                await survey_intake(pool, bounds, metrics)
        except (*STORE_ERRORS, KafkaError) as error:
            log.warning("gauges_not_read", reason=f"{type(error).__name__}: {error}"[:300])
        except Exception as error:
            # The gauges that are not read grow old, and that is an alert: no reason to end the process.
            log.exception("gauges_not_read", reason=repr(error)[:300])
        await asyncio.sleep(EVERY_SECONDS)


def _seconds(age: Any) -> float | None:
    return None if age is None else max(0.0, float(age))
