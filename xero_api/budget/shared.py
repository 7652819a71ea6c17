"""An app's calls a minute, shared by several processes: a ledger they all write to, and each one's part of it. Pure.

Each process holds a part: the most calls of its own that may count at a time, in the sense of :mod:`.minute`. A call counts
from its start until a minute after its end, so calls that share any 60 seconds of the server's all count at one moment, and
as the parts never add up to more than the limit, no window of the server's holds more, sliding or fixed.

A process exchanges with the ledger before it runs out, every few seconds at the latest: it says how many of its calls
count and how many it would like, and is told its part. What it holds stays taken until it exchanges again, or, if it died,
until the last call it can have made no longer counts. Whoever asks for more than there is gets an equal part with the
others who do: those above theirs start nothing new until enough of their calls have ceased to count.

The ledger is kept wherever the caller keeps it (:class:`Ledgers`), with one clock for all.
"""

import math
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Protocol

from xero_api.budget.minute import COUNTS_FOR, WINDOW_SECONDS, Minute

RENEW_SECONDS = 2.0
"""How often a process exchanges that lacks nothing."""

USE_SECONDS = 6.0
"""For how long after an exchange calls may be started: longer only if the ledger can't be reached, then not at all."""

SHORT_PAUSE_SECONDS = 1.0
"""Between two exchanges when there is less than was asked for."""

LEAST_PAUSE_SECONDS = 0.05
"""Between two exchanges in any case."""

GRAIN_SECONDS = 1.0
_SOON = 0.02
_FIRST_OF = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What a process says in an exchange.

    Attributes:
        keeps: how many of its calls count, or may before it hears the answer.
        wish: how many it would like to have counting at a time.
        lasts: seconds until the last call it may make on this exchange no longer counts.
        counted: calls of the app in the last minute, as an answer since the last exchange said; None: no answer did.
        quiet: seconds for which the server wants no call of the app.
    """

    keeps: int
    wish: int
    lasts: float
    counted: int | None = None
    quiet: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What it is told.

    Attributes:
        calls: how many of its calls may count at a time: while more do, none may be started.
        quiet: seconds for which nobody may start any.
    """

    calls: int
    quiet: float = 0.0


class Ledgers(Protocol):
    """Where the apps' ledgers are kept."""

    async def exchange(self, app: str, holder: str, ask: Ask) -> Grant:
        """Apply :func:`exchange` to an app's ledger, one at a time over all processes, at the ledgers' own time.

        Args:
            holder: the process, by a name that no other ever has.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What a process holds.

    Attributes:
        held: how many of its calls may count.
        wish: how many it would like.
        at: when it said so.
        until: when what it holds is free again unless there was another exchange.
    """

    held: int
    wish: int
    at: float
    until: float

    def wish_at(self, now: float) -> int:
        """How many it would like: no more than it holds once it is silent for so long that it may be dead."""
        return self.wish if now < self.at + USE_SECONDS else self.held


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """Who holds how much of an app's minute. Times are the ledger's, in epoch seconds.

    Attributes:
        parts: by process.
        foreign: calls that the server counted and no process of ours made.
        foreign_until: until when they count.
        quiet_until: until when the server wants no call.
        most: the most that was held in all since ``since``, and in the minute before that.
        since: when the current one of these two began.
    """

    parts: Mapping[str, Part] = field(default_factory=lambda: MappingProxyType({}))
    foreign: int = 0
    foreign_until: float = 0.0
    quiet_until: float = 0.0
    most: tuple[int, int] = (0, 0)
    since: float = 0.0

    @property
    def held(self) -> int:
        """By all."""
        return sum(part.held for part in self.parts.values())


def exchange(ledger: Ledger, holder: str, ask: Ask, *, limit: int, now: float) -> tuple[Ledger, Grant]:
    """One process speaks to the ledger.

    Args:
        limit: calls a minute of the app.
        now: the ledger's time, not before the process made up what it says.

    Returns:
        The ledger as it is to be, and what the process is told.
    """
    ledger = _heard(_remembered(ledger, now), ask, now)
    others = {name: part for name, part in ledger.parts.items() if name != holder and part.until > now}
    ours = limit - (ledger.foreign if ledger.foreign_until > now else 0)
    room = ours - sum(part.held for part in others.values())
    fair = _fair(ask.wish, [part.wish_at(now) for part in others.values()], ours)
    calls = max(0, min(ask.wish, fair, room))
    held = max(calls, ask.keeps)
    if held or ask.wish:
        others[holder] = Part(held=held, wish=ask.wish, at=now, until=now + ask.lasts)
    return replace(ledger, parts=MappingProxyType(others)), Grant(calls=calls, quiet=max(0.0, ledger.quiet_until - now))


def _fair(mine: int, others: list[int], limit: int) -> int:
    """An equal part for all who want that much; what the others leave of theirs is shared out again."""
    left, wishes = limit, sorted([mine, *others])
    for place, wish in enumerate(wishes):
        part = left // (len(wishes) - place)
        if wish > part:
            return min(mine, max(1, part))
        left -= wish
    return mine


def _remembered(ledger: Ledger, now: float) -> Ledger:
    """Keep the most that was held in all, over the last minute and up to two."""
    current, before = ledger.most
    if now < ledger.since + WINDOW_SECONDS:
        return replace(ledger, most=(max(current, ledger.held), before))
    return replace(ledger, most=(ledger.held, max(current, ledger.held)), since=now)


def _heard(ledger: Ledger, ask: Ask, now: float) -> Ledger:
    """What the server counted beyond all that our processes can have made in its minute is somebody else's."""
    if ask.quiet > 0:
        ledger = replace(ledger, quiet_until=max(ledger.quiet_until, now + ask.quiet))
    if ask.counted is None:
        return ledger
    return replace(ledger, foreign=max(0, ask.counted - max(ledger.most)), foreign_until=now + COUNTS_FOR)


