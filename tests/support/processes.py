"""Processes as seen from outside: which of them belong to a folder, and waiting until they are gone."""

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path


def _everything() -> dict[int, str]:
    """Every process with its command line and working directory."""
    found: dict[int, str] = {}
    if Path("/proc/self/stat").exists():
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    state = (entry / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0]
                    command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
                    folder = str((entry / "cwd").readlink())
                except OSError:
                    continue
                if state != "Z":
                    found[int(entry.name)] = f"{command} [{folder}]"
    else:
        listing = subprocess.run(["ps", "-axo", "pid=,command="], capture_output=True, text=True, check=True)
        for line in listing.stdout.splitlines():
            pid, _, command = line.strip().partition(" ")
            found[int(pid)] = command
    return found


def processes_of(folder: Path) -> dict[int, str]:
    """The processes, other than this one, that name a folder or work in it."""
    return {pid: text for pid, text in _everything().items() if str(folder) in text and pid != os.getpid()}


def until(condition: Callable[[], bool], limit: float = 20.0) -> None:
    """Wait for something that only looking can tell.

    Raises:
        AssertionError: it did not come in ``limit`` seconds.
    """
    deadline = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < deadline, f"not within {limit} s"
        time.sleep(0.02)


def seconds_until_gone(folder: Path, limit: float) -> float:
    """Wait until no process belongs to a folder any more.

    Raises:
        AssertionError: some still do after ``limit`` seconds.
    """
    begin = time.monotonic()
    while left := processes_of(folder):
        elapsed = time.monotonic() - begin
        assert elapsed < limit, f"left after {elapsed:.1f} s: {left}"
        time.sleep(0.05)
    return time.monotonic() - begin
