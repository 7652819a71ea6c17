"""Xero's four limits: fixed windows that end at a different moment for each tenant. Pure.

| limit | allowed | ``X-Rate-Limit-Problem`` | Retry-After |
| --- | --- | --- | --- |
| concurrent | 5 under way, per app and tenant | ``concurrent`` (unconfirmed) | none |
| minute | 60, per app and tenant | ``minute`` | seconds to the window's end |
| day | 1,000 or 5,000, per app and tenant | ``day`` | seconds to the window's end |
| app minute | 10,000, per app | ``appminute`` (unconfirmed) | none |

A refused call uses nothing up (unconfirmed).

Rapid Sync, on tiers from plus on: for the first half hour of a new connection minute and day don't limit; what runs at once
and the app's minute do (https://developer.xero.com/faq/pricing-and-policy-updates). That its calls use up neither minute nor
day is unconfirmed.
"""

import zlib
from dataclasses import dataclass
from enum import StrEnum

from simulator.books.amounts import DAY_MS

MINUTE_MS = 60_000

RAPID_SYNC_SECONDS = 1_800
"""How long a connection is new."""


class Problem(StrEnum):
    """Which limit was hit: the header's words."""

    CONCURRENT = "concurrent"
    MINUTE = "minute"
    DAY = "day"
    APP_MINUTE = "appminute"


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """How much is allowed; ``rapid_sync_seconds`` is how long minute and day don't limit a new connection."""

    concurrent: int = 5
    minute: int = 60
    day: int = 5_000
    rapid_sync_seconds: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A breach. ``retry_after`` in seconds, None where Xero doesn't say."""

    problem: Problem
    retry_after: int | None


@dataclass(slots=True, kw_only=True)
class Window:
    """A fixed window of time: how much was used, and when it ends."""

    length_ms: int
    offset_ms: int
    used: int = 0
    ends_ms: int = 0

    def roll(self, now_ms: int) -> None:
        """Start again if the window is over."""
        if now_ms >= self.ends_ms:
            self.used = 0
            self.ends_ms = now_ms - (now_ms - self.offset_ms) % self.length_ms + self.length_ms

    def seconds_left(self, now_ms: int) -> int:
        """Whole seconds to its end, at least one."""
        return max(1, -(-(self.ends_ms - now_ms) // 1000))


class TenantLimits:
    """The three limits of one tenant for one app.

    Attributes:
        connected_ms: when the connection was made that called last; None before the first call.
    """

    def __init__(self, key: str, allowance: Allowance) -> None:
        """Start with nothing used.

        Args:
            key: app and tenant; decides when the windows end.
            allowance: how much is allowed.
        """
        digest = zlib.crc32(key.encode())
        self.allowance = allowance
        self.minute = Window(length_ms=MINUTE_MS, offset_ms=digest % MINUTE_MS)
        self.day = Window(length_ms=DAY_MS, offset_ms=digest % DAY_MS)
        self.running = 0
        self.connected_ms: int | None = None

    def rapid_sync_ms(self, now_ms: int) -> int:
        """For how long minute and day don't limit from now on; 0: they do."""
        if self.connected_ms is None:
            return 0
        return max(0, self.connected_ms + self.allowance.rapid_sync_seconds * 1000 - now_ms)

    def enter(self, now_ms: int, app: Window, app_allowed: int) -> Refused | None:
        """A call arrives. If it isn't refused, :meth:`leave` must follow.

        Args:
            app: the app's own minute.
            app_allowed: calls in it.
        """
        for window in (self.minute, self.day, app):
            window.roll(now_ms)
        free = self.rapid_sync_ms(now_ms) > 0
        if self.running >= self.allowance.concurrent:
            return Refused(problem=Problem.CONCURRENT, retry_after=None)
        if self.day.used >= self.allowance.day and not free:
            return Refused(problem=Problem.DAY, retry_after=self.day.seconds_left(now_ms))
        if self.minute.used >= self.allowance.minute and not free:
            return Refused(problem=Problem.MINUTE, retry_after=self.minute.seconds_left(now_ms))
        if app.used >= app_allowed:
            return Refused(problem=Problem.APP_MINUTE, retry_after=None)
        for window in (app,) if free else (self.minute, self.day, app):
            window.used += 1
        self.running += 1
        return None

    def leave(self) -> None:
        """A call ended."""
        self.running -= 1

    def use_up(
        self, now_ms: int, minute_remaining: int | None, day_remaining: int | None, day_reset_seconds: int | None
    ) -> None:
        """Set what is left, and when the day ends; None leaves it."""
        for window in (self.minute, self.day):
            window.roll(now_ms)
        if minute_remaining is not None:
            self.minute.used = self.allowance.minute - minute_remaining
        if day_remaining is not None:
            self.day.used = self.allowance.day - day_remaining
        if day_reset_seconds is not None:
            self.day.ends_ms = now_ms + day_reset_seconds * 1000

    def minute_remaining(self) -> int:
        """``X-MinLimit-Remaining``."""
        return max(0, self.allowance.minute - self.minute.used)

    def day_remaining(self) -> int:
        """``X-DayLimit-Remaining``."""
        return max(0, self.allowance.day - self.day.used)
