"""Fixtures: a simulator, a receiver, a process."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest

from tests.integration.simulator.rig import Receiver, Simulated, SimulatorProcess, Talk, simulate

Start = Callable[..., Awaitable[Simulated]]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Starts simulators in this process; they end with the test."""
    running: list[Simulated] = []

    async def begin(**settings: Any) -> Simulated:
        simulated = await simulate(**settings)
        running.append(simulated)
        return simulated

    yield begin
    for simulated in running:
        await simulated.close()


@pytest.fixture
async def talk(start: Start) -> Talk:
    """A client of a small simulator, connected to both its organisations."""
    simulated = await start()
    await simulated.talk.connect()
    return simulated.talk


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A receiver that listens."""
    one = Receiver()
    await one.start()
    yield one
    if one.held is not None:
        one.held.set()
    await one.stop()


@pytest.fixture
def process() -> Iterator[Callable[..., SimulatorProcess]]:
    """Starts simulators as processes; they end with the test."""
    running: list[SimulatorProcess] = []

    def begin(*options: str) -> SimulatorProcess:
        one = SimulatorProcess(*options)
        running.append(one)
        one.start()
        return one

    yield begin
    for one in running:
        if one.child is not None and one.child.poll() is None:
            one.end()
