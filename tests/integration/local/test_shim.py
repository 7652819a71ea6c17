"""The shim, with small programs in the place of servers."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.processes import processes_of, seconds_until_gone, until
from xero_stream.local.errors import ServerFailedError
from xero_stream.local.launch import launch, run_to_end
from xero_stream.process.program import Program, RunningProgram

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and process groups are POSIX")

SLEEP = "import time; print('up', flush=True); time.sleep(60)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
WITH_CHILD = (
    "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'], "
    "start_new_session=True); print('up', flush=True); time.sleep(60)"
)
"""As PostgreSQL does: its children have sessions of their own."""


def program(folder: Path, code: str, **changes: object) -> Program:
    """A program that runs Python code in a folder."""
    settings: dict[str, object] = {
        "name": "Sample",
        "argv": [sys.executable, "-I", "-c", code],
        "cwd": folder,
        "log": folder / "sample.log",
        "environment": {"PATH": os.environ["PATH"]},
        "stop_seconds": 1.0,
        "orphan_seconds": 1.0,
        **changes,
    }
    return Program(**settings)  # type: ignore[arg-type]  # keyword by keyword the types are right


async def until_it_says(log: Path, word: str) -> None:
    """Wait for a word in a log."""
    await asyncio.to_thread(until, lambda: log.exists() and word in log.read_text(encoding="utf-8"))


@pytest.fixture
async def folder(tmp_path: Path) -> AsyncIterator[Path]:
    """A folder no process works in at the end of the test."""
    yield tmp_path
    await asyncio.to_thread(seconds_until_gone, tmp_path, 15)


async def started(sample: Program) -> RunningProgram:
    """Started, and up."""
    handle = await launch(sample)
    await until_it_says(sample.log, "up")
    return handle


async def test_stop_sends_the_signal_and_waits(folder: Path) -> None:
    """A program that obeys the stop signal has ended by it when stop() returns."""
    handle = await started(program(folder, SLEEP))

    await handle.stop()

    assert (handle.running, await handle.exited()) == (False, -signal.SIGTERM)


async def test_stop_kills_what_does_not_obey(folder: Path) -> None:
    """A program that ignores the stop signal is killed after stop_seconds."""
    handle = await started(program(folder, STUBBORN))

    await handle.stop()

    assert await handle.exited() == -signal.SIGKILL


async def test_a_program_gets_the_default_signal_handlers(folder: Path) -> None:
    """Nothing of the shim's own deafness is inherited: a JVM would then never see its stop signal."""
    code = (
        "import signal; print('up', [signal.getsignal(s) == signal.SIG_IGN for s in "
        "(signal.SIGTERM, signal.SIGINT, signal.SIGHUP)])"
    )
    sample = program(folder, code)

    await run_to_end(sample)

    assert sample.log.read_text(encoding="utf-8") == "up [False, False, False]\n"


async def test_a_program_is_out_of_the_terminals_reach(folder: Path) -> None:
    """Ctrl-C, which the terminal sends to our process group, reaches neither the program nor its shim."""
    handle = await started(program(folder, SLEEP))
    groups = {os.getpgid(pid) for pid in processes_of(folder)}
    sessions = {os.getsid(pid) for pid in processes_of(folder)}

    await handle.kill()

    assert os.getpgid(0) not in groups
    assert os.getsid(0) not in sessions


async def test_nothing_of_the_environment_can_be_seen(folder: Path) -> None:
    """A password in a program's environment is in no command line."""
    handle = await started(program(folder, SLEEP, environment={"DATABASE_URL": "postgresql://canary@host/db"}))
    commands = list(processes_of(folder).values())

    await handle.kill()

    assert len(commands) == 2
    assert not any("canary" in command for command in commands)


async def test_kill_reaches_children_in_other_sessions(folder: Path) -> None:
    """kill() leaves nothing of what the program started."""
    handle = await started(program(folder, WITH_CHILD))

    await handle.kill()

    assert await handle.exited() == -signal.SIGKILL
    assert processes_of(folder) == {}


async def test_children_of_a_program_that_died_go_too(folder: Path) -> None:
    """When the program itself is killed from outside, its orphans are ended."""
    handle = await started(program(folder, WITH_CHILD))

    os.kill(handle.pid, signal.SIGKILL)
    status = await handle.exited()

    assert status == -signal.SIGKILL
    assert await asyncio.to_thread(seconds_until_gone, folder, 5) < 5


