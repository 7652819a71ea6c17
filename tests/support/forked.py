"""Processes of ours, forked from one that has imported the project already: an import less, a second of a processor, for each start.

They are real processes, with an environment, a session and a log of their own, that can be killed and frozen; only the
interpreter's start and the imports are shared. What is judged by hours of running (``make robustness``, ``make soak``,
benchmarks) is started from nothing, as users do.
"""

import importlib
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

_PRELOADED = "tests.support.forked_imports"
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload([_PRELOADED])
_CLOCK = Path(__file__).with_name("wrong_clock") / "sitecustomize.py"


def forks(environment: Mapping[str, str]) -> bool:
    """Whether a process with this environment may be forked: in a short run, and if nothing has to be there before Python starts.

    Args:
        environment: all of it.
    """
    long = {"XERO_STREAM_LONG", "XERO_STREAM_SOAK", "XERO_STREAM_NIGHTLY"} & environment.keys()
    return "PYTEST_VERSION" in environment and not long and "LD_PRELOAD" not in environment


class Forked:
    """A running ``python -m``, with what is used of :class:`subprocess.Popen`.

    Args:
        module: what follows ``-m``.
        arguments: what follows the module.
        environment: all of it.
        log: standard output and error are appended to it.
        stdin: the file that standard input is; empty by default.
        errors: a file of its own for standard error.
        folder: the working directory; this process's by default.
    """

    def __init__(
        self,
        module: str,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        log: Path,
        stdin: Path | None = None,
        *,
        errors: Path | None = None,
        folder: Path | None = None,
    ) -> None:
        files = str(stdin or os.devnull), str(log), str(errors or log)
        self._process = _CONTEXT.Process(
            target=_run,
            args=(module, list(arguments), dict(environment), files, str(folder or Path.cwd())),
            daemon=True,
        )
        self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid

    @property
    def returncode(self) -> int | None:
        """The exit code, or a signal's number below zero; None while it runs."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """The same."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; the exit code.

        Raises:
            TimeoutExpired: it did not end in time.
        """
        self._process.join(timeout)
        code = self._process.exitcode
        if code is None:
            raise subprocess.TimeoutExpired("a forked process", timeout or 0.0)
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal, if it still runs."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """``kill -9``."""
        self.send_signal(signal.SIGKILL)


def _run(
    module: str, arguments: list[str], environment: dict[str, str], files: tuple[str, str, str], folder: str
) -> None:
    os.setsid()
    os.chdir(folder)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for standard, path in enumerate(files):
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND if standard else os.O_RDONLY, 0o644)
        if file != standard:
            os.dup2(file, standard)
            os.close(file)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - for as long as the process lives
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(write_through=True)  # type: ignore[union-attr]  # a text stream, as Python made it
    os.environ.clear()
    os.environ.update(environment)
    if "XERO_STREAM_TEST_CLOCK" in environment:
        runpy.run_path(str(_CLOCK))
    _read_again(environment)
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _read_again(environment: Mapping[str, str]) -> None:
    """What the project reads from the environment as it is imported."""
    folder = environment.get("XERO_STREAM_FAILPOINTS_DIR")
    failpoints = importlib.import_module("xero_stream.failpoints")
    failpoints._folder = Path(folder) if folder else None  # type: ignore[attr-defined]  # read once, at import
