"""The parent of several workers: starts them, starts them again, shows their metrics as one, takes them down with it.

All share one listening socket, opened here: a worker that dies takes no waiting connection with it, and one that is
slow leaves new ones to the others. The metrics live in shared memory, so that a killed worker's counts stay.
"""

import asyncio
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Sequence

import structlog
from prometheus_client import CollectorRegistry

from receiver import health
from receiver.metrics import LAYOUT, ReceiverMetrics
from xero_stream.settings.access import Process, environment
from xero_stream.settings.base import SettingsError
from xero_stream.settings.receiver import ReceiverSettings
from xero_stream.telemetry.cells import SharedCells
from xero_stream.telemetry.health import Health

_log = structlog.get_logger(__name__)

UNUSABLE = 2
"""Exit code of a worker that can't run with its settings: starting it again won't help."""

_DRAIN_SECONDS = 9.5
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 5.0
_SETTLED_SECONDS = 10.0


class Workers:
    """As many processes as the settings say."""

    def __init__(
        self,
        *,
        settings: ReceiverSettings,
        registry: CollectorRegistry,
        command: Sequence[str] = (sys.executable, "-m", "receiver"),
        silent_seconds: float = health.SILENT_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing runs before :meth:`run`.

        Args:
            settings: handed on to the workers.
            registry: where all workers' metrics show.
            command: starts a worker, together with the arguments of ``receiver.start.work``.
            silent_seconds: a worker without a sign of life for longer is not live; for twice as long, it is killed.
            clock: monotonic seconds.

        Raises:
            SettingsError: this system can't hand sockets on.
        """
        if os.name != "posix":
            raise SettingsError("XERO_STREAM_RECEIVER_WORKERS above 1 needs Linux or macOS")
        self._settings = settings
        self._command = tuple(command)
        self._silent_seconds = silent_seconds
        self._clock = clock
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - open for as long as the workers run; closed by run()
        self._file.truncate(SharedCells.size(LAYOUT, settings.workers))
        metrics = ReceiverMetrics(registry=registry, cells=SharedCells(LAYOUT, settings.workers, self._file.fileno()))
        self._metrics = [metrics.worker(number) for number in range(settings.workers)]
        self._processes: dict[int, asyncio.subprocess.Process] = {}
        self._started = [clock()] * settings.workers
        self._stopping = False

    def live(self) -> Health:
        """Whether every worker makes progress."""
        return health.live(self._metrics, self._clock(), min(self._started), self._silent_seconds)

    def ready(self) -> Health:
        """Whether any worker answers requests."""
        return health.ready(self._metrics)

    async def run(self, listening: socket.socket, stop: asyncio.Event) -> None:
        """Keep the workers running until told to stop, then drain them.

        Args:
            listening: the public port.
            stop: set it to end.

        Raises:
            SettingsError: a worker says that it can't run with its settings.
        """
        keeping = [asyncio.create_task(self._keep(number, listening)) for number in range(self._settings.workers)]
        stopping = asyncio.create_task(stop.wait())
        try:
            done, _ = await asyncio.wait({stopping, *keeping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._stopping = True
            await self._drain()
            for task in (stopping, *keeping):
                task.cancel()
            await asyncio.gather(stopping, *keeping, return_exceptions=True)
            self._file.close()
        for task in done - {stopping}:
            task.result()

    async def _keep(self, number: int, listening: socket.socket) -> None:
        """Run a worker, again and again."""
        pause = _FIRST_PAUSE
        while not self._stopping:
            self._started[number] = self._clock()
            self._metrics[number].started(self._started[number])
            process = await self._spawn(number, listening)
            self._processes[number] = process
            code = await self._watched(number, process)
            del self._processes[number]
            self._metrics[number].take_over()
            if self._stopping:
                return
            if code == UNUSABLE:
                raise SettingsError("a worker can't run with these settings; its reason is in the log above")
            if self._clock() - self._started[number] > _SETTLED_SECONDS:
                pause = _FIRST_PAUSE
            _log.error("worker_ended", worker=number, code=code, again_in=pause)
            self._metrics[number].restarted()
            await asyncio.sleep(pause)
            pause = min(_LONGEST_PAUSE, 2 * pause)

    async def _spawn(self, number: int, listening: socket.socket) -> asyncio.subprocess.Process:
        settings = self._settings
        listen_fd, cells_fd = listening.fileno(), self._file.fileno()
        arguments = ["--worker", number, "--of", settings.workers, "--listening", listen_fd, "--cells", cells_fd]
        # By alias: what was given as an option must reach the worker, which reads the environment.
        given = {name: str(value) for name, value in settings.model_dump(by_alias=True).items()}
        return await asyncio.create_subprocess_exec(
            *self._command,
            *map(str, arguments),
            stdin=asyncio.subprocess.PIPE,
            pass_fds=(listen_fd, cells_fd),
            env={**environment(Process.RECEIVER, os.environ), **given},
        )

    async def _watched(self, number: int, process: asyncio.subprocess.Process) -> int:
        """Wait for a worker's end; end it if it shows no sign of life."""
        ended = asyncio.ensure_future(process.wait())
        while not ended.done():
            await asyncio.wait({ended}, timeout=min(1.0, self._silent_seconds))
            seen = max(self._metrics[number].last_beat, self._started[number])
            if not ended.done() and self._clock() - seen > 2 * self._silent_seconds:
                _log.error("worker_stuck", worker=number, pid=process.pid)
                process.kill()
        return ended.result()

    async def _drain(self) -> None:
        processes = list(self._processes.values())
        for process in processes:
            _signal(process, signal.SIGTERM)
        waits = [asyncio.ensure_future(process.wait()) for process in processes]
        if waits:
            await asyncio.wait(waits, timeout=_DRAIN_SECONDS)
        for process in processes:
            _signal(process, signal.SIGKILL)


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    if process.returncode is None:
        try:
            process.send_signal(number)
        except ProcessLookupError:
            return
