"""What to do when Kafka hands out partitions again. Pure: rebalances are eager, so only the difference counts."""

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Partitions to start, to keep and to stop."""

    start: list[int]
    keep: list[int]
    stop: list[int]


def difference(owned: Collection[int], assigned: Collection[int]) -> Difference:
    """Compare what we work on with what is ours now.

    Args:
        owned: partitions with a running worker.
        assigned: partitions Kafka assigned to us.
    """
    return Difference(
        start=sorted(set(assigned) - set(owned)),
        keep=sorted(set(assigned) & set(owned)),
        stop=sorted(set(owned) - set(assigned)),
    )


@dataclass(slots=True)
class Joining:
    """Whether the group owes us an assignment, and since when.

    Attributes:
        since: monotonic seconds, or None while we have one.
    """

    since: float | None

    def began(self, now: float) -> None:
        """We have no assignment any more; where we had none, we go on waiting."""
        if self.since is None:
            self.since = now

    def ended(self) -> None:
        """There is an assignment."""
        self.since = None

    def seconds(self, now: float) -> float | None:
        """For how long we have waited for an assignment; None if we have one, be it empty."""
        return None if self.since is None else now - self.since
