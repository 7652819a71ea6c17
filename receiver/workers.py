"""The parent of several workers: starts them, starts them again, shows their metrics as one, takes them down with it.

All share one listening socket, opened here: a worker that dies takes no waiting connection with it, and one that is
slow leaves new ones to the others. The metrics live in shared memory, so that a killed worker's counts stay.
"""

import asyncio
import os
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Sequence

import structlog
from prometheus_client import CollectorRegistry

from receiver import health
from receiver.metrics import LAYOUT, ReceiverMetrics, WorkerMetrics
from xero_stream.process.backoff import Backoff
from xero_stream.process.child import ChildProcess
from xero_stream.process.restart import RestartPolicy
from xero_stream.process.supervisor import Child, GaveUpError, RestartLog, Supervisor
from xero_stream.settings.access import Process, environment
from xero_stream.settings.base import SettingsError
from xero_stream.settings.receiver import ReceiverSettings
from xero_stream.telemetry.cells import SharedCells
from xero_stream.telemetry.health import Health

_log = structlog.get_logger(__name__)

UNUSABLE = 2
"""Exit code of a worker that can't run with its settings: starting it again won't help."""

_DRAIN_SECONDS = 9.5
_POLICY = RestartPolicy(backoff=Backoff(first=0.1, longest=5.0), settled_seconds=10.0, unusable=frozenset((UNUSABLE,)))


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
        self._created = clock()
        self._workers: list[_Worker] = []

    def live(self) -> Health:
        """Whether every worker makes progress."""
        started = min((worker.started for worker in self._workers), default=self._created)
        return health.live(self._metrics, self._clock(), started, self._silent_seconds)

    def ready(self) -> Health:
        """Whether any worker answers requests."""
        return health.ready(self._metrics)

    async def run(self, listening: socket.socket, stop: asyncio.Event) -> None:
        """Keep the workers running until told to stop, then drain them.

        Args:
            stop: set it to end.

        Raises:
            SettingsError: a worker says that it can't run with its settings.
        """
        self._workers = [self._worker(number, listening) for number in range(self._settings.workers)]
        try:
            await Supervisor(self._workers, policy=_POLICY, observer=_Restarts(), clock=self._clock).run(stop)
        except GaveUpError as error:
            raise SettingsError("a worker can't run with these settings; its reason is in the log above") from error
        finally:
            self._file.close()

    def _worker(self, number: int, listening: socket.socket) -> "_Worker":
        settings = self._settings
        listen_fd, cells_fd = listening.fileno(), self._file.fileno()
        arguments = ["--worker", number, "--of", settings.workers, "--listening", listen_fd, "--cells", cells_fd]
        # By alias: what was given as an option must reach the worker, which reads the environment.
        given = {name: str(value) for name, value in settings.model_dump(by_alias=True).items()}
        return _Worker(
            ChildProcess(
                name=f"worker {number}",
                command=[*self._command, *map(str, arguments)],
                environment={**environment(Process.RECEIVER, os.environ), **given},
                stop_seconds=_DRAIN_SECONDS,
                pass_fds=(listen_fd, cells_fd),
            ),
            self._metrics[number],
            self._silent_seconds,
            self._clock,
        )


class _Worker:
    """A worker's process, killed when it shows no sign of life."""

    def __init__(
        self, process: ChildProcess, metrics: WorkerMetrics, silent_seconds: float, clock: Callable[[], float]
    ) -> None:
        self.metrics = metrics
        self.started = clock()
        self._process = process
        self._silent_seconds = silent_seconds
        self._clock = clock

    @property
    def name(self) -> str:
        return self._process.name

    @property
    def running(self) -> bool:
        return self._process.running

    async def start(self) -> None:
        self.started = self._clock()
        self.metrics.started(self.started)
        await self._process.start()

    async def exited(self) -> int:
        """Wait for its end; end it if it shows no sign of life."""
        ended = asyncio.ensure_future(self._process.exited())
        while not ended.done():
            await asyncio.wait({ended}, timeout=min(1.0, self._silent_seconds))
            seen = max(self.metrics.last_beat, self.started)
            if not ended.done() and self._clock() - seen > 2 * self._silent_seconds:
                _log.error("worker_stuck", worker=self.name, pid=self._process.pid)
                await self._process.kill()
        self.metrics.take_over()
        return ended.result()

    async def stop(self) -> None:
        await self._process.stop()

    async def kill(self) -> None:
        await self._process.kill()


class _Restarts(RestartLog):
    """Counts restarts, too."""

    def ended(self, child: Child, status: int | None, delay: float, *, failed: bool) -> None:
        super().ended(child, status, delay, failed=failed)
        assert isinstance(child, _Worker)
        child.metrics.restarted()
