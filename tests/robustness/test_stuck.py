"""Stuck work, a blocked event loop, no more file descriptors: seen within a minute, or survived."""

import asyncio
import contextlib
import resource
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.robustness.conftest import NewExperiment
from tests.robustness.experiment import Experiment, traffic
from tests.robustness.failures.failpoints import strike
from tests.support.stack import Process, Stack
from xero_stream.failpoints import Action, Failpoint

SEEN_SECONDS = 60.0
PROBE_SECONDS = 5.0
"""What an orchestrator waits for an answer."""


async def told(stack: Stack, process: Process) -> str | None:
    """What ``/livez`` says is stuck; None while all is well."""
    url = f"http://127.0.0.1:{stack.private_ports[process.name]}/livez"
    try:
        answer = await stack.http.get(url, timeout=PROBE_SECONDS)
    except httpx.TransportError as error:
        return type(error).__name__
    return None if answer.status_code == 200 else answer.text


async def seen(stack: Stack, process: Process, word: str) -> str:
    """Wait until ``/livez`` gives a process away, and names what is stuck."""
    found = ""

    async def stuck() -> bool:
        nonlocal found
        found = await told(stack, process) or ""
        return word in found

    await stack.until(stuck, SEEN_SECONDS, f"/livez of {process.name} to tell of {word}")
    return found


async def hang_and_block(experiment: Experiment) -> None:
    """Tasks that never go on, then a loop that stands; each is told of, ended and made up for."""
    stack = experiment.stack
    hung = {
        "call-": await strike(experiment, Failpoint.RECORDER_OPEN, Action.HANG),
        "relay-": await strike(experiment, Failpoint.RELAY_ENDED, Action.HANG),
    }
    what = await asyncio.gather(*(seen(stack, process, word) for word, process in hung.items()))
    stack.note(f"told of: {what}")
    for name in {process.name for process in hung.values()}:
        stack.processes[name].kill()  # what an orchestrator does about it
        stack.processes[name].start()
    await experiment.working(30)

    blocked = await strike(experiment, Failpoint.CALL_ANSWERED, Action.BLOCK)
    await seen(stack, blocked, "Timeout")
    blocked.kill()
    blocked.start()
    await experiment.working(30)


@pytest.mark.long
async def test_what_never_returns_is_seen_and_ended(new_experiment: NewExperiment) -> None:
    """A task that never goes on, a loop that stands: ``/livez`` tells within a minute; restarted, all is made up for."""
    async with new_experiment() as experiment:
        async with traffic(experiment, 4):
            await hang_and_block(experiment)
        await experiment.judged()


def _open_files(process: Process) -> int:
    return len(list(Path(f"/proc/{process.pid}/fd").iterdir()))


@contextlib.asynccontextmanager
async def no_descriptors(process: Process) -> AsyncIterator[None]:
    """No file, no socket more than the process has now."""
    before = resource.prlimit(process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (_open_files(process), before[1]))
    try:
        yield
    finally:
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, before)


async def churn(experiment: Experiment, seconds: float) -> None:
    """Have every connection recreated, as trouble does: with no descriptor left that fails."""
    deadline = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < deadline:
        with contextlib.suppress(httpx.TransportError):
            async with httpx.AsyncClient(trust_env=False, verify=False, timeout=1) as client:
                await client.get(f"http://127.0.0.1:{experiment.stack.receiver_port}/")
        await experiment.kafka.cut()
        await experiment.postgres.cut()
        await asyncio.sleep(0.5)


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets one process set another's limits")
async def test_no_more_file_descriptors(new_experiment: NewExperiment) -> None:
    """Connections can't be made for a while: refused or late, never acknowledged and lost; afterwards all goes on."""
    async with new_experiment() as experiment:
        stack = experiment.stack
        async with traffic(experiment, 4), contextlib.AsyncExitStack() as limits:
            for name in ("receiver", *stack.processors):
                await limits.enter_async_context(no_descriptors(stack.processes[name]))
            await churn(experiment, 6 * experiment.scale)
            await limits.aclose()
            await experiment.working(30)
        await experiment.judged()
        assert {process.starts for process in stack.processes.values()} == {1}
