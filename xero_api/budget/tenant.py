"""May this tenant be called now, and if not, when? Pure: a state machine fed with the time.

Limits (https://developer.xero.com/documentation/guides/oauth2/limits): 5 calls at once, 60 a minute and 1,000 or 5,000 a
day per tenant; 10,000 a minute per app. Urgent priorities may use all of it, the others leave a share.

Times are seconds on any one scale that never goes back (monotonic, or epoch seconds where a ledger is restored).
"""

import math
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from xero_api.budget.day import DAY_SECONDS, Day
from xero_api.budget.forecast import runs_out_at
from xero_api.budget.minute import Minute
from xero_api.call import Priority
from xero_api.errors import LimitKind
from xero_api.meta import Limits
from xero_stream.settings.xero import AppTier

AT_ONCE = 5
PER_MINUTE = 60
APP_PER_MINUTE = 10_000

SLOT_MARGIN_SECONDS = 0.02
"""The server may count a call as running for a moment after we have its answer."""

ABANDONED_SECONDS = 10.0
"""How long the server may still be busy with a call we gave up on."""

_RAPID_SYNC = timedelta(minutes=30)
_RAPID_SYNC_MARGIN = timedelta(minutes=1)
_MINUTE_PAUSE = 60.0
_DAY_PAUSE = 3_600.0
_FIRST_BACKOFF = 0.5
_LONGEST_BACKOFF = 60.0
_FIRST_OFFLINE = 15.0
_LONGEST_OFFLINE = 900.0
_LONGEST_TOLD = {LimitKind.MINUTE: 60.0, LimitKind.APP: 60.0, LimitKind.CONCURRENT: 60.0, LimitKind.DAY: 86_400.0}
"""No window is longer, whatever ``Retry-After`` says."""
_LONGEST_TOLD_OFFLINE = 3_600.0


class Reason(StrEnum):
    """Why a call has to wait."""

    AT_ONCE = "at_once"
    MINUTE = "minute"
    DAY = "day"
    APP_MINUTE = "app_minute"
    LIMITED = "limited"  # Xero said 429
    OFFLINE = "offline"  # Xero said 503


@dataclass(frozen=True, slots=True)
class Go:
    """Call now; tell :meth:`TenantBudget.started` first."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Ask again later.

    Attributes:
        until: when to ask again; infinity: when a call under way has ended.
        reason: what stands in the way.
    """

    until: float
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What a priority leaves over for more urgent ones.

    Attributes:
        slots: of the calls at once.
        minute: of the calls a minute.
        day: of the calls a day, as a fraction.
    """

    slots: int
    minute: int
    day: float


SHARES: dict[Priority, Share] = {
    Priority.COMMAND: Share(slots=0, minute=0, day=0.0),
    Priority.WEBHOOK: Share(slots=0, minute=2, day=0.02),
    Priority.POLL: Share(slots=2, minute=10, day=0.20),
    Priority.BACKFILL: Share(slots=2, minute=15, day=0.25),
}
"""What each priority leaves over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """A call of a ledger.

    Attributes:
        started: when it started.
        finished: when it ended; None if unknown, as its maker died.
    """

    started: float
    finished: float | None


