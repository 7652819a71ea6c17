"""Processes kept running, by children that do what a test says."""

import asyncio
from collections.abc import Sequence

import pytest

from xero_stream.process.backoff import Backoff
from xero_stream.process.restart import RestartPolicy
from xero_stream.process.supervisor import Child, GaveUpError, Supervisor

POLICY = RestartPolicy(backoff=Backoff(first=0.001, longest=1.0), settled_seconds=60.0, unusable=frozenset((78,)))


class Scripted:
    """A child that ends with given statuses, one a start, and then runs on; a status of None: it does not start."""

    def __init__(self, name: str, ends: Sequence[int | None] = (), order: list[str] | None = None) -> None:
        self.name = name
        self.starts = 0
        self.started = asyncio.Event()
        self._ends = list(ends)
        self._order = order if order is not None else []
        self._end: asyncio.Future[int] | None = None

    @property
    def running(self) -> bool:
        """Whether it has no exit status."""
        return self._end is not None and not self._end.done()

    async def start(self) -> None:
        """Start; end by the script."""
        end = self._ends.pop(0) if self._ends else 0
        if end is None:
            raise OSError("the port is taken")
        self.starts += 1
        self.started.set()
        self._end = asyncio.get_running_loop().create_future()
        if end:
            self._end.set_result(end)

    async def exited(self) -> int:
        """The status of the script, or what ended it."""
        assert self._end is not None
        return await asyncio.shield(self._end)

    async def stop(self) -> None:
        """End with SIGTERM."""
        await asyncio.sleep(0)
        if self._end is not None and not self._end.done():
            self._order.append(self.name)
            self._end.set_result(-15)

    async def kill(self) -> None:
        """End with SIGKILL."""
        assert self._end is not None
        self._end.set_result(-9)


class Noted:
    """What an observer was told."""

    def __init__(self) -> None:
        self.delays: list[float] = []
        self.delayed = asyncio.Event()
        self.restarts: asyncio.Queue[tuple[str, bool]] = asyncio.Queue()

    def ended(self, child: Child, status: int | None, delay: float, *, failed: bool) -> None:
        """Note the delay."""
        del child, status, failed
        self.delays.append(delay)
        self.delayed.set()

    def not_started(self, child: Child, error: Exception, delay: float) -> None:
        """Note the delay."""
        del child, error
        self.delays.append(delay)

    def restarted(self, child: Child, *, killed: bool) -> None:
        """Note who."""
        self.restarts.put_nowait((child.name, killed))

    def gave_up(self, child: Child, status: int | None) -> None:
        """Nothing."""


async def test_a_process_that_ends_is_started_again() -> None:
    """After each end, and after each failed restart, the next delay is twice as long."""
    child, noted, stop = Scripted("Kafka", [-9, None, None]), Noted(), asyncio.Event()
    supervisor = Supervisor([child], policy=POLICY, observer=noted, start_errors=(OSError,))

    async with asyncio.timeout(5):
        running = asyncio.create_task(supervisor.run(stop))
        assert await noted.restarts.get() == ("Kafka", False)
        stop.set()
        await running

    assert child.starts == 2
    assert noted.delays == [0.001, 0.002, 0.004]


async def test_groups_are_stopped_in_order() -> None:
    """A group ends before the next is asked to, and no process is started afterwards."""
    order: list[str] = []
    children = [Scripted(name, order=order) for name in ("receiver", "processors", "simulator")]
    stop = asyncio.Event()
    supervisor = Supervisor(children[:1], children[1:2], children[2:], policy=POLICY)

    async with asyncio.timeout(5):
        running = asyncio.create_task(supervisor.run(stop))
        await asyncio.gather(*(child.started.wait() for child in children))
        stop.set()
        await running

    assert order == ["receiver", "processors", "simulator"]
    assert [child.starts for child in children] == [1, 1, 1]


async def test_an_unusable_process_stops_the_others() -> None:
    """The error says which and with what status."""
    order: list[str] = []
    other = Scripted("receiver", order=order)
    supervisor = Supervisor([other, Scripted("processors", [78])], policy=POLICY)

    async with asyncio.timeout(5):
        with pytest.raises(GaveUpError, match="processors ended with status 78"):
            await supervisor.run(asyncio.Event())

    assert order == ["receiver"]


async def test_a_killed_process_is_started_again_at_once() -> None:
    """No delay, and the observer hears that it was killed on purpose."""
    child, noted = Scripted("receiver"), Noted()
    slow = RestartPolicy(backoff=Backoff(first=60.0, longest=60.0), settled_seconds=60.0)
    supervisor = Supervisor([child], policy=slow, observer=noted)
    await supervisor.start(child)
    keeping = asyncio.create_task(supervisor.keep())

    async with asyncio.timeout(5):
        await supervisor.kill(child)
        assert await noted.restarts.get() == ("receiver", True)
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)

    assert child.starts == 2
    assert child.running  # keep() leaves the processes alone when it is cancelled
    assert noted.delays == []


async def test_a_stop_during_a_delay_ends_at_once() -> None:
    """And the process is not started again."""
    child, noted, stop = Scripted("receiver", [1]), Noted(), asyncio.Event()
    slow = RestartPolicy(backoff=Backoff(first=60.0, longest=60.0), settled_seconds=60.0)

    async with asyncio.timeout(5):
        running = asyncio.create_task(Supervisor([child], policy=slow, observer=noted).run(stop))
        await noted.delayed.wait()
        stop.set()
        await running

    assert child.starts == 1


async def test_a_process_that_can_not_be_started_ends_all() -> None:
    """At the first start an error is the caller's, whatever restarts may run into."""
    supervisor = Supervisor([Scripted("receiver", [None])], policy=POLICY, start_errors=(OSError,))

    async with asyncio.timeout(5):
        with pytest.raises(OSError, match="port is taken"):
            await supervisor.run(asyncio.Event())
