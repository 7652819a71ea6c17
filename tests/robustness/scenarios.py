"""Which failures a run is made of: by name, or drawn by seed."""

import os
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from tests.robustness.failures.failpoints import killed_together
from tests.robustness.failures.failure import Failure
from tests.support.stacks import LONG
from xero_stream.failpoints import OF_COMMANDS, Failpoint

SHORT = {"processes": 0, "kill-at": 0, "freeze-at": 1, "kafka": 2, "postgres": 1, "xero": 1, "clocks": 0, "settings": 1}
"""Failures of each kind in the short form, beside a kill at every failpoint."""
ON_REQUEST = {
    "processes": 3,
    "kill-at": 0,
    "freeze-at": 3,
    "kafka": 6,
    "postgres": 3,
    "xero": 3,
    "clocks": 2,
    "settings": 3,
}
"""The same in ``make robustness``."""
TOGETHER = 9
"""Failpoints that are armed at once in the short form: all of them are reached in every run."""


def drawn(failures: Mapping[str, Sequence[Failure]], chance: random.Random) -> list[Failure]:
    """The failures of a short run, in random order: every failpoint, and some of all the rest.

    Args:
        failures: all of them, by kind.
        chance: decides which, and their order.
    """
    found: list[Failure] = []
    for kind, rows in failures.items():
        count = (ON_REQUEST if LONG else SHORT)[kind]
        may_be = [failure for failure in rows if not failure.soak_only]
        found += chance.sample(may_be, min(count, len(may_be)))
    found += _every_failpoint(chance)
    chance.shuffle(found)
    return found


def kills(failures: Mapping[str, Sequence[Failure]], chance: random.Random) -> list[Failure]:
    """One kill at every failpoint, and one of a processor and of the receiver at a random moment, in random order.

    Args:
        failures: all of them, by kind.
        chance: decides their order.
    """
    found = [*_every_failpoint(chance), *named(failures, "kill-processor,kill-receiver")]
    chance.shuffle(found)
    return found


def _every_failpoint(chance: random.Random) -> list[Failure]:
    reached = [point for point in Failpoint if point not in OF_COMMANDS]
    points = chance.sample(reached, len(reached))
    return [killed_together(points[place : place + TOGETHER]) for place in range(0, len(points), TOGETHER)]


def soak_ends(minutes: float) -> float:
    """When a soak is over, in monotonic seconds.

    Args:
        minutes: how long, unless ``XERO_STREAM_SOAK_MINUTES`` says otherwise.
    """
    return time.monotonic() + 60 * float(os.environ.get("XERO_STREAM_SOAK_MINUTES", minutes))


def until(ends: float, again: Callable[[], Sequence[Failure]]) -> Iterator[Failure]:
    """Failures for as long as there is time.

    Args:
        ends: monotonic seconds.
        again: draws the next ones.
    """
    while True:
        for failure in again():
            if time.monotonic() > ends:
                return
            yield failure


def every(failures: Mapping[str, Sequence[Failure]], chance: random.Random) -> list[Failure]:
    """Each failure there is, once, in random order.

    Args:
        failures: all of them, by kind.
        chance: decides their order.
    """
    found = [failure for rows in failures.values() for failure in rows]
    chance.shuffle(found)
    return found


def named(failures: Mapping[str, Sequence[Failure]], names: str) -> list[Failure]:
    """The failures of these names, in this order.

    Args:
        failures: all of them, by kind.
        names: separated by commas.

    Raises:
        AssertionError: there is no such failure.
    """
    by_name = {failure.name: failure for rows in failures.values() for failure in rows}
    wanted = [name.strip() for name in names.split(",")]
    unknown = [name for name in wanted if name not in by_name]
    assert not unknown, f"no failure is called {', '.join(unknown)}; there are {', '.join(sorted(by_name))}"
    return [by_name[name] for name in wanted]
