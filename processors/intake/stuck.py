"""For how long events have waited on Kafka without any being taken in. Pure."""

from collections.abc import Mapping


class Stuck:
    """Remembers, for each partition with events to take in, since when intake has stood at the same place."""

    def __init__(self) -> None:
        self._since: dict[int, tuple[int, float]] = {}

    def look(self, places: Mapping[int, tuple[int, int]], now: float) -> None:
        """Compare with the last look.

        Args:
            places: the next offset to take in and the end of the topic, by partition.
            now: monotonic seconds.
        """
        waiting: dict[int, tuple[int, float]] = {}
        for partition, (next_offset, end) in places.items():
            if next_offset >= end:
                continue
            before = self._since.get(partition)
            waiting[partition] = before if before and before[0] == next_offset else (next_offset, now)
        self._since = waiting

    def longest(self, now: float) -> float:
        """Seconds for the partition that has stood for longest; 0 if none does.

        Args:
            now: monotonic seconds.
        """
        return max((now - since for _, since in self._since.values()), default=0.0)