async def test_a_frozen_program_neither_runs_nor_is_gone(folder: Path) -> None:
    """freeze() stops the whole tree, thaw() lets it go on where it was."""
    counter = folder / "count"
    code = f"import time; print('up', flush=True)\nwhile True: open({str(counter)!r}, 'a').write('x'); time.sleep(0.01)"
    handle = await started(program(folder, code))

    await handle.freeze()
    before = counter.stat().st_size
    await asyncio.sleep(0.3)
    frozen_for = counter.stat().st_size - before
    await handle.thaw()
    await asyncio.to_thread(until, lambda: counter.stat().st_size > before)

    assert (frozen_for, handle.running) == (0, True)
    await handle.kill()


async def test_a_frozen_program_can_be_stopped(folder: Path) -> None:
    """stop() wakes a frozen program first, so that it can end in order."""
    handle = await started(program(folder, SLEEP))
    await handle.freeze()

    await handle.stop()

    assert await handle.exited() == -signal.SIGTERM


async def test_what_cannot_be_started_is_said(folder: Path) -> None:
    """A program that does not exist is one clear error."""
    with pytest.raises(ServerFailedError, match=r"Sample can't be started: FileNotFoundError.*no-such-program"):
        await launch(program(folder, "", argv=["/no-such-program"]))


async def test_a_short_program_that_fails_says_why(folder: Path) -> None:
    """The end of the log is part of the error."""
    with pytest.raises(ServerFailedError, match=r"Sample failed \(status 3\): what went wrong"):
        await run_to_end(program(folder, "print('what went wrong'); raise SystemExit(3)"))


async def test_a_cancelled_short_program_is_ended(folder: Path) -> None:
    """Being cancelled while a program runs to its end leaves nothing running."""
    sample = program(folder, SLEEP)
    task = asyncio.create_task(run_to_end(sample))
    await until_it_says(sample.log, "up")

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert processes_of(folder) == {}


async def test_output_beyond_the_limit_moves_away(folder: Path) -> None:
    """The log stays bounded while the program goes on writing to it."""
    code = "import time; print('up', flush=True)\nwhile True: print('x' * 500, flush=True); time.sleep(0.001)"
    handle = await started(program(folder, code, log_bytes=20_000))
    older = folder / "sample.log.1"

    await asyncio.to_thread(until, older.exists)
    await handle.kill()

    assert older.stat().st_size > 20_000
    assert (folder / "sample.log").stat().st_size < 1_000_000


PARENT = """
import asyncio, os, sys
sys.path.insert(0, {root!r})
from pathlib import Path
from tests.integration.local.test_shim import program, started, {code}
async def main():
    await started(program(Path({folder!r}), {code}))
    {then}
    print("started", flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""


def parent(folder: Path, code: str, then: str = "pass") -> "subprocess.Popen[bytes]":
    """Another process that runs a program under a shim; returns once it is up."""
    root = str(Path(__file__).parents[3])
    text = PARENT.format(root=root, code=code, folder=str(folder), then=then)
    process = subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"started\n"
    return process


def end(process: "subprocess.Popen[bytes]") -> None:
    """``kill -9``, and wait."""
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


@pytest.mark.parametrize("code", ["SLEEP", "STUBBORN", "WITH_CHILD"])
async def test_nothing_outlives_a_killed_parent(folder: Path, code: str) -> None:
    """After a kill -9 of the parent everything is gone, whether it obeys a stop signal or not."""
    process = parent(folder, code)

    end(process)

    assert seconds_until_gone(folder, 15) < 5


async def test_a_fork_of_the_parent_does_not_keep_servers_alive(folder: Path) -> None:
    """A forked child that inherited the pipe lives on, and yet the servers end with their parent."""
    note = folder / "fork"
    fork = (
        f"fork = os.fork()\n    open({str(note)!r}, 'w').write(str(fork)) if fork else (__import__('time').sleep(60))"
    )
    process = parent(folder, "SLEEP", then=fork)
    end(process)

    await asyncio.to_thread(until, lambda: not any("shim.py" in text for text in processes_of(folder).values()), 5.0)

    forked = int(note.read_text(encoding="ascii"))
    assert list(processes_of(folder)) == [forked]
    os.kill(forked, signal.SIGKILL)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent died")
async def test_a_killed_shim_takes_its_program_along(folder: Path) -> None:
    """Even a kill -9 of the shim leaves nothing, and its handle notices."""
    handle = await started(program(folder, SLEEP))
    shims = [pid for pid, text in processes_of(folder).items() if "shim.py" in text]

    os.kill(shims[0], signal.SIGKILL)

    assert await handle.exited() is None
    assert await asyncio.to_thread(seconds_until_gone, folder, 5) < 5
