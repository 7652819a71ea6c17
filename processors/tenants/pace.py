"""How close calls for events may follow one another. Pure.

An idle tenant's event goes at once. Under a steady stream, calls as fast as Xero answers would spend the minute in a few
seconds and leave the rest of it blind; so after a few quick ones they keep a distance, and events gather in between. The
less of the day is left, the larger the distance.
"""

from dataclasses import dataclass

QUICK = 5
"""Calls of a minute that may follow one another at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """From which share of the day on, how many quick calls, then which distance in seconds."""

    left: float
    quick: int
    distance: float


STEPS = (
    Step(left=0.5, quick=QUICK, distance=1.3),  # 46 a minute: the rest of the 60 is for commands, polls and loads
    Step(left=0.25, quick=QUICK, distance=5.0),
    Step(left=0.1, quick=3, distance=20.0),
    Step(left=0.0, quick=1, distance=90.0),
)


def distance(*, used_this_minute: int, day_left: int, day_limit: int) -> float:
    """Seconds between the start of the last call for events and the next.

    Args:
        used_this_minute: calls that count in the current minute.
        day_left: calls left today.
        day_limit: calls a day in all.
    """
    share = day_left / max(day_limit, 1)
    step = next((step for step in STEPS if share >= step.left), STEPS[-1])
    return 0.0 if used_this_minute < step.quick else step.distance
