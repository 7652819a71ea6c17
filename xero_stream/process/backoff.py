"""How long to wait before the next attempt. Pure: the random draw is an argument."""

from dataclasses import dataclass

_MOST_DOUBLINGS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Exponential back-off.

    Attributes:
        first: seconds to wait after the first failure; doubled by each further one.
        longest: the most seconds, before ``spread``.
        spread: a delay is multiplied by a random number between these two, so that many processes do not retry in step.
    """

    first: float
    longest: float
    spread: tuple[float, float] = (1.0, 1.0)

    def delay(self, failures: int, draw: float = 1.0) -> float:
        """Seconds to wait.

        Args:
            failures: failures in a row, this one included: 1 or more.
            draw: a random number between 0 and 1.
        """
        low, high = self.spread
        return min(self.longest, self.first * 2.0 ** min(failures - 1, _MOST_DOUBLINGS)) * (low + draw * (high - low))
