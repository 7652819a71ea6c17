"""The clocks of our machines are a day wrong: they are set, and set back, and a process starts with a wrong one."""

import asyncio
from functools import partial

from tests.robustness.experiment import Experiment
from tests.robustness.failures.failure import Failure
from tests.support.clocks import DAY, SEEN_SECONDS

WORKS_SECONDS = 30.0


async def set_one(experiment: Experiment, *, off: float) -> None:
    """One machine's clock is set, everything goes on meanwhile, and it is set back."""
    clock = experiment.clocks[experiment.chance.choice(sorted(experiment.clocks))]
    clock.set(off)
    try:
        await asyncio.sleep(SEEN_SECONDS)
        await experiment.working(WORKS_SECONDS)
    finally:
        clock.set(0.0)


async def set_all(experiment: Experiment) -> None:
    """Every machine has another wrong time."""
    for clock in experiment.clocks.values():
        clock.set(experiment.chance.choice((-1.0, 1.0)) * experiment.chance.uniform(0.1, 1.0) * DAY)
    try:
        await asyncio.sleep(SEEN_SECONDS)
        await experiment.working(WORKS_SECONDS)
    finally:
        for clock in experiment.clocks.values():
            clock.set(0.0)


async def started_wrong(experiment: Experiment) -> None:
    """A worker is killed and starts again on a machine that is a day wrong; its clock is set right later."""
    name = experiment.chance.choice(experiment.stack.processors)
    process, clock = experiment.stack.processes[name], experiment.clocks[name]
    process.kill()
    clock.set(experiment.chance.choice((-DAY, DAY)))
    try:
        process.start()
        await experiment.working(WORKS_SECONDS + 10)
    finally:
        clock.set(0.0)


FAILURES = (
    Failure(name="clock-a-day-ahead", inject=partial(set_one, off=DAY)),
    Failure(name="clock-a-day-behind", inject=partial(set_one, off=-DAY)),
    Failure(name="clocks-all-wrong", inject=set_all),
    Failure(name="clock-wrong-at-start", inject=started_wrong, ends_a_process=True),
)
