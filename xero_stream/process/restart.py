"""Whether and when a process that ended is started again. Pure."""

import math
from dataclasses import dataclass

from xero_stream.process.backoff import Backoff


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartPolicy:
    """When to start a process again.

    Attributes:
        backoff: the delays.
        settled_seconds: a process that ran this long had started well: its next end counts as the first.
        unusable: exit statuses after which a restart can't help before somebody changes a setting.
        most_failures: ends in a row after which it is given up.
        unreachable: the exit status of a process that found a server down when it started; not counted as a failure.
        patience_seconds: how long it may go on ending with that status.
    """

    backoff: Backoff
    settled_seconds: float
    unusable: frozenset[int] = frozenset()
    most_failures: float = math.inf
    unreachable: int | None = None
    patience_seconds: float = math.inf


@dataclass(frozen=True, slots=True)
class Restart:
    """Start it again.

    Attributes:
        delay: seconds to wait before.
        failed: whether its end counts as a failure.
    """

    delay: float
    failed: bool = True


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Do not start it again."""


class Restarts:
    """The ends of one process."""

    def __init__(self, policy: RestartPolicy) -> None:
        self._policy = policy
        self._failures = 0
        self._unreachable_since: float | None = None

    def ended(self, status: int | None, *, started: float, now: float) -> Restart | GiveUp:
        """It ended by itself, or could not be started.

        Args:
            status: exit status, negative for a signal; None where it is not known.
            started: when it was started.
            now: on the same clock.
        """
        policy = self._policy
        if status in policy.unusable:
            return GiveUp()
        if status is not None and status == policy.unreachable:
            if self._unreachable_since is None:
                self._unreachable_since = now
            if now - self._unreachable_since > policy.patience_seconds:
                return GiveUp()
            return Restart(policy.backoff.first, failed=False)
        self._failures = 1 if now - started >= policy.settled_seconds else self._failures + 1
        if self._failures >= policy.most_failures:
            return GiveUp()
        return Restart(policy.backoff.delay(self._failures))

    def killed(self) -> Restart:
        """We killed it to have it started again."""
        self._failures, self._unreachable_since = 0, None
        return Restart(0.0, failed=False)
