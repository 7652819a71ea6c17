"""Which failures a run is made of: by name, or drawn by seed."""

import random
from collections.abc import Mapping, Sequence

from tests.robustness.failures.failpoints import killed_together
from tests.robustness.failures.failure import Failure
from tests.support.stacks import LONG
from xero_stream.failpoints import Failpoint

SHORT = {"processes": 1, "kill-at": 0, "freeze-at": 1, "kafka": 2, "postgres": 1, "xero": 1}
"""Failures of each kind in the short form."""
TOGETHER = 6
"""Failpoints that are armed at once in the short form: all of them are reached in every run."""


def drawn(failures: Mapping[str, Sequence[Failure]], chance: random.Random) -> list[Failure]:
    """The failures of a short run, in random order: every failpoint, and some of all the rest.

    Args:
        failures: all of them, by kind.
        chance: decides which, and their order.
    """
    found: list[Failure] = []
    for kind, rows in failures.items():
        count = SHORT[kind] * (3 if LONG else 1)
        may_be = [failure for failure in rows if not failure.soak_only]
        found += chance.sample(may_be, min(count, len(may_be)))
    points = chance.sample(list(Failpoint), len(Failpoint))
    found += [killed_together(points[place : place + TOGETHER]) for place in range(0, len(points), TOGETHER)]
    chance.shuffle(found)
    return found


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
