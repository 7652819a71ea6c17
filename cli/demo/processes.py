"""The demo's own processes: real ones, killed with ``kill -9`` and started again; nothing of them outlives the demo."""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from cli.exits import ExitCode
from xero_stream.process.backoff import Backoff
from xero_stream.process.program import Program, RunningProgram, tail
from xero_stream.process.restart import RestartPolicy
from xero_stream.process.supervisor import Child, GaveUpError, Supervisor

STOP_SECONDS = 8.0
"""How long one may take to end in order; then it is killed."""
CRASHES_IN_A_ROW = 3
POLICY = RestartPolicy(
    backoff=Backoff(first=0.5, longest=1.0),
    settled_seconds=8.0,
    most_failures=CRASHES_IN_A_ROW,
    unreachable=ExitCode.UNREACHABLE,
    patience_seconds=90.0,
)


class WorkerFailedError(Exception):
    """A process of the demo can't be kept running; the end of its log is in the message."""


def program(name: str, command: Sequence[str], environment: Mapping[str, str], *, cwd: Path, logs: Path) -> Program:
    """One of our commands as a program.

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


class DemoProcess:
    """One of them."""

    def __init__(self, program: Program, *, keep_open: Sequence[int]) -> None:
        self.program = program
        self._keep_open = keep_open
        self._running: RunningProgram | None = None

    @property
    def name(self) -> str:
        """For people."""
        return self.program.name

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._running is not None and self._running.running

    @property
    def pid(self) -> int:
        """Its process id; 0 where it does not run."""
        return self._running.pid if self._running is not None and self._running.running else 0

    async def start(self) -> None:
        """Start it.

        Raises:
            ProgramFailedError: it can't be started.
        """
        self._running = await RunningProgram.start(self.program, keep_open=self._keep_open)

    async def exited(self) -> int | None:
        """Wait for its end; its exit status."""
        assert self._running is not None
        return await self._running.exited()

    async def stop(self) -> None:
        """Ask it to end, and kill it when it takes too long."""
        if self._running is not None:
            await self._running.stop()

    async def kill(self) -> None:
        """``kill -9``."""
        if self._running is not None:
            await self._running.kill()

    def failure(self, what: str) -> WorkerFailedError:
        """An error with the end of its log."""
        return WorkerFailedError(f"{what}; {self.program.log} says: {tail(self.program.log)}")


class DemoProcesses:
    """Starts processes, keeps them running, kills them when asked."""

    def __init__(self, *, keep_open: Sequence[int], on_restart: Callable[[str, bool], None]) -> None:
        """No process is started before :meth:`start`.

        Args:
            keep_open: file descriptors for the shims: the lock of the data directory.
            on_restart: called with the name of a process that was started again, and whether it had been killed on purpose.
        """
        self._keep_open = keep_open
        self._on_restart = on_restart
        self._workers: list[Child] = []
        self._last: list[Child] = []
        self._processes: dict[str, DemoProcess] = {}
        # What is stopped first stands first: workers finish their calls while the simulated Xero still answers.
        self._supervisor = Supervisor(self._workers, self._last, policy=POLICY, observer=self)
        self.kills = 0
        self.crashes = 0

    async def start(self, program: Program) -> None:
        """Start a process and keep it among ours.

        Raises:
            ProgramFailedError: it can't be started.
        """
        process = DemoProcess(program, keep_open=self._keep_open)
        self._processes[program.name] = process
        (self._last if program.name == "simulator" else self._workers).append(process)
        await self._supervisor.start(process)

    async def kill(self, name: str) -> int:
        """``kill -9``; :meth:`keep` starts it again.

        Returns:
            The process id it had; 0 where it was not running.
        """
        process = self._processes[name]
        pid = process.pid
        if pid:
            self.kills += 1
            await self._supervisor.kill(process)
        return pid

    async def keep(self) -> None:
        """Start again whatever ends, until cancelled.

        Raises:
            WorkerFailedError: one ends by itself again and again.
        """
        try:
            await self._supervisor.keep()
        except GaveUpError as error:
            raise self._processes[error.child.name].failure(str(error)) from error

    def check(self) -> None:
        """Make sure that none has ended; used while they start.

        Raises:
            WorkerFailedError: one has.
        """
        for process in self._processes.values():
            if not process.running:
                raise process.failure(f"{process.name} ended")

    async def stop(self) -> None:
        """End them all."""
        await self._supervisor.stop()

    def ended(self, child: Child, status: int | None, delay: float, *, failed: bool) -> None:
        """Count a crash."""
        del child, status, delay
        self.crashes += failed

    def gave_up(self, child: Child, status: int | None) -> None:
        """Count the last crash."""
        del child
        self.crashes += status != ExitCode.UNREACHABLE

    def not_started(self, child: Child, error: Exception, delay: float) -> None:
        """Never called: a process that can't be started ends the demo."""

    def restarted(self, child: Child, *, killed: bool) -> None:
        """Pass it on."""
        self._on_restart(child.name, killed)
