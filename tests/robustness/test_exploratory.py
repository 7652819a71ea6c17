"""One failure after another, drawn by seed, under live edits: afterwards every promise of the design holds.

``SEED=n make robustness`` repeats a run, ``FAILURE=name,name`` has only these happen, in this order.
"""

import itertools
import os
import sys
import time
from collections.abc import Iterator

import pytest

from tests.robustness.conftest import NewExperiment
from tests.robustness.experiment import Experiment, traffic, undergo
from tests.robustness.failures.failure import Failure
from tests.robustness.failures.table import table
from tests.robustness.scenarios import drawn, every, named
from tests.support.stacks import SOAK

EDITS_PER_SECOND = 6
SOAK_MINUTES = 60.0


def chosen(experiment: Experiment) -> Iterator[Failure]:
    """The failures of this run: those named, or drawn; in a soak every one, again and again, for as long as was said."""
    wanted = os.environ.get("FAILURE")
    if wanted:
        yield from named(table(), wanted)
    elif not SOAK:
        yield from drawn(table(), experiment.chance)
    else:
        ends = time.monotonic() + 60 * float(os.environ.get("XERO_STREAM_SOAK_MINUTES", SOAK_MINUTES))
        while time.monotonic() < ends:
            yield from itertools.takewhile(lambda _: time.monotonic() < ends, every(table(), experiment.chance))


@pytest.mark.timeout(4 * 3600 if SOAK else 900)
async def test_it_survives_one_failure_after_another(new_experiment: NewExperiment) -> None:
    """Every failpoint, and some failures of every other kind: each is recovered from in time, and nothing is broken."""
    async with new_experiment() as experiment:
        async with traffic(experiment, EDITS_PER_SECOND):
            for failure in chosen(experiment):
                recovery = await undergo(experiment, failure)
                sys.stderr.write(f"{experiment.stack.elapsed():8.1f} s  {failure.name}: {recovery.recovered:.1f} s\n")
        await experiment.judged()
