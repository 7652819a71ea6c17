"""What Kafka and PostgreSQL have in common here: start until ready, stop, kill, freeze, and start again on the same data."""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from xero_stream.local.errors import ServerFailedError
from xero_stream.local.launch import launch
from xero_stream.process.program import Program, RunningProgram, tail

POLL_SECONDS = 0.05


class Server(ABC):
    """One local server. :meth:`start` and :meth:`stop` may follow each other; data and port stay.

    Args:
        log: the file that gets what the server says.
    """

    name: ClassVar[str]
    ready_seconds: ClassVar[float]

    def __init__(self, log: Path) -> None:
        self.log = log
        self._running: RunningProgram | None = None

    @abstractmethod
    async def check(self) -> None:
        """Find what can be known to be wrong before anything is started or downloaded.

        Raises:
            LocalServerError: the server can't be started; the message says what to do.
        """

    @abstractmethod
    async def _launch(self) -> tuple[Program, Sequence[int]]:
        """Prepare everything; what to run, and the file descriptors its shim keeps open."""

    @abstractmethod
    async def _is_ready(self) -> bool:
        """Whether the server answers."""

    @property
    def pid(self) -> int:
        """The process id of the server.

        Raises:
            ServerFailedError: it was never started.
        """
        return self._started().pid

    @property
    def running(self) -> bool:
        """Whether the server's process lives (frozen or not)."""
        return self._running is not None and self._running.running

    async def start(self) -> None:
        """Start the server and wait until it answers. Does nothing while it runs.

        Raises:
            LocalServerError: it can't be started, or is not ready in time; the message says what to do.
        """
        if self.running:
            return
        await self.check()
        program, keep_open = await self._launch()
        self._running = await launch(program, keep_open=keep_open)
        try:
            await self._wait_until_ready(program)
        except BaseException:
            await self._running.kill()
            raise

    async def stop(self) -> None:
        """Let the server end in order (it is killed when that takes too long). Does nothing when it has ended."""
        if self._running is not None:
            await self._running.stop()

    async def kill(self) -> None:
        """``kill -9``: the server and every process it started, at once.

        Raises:
            ServerFailedError: it was never started.
        """
        await self._started().kill()

    async def freeze(self) -> None:
        """Keep the server from running without ending it (SIGSTOP), as a machine that hangs would.

        Raises:
            ServerFailedError: it was never started.
        """
        await self._started().freeze()

    async def thaw(self) -> None:
        """Let a frozen server run again (SIGCONT).

        Raises:
            ServerFailedError: it was never started.
        """
        await self._started().thaw()

    async def exited(self) -> int | None:
        """Wait until the server has ended, for whatever reason.

        Returns:
            Its exit status, negative for a signal; None when its shim was killed.

        Raises:
            ServerFailedError: it was never started.
        """
        return await self._started().exited()

    async def _wait_until_ready(self, program: Program) -> None:
        running = self._started()
        deadline = time.monotonic() + self.ready_seconds
        while not await self._is_ready():
            if not running.running:
                raise ServerFailedError(
                    f"{self.name} ended right after its start (status {await running.exited()}); "
                    f"{program.log} says: {tail(program.log)}"
                )
            if time.monotonic() > deadline:
                raise ServerFailedError(
                    f"{self.name} did not get ready in {self.ready_seconds:.0f} s; {program.log} says: {tail(program.log)}"
                )
            await asyncio.sleep(POLL_SECONDS)

    def _started(self) -> RunningProgram:
        if self._running is None:
            raise ServerFailedError(f"{self.name} was not started")
        return self._running
