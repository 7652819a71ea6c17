"""The demo's processes: killed and started again, given up on, stopped; with small programs in their place."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cli.demo.processes import CRASHES_IN_A_ROW, DemoProcesses, WorkerFailedError, program
from tests.support.processes import seconds_until_gone, until
from xero_stream.process.program import Program

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is POSIX")

SLEEP = "import time; time.sleep(60)"


def sample(folder: Path, code: str, name: str = "sample") -> Program:
    """A program that runs Python code in a folder."""
    return Program(
        name=name,
        argv=[sys.executable, "-I", "-S", "-c", code],
        cwd=folder,
        log=folder / f"{name}.log",
        environment={"PATH": os.environ["PATH"]},
        stop_seconds=2.0,
        orphan_seconds=1.0,
    )


async def until_it_says(log: Path, words: str, times: int) -> None:
    """Wait for words in a log."""
    await asyncio.to_thread(until, lambda: log.exists() and log.read_text(encoding="utf-8").count(words) >= times)


@pytest.fixture
async def folder(tmp_path: Path) -> AsyncIterator[Path]:
    """A folder no process works in at the end of the test."""
    yield tmp_path
    await asyncio.to_thread(seconds_until_gone, tmp_path, 15)


class Told:
    """Who was started again."""

    def __init__(self) -> None:
        self.restarts: asyncio.Queue[tuple[str, bool]] = asyncio.Queue()
        self.processes = DemoProcesses(
            keep_open=(), on_restart=lambda name, on_purpose: self.restarts.put_nowait((name, on_purpose))
        )


async def test_a_killed_process_is_started_again(folder: Path) -> None:
    """Another process under the same name; counted as a kill, not as a crash."""
    told = Told()
    await told.processes.start(sample(folder, SLEEP))
    keeping = asyncio.create_task(told.processes.keep())
    try:
        first = await told.processes.kill("sample")
        assert await told.restarts.get() == ("sample", True)
        second = await told.processes.kill("sample")
        assert await told.restarts.get() == ("sample", True)
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        await told.processes.stop()

    assert first != second
    assert 0 not in (first, second)
    assert (told.processes.kills, told.processes.crashes) == (2, 0)


async def test_one_that_crashes_again_and_again_ends_the_demo(folder: Path) -> None:
    """With the end of its log: the demo does not spin on a process that can't run."""
    told = Told()
    await told.processes.start(sample(folder, "import sys; sys.exit('no licence to run')"))

    with pytest.raises(WorkerFailedError, match="no licence to run") as raised:
        await told.processes.keep()

    assert "sample ended with status 1" in str(raised.value)
    assert told.processes.crashes == CRASHES_IN_A_ROW


async def test_one_that_waits_for_kafka_is_not_a_crash(folder: Path) -> None:
    """Status 69: started while Kafka is down. It is tried again until Kafka is there."""
    flag = folder / "kafka is there"
    told = Told()
    code = (
        f"import os, sys, time; there = os.path.exists({str(flag)!r})\n"
        "print('up' if there else 'no Kafka', flush=True)\n"
        "time.sleep(60) if there else sys.exit(69)"
    )
    await told.processes.start(sample(folder, code))
    keeping = asyncio.create_task(told.processes.keep())
    try:
        await until_it_says(folder / "sample.log", "no Kafka", CRASHES_IN_A_ROW + 1)
        flag.touch()
        await until_it_says(folder / "sample.log", "up", 1)
        await told.processes.kill("sample")
        assert await told.restarts.get() == ("sample", True)
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        await told.processes.stop()

    assert told.processes.crashes == 0


async def test_one_that_ends_while_all_start_is_named(folder: Path) -> None:
    """A process that ended is reported at once."""
    told = Told()
    await told.processes.start(sample(folder, "raise SystemExit('port 4711 is taken')"))

    async def failure() -> str:
        while True:
            try:
                told.processes.check()
            except WorkerFailedError as error:
                return str(error)
            await asyncio.sleep(0.02)

    async with asyncio.timeout(20):
        assert "port 4711 is taken" in await failure()


async def test_the_simulator_goes_last(folder: Path) -> None:
    """Workers finish their calls while the simulated Xero still answers."""
    told = Told()
    order = folder / "order"
    code = (
        "import pathlib, signal, sys, time\n"
        "def end(*_):\n"
        f"    with open({str(order)!r}, 'a') as file: file.write(sys.argv[1] + ' ')\n"
        "    sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "print('up', flush=True)\n"
        "time.sleep(60)"
    )
    for name in ("simulator", "receiver"):
        member = sample(folder, code, name)
        await told.processes.start(
            Program(
                name=name,
                argv=[*member.argv, name],
                cwd=folder,
                log=member.log,
                environment=member.environment,
                stop_seconds=5.0,
            )
        )
        await until_it_says(member.log, "up", 1)

    await told.processes.stop()

    assert order.read_text().split() == ["receiver", "simulator"]


def test_a_program_is_one_of_our_commands(tmp_path: Path) -> None:
    """As users start it, with a log named after it."""
    one = program("processors 1", ["processors"], {"A": "1"}, cwd=tmp_path, logs=tmp_path / "logs")
    assert one.argv[-2:] == ["cli.main", "processors"]
    assert one.log == tmp_path / "logs" / "processors-1.log"
    assert one.environment == {"A": "1"}
