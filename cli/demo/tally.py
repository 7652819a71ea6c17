"""What the demo has seen since its start, and the picture of it. Pure; times are arguments, seconds of a monotonic clock."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from cli.demo.figures import Rate, Samples

LINES_KEPT = 200
NOTE_SECONDS = 6.0
"""How long a note stays."""


class Hop(StrEnum):
    """A place on the way from an edit to a change."""

    EDITS = "edits"
    WEBHOOKS = "webhooks"  # answered 200
    LOG = "log"  # events on webhook-events
    CALLS = "calls"  # to Xero's API
    CHANGES = "changes"  # read by a read_committed consumer


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """One organisation now.

    Attributes:
        name: for people.
        webhooks: its events in the log, since the demo's start.
        changes: its changes read from Kafka, since the demo's start.
        minute_left: calls left in this minute; None before Xero was asked.
        day_left: calls left today.
        backlog: records known to have changed and not read yet.
        oldest: age of the oldest of their events, in seconds.
        parked: seconds until it may be called again; None if it may.
    """

    name: str
    webhooks: int = 0
    changes: int = 0
    minute_left: int | None = None
    day_left: int | None = None
    backlog: int = 0
    oldest: float | None = None
    parked: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Everything the screen shows.

    Attributes:
        running: seconds since the live view began.
        remaining: seconds until it ends by itself; None if it does not.
        rates: per second, by hop; None for one that is down.
        organisations: by name.
        p50: median time from webhook to change, seconds.
        p99: 99th percentile of the same.
        events: webhook events since the load.
        calls: calls to Xero since the load.
        changes: readable lines, oldest first; only the latest are kept.
        lines: how many lines there were in all.
        notes: what is going on, newest last.
        verdict: lines of the last verification.
        help: what each key does, while that is shown.
    """

    running: float
    remaining: float | None = None
    rates: Mapping[Hop, float | None] = field(default_factory=dict)
    organisations: Sequence[Organisation] = ()
    p50: float | None = None
    p99: float | None = None
    events: int = 0
    calls: int = 0
    changes: Sequence[str] = ()
    lines: int = 0
    notes: Sequence[str] = ()
    verdict: Sequence[str] = ()
    help: Sequence[str] = ()


class Tally:
    """Counts what comes in, and makes pictures of it."""

    def __init__(self, names: Mapping[str, str], now: float) -> None:
        """Nothing was seen yet.

        Args:
            names: the organisations' names by tenant id.
            now: when the live view begins.
        """
        self._began = now
        self._organisations = {tenant: Organisation(name=name) for tenant, name in names.items()}
        self._rates = {hop: Rate() for hop in Hop}
        self._totals: dict[Hop, int] = dict.fromkeys(Hop, 0)
        self._latency = Samples()
        self._lines: deque[str] = deque(maxlen=LINES_KEPT)
        self._line_count = 0
        self._notes: deque[tuple[float, str]] = deque(maxlen=3)
        self._log_down = False
        self.ends_at: float | None = None
        self.verdict: Sequence[str] = ()
        self.help: Sequence[str] = ()

    def event(self, tenant_id: str) -> None:
        """A webhook event was read from the log."""
        self._totals[Hop.LOG] += 1
        known = self._organisations.get(tenant_id)
        if known is not None:
            self._organisations[tenant_id] = replace(known, webhooks=known.webhooks + 1)

    def change(self, tenant_id: str, line: str | None, latency: float | None, now: float) -> None:
        """A change was read from Kafka.

        Args:
            line: for people; None where it is not worth one (the first load).
            latency: seconds from the receipt of its webhook; None without one. A webhook that was received before the live
                view began waited for the demo, and says nothing about the time that a change takes.
            now: when it was read.
        """
        self._totals[Hop.CHANGES] += 1
        known = self._organisations.get(tenant_id)
        if known is not None:
            self._organisations[tenant_id] = replace(known, changes=known.changes + 1)
        if line is not None:
            self._lines.append(line)
            self._line_count += 1
        if latency is not None and latency <= now - self._began:
            self._latency.add(latency)

    def total(self, hop: Hop, total: int) -> None:
        """A counter that somebody else keeps."""
        self._totals[hop] = total

    def standing(
        self,
        tenant_id: str,
        *,
        backlog: int,
        oldest: float | None,
        parked: float | None,
        minute_left: int | None,
        day_left: int | None,
    ) -> None:
        """How an organisation stands in the store and with Xero; None leaves what was known of its quota."""
        known = self._organisations.get(tenant_id)
        if known is not None:
            self._organisations[tenant_id] = replace(
                known,
                backlog=backlog,
                oldest=oldest,
                parked=parked,
                minute_left=known.minute_left if minute_left is None else minute_left,
                day_left=known.day_left if day_left is None else day_left,
            )

    def log_down(self, down: bool) -> None:
        """Whether Kafka is stopped."""
        self._log_down = down

    def note(self, text: str, now: float) -> None:
        """Something happened that should be read for some seconds."""
        self._notes.append((now, text))

    def tick(self, now: float) -> None:
        """Take the rates' points."""
        for hop, rate in self._rates.items():
            rate.seen(self._totals[hop], now)

    def picture(self, now: float) -> Picture:
        """What to show now."""
        rates: dict[Hop, float | None] = {hop: rate.per_second() for hop, rate in self._rates.items()}
        if self._log_down:
            rates[Hop.LOG] = None
        return Picture(
            running=now - self._began,
            remaining=None if self.ends_at is None else max(0.0, self.ends_at - now),
            rates=rates,
            organisations=tuple(self._organisations.values()),
            p50=self._latency.percentile(0.5),
            p99=self._latency.percentile(0.99),
            events=self._totals[Hop.LOG],
            calls=self._totals[Hop.CALLS],
            changes=tuple(self._lines),
            lines=self._line_count,
            notes=tuple(text for at, text in self._notes if now - at < NOTE_SECONDS),
            verdict=self.verdict,
            help=self.help,
        )
