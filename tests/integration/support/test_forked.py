"""A forked process is started, given what it is to have, and ends as one that was started from nothing."""

import importlib
import os
import signal
import sys
from pathlib import Path

import pytest

from tests.support.forked import Forked, forks
from tests.support.processes import until

ALIKE = """
import os, sys, time
print(__name__, sys.argv[1:], os.environ.get("OF_THE_TEST"), os.environ.get("PYTEST_VERSION"), flush=True)
print(sys.stdin.read(), file=sys.stderr)
if "wait" in sys.argv:
    time.sleep(60)
sys.exit(3)
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module to run, found by a path that only the parent has."""
    (tmp_path / "alike_module.py").write_text(ALIKE, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    return "alike_module"


def test_it_is_given_arguments_environment_and_standard_input(module: str, tmp_path: Path) -> None:
    """Nothing of the parent's environment; both outputs in the log; the exit code is its own."""
    log, stdin = tmp_path / "log", tmp_path / "in"
    stdin.write_text("what was typed", encoding="utf-8")

    process = Forked(module, ["--one", "two"], {"OF_THE_TEST": "yes"}, log, stdin)

    assert process.wait(30) == 3
    assert log.read_text(encoding="utf-8") == "__main__ ['--one', 'two'] yes None\nwhat was typed\n"


def test_it_is_killed_as_any_process(module: str, tmp_path: Path) -> None:
    """By its own id, in a session of its own, and the signal is told."""
    log = tmp_path / "log"
    process = Forked(module, ["wait"], {}, log)
    until(lambda: log.exists() and "wait" in log.read_text(encoding="utf-8"))

    assert process.poll() is None
    assert os.getsid(process.pid) == process.pid
    process.send_signal(signal.SIGKILL)
    assert process.wait(30) == -signal.SIGKILL


def test_what_children_have_imported_is_there() -> None:
    """A module that has moved would only cost time, and nobody would see it."""
    importlib.import_module("tests.support.forked_imports")

    assert {"processors.app", "receiver.app", "simulator.app"} <= sys.modules.keys()


def test_long_runs_and_others_clocks_start_from_nothing() -> None:
    """Hours are judged as users start us; what is loaded before Python can't be had by a fork."""
    short = {"PYTEST_VERSION": "9"}

    assert forks(short)
    assert not forks({})
    assert not forks({**short, "XERO_STREAM_SOAK": "1"})
    assert not forks({**short, "LD_PRELOAD": "libfaketime.so.1"})