class TenantBudget:
    """One tenant's calls."""

    def __init__(self, *, day_limit: int, app: Minute, lifted_until: float = -math.inf) -> None:
        """Nothing is used yet.

        Args:
            day_limit: calls a day.
            app: the app's minute, which the budgets of its tenants share.
            lifted_until: until when minute and day don't limit (Rapid Sync: see :func:`rapid_sync_seconds`).
        """
        self._lifted_until = lifted_until
        self._lift_refused = False
        self._minute = Minute(limit=PER_MINUTE)
        self._day = Day(limit=day_limit)
        self._app = app
        self._slots: dict[float, int] = {}
        self._quiet_from = -math.inf
        self._parked_until = -math.inf
        self._parked_for = Reason.LIMITED
        self._refusals = 0
        self._offline = 0

    @property
    def running(self) -> int:
        """Calls of ours under way."""
        return len(self._minute.running)

    def minute_left(self, now: float) -> int:
        """Calls left this minute, by our count.

        Args:
            now: seconds.
        """
        return max(0, PER_MINUTE - self._minute.used(now))

    def day_left(self, now: float) -> int:
        """Calls left today, as far as known.

        Args:
            now: seconds.
        """
        return max(0, self._day.left(now))

    def feels_for_the_day(self, now: float) -> bool:
        """Whether a refused day should have turned, and no answer has told yet what the new one has.

        Args:
            now: seconds.
        """
        return self._day.renews_at is not None and self._day.renews_at <= now

    @property
    def parked_until(self) -> float:
        """Until when Xero asked us to wait; in the past if it did not. Persist it: it outlives the process."""
        return self._parked_until

    def lifted(self, now: float) -> bool:
        """Whether minute and day don't limit.

        Args:
            now: seconds.
        """
        return now < self._lifted_until

    def lift(self, until: float) -> None:
        """Say again until when minute and day don't limit. Once Xero refused a call all the same, they limit for good.

        Args:
            until: seconds; in the past: they do limit.
        """
        if not self._lift_refused:
            self._lifted_until = until

    def decide(self, priority: Priority, now: float) -> Go | Wait:
        """May a call be made now?

        Args:
            now: seconds.
        """
        if now < self._parked_until:
            return Wait(self._parked_until, self._parked_for)
        share = SHARES[priority]
        hurdles = [(self._slot_free_at(now, share.slots), Reason.AT_ONCE)]
        if not self.lifted(now):
            kept = math.ceil(self._day.limit * share.day)
            hurdles.append((self._minute.free_at(now, share.minute), Reason.MINUTE))
            hurdles.append((self._day.free_at(now, kept, self.running), Reason.DAY))
        if all(
            until <= now for until, _ in hurdles
        ):  # a tenant that could not call anyway asks for no part of the app's
            hurdles.append((self._app.free_at(now), Reason.APP_MINUTE))
        until, reason = max(hurdles, key=lambda pair: pair[0])
        return Go() if until <= now else Wait(until, reason)

    def day_lasts_until(self, now: float) -> float:
        """When the day is used up if calls go on as in the last hours; infinity: not within a day, or it doesn't limit.

        Args:
            now: seconds.
        """
        if self.lifted(now):
            return math.inf
        end = runs_out_at(self.day_left(now), self._day.pace(now), now)
        return end if end < now + DAY_SECONDS else math.inf

    def started(self, call: Hashable, now: float) -> None:
        """A call starts.

        Args:
            call: its name, unique among all running calls of the app.
            now: seconds.
        """
        self._day.start(now, at_rest=not self.running and now >= self._quiet_from)
        self._minute.start(call, now)
        self._app.start(call, now)

    def finished(
        self, call: Hashable, now: float, limits: Limits | None = None, *, ok: bool = True, abandoned: bool = False
    ) -> None:
        """A call ended, well or not.

        Args:
            now: seconds.
            limits: what the answer said is left.
            ok: whether Xero served it; else :meth:`limited` or :meth:`offline` may follow.
            abandoned: we gave up on it (time-out, cancelled, connection broken): the server may still be busy with it.
        """
        end = now + ABANDONED_SECONDS if abandoned else now
        started = self._minute.end(call, end, now)
        self._app.end(call, end, now)
        self._occupy(end, now)
        if ok:
            self._refusals = self._offline = 0
        if abandoned:
            self._quiet_from = max(self._quiet_from, end)
        limits = limits or Limits()
        if limits.minute is not None:
            self._minute.correct(limits.minute, started, now)
        if limits.app_minute is not None:
            self._app.correct(limits.app_minute, started, now)
        if limits.day is None:
            self._day.unanswered()
        else:
            self._day.correct(limits.day, started, now, self.running + self._minute.ended_since(started) - 1)
        if not self.running:
            self._day.at_rest(now)

    def limited(self, kind: LimitKind, now: float, retry_after: float | None, jitter: float) -> float:
        """Xero refused a call with 429. Tell it after :meth:`finished`.

        Args:
            now: seconds.
            retry_after: seconds it asked us to wait. Believed as far as it makes sense: no longer than the limit's window
                lasts, no shorter than our own backoff, so that neither nonsense stops a tenant nor a 0 makes us hammer.
            jitter: from 0 to 1, random; spreads the calls of those who were refused together.

        Returns:
            Until when the tenant waits (for an app's limit: all tenants of the app, via the shared minute).
        """
        if self._refusals == 0 or now >= self._parked_until:
            self._refusals += 1  # calls refused together are one refusal
        pause = _pause(kind, retry_after, self._refusals - 1)
        if kind in {LimitKind.MINUTE, LimitKind.DAY} and self.lifted(now):
            self._lift_refused, self._lifted_until = True, -math.inf
        if kind is LimitKind.DAY:
            self._day.exhausted(now, now + pause)
        if kind is LimitKind.MINUTE and retry_after is not None:
            self._minute.disregard_heard()
        if kind is LimitKind.APP:
            self._app.refused(now + pause, now)
        spread = jitter * min(pause, 1.0) if retry_after is not None else jitter * pause
        return self._park(now + pause + spread, Reason.LIMITED)

    def offline(self, now: float, retry_after: float | None, jitter: float) -> float:
        """Xero said 503. Tell it after :meth:`finished`.

        Args:
            now: seconds.
            retry_after: seconds it asked us to wait; an hour is believed, and no less than a moment.
            jitter: from 0 to 1, random.

        Returns:
            Until when the tenant waits.
        """
        if self._offline == 0 or now >= self._parked_until:
            self._offline += 1  # calls refused together are one refusal
        if retry_after is None:
            pause = _doubled(_FIRST_OFFLINE, self._offline - 1, _LONGEST_OFFLINE)
        else:
            pause = _sensible(retry_after, _LONGEST_TOLD_OFFLINE, self._offline - 1)
        return self._park(now + pause + jitter * min(pause / 4, 15.0), Reason.OFFLINE)

    def park(self, until: float, reason: Reason = Reason.LIMITED) -> None:
        """Wait until then, as a ledger remembers. Tell it after :meth:`restore_day`.

        Args:
            until: when calls may go on. If nothing was left of the day when that was said, it is when the day renews.
        """
        if self._day.told == 0 and self._day.renews_at is None and until > self._day.told_at:
            self._day.renews_at = until
        self._park(until, reason)

    def restore(self, calls: Iterable[Past], *, http_timeout: float, now: float) -> None:
        """Take over from a process that is gone.

        Args:
            calls: all calls to the tenant of the last minutes, from the ledger. One without an end keeps its slot, and
                counts, as if it lasted until its time-out.
            http_timeout: the dead process's time-out for a call, seconds.
            now: seconds, on the ledger's scale.
        """
        for call in calls:
            end = call.finished
            if end is None:
                end = call.started + http_timeout + ABANDONED_SECONDS
            self._minute.add(end, now)
            self._app.took_over(end, now)
            self._occupy(end, now)
            self._quiet_from = max(self._quiet_from, end)

    def restore_day(self, left: int, at: float) -> None:
        """What an earlier process was told is left of the day.

        Args:
            left: calls.
            at: when it was told.
        """
        self._day.told, self._day.told_at = left, at

    def _park(self, until: float, reason: Reason) -> float:
        if until > self._parked_until:
            self._parked_until, self._parked_for = until, reason
        return self._parked_until

    def _occupy(self, end: float, now: float) -> None:
        self._slots = {e: n for e, n in self._slots.items() if e + SLOT_MARGIN_SECONDS > now}
        self._slots[end] = self._slots.get(end, 0) + 1

    def _slot_free_at(self, now: float, keep: int) -> float:
        ends: list[float] = sorted(end + SLOT_MARGIN_SECONDS for end, n in self._slots.items() for _ in range(n))
        busy = [free for free in ends if free > now]
        excess = self.running + len(busy) + 1 - (AT_ONCE - keep)
        if excess <= 0:
            return now
        return busy[excess - 1] if excess <= len(busy) else math.inf


