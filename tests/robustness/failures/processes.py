"""Our own processes killed, frozen, stopped in order, started again; one more joins, one leaves."""

import asyncio
import signal

from tests.robustness.experiment import SESSION_SECONDS, Experiment
from tests.robustness.failures.failure import Failure
from tests.support.stack import Process

DRAIN_SECONDS = 15.0


async def _again(experiment: Experiment, process: Process) -> None:
    """Start it, at once or a moment later."""
    await asyncio.sleep(experiment.chance.choice((0.0, experiment.chance.uniform(0.0, 0.5))))
    process.start()


async def kill_processor(experiment: Experiment) -> None:
    """``kill -9`` of a worker at a random moment."""
    process = experiment.stack.processes[experiment.chance.choice(experiment.stack.processors)]
    await asyncio.sleep(experiment.chance.uniform(0.0, 1.0))
    process.kill()
    await _again(experiment, process)


async def kill_receiver(experiment: Experiment) -> None:
    """``kill -9`` of the receiver at a random moment."""
    process = experiment.stack.processes["receiver"]
    await asyncio.sleep(experiment.chance.uniform(0.0, 1.0))
    process.kill()
    await _again(experiment, process)


async def kill_all(experiment: Experiment) -> None:
    """``kill -9`` of receiver and every worker at once, as when a machine dies."""
    processes = [experiment.stack.processes[name] for name in ("receiver", *experiment.stack.processors)]
    for process in processes:
        process.kill()
    await asyncio.sleep(experiment.chance.uniform(0.0, 0.5))
    for process in processes:
        process.start()


async def restart_one_by_one(experiment: Experiment) -> None:
    """A rolling restart: each drains, ends with 0 and comes back before the next one goes."""
    for name in ("receiver", *experiment.stack.processors):
        process = experiment.stack.processes[name]
        code = await process.stop(DRAIN_SECONDS)
        assert code == 0, f"{name} ended with {code}"
        process.start()
        if name == "receiver":
            await experiment.stack.until(experiment.stack.receiver_ready, 15, "the receiver to be back")
        else:
            await experiment.stack.settled_group()


async def freeze_processor(experiment: Experiment) -> None:
    """A worker stands still past its session and wakes up believing that its partitions are its own."""
    stack = experiment.stack
    name = experiment.chance.choice(stack.processors)
    others = [one for one in stack.processors if one != name]
    await asyncio.sleep(experiment.chance.uniform(0.0, 1.0))
    stack.processes[name].signal(signal.SIGSTOP)
    await stack.settled_group(*others, within=SESSION_SECONDS + 20)
    stack.processes[name].signal(signal.SIGCONT)


async def freeze_receiver(experiment: Experiment) -> None:
    """The receiver stands still for longer than Xero waits."""
    process = experiment.stack.processes["receiver"]
    process.signal(signal.SIGSTOP)
    await asyncio.sleep(6)
    process.signal(signal.SIGCONT)


async def join_and_leave(experiment: Experiment) -> None:
    """One more worker joins under load, and later leaves in order."""
    stack = experiment.stack
    name = f"processors-{len(stack.processors)}"
    process = stack.add(name, *stack.processors_module)
    process.start()
    try:
        await stack.settled_group()
    finally:
        code = await process.stop(DRAIN_SECONDS)
        del stack.processes[name]
    assert code == 0, f"{name} ended with {code}"


FAILURES = (
    Failure(name="kill-processor", inject=kill_processor),
    Failure(name="kill-receiver", inject=kill_receiver),
    Failure(name="kill-all", inject=kill_all),
    Failure(name="restart-one-by-one", inject=restart_one_by_one),
    Failure(name="freeze-processor", inject=freeze_processor),
    Failure(name="freeze-receiver", inject=freeze_receiver),
    Failure(name="join-and-leave", inject=join_and_leave),
)
