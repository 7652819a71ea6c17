"""A long run under mixed faults that our processes have to live through: nothing grows but the log.

``make soak`` runs it for two hours (``XERO_STREAM_SOAK_MINUTES``) and keeps the report under ``benchmarks/results/soak``.
"""

import time
from pathlib import Path

import pytest

from tests.robustness import report
from tests.robustness.conftest import NewExperiment
from tests.robustness.experiment import traffic, undergo_all
from tests.robustness.failures.table import table
from tests.robustness.scenarios import soak_ends, until
from tests.robustness.watch import EVERY_SECONDS, watching
from tests.support.stacks import SOAK

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results" / "soak"
EDITS_PER_SECOND = 5
LIVED_THROUGH = ("kafka", "postgres", "xero", "clocks", "settings")
"""Kinds of failures of which nearly all end none of our processes."""
SHORT_SECONDS = 36.0
SOAK_MINUTES = 120.0

MOST_MB_PER_HOUR = 8.0
MOST_MORE_DESCRIPTORS = 15
MOST_MORE_TASKS = 15


@pytest.mark.long
@pytest.mark.timeout(4 * 3600)
async def test_hours_under_mixed_faults(new_experiment: NewExperiment, seed: int, tmp_path: Path) -> None:
    """State = truth at the end; memory, descriptors and tasks as at the beginning; a report with a picture."""
    folder = RESULTS if SOAK else tmp_path / "report"
    async with new_experiment() as experiment:
        failures = [
            failure
            for kind in LIVED_THROUGH
            for failure in table()[kind]
            if not failure.ends_a_process and (SOAK or not failure.soak_only)
        ]
        ends = soak_ends(SOAK_MINUTES) if SOAK else time.monotonic() + SHORT_SECONDS
        async with (
            watching(experiment, EVERY_SECONDS * (5 if SOAK else 1)) as watch,
            traffic(experiment, EDITS_PER_SECOND),
        ):
            drawn = until(ends, lambda: experiment.chance.sample(failures, len(failures)))
            wrong = await undergo_all(experiment, drawn, go_on=SOAK)
        figures = report.write(folder, watch.samples, experiment.recoveries, wrong=wrong, seed=seed)
        await experiment.judged()
        assert {process.starts for process in experiment.stack.processes.values()} == {1}

    assert (folder / "timeline.png").stat().st_size > 20_000
    assert figures["edits"] > 0 < figures["changes"]
    assert not wrong, wrong
    if SOAK:
        for name, use in figures["flatness"].items():
            assert use["mb_per_hour"] <= MOST_MB_PER_HOUR, (name, use)
            assert use["descriptors_late"] - use["descriptors_early"] <= MOST_MORE_DESCRIPTORS, (name, use)
            assert use["tasks_late"] - use["tasks_early"] <= MOST_MORE_TASKS, (name, use)
