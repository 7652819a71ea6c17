"""Bytes read from Xero, which bills them: counted as calls end, written to the store every few seconds, forecast."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg

from xero_api.budget.forecast import first_day_needed, month
from xero_api.call import CallRecord
from xero_api.registry import ENTITIES
from xero_stream.contracts.names import AppName
from xero_stream.settings.xero import AppTier
from xero_stream.store.clock import utc_now
from xero_stream.store.egress import Read, add, billed

_NAMES: dict[str, str] = {entity.path: entity.name.value for entity in ENTITIES}

KEPT = timedelta(days=400)
"""How long it is remembered what was read: a year's bills can be checked."""

FREE = tuple(entity.name.value for entity in ENTITIES if not entity.billed)
"""What Xero does not bill."""


@dataclass(slots=True)
class _Sum:
    """Of one organisation, entity and day."""

    calls: int = 0
    bytes: int = 0


class Egress:
    """What this process read and did not write down yet. A killed process forgets the last few seconds."""

    def __init__(self) -> None:
        self._sums: defaultdict[tuple[AppName, date, str, str], _Sum] = defaultdict(_Sum)

    def called(self, call: CallRecord) -> None:
        """A call ended."""
        word = call.endpoint.partition("/")[0]
        key = (call.app, call.sent_at.astimezone(UTC).date(), call.tenant_id or "", _NAMES.get(word, word.lower()))
        self._sums[key].calls += 1
        self._sums[key].bytes += call.bytes_in

    async def write(self, pool: "asyncpg.Pool[Any]") -> None:
        """Write it down. What could not be written is kept for the next time."""
        taken, self._sums = self._sums, defaultdict(_Sum)
        if not taken:
            return
        reads = [
            Read(app=app, day=day, tenant_id=tenant_id, entity=entity, calls=one.calls, bytes=one.bytes)
            for (app, day, tenant_id, entity), one in sorted(taken.items())
        ]
        try:
            await add(pool, reads)
        except BaseException:
            for key, one in taken.items():
                self._sums[key].calls += one.calls
                self._sums[key].bytes += one.bytes
            raise


@dataclass(frozen=True, slots=True, kw_only=True)
class Billed:
    """Bytes of this month, over all apps.

    Attributes:
        read: so far.
        forecast: at the month's end.
        share: of what the tier includes, for the app that comes to the largest share.
    """

    read: int
    forecast: int
    share: float


async def survey(pool: "asyncpg.Pool[Any]", tier_of: Callable[[AppName], AppTier]) -> Billed:
    """What was read this month, what it will come to, and how much of what a tier includes that is.

    Args:
        tier_of: an app's tier.
    """
    now: datetime = utc_now()
    read = forecast = 0
    share = 0.0
    for app, days in (await billed(pool, first_day_needed(now), free=FREE)).items():
        outlook = month(days, now)
        read += outlook.read
        forecast += outlook.forecast
        included = tier_of(app).egress_bytes
        if included is not None:
            share = max(share, outlook.forecast / included)
    return Billed(read=read, forecast=forecast, share=share)
