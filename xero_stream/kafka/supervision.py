"""When a producer has to be replaced. Pure; ``now`` and the jitter are arguments.

aiokafka's idempotent producer never gives up on a batch, and after one refusal by the broker its sequence numbers are
wrong for good. So trouble of any kind ends in a new producer, at a pace that leaves the broker in peace.
"""

from dataclasses import dataclass
from enum import StrEnum

from xero_stream.process.backoff import Backoff

_BACKOFF = Backoff(first=0.1, longest=2.0, spread=(0.5, 1.0))


class Reason(StrEnum):
    """Why a producer was built."""

    START = "start"
    BROKEN = "broken"  # the broker refused a batch, or the client died
    STUCK = "stuck"  # nothing acknowledged for long, while others may connect


@dataclass(slots=True, kw_only=True)
class Supervision:
    """Decides whether to build a producer now.

    Attributes:
        stuck_seconds: a batch unacknowledged for longer makes us try another producer beside the old one.
        backoff: the delays after producers that were built or failed and have had no acknowledgement yet.
    """

    stuck_seconds: float = 10.0
    backoff: Backoff = _BACKOFF
    _failures: int = 0
    _not_before: float = float("-inf")
    _built_before: bool = False

    def reason(self, now: float, *, available: bool, oldest_ahead: float | None) -> Reason | None:
        """Why to build one now, or None.

        Args:
            now: monotonic seconds.
            available: whether there is a producer not known to be broken.
            oldest_ahead: when the oldest batch without an answer was sent, or None.
        """
        if now < self._not_before:
            return None
        if not available:
            return Reason.BROKEN if self._built_before else Reason.START
        if oldest_ahead is not None and now - oldest_ahead > self.stuck_seconds:
            return Reason.STUCK
        return None

    def built(self, now: float, jitter: float) -> None:
        """A producer was built. Only an acknowledgement proves it good, so until then the delays go on growing."""
        self._built_before = True
        self._delay(now, jitter)

    def failed(self, now: float, jitter: float) -> None:
        """Building failed.

        Args:
            now: monotonic seconds.
            jitter: 0 to 1, so that many processes don't come back in step.
        """
        self._delay(now, jitter)

    def acknowledged(self) -> None:
        """Kafka took a batch: all is well."""
        self._failures = 0
        self._not_before = float("-inf")

    def _delay(self, now: float, jitter: float) -> None:
        self._failures += 1
        self._not_before = now + self.backoff.delay(self._failures, jitter)
