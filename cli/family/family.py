"""The parent: starts its children, starts again what dies, stops all in order, and takes all with it when killed.

Each child gets a pipe as standard input that only the parent holds, and is started with ``--with-parent``: when the
parent is gone, for whatever reason, the kernel closes the pipe and the child ends by itself.
"""

import asyncio
import os
import signal
import subprocess
import sys
import time
from asyncio.subprocess import Process as Running
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from cli.exits import ExitCode
from cli.family.restart import Again, GiveUp, after_end
from xero_stream.settings.access import Process, environment

log = structlog.get_logger(__name__)

STOP_SECONDS = 15.0
"""How long a child may take to end in order: more than any of them needs to drain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """One process.

    Attributes:
        name: for logs.
        arguments: of ``xero-stream``.
        process: decides what it is given of the settings.
        environment: settings that win over ours.
    """

    name: str
    process: Process
    arguments: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def command(self) -> list[str]:
        """The whole command line."""
        return [sys.executable, "-P", "-m", "cli.main", *self.arguments, "--with-parent"]


class Family:
    """Children in the order in which they are to be stopped."""

    def __init__(self, children: Sequence[Child]) -> None:
        self._children = children
        self._processes: dict[str, Running] = {}
        self._stopping = False

    async def run(self, stop: asyncio.Event) -> ExitCode:
        """Keep all running until told to stop, or until one can't run at all.

        Args:
            stop: set it to end.

        Returns:
            OK after ``stop``, else why one can't run.
        """
        keeping = {asyncio.create_task(self._keep(child), name=child.name) for child in self._children}
        stopping = asyncio.create_task(stop.wait())
        try:
            done, _ = await asyncio.wait({stopping, *keeping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._stopping = True
            for child in self._children:
                await self._stop(child)
            for task in (stopping, *keeping):
                task.cancel()
            await asyncio.gather(stopping, *keeping, return_exceptions=True)
        ended = done & keeping
        return ExitCode(max((task.result() for task in ended), default=ExitCode.OK))

    async def _keep(self, child: Child) -> ExitCode:
        failures = 0
        while True:
            process = await self._start(child)
            started = time.monotonic()
            if self._stopping:  # told so while it was being started
                await self._stop(child)
            status = await process.wait()
            if self._stopping:
                return ExitCode.OK
            match after_end(status, lived=time.monotonic() - started, failures=failures):
                case GiveUp(code=code):
                    log.error("child_can_not_run", child=child.name, status=status)
                    return code
                case Again(pause=pause, failures=failures):
                    log.error("child_ended", child=child.name, status=status, again_in=pause)
                    await asyncio.sleep(pause)

    async def _start(self, child: Child) -> Running:
        process = await asyncio.create_subprocess_exec(
            *child.command,
            stdin=subprocess.PIPE,
            env=environment(child.process, {**os.environ, **child.environment}),
            start_new_session=True,  # a Ctrl-C on the terminal is for the parent, which stops them in order
        )
        self._processes[child.name] = process
        log.info("child_started", child=child.name, child_pid=process.pid)
        return process

    async def _stop(self, child: Child) -> None:
        process = self._processes.get(child.name)
        if process is None or process.returncode is not None:
            return
        _send(process, signal.SIGTERM)
        ended = asyncio.ensure_future(process.wait())
        await asyncio.wait({ended}, timeout=STOP_SECONDS)
        if not ended.done():
            log.error("child_killed", child=child.name, after=STOP_SECONDS)
            _send(process, signal.SIGKILL)
        await ended


def _send(process: Running, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except ProcessLookupError:
        return
