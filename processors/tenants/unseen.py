"""How many calls of an hour events may cost that name records no read ever gave; see ``processors.jobs.refresh.unseen``."""

from dataclasses import dataclass
from datetime import datetime

from xero_stream.settings.xero import AppTier

_LEAST = 10
_SHARE = 100
"""One call in so many of a day may be spent so in each of its hours: a quarter of a day at most."""


@dataclass(slots=True, kw_only=True)
class UnseenCalls:
    """Calls of an hour that were answered 404 for a record never seen.

    Attributes:
        hour: its beginning; None before the first such call.
        calls: how many.
    """

    hour: datetime | None = None
    calls: int = 0

    def spent(self, now: datetime, tier: AppTier) -> bool:
        """Whether the hour's budget is used up.

        Args:
            now: the clock.
            tier: of the app.
        """
        return self.hour == hour_of(now) and self.calls >= limit_of(tier)


def hour_of(now: datetime) -> datetime:
    """When an hour began."""
    return now.replace(minute=0, second=0, microsecond=0)


def limit_of(tier: AppTier) -> int:
    """Calls per organisation and hour for records never seen.

    Args:
        tier: of the app: it decides the calls of a day.
    """
    return max(_LEAST, tier.calls_per_day // _SHARE)
