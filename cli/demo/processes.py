"""The demo's own processes: real ones, killed with ``kill -9`` and started again; nothing of them outlives the demo."""

import asyncio
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cli.exits import ExitCode
from xero_stream.local.supervised import Program, Supervised, tail

STOP_SECONDS = 8.0
"""How long one may take to end in order; then it is killed."""
CRASHES_IN_A_ROW = 3
SHORT_LIFE_SECONDS = 8.0
PATIENCE_SECONDS = 90.0
"""How long one may go on ending because Kafka does not answer."""


class WorkerFailedError(Exception):
    """A process of the demo can't be kept running; the end of its log is in the message."""


@dataclass(slots=True)
class _Member:
    program: Program
    running: Supervised | None = None
    started_at: float = 0.0
    crashes: int = 0
    waits_since: float | None = None


def program(name: str, command: Sequence[str], environment: Mapping[str, str], *, cwd: Path, logs: Path) -> Program:
    """One of our commands as a supervised program.

    Args:
        name: for people; also the log's name.
        command: the command of ``xero-stream`` and its arguments; shown by ``ps``.
        environment: its whole environment; shown by ``ps`` too.
        cwd: its working directory: one without a ``.env``.
        logs: where its log goes.
    """
    return Program(
        name=name,
        argv=[sys.executable, "-m", "cli.main", *command],
        cwd=cwd,
        log=logs / f"{name.replace(' ', '-')}.log",
        environment=environment,
        stop_seconds=STOP_SECONDS,
    )


class DemoProcesses:
    """Starts processes, keeps them running, kills them when asked."""

    def __init__(self, *, keep_open: Sequence[int], on_restart: Callable[[str, bool], None]) -> None:
        """No process is started before :meth:`start`.

        Args:
            keep_open: file descriptors for the supervisors: the lock of the data directory.
            on_restart: told the name of a process that was started again, and whether it had been killed on purpose.
        """
        self._keep_open = keep_open
        self._on_restart = on_restart
        self._members: dict[str, _Member] = {}
        self._killed: set[str] = set()
        self.kills = 0
        self.crashes = 0

    async def start(self, program: Program) -> None:
        """Start a process and keep it among ours.

        Raises:
            ServerFailedError: it can't be started.
        """
        member = self._members.setdefault(program.name, _Member(program))
        member.started_at = asyncio.get_running_loop().time()
        member.running = await Supervised.start(program, keep_open=self._keep_open)

    async def kill(self, name: str) -> int:
        """``kill -9``; :meth:`keep` starts it again.

        Returns:
            The process id it had; 0 where it was not running.
        """
        running = self._members[name].running
        if running is None or not running.running:
            return 0
        pid = running.pid
        self._killed.add(name)
        self.kills += 1
        await running.kill()
        return pid

    async def keep(self) -> None:
        """Start again whatever ends, until cancelled.

        Raises:
            WorkerFailedError: one ends by itself again and again.
        """
        async with asyncio.TaskGroup() as tasks:
            for name in self._members:
                tasks.create_task(self._keep_one(name), name=name)

    async def _keep_one(self, name: str) -> None:
        member = self._members[name]
        while True:
            assert member.running is not None
            status = await member.running.exited()
            on_purpose = name in self._killed
            self._killed.discard(name)
            await asyncio.sleep(self._pause(member, status, on_purpose=on_purpose))
            await self.start(member.program)
            if status != ExitCode.UNREACHABLE or on_purpose:
                self._on_restart(name, on_purpose)

    def _pause(self, member: _Member, status: int | None, *, on_purpose: bool) -> float:
        """Seconds until one that has ended is started again.

        Raises:
            WorkerFailedError: it ends by itself again and again.
        """
        now = asyncio.get_running_loop().time()
        if on_purpose:
            member.crashes, member.waits_since = 0, None
            return 0.0
        if status == ExitCode.UNREACHABLE:  # it was started while Kafka was down: as a process manager would, again
            member.waits_since = now if member.waits_since is None else member.waits_since
            if now - member.waits_since > PATIENCE_SECONDS:
                raise self._failure(member, status)
            return 0.5
        self.crashes += 1
        member.crashes = member.crashes + 1 if now - member.started_at < SHORT_LIFE_SECONDS else 1
        if member.crashes >= CRASHES_IN_A_ROW:
            raise self._failure(member, status)
        return 0.5 * member.crashes

    def check(self) -> None:
        """Make sure that nobody has ended; used while they start.

        Raises:
            WorkerFailedError: one has.
        """
        for member in self._members.values():
            if member.running is not None and not member.running.running:
                raise self._failure(member, None)

    @staticmethod
    def _failure(member: _Member, status: int | None) -> WorkerFailedError:
        ended = "ended" if status is None else f"ended with status {status}"
        return WorkerFailedError(
            f"{member.program.name} {ended}; {member.program.log} says: {tail(member.program.log)}"
        )

    async def stop(self) -> None:
        """End them all: first the workers, then what they work with."""
        for last in (False, True):
            running = [one.running for name, one in self._members.items() if (name == "simulator") is last]
            await asyncio.gather(*(one.stop() for one in running if one is not None))