def _pause(kind: LimitKind, retry_after: float | None, refusals: int) -> float:
    if retry_after is not None:
        return _sensible(retry_after, _LONGEST_TOLD[kind], refusals)
    if kind is LimitKind.CONCURRENT:
        return _doubled(_FIRST_BACKOFF, refusals, _LONGEST_BACKOFF)
    return _DAY_PAUSE if kind is LimitKind.DAY else _MINUTE_PAUSE


def _sensible(retry_after: float, longest: float, refusals: int) -> float:
    return max(min(retry_after, longest), _doubled(_FIRST_BACKOFF, refusals, _LONGEST_BACKOFF))


def _doubled(first: float, times: int, most: float) -> float:
    return min(math.ldexp(first, min(times, 20)), most)


def rapid_sync_seconds(tier: AppTier, connected: datetime, now: datetime) -> float:
    """For how long minute and day don't limit a new connection; what runs at once and the app's minute always do.

    Xero calls it Rapid Sync: the first 30 minutes, for tiers from plus on
    (https://developer.xero.com/faq/pricing-and-policy-updates).

    Args:
        connected: when Xero made the connection, its ``createdDateUtc``, on the clock of ``now``.
        now: aware; it may be cut to the second, as a ``Date`` is.

    Returns:
        Seconds, less a margin as the end can't be seen; 0: they limit.
    """
    left = connected + _RAPID_SYNC - _RAPID_SYNC_MARGIN - now
    return max(0.0, left.total_seconds()) if tier.rapid_sync and connected < now + timedelta(seconds=1) else 0.0


def app_minute(share: int = APP_PER_MINUTE) -> Minute:
    """The minute of an app, to be shared by the budgets of its tenants in this process.

    Args:
        share: this process's share of the app's 10,000 calls; change ``limit`` when shares change.
    """
    return Minute(limit=share, grain=1.0)
