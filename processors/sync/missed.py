"""Events that Xero never delivered: their numbers are missed, and what may have changed is read again."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import structlog

from processors.sync.metrics import SyncMetrics
from processors.sync.sequence import Gap, Range, SequenceTracker, reckon
from xero_stream.contracts.names import AppName
from xero_stream.store import delivered_ranges, passes, sequences
from xero_stream.store.passes import CATCH_UP_OVERLAP
from xero_stream.store.sequences import SequenceRow

log = structlog.get_logger(__name__)

APART = 3
"""Patiences between two healings of an app: if the numbers turn out to mean something else, they cost few calls."""

_LOCK = 0x5EC0_0001
_SHOWN = 5


async def heal_missed(pool: "asyncpg.Pool[Any]", metrics: SyncMetrics, *, now: datetime, patience: timedelta) -> None:
    """Do the sums of every app; where numbers stay missing, open catch-up passes for all its organisations.

    One process at a time does it; the others find it being done.

    Args:
        metrics: where gaps are counted.
        patience: how long a gap may stay open.
    """
    async with pool.acquire() as connection, connection.transaction():
        if not await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", _LOCK):
            return
        came = await _taken(connection)
        trackers = await _trackers(connection)
        for app in trackers.keys() | came.keys():
            before = trackers.get(app)
            tracker, gaps = reckon(before, came.get(app, ()), now, patience)
            if tracker is not None and tracker != before:
                await _keep(connection, app, tracker)
            if gaps:
                _tell(metrics, app, gaps)
            if tracker is not None and tracker.lost_since is not None and _may_heal(tracker, now, patience):
                opened = await passes.catch_up_app(connection, app, tracker.lost_since - CATCH_UP_OVERLAP)
                await sequences.healed(connection, app, now)
                log.warning("missed_events_healed", app=app, since=tracker.lost_since.isoformat(), passes_opened=opened)


def _may_heal(tracker: SequenceTracker, now: datetime, patience: timedelta) -> bool:
    return tracker.healed_at is None or now - tracker.healed_at >= APART * patience


def _tell(metrics: SyncMetrics, app: AppName, gaps: Sequence[Gap]) -> None:
    missing = sum(gap.last - gap.first + 1 for gap in gaps)
    metrics.events_missed(missing)
    log.error(
        "events_missed",
        app=app,
        missing=missing,
        gaps=[f"{gap.first}-{gap.last}" for gap in gaps[:_SHOWN]],
        hint="Xero numbered events that it never delivered; catch-up passes read what changed since",
    )


async def _taken(connection: Any) -> dict[AppName, list[Range]]:
    came: dict[AppName, list[Range]] = {}
    for one in await delivered_ranges.take(connection):
        came.setdefault(one.app, []).append(
            Range(first=one.first, last=one.last, noted_at=one.noted_at, received_at=one.received_at)
        )
    return came


async def _trackers(connection: Any) -> dict[AppName, SequenceTracker]:
    return {
        row.app: SequenceTracker(
            settled=row.settled,
            settled_at=row.settled_at,
            pending_ranges=tuple(_range(*numbers) for numbers in row.islands),
            lost_since=row.lost_since,
            healed_at=row.healed_at,
        )
        for row in await sequences.sequences(connection)
    }


def _range(first: int, last: int, noted_at: float, received_at: float) -> Range:
    return Range(
        first=first,
        last=last,
        noted_at=datetime.fromtimestamp(noted_at, UTC),
        received_at=datetime.fromtimestamp(received_at, UTC),
    )


async def _keep(connection: Any, app: AppName, tracker: SequenceTracker) -> None:
    row = SequenceRow(
        app=app,
        settled=tracker.settled,
        settled_at=tracker.settled_at,
        islands=[
            (one.first, one.last, one.noted_at.timestamp(), one.received_at.timestamp())
            for one in tracker.pending_ranges
        ],
        lost_since=tracker.lost_since,
    )
    await sequences.keep(connection, row)