def _nothing() -> None:
    """Nobody needs to know."""


@dataclass(slots=True, kw_only=True)
class SharedMinute(Minute):
    """This process's part of an app's minute; for :class:`~xero_api.budget.tenant.TenantBudget` it is the app's minute.

    Whoever drives it makes an exchange when ``next_at`` has come: :meth:`ask`, then :meth:`granted` or :meth:`failed`.

    Attributes:
        whole: calls a minute of the app; ``limit`` is our part of them.
        call_seconds: how long after its start the server may still see a call, at most.
        on_due: told when ``next_at`` has come nearer.
        next_at: when to make the next exchange.
        ahead: how many calls to hold beyond those that count.
        usable_until: when our part may no longer be used.
        quiet_until: until when the server wants no call.
    """

    whole: int
    call_seconds: float
    limit: int = 0
    grain: float = GRAIN_SECONDS
    on_due: Callable[[], None] = _nothing
    next_at: float = -math.inf
    ahead: int = 0
    usable_until: float = -math.inf
    quiet_until: float = -math.inf
    _asked_at: float = -math.inf
    _wish: int = 0
    _short: bool = False
    _hungry: bool = False
    _refused_until: float = -math.inf
    _counted: int | None = None

    @property
    def first(self) -> int:
        """Calls held beyond those that count while there is little to do: a lone event need not ask first."""
        return max(1, self.whole // _FIRST_OF)

    def free_at(self, now: float, keep: int = 0) -> float:
        """When one more call fits our part, or may be tried again as our part may have grown.

        Args:
            now: seconds.
            keep: how many calls to leave over.
        """
        if now < self.quiet_until:
            return self.quiet_until
        free = Minute.free_at(self, now, keep) if now < self.usable_until else math.inf
        if free <= now:
            return now
        self._hungry = True
        self._due(now)
        return max(now + _SOON, min(free, self.next_at + _SOON))

    def start(self, call: Hashable, now: float) -> None:
        """See :meth:`Minute.start`; more is asked for before nothing is left."""
        Minute.start(self, call, now)
        if self.limit - self.used(now) < self.ahead // 2:
            self._hungry = True
            self._due(now)

    def correct(self, remaining: int, started: float, now: float) -> None:
        """The server said how many are left, to all of us together: we start no more than that before the next exchange.

        Args:
            started: when the call it answered started.
            now: seconds.
        """
        self._counted = max(0, self.whole - remaining)
        unsure = (
            len(self.running) + self.ended_since(started) - 1
        )  # the server may have counted them after it wrote that
        most = max(0, self.used(now) - unsure + remaining)
        if most < self.limit:
            self.limit = most
            self._due(now)

    def took_over(self, end: float, now: float) -> None:
        """Calls of a process that is gone count as its own part, which is still taken."""

    def refused(self, until: float, now: float) -> None:
        """The server refused a call for the app's minute: nobody calls for a while.

        Args:
            until: when calls may go on.
            now: seconds.
        """
        self.quiet_until = max(self.quiet_until, until)
        self._refused_until = max(self._refused_until, until)
        self._due(now)

    def ask(self, now: float) -> Ask:
        """What to say in the exchange that begins.

        Args:
            now: seconds.
        """
        used = self.used(now)
        if self._hungry:
            self.ahead = min(self.whole, max(self.first, 2 * self.ahead))
        else:
            self.ahead = max(self.first, self.ahead // 2)
        self._hungry = False
        self._asked_at = now
        self._wish = min(self.whole, used + self.ahead)
        # Until the answer is there we keep to what we say here, and so whether it was heard or not.
        self.limit = min(self.limit, used + self.ahead) if now < self.usable_until else 0
        return Ask(
            keeps=max(used, self.limit),
            wish=self._wish,
            lasts=USE_SECONDS + self.call_seconds + COUNTS_FOR + self.grain,
            counted=self._counted,
            quiet=max(0.0, self._refused_until - now),
        )

    def granted(self, grant: Grant, now: float) -> None:
        """The exchange succeeded.

        Args:
            grant: what we were told.
            now: seconds.
        """
        self.limit = grant.calls
        self.usable_until = self._asked_at + USE_SECONDS
        self._short = grant.calls < self._wish
        self._counted, self._refused_until = None, -math.inf
        if grant.quiet > 0:
            self.quiet_until = max(self.quiet_until, now + grant.quiet)
        self.next_at = now + RENEW_SECONDS

    def failed(self, now: float) -> None:
        """Nobody knows whether the exchange took place: our part stays as it was for as long as it did.

        Args:
            now: seconds.
        """
        self._hungry, self._counted = True, None
        self._asked_at, self._short = now, True
        self.next_at = now + SHORT_PAUSE_SECONDS

    def farewell(self, now: float) -> Ask:
        """The last thing to say: what is left of our part is given back, the rest when our calls no longer count.

        Args:
            now: seconds.
        """
        ends = max(self.ended, default=-math.inf)
        ends = max(ends, now + self.call_seconds) if self.running else ends
        self.limit, self.usable_until = 0, -math.inf
        return Ask(keeps=self.used(now), wish=0, lasts=max(0.0, ends + COUNTS_FOR - now), counted=self._counted)

    def _due(self, now: float) -> None:
        at = max(now, self._asked_at + (SHORT_PAUSE_SECONDS if self._short else LEAST_PAUSE_SECONDS))
        if at < self.next_at:
            self.next_at = at
            self.on_due()
