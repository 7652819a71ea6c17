"""A process that ends with its parent: its standard input is a pipe that only the parent holds.

When the parent is gone, for whatever reason, the kernel closes the pipe; the child reads end-of-file and ends by itself
(``--with-parent`` of our commands, ``--listening`` of a receiver's worker).
"""

import asyncio
import signal
import subprocess
from asyncio.subprocess import Process
from collections.abc import Mapping, Sequence

import structlog

log = structlog.get_logger(__name__)


class ChildProcess:
    """A :class:`~xero_stream.process.supervisor.Child` that knows when its parent is gone."""

    def __init__(
        self,
        *,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        stop_seconds: float,
        pass_fds: Sequence[int] = (),
    ) -> None:
        """Nothing runs before :meth:`start`.

        Args:
            name: for logs.
            command: the whole command line.
            environment: the whole environment.
            stop_seconds: how long it may take to end in order.
            pass_fds: file descriptors that it inherits.
        """
        self.name = name
        self._command = tuple(command)
        self._environment = environment
        self._stop_seconds = stop_seconds
        self._pass_fds = tuple(pass_fds)
        self._process: Process | None = None

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int:
        """Its process id, also after its end."""
        assert self._process is not None
        return self._process.pid

    async def start(self) -> None:
        """Start it; do nothing while it runs.

        Raises:
            OSError: it can't be started.
        """
        if self.running:
            return
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=subprocess.PIPE,
            pass_fds=self._pass_fds,
            env=dict(self._environment),
            start_new_session=True,  # a Ctrl-C on the terminal is for the parent, which stops its children in order
        )
        log.info("process_started", process=self.name, child_pid=self._process.pid)

    async def exited(self) -> int:
        """Wait for its end.

        Returns:
            Its exit status, negative for a signal.
        """
        assert self._process is not None
        return await self._process.wait()

    async def stop(self) -> None:
        """SIGTERM, then SIGKILL once it took too long; wait for its end."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        self._send(process, signal.SIGTERM)
        ended = asyncio.ensure_future(process.wait())
        await asyncio.wait({ended}, timeout=self._stop_seconds)
        if not ended.done():
            log.error("process_killed", process=self.name, after=self._stop_seconds)
            self._send(process, signal.SIGKILL)
        await ended

    async def kill(self) -> None:
        """``kill -9`` it and wait for its end."""
        if self._process is not None and self._process.returncode is None:
            self._send(self._process, signal.SIGKILL)
            await self._process.wait()

    @staticmethod
    def _send(process: Process, number: signal.Signals) -> None:
        try:
            process.send_signal(number)
        except ProcessLookupError:
            return
