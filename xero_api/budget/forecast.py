"""How long what is left will last, and what a month will come to. Pure."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

_DAYS = 7
_ONCE = 3
"""From so many days on the busiest one is taken for something that happens once: an organisation's first load."""

_LEAST_ELAPSED = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """A month's bytes.

    Attributes:
        read: so far.
        forecast: by its end, if the coming days are like the last ones.
    """

    read: int
    forecast: int


def runs_out_at(left: int, per_second: float, now: float) -> float:
    """When a budget is used up.

    Args:
        per_second: how fast it is used.
        now: seconds.

    Returns:
        Seconds on the same scale; infinity: never.
    """
    return now + max(0, left) / per_second if per_second > 0 else math.inf


def first_day_needed(now: datetime) -> date:
    """From which day on :func:`month` looks at what was read.

    Args:
        now: aware.
    """
    today = now.astimezone(UTC).date()
    return min(today.replace(day=1), today - timedelta(days=_DAYS))


def month(days: Mapping[date, int], now: datetime) -> Outlook:
    """What a calendar month (UTC: Xero resets it then, as far as is known) comes to.

    Args:
        days: bytes by day, from :func:`first_day_needed` on; days without any may be left out.
        now: aware.
    """
    now = now.astimezone(UTC)
    today = now.date()
    read = sum(count for day, count in days.items() if (day.year, day.month) == (today.year, today.month))
    next_month = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
    left = (datetime.combine(next_month, time(), UTC) - now) / timedelta(days=1)
    return Outlook(read=read, forecast=read + math.ceil(_a_day(days, now) * left))


def _a_day(days: Mapping[date, int], now: datetime) -> float:
    """Bytes a day: of the last whole days, or as it looks today."""
    today = now.date()
    whole = [today - timedelta(days=back) for back in range(1, _DAYS + 1)]
    first = min((day for day in days if day < today), default=None)
    counts = sorted(days.get(day, 0) for day in whole if first is not None and day >= first)
    if not counts:
        elapsed = max(now - datetime.combine(today, time(), UTC), _LEAST_ELAPSED)
        return days.get(today, 0) / (elapsed / timedelta(days=1))
    usual = counts[:-1] if len(counts) >= _ONCE else counts
    return sum(usual) / len(usual)
