"""Lines that would repeat many times a second, cut to one per interval with a count. Pure; ``now`` is an argument."""

from dataclasses import dataclass, field


@dataclass(slots=True, kw_only=True)
class Repeats:
    """Lets the first line of a kind through, then one per interval.

    Attributes:
        interval: seconds between two lines of a kind.
        limit: kinds remembered; beyond it all are forgotten, so that memory stays bounded.
    """

    interval: float = 10.0
    limit: int = 500
    _seen: dict[str, tuple[float, int]] = field(default_factory=dict, init=False)

    def allow(self, kind: str, now: float) -> int | None:
        """Whether a line may be written.

        Args:
            kind: what makes two lines the same.
            now: monotonic seconds.

        Returns:
            How many lines of the kind were held back since the last one written, or None to hold this one back too.
        """
        last = self._seen.get(kind)
        if last is not None and now - last[0] < self.interval:
            self._seen[kind] = (last[0], last[1] + 1)
            return None
        if len(self._seen) >= self.limit:
            self._seen.clear()
        self._seen[kind] = (now, 0)
        return last[1] if last is not None else 0
