"""What to do when Kafka hands out partitions anew. Pure: rebalances are eager, so only the difference counts."""

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
