"""One failure after another, drawn by seed, under live edits: afterwards every promise of the design holds.

``SEED=n make robustness`` repeats a run, ``FAILURE=name,name`` has only these happen, in this order.
"""

import os

import pytest

from tests.robustness.conftest import NewExperiment
from tests.robustness.experiment import traffic, undergo
from tests.robustness.failures.table import table
from tests.robustness.scenarios import drawn, named

EDITS_PER_SECOND = 6


@pytest.mark.timeout(900)
async def test_it_survives_one_failure_after_another(new_experiment: NewExperiment) -> None:
    """Every failpoint, and some failures of every other kind: each is recovered from in time, and nothing is broken."""
    async with new_experiment() as experiment:
        wanted = os.environ.get("FAILURE")
        failures = named(table(), wanted) if wanted else drawn(table(), experiment.chance)
        async with traffic(experiment, EDITS_PER_SECOND):
            for failure in failures:
                await undergo(experiment, failure)
        await experiment.judged()
