"""A process dies, or freezes past its session, exactly where it hurts most."""

import asyncio
import itertools
import signal
from collections.abc import Sequence
from functools import partial

from tests.robustness.experiment import SESSION_SECONDS, Experiment
from tests.robustness.failures.failure import Failure
from tests.support.stack import Process
from xero_stream.failpoints import Action, Failpoint

REACHED_SECONDS = 20.0

FROZEN_AT = (
    Failpoint.LEASE_ASKED,
    Failpoint.LEASE_TAKEN,
    Failpoint.PRODUCER_READY,
    Failpoint.INTAKE_OPEN,
    Failpoint.CALL_LEDGERED,
    Failpoint.REFRESH_OPEN,
    Failpoint.REFRESH_ANSWERED,
    Failpoint.RECORDER_OPEN,
    Failpoint.RECORDER_COMMITTED,
    Failpoint.RELAY_OPEN,
    Failpoint.RELAY_ENDED,
    Failpoint.LEASE_KEPT,
)
"""Where a worker that wakes up late could do harm; at the others it holds nothing."""


async def _provoke(experiment: Experiment, point: Failpoint) -> None:
    """Bring about what passes by this point, where live edits alone don't."""
    stack = experiment.stack
    match point:
        case Failpoint.LEASE_ASKED | Failpoint.LEASE_TAKEN | Failpoint.PRODUCER_READY:
            process = stack.processes[experiment.chance.choice(stack.processors)]
            process.kill()
            process.start()
        case Failpoint.LEASE_KEPT:
            stack.processes[experiment.chance.choice(stack.processors)].signal(signal.SIGTERM)
        case Failpoint.REFRESH_OPEN | Failpoint.REFRESH_ANSWERED:
            await stack.fetch("UPDATE grants SET expires_at = now() - interval '1 hour', refreshed_at = expires_at")
            process = stack.processes[experiment.chance.choice(stack.processors)]
            process.kill()
            process.start()  # it remembers no token
        case Failpoint.DEAD_LETTERS_ENDED:
            await stack.send_unreadable_event(experiment.tenants[0])
        case _:
            pass  # live edits pass by


async def _victim(experiment: Experiment, point: Failpoint) -> Process:
    """The process that took the file away.

    Raises:
        AssertionError: nobody reached the point.
    """
    found: list[int] = []

    async def taken() -> bool:
        found[:] = [int(path.suffix[1:]) for path in experiment.failpoints.glob(f"{point}.*")]
        return bool(found)

    await experiment.stack.until(taken, REACHED_SECONDS, f"somebody to reach {point}")
    return next(process for process in experiment.stack.processes.values() if process.child and process.pid == found[0])


def _arm(experiment: Experiment, point: Failpoint, action: Action) -> None:
    for old in experiment.failpoints.glob(f"{point}*"):
        old.unlink()
    unseen = experiment.failpoints / f".{point}"
    unseen.write_text(action, encoding="utf-8")
    unseen.replace(experiment.failpoints / point)


async def strike(experiment: Experiment, point: Failpoint, action: Action) -> Process:
    """Have the next process that comes by a point do something there; answers which one it was.

    Raises:
        AssertionError: nobody came by.
    """
    _arm(experiment, point, action)
    await _provoke(experiment, point)
    return await _victim(experiment, point)


def _start_again(experiment: Experiment) -> None:
    for process in experiment.stack.processes.values():
        if process.ended:
            process.start()


async def kill_at(experiment: Experiment, point: Failpoint) -> None:
    """``kill -9`` at a failpoint, and a new start."""
    victim = await strike(experiment, point, Action.KILL)
    await victim.wait()
    await asyncio.sleep(experiment.chance.choice((0.0, experiment.chance.uniform(0.0, 0.5))))
    _start_again(experiment)


async def kill_at_each(experiment: Experiment, points: Sequence[Failpoint]) -> None:
    """``kill -9`` at several failpoints, whoever comes by first; the dead are started again, perhaps into the next one."""
    loop = asyncio.get_running_loop()
    for point in points:
        _arm(experiment, point, Action.KILL)
    ends = loop.time() + 4 * REACHED_SECONDS
    try:
        for point in itertools.cycle(points):
            left = _armed(experiment, points)
            if not left:
                await asyncio.sleep(0.2)  # the last one is about to die
                return
            if point not in left:
                continue
            assert loop.time() < ends, f"nobody reached {', '.join(left)}"
            await _provoke(experiment, point)
            # Not provoked again before somebody had the time to start and to get so far.
            again = loop.time() + REACHED_SECONDS / 2
            while point in _armed(experiment, points) and loop.time() < again:
                await asyncio.sleep(0.1)
                _start_again(experiment)
    finally:
        for point in points:
            (experiment.failpoints / point).unlink(missing_ok=True)
        _start_again(experiment)


def _armed(experiment: Experiment, points: Sequence[Failpoint]) -> list[Failpoint]:
    """Those that nobody has come by yet."""
    return [point for point in points if (experiment.failpoints / point).exists()]


async def freeze_at(experiment: Experiment, point: Failpoint) -> None:
    """Frozen at a failpoint until another worker has taken over, then awake again."""
    stack = experiment.stack
    victim = await strike(experiment, point, Action.FREEZE)
    others = [name for name in stack.processors if stack.processes[name] is not victim]
    await stack.settled_group(*others, within=SESSION_SECONDS + 20)
    # The successor has its lease; it is looking where to go on, or has just begun.
    await asyncio.sleep(experiment.chance.uniform(0.5, 1.0))
    victim.signal(signal.SIGCONT)
    if point is Failpoint.LEASE_KEPT:  # it was told to stop
        await victim.wait()
        victim.start()


KILLED = tuple(Failure(name=f"kill-at-{point}", inject=partial(kill_at, point=point)) for point in Failpoint)
FROZEN = tuple(Failure(name=f"freeze-at-{point}", inject=partial(freeze_at, point=point)) for point in FROZEN_AT)


def killed_together(points: Sequence[Failpoint]) -> Failure:
    """One failure out of several failpoints: what the short form makes of them."""
    return Failure(name=f"kill-at-{'+'.join(points)}", inject=partial(kill_at_each, points=points))
