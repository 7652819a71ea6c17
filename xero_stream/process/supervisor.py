"""Keeps processes running: starts them, starts again what ends, stops them group after group."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Protocol

import structlog

from xero_stream.process.restart import GiveUp, RestartPolicy, Restarts

log = structlog.get_logger(__name__)

_LAST_SECONDS = 1.0
"""How long a task may take, once its process was stopped, to notice."""


class Child(Protocol):
    """One process."""

    @property
    def name(self) -> str:
        """For logs; unique within a supervisor."""

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""

    async def start(self) -> None:
        """Start it; do nothing while it runs.

        Raises:
            Exception: it can't be started.
        """

    async def exited(self) -> int | None:
        """Wait for its end.

        Returns:
            Its exit status, negative for a signal; None where it is not known.
        """

    async def stop(self) -> None:
        """Ask it to end, kill it if that takes too long, and wait for its end; do nothing where it does not run."""

    async def kill(self) -> None:
        """``kill -9`` it and wait for its end."""


class RestartObserver(Protocol):
    """Receives ends and restarts of processes."""

    def ended(self, child: Child, status: int | None, delay: float, *, failed: bool) -> None:
        """It ended by itself and is started again in so many seconds; ``failed`` unless a server was down at its start."""

    def not_started(self, child: Child, error: Exception, delay: float) -> None:
        """It could not be started; the next attempt follows in so many seconds."""

    def restarted(self, child: Child, *, killed: bool) -> None:
        """It was started again after its end, which :meth:`Supervisor.kill` brought about, or not."""

    def gave_up(self, child: Child, status: int | None) -> None:
        """It ended and is not started again."""


class RestartLog:
    """Writes it to the log."""

    def ended(self, child: Child, status: int | None, delay: float, *, failed: bool) -> None:
        """One line."""
        del failed
        log.error("process_ended", process=child.name, status=status, restart_in=delay)

    def not_started(self, child: Child, error: Exception, delay: float) -> None:
        """One line."""
        log.error("process_not_started", process=child.name, reason=str(error), retry_in=delay)

    def restarted(self, child: Child, *, killed: bool) -> None:
        """Nothing: what was started says so itself."""

    def gave_up(self, child: Child, status: int | None) -> None:
        """One line."""
        log.error("process_unusable", process=child.name, status=status)


class GaveUpError(Exception):
    """A process is not started again.

    Attributes:
        child: which.
        status: its last exit status.
    """

    def __init__(self, child: Child, status: int | None) -> None:
        ended = "ended" if status is None else f"ended with status {status}"
        super().__init__(f"{child.name} {ended}")
        self.child = child
        self.status = status


class Supervisor:
    """Groups of processes, in the order in which they are to be stopped."""

    def __init__(
        self,
        *groups: Sequence[Child],
        policy: RestartPolicy,
        observer: RestartObserver | None = None,
        start_errors: tuple[type[Exception], ...] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing runs before :meth:`run`, :meth:`start` or :meth:`keep`.

        Args:
            groups: the processes; a group is stopped together, after the groups before it.
            policy: when a process is started again.
            observer: by default, the log.
            start_errors: errors of a *restart* after which it is attempted again; others end :meth:`keep`.
            clock: monotonic seconds.
        """
        self._groups = groups
        self._policy = policy
        self._observer: RestartObserver = observer or RestartLog()
        self._start_errors = start_errors
        self._clock = clock
        self._started: dict[str, float] = {}
        self._killed: set[str] = set()
        self._stopping = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        """Start all and keep them running until ``stop`` is set, then stop them.

        Args:
            stop: set it to end.

        Raises:
            GaveUpError: one is not started again; the others were stopped.
        """
        keeping = self._keeping()
        stopping = asyncio.create_task(stop.wait())
        try:
            done, _ = await asyncio.wait({stopping, *keeping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await self.stop()
            stopping.cancel()
            await asyncio.wait(keeping, timeout=_LAST_SECONDS)
            for task in keeping:
                task.cancel()
            await asyncio.gather(stopping, *keeping, return_exceptions=True)
        for task in keeping:
            if task in done:
                task.result()

    async def keep(self) -> None:
        """Start what was not started yet, and start again what ends, until cancelled; the processes then go on running.

        Raises:
            GaveUpError: one is not started again.
        """
        keeping = self._keeping()
        try:
            await asyncio.gather(*keeping)
        finally:
            for task in keeping:
                task.cancel()
            await asyncio.gather(*keeping, return_exceptions=True)

    async def start(self, child: Child) -> None:
        """Start one of the processes; do nothing while it runs.

        Raises:
            Exception: it can't be started.
        """
        if not child.running:
            await child.start()
            self._started[child.name] = self._clock()

    async def kill(self, child: Child) -> None:
        """``kill -9`` one of the processes; :meth:`keep` starts it again at once."""
        self._killed.add(child.name)
        await child.kill()

    async def stop(self) -> None:
        """Stop all, group after group; nothing is started any more."""
        self._stopping.set()
        for group in self._groups:
            await asyncio.gather(*(child.stop() for child in group))

    def _keeping(self) -> list[asyncio.Task[None]]:
        children = (child for group in self._groups for child in group)
        return [asyncio.create_task(self._keep(child), name=child.name) for child in children]

    async def _keep(self, child: Child) -> None:
        restarts = Restarts(self._policy)
        if child.name not in self._started:  # one started before, and ended since, is an end to act on
            await self.start(child)
        while True:
            if self._stopping.is_set():  # set while it was being started
                await child.stop()
            started = self._started.setdefault(child.name, self._clock())
            status = await child.exited()
            if self._stopping.is_set():
                return
            killed = child.name in self._killed
            self._killed.discard(child.name)
            decision = restarts.killed() if killed else restarts.ended(status, started=started, now=self._clock())
            if isinstance(decision, GiveUp):
                self._observer.gave_up(child, status)
                raise GaveUpError(child, status)
            if not killed:
                self._observer.ended(child, status, decision.delay, failed=decision.failed)
            await self._sleep(decision.delay)
            await self._restart(child, restarts)
            if self._stopping.is_set() and not child.running:
                return
            if killed or decision.failed:
                self._observer.restarted(child, killed=killed)

    async def _restart(self, child: Child, restarts: Restarts) -> None:
        while not self._stopping.is_set():
            try:
                return await self.start(child)
            except self._start_errors as error:
                now = self._clock()
                decision = restarts.ended(None, started=now, now=now)
                if isinstance(decision, GiveUp):
                    raise
                self._observer.not_started(child, error, decision.delay)
            await self._sleep(decision.delay)
        return None

    async def _sleep(self, seconds: float) -> None:
        """Sleep; wake up early when everything is to stop."""
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return
