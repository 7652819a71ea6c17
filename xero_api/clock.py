"""What time it is at Xero, as a bound that is safe to compare with Xero's own time stamps. Pure.

An answer's ``Date`` (whole seconds, cut) was written between sending the call and receiving the answer, so the offset
between Xero's clock and ours lies in ``(Date - received, Date + 1 s - sent)``. The intersection over all answers is kept
and its lower end used: a call sent at local time t was sent not before ``t + lower end`` on Xero's clock. The lower
end only grows while the clocks run on, and is fixed when a call departs: so the bound grows strictly with the time of
sending, whatever order the answers come in. An empty intersection means a clock jumped: the estimate starts again.
"""

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """A call that was sent.

    Attributes:
        sent: monotonic seconds.
        offset: lower end of the offset when it was sent; None before the first answer.
    """

    sent: float
    offset: float | None


class ServerClock:
    """Estimates the offset between Xero's clock (epoch seconds) and ours (monotonic seconds)."""

    def __init__(self) -> None:
        self._first: float | None = None
        self._lower = float("-inf")
        self._upper = float("inf")

    def depart(self, now: float) -> Departure:
        """A call is being sent.

        Args:
            now: monotonic seconds.
        """
        return Departure(sent=now, offset=None if self._first is None else self._lower)

    def arrive(self, departure: Departure, date: datetime | None, received: float) -> datetime | None:
        """Its answer is there.

        Args:
            departure: what :meth:`depart` gave.
            date: the answer's ``Date``.
            received: monotonic seconds when its headers were read.

        Returns:
            A moment on Xero's clock not after the sending; None if no answer had a ``Date`` yet.
        """
        if date is not None:
            self._observe(date.timestamp() - received, date.timestamp() + 1 - departure.sent)
        offset = self._first if departure.offset is None else departure.offset
        return None if offset is None else datetime.fromtimestamp(departure.sent + offset, UTC)

    def now(self, monotonic: float) -> float | None:
        """Xero's clock, epoch seconds, to a second or so; None if no answer had a ``Date`` yet.

        Args:
            monotonic: monotonic seconds of now.
        """
        return None if self._first is None else monotonic + self._lower

    def _observe(self, lower: float, upper: float) -> None:
        if lower < self._upper and upper > self._lower:
            self._lower, self._upper = max(self._lower, lower), min(self._upper, upper)
        else:  # a clock jumped
            self._lower, self._upper = lower, upper
            self._first = lower
        if self._first is None:
            self._first = lower
