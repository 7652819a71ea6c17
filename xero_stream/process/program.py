"""The parent's side of :mod:`xero_stream.process.shim`: one handle for one program.

The handle belongs to no event loop: it may be started in one and awaited in another.
"""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from xero_stream.process import shim
from xero_stream.settings.access import system

LOG_TAIL_LINES = 4

T = TypeVar("T")


class ProgramFailedError(Exception):
    """A program can't be started, or failed; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Whom root becomes to run a server.

    Attributes:
        uid: user id.
        gid: group id.
        capability: the one Linux capability it keeps, to enter folders that only root may enter; None for none.
    """

    uid: int
    gid: int
    capability: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program to run under a shim.

    Attributes:
        name: for messages.
        argv: the command; shown by ``ps``, so no secret in it.
        cwd: its working directory.
        log: the file its output is appended to.
        environment: its whole environment.
        stop_signal: the name of the signal that asks it to end.
        stop_seconds: how long it may take then, before it is killed.
        orphan_seconds: the same, when the parent is gone.
        log_bytes: size at which the log moves to ``.1``.
        user: whom to become; None to stay.
    """

    name: str
    argv: Sequence[str]
    cwd: Path
    log: Path
    environment: Mapping[str, str] = field(repr=False)
    stop_signal: str = "SIGTERM"
    stop_seconds: float = 20.0
    orphan_seconds: float = 8.0
    log_bytes: int = 16 * 1024 * 1024
    user: User | None = None

    def to_json(self) -> str:
        """The shim's first line of input."""
        return json.dumps(
            {
                "argv": list(self.argv),
                "cwd": str(self.cwd),
                "env": dict(self.environment),
                "log": str(self.log),
                "log_bytes": self.log_bytes,
                "stop_signal": self.stop_signal,
                "stop_seconds": self.stop_seconds,
                "orphan_seconds": self.orphan_seconds,
                "user": [self.user.uid, self.user.gid] if self.user else None,
                "capability": self.user.capability if self.user else None,
            }
        )


def tail(log: Path, lines: int = LOG_TAIL_LINES) -> str:
    """The last lines of a log that say something, as one line."""
    try:
        text = log.read_bytes()[-16_384:].decode("utf-8", "replace")
    except OSError:
        return "its log is empty"
    last = [line.strip() for line in text.splitlines() if line.strip()][-lines:]
    return " | ".join(last) or "its log is empty"


async def _arrival(source: "Future[T]") -> T:
    """Wait for a thread's future; unlike ``asyncio.wrap_future``, being cancelled here leaves it alone."""
    loop = asyncio.get_running_loop()
    waiter: asyncio.Future[None] = loop.create_future()

    def arrived() -> None:
        if not waiter.done():
            waiter.set_result(None)

    def wake(_: object) -> None:
        with contextlib.suppress(RuntimeError):  # that loop has been closed meanwhile
            loop.call_soon_threadsafe(arrived)

    source.add_done_callback(wake)
    await waiter
    return source.result()


class RunningProgram:
    """One program under its shim, from :meth:`start` until it ended."""

    def __init__(self, program: Program, process: "subprocess.Popen[bytes]") -> None:
        self.program = program
        self._process = process
        self._pid: Future[int] = Future()
        self._exit: Future[int | None] = Future()
        self._done: Future[None] = Future()
        threading.Thread(target=self._read, name=f"{program.name}-shim", daemon=True).start()

    @classmethod
    async def start(cls, program: Program, *, keep_open: Sequence[int] = ()) -> "RunningProgram":
        """Start a program.

        Args:
            keep_open: file descriptors that the shim (not the program) inherits: the data directory's lock.

        Raises:
            ProgramFailedError: it can't be started.
        """
        windows = sys.platform == "win32"
        process = subprocess.Popen(  # noqa: ASYNC220, S603 - returns at once, a thread reads; our own program
            # The log's path is for those who look at `ps`; what may be secret goes through the pipe.
            [sys.executable, "-I", "-S", shim.__file__, str(os.getpid()), str(program.log)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=system(os.environ),
            start_new_session=not windows,
            pass_fds=() if windows else tuple(keep_open),
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
        handle = cls(program, process)
        handle._send(program.to_json())
        try:
            await _arrival(handle._pid)
        except asyncio.CancelledError:
            await handle.kill()
            raise
        return handle

    @property
    def pid(self) -> int:
        """The program's process id."""
        return self._pid.result()

    @property
    def running(self) -> bool:
        """Whether it has not ended yet (a frozen one runs)."""
        return not self._exit.done()

    async def exited(self) -> int | None:
        """Wait for its end.

        Returns:
            Its exit status, negative for a signal; None when the shim itself was killed.
        """
        return await _arrival(self._exit)

    async def stop(self) -> None:
        """Ask it to end, kill it when it takes too long, and wait until it is gone."""
        self._send("stop")
        await self.exited()

    async def kill(self) -> None:
        """``kill -9`` it and everything it started, and wait until they are gone."""
        self._send("kill")
        await self.exited()

    async def freeze(self) -> None:
        """Stop it and everything it started from running (SIGSTOP)."""
        await self._acknowledged("freeze")

    async def thaw(self) -> None:
        """Let it run again (SIGCONT)."""
        await self._acknowledged("thaw")

    async def _acknowledged(self, command: str) -> None:
        self._done = Future()
        self._send(command)
        await _arrival(self._done)

    def _send(self, command: str) -> None:
        assert self._process.stdin is not None
        if self.running:
            try:
                self._process.stdin.write(command.encode() + b"\n")
                self._process.stdin.flush()
            except OSError:  # it has just ended
                self._close_pipe()

    def _close_pipe(self) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        status: int | None = None
        problem = "its shim was killed"
        with self._process.stdout as lines:
            for line in lines:
                message = json.loads(line)
                if "pid" in message:
                    self._pid.set_result(message["pid"])
                elif "done" in message:
                    self._finish(self._done)
                elif "exit" in message:
                    status = message["exit"]
                elif "error" in message:
                    problem = message["error"]
        self._process.wait()
        self._close_pipe()
        if not self._pid.done():
            self._pid.set_exception(ProgramFailedError(f"{self.program.name} can't be started: {problem}"))
        self._exit.set_result(status)
        self._finish(self._done)

    @staticmethod
    def _finish(future: "Future[None]") -> None:
        if not future.done():
            future.set_result(None)


async def run_to_end(program: Program, *, keep_open: Sequence[int] = ()) -> None:
    """Run a short program to its end; it ends early when we do.

    Raises:
        ProgramFailedError: it can't be started or ends with another status than 0.
    """
    handle = await RunningProgram.start(program, keep_open=keep_open)
    try:
        status = await handle.exited()
    except asyncio.CancelledError:
        await handle.kill()
        raise
    if status != 0:
        raise ProgramFailedError(f"{program.name} failed (status {status}): {tail(program.log)}")
