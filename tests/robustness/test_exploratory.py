"""One failure after another, drawn by seed, under live edits: afterwards every promise of the design holds.

``SEED=n make robustness`` repeats a run, ``FAILURE=name,name`` has only these happen, in this order.
"""

import os
import time
from collections.abc import Iterator
from itertools import takewhile

import pytest

from tests.robustness.conftest import NewExperiment
from tests.robustness.experiment import Experiment, traffic, undergo_all
from tests.robustness.failures.failure import Failure
from tests.robustness.failures.table import table
from tests.robustness.scenarios import drawn, every, kills, named, soak_ends, until
from tests.support.stacks import SOAK

EDITS_PER_SECOND = 6
SOAK_MINUTES = 60.0
SOAK_KILLS, SOAK_KILLS_MINUTES = 100, 210.0


def chosen(experiment: Experiment) -> Iterator[Failure]:
    """The failures of this run: those named, or drawn; in a soak every one, again and again, for as long as was said."""
    wanted = os.environ.get("FAILURE")
    if wanted:
        yield from named(table(), wanted)
    elif not SOAK:
        yield from drawn(table(), experiment.chance)
    else:
        yield from until(soak_ends(SOAK_MINUTES), lambda: every(table(), experiment.chance))


@pytest.mark.timeout(4 * 3600 if SOAK else 900)
async def test_it_survives_one_failure_after_another(new_experiment: NewExperiment) -> None:
    """Every failpoint, and some failures of every other kind: each is recovered from in time, and nothing is broken."""
    async with new_experiment() as experiment:
        async with traffic(experiment, EDITS_PER_SECOND):
            wrong = await undergo_all(experiment, chosen(experiment), go_on=SOAK)
        await experiment.judged()
    assert not wrong, wrong


@pytest.mark.long
@pytest.mark.timeout(4 * 3600)
async def test_killed_everywhere_again_and_again(new_experiment: NewExperiment) -> None:
    """``kill -9`` of receiver and processors at random moments and at every failpoint.

    In a soak a hundred times each, or for as long as was said.
    """
    async with new_experiment() as experiment:
        rounds = SOAK_KILLS if SOAK else 1
        ends = soak_ends(SOAK_KILLS_MINUTES)
        failures = takewhile(
            lambda _: time.monotonic() < ends,
            (failure for _ in range(rounds) for failure in kills(table(), experiment.chance)),
        )
        async with traffic(experiment, EDITS_PER_SECOND):
            wrong = await undergo_all(experiment, failures, go_on=SOAK)
        await experiment.judged()
    assert not wrong, wrong
