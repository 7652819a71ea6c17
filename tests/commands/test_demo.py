"""``xero-stream demo`` as a newcomer calls it: without a terminal, twice, twice at once, interrupted, broken at random."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from queue import Queue

import pytest

from tests.commands.conftest import COMMAND, clean_environment
from tests.support.processes import seconds_until_gone

pytestmark = pytest.mark.timeout(400)

HONEST = re.compile(
    r"^(?P<kills>\d+) kills? · .*?(?P<acknowledged>[\d,]+) webhooks? acknowledged, (?P<logged>[\d,]+) in the log · "
    r"gaps (?P<gaps>\d+) · duplicates (?P<duplicates>\d+) · (?P<equal>[\d,]+) of (?P<records>[\d,]+) records equal$",
    re.MULTILINE,
)
LEFT_SECONDS = 15.0


class Demo:
    """A demo in a process of its own, its lines as they come."""

    def __init__(self, data_dir: Path, *options: str) -> None:
        self.data_dir = data_dir
        self._process = subprocess.Popen(
            [*COMMAND, "demo", "--data-dir", str(data_dir), *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            cwd=data_dir.parent,
            env=clean_environment(),
            start_new_session=True,
        )
        self._arrived: Queue[str | None] = Queue()
        self.lines: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._arrived.put(line.rstrip("\n"))
        self._arrived.put(None)

    def until(self, words: str) -> None:
        """Read lines until one says so.

        Raises:
            AssertionError: it ended, or fell silent, before.
        """
        while (line := self._arrived.get(timeout=120)) is not None:
            self.lines.append(line)
            if words in line:
                return
        raise AssertionError(f"never said {words!r}:\n{self.text}")

    def end(self) -> int:
        """Read to the end; the exit code."""
        while (line := self._arrived.get(timeout=240)) is not None:
            self.lines.append(line)
        return self._process.wait(30)

    def signal(self, number: signal.Signals) -> None:
        """Send it, and only it, a signal."""
        self._process.send_signal(number)

    @property
    def text(self) -> str:
        """Everything it said so far."""
        return "\n".join(self.lines)

    def close(self) -> None:
        """End it, whatever state it is in."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    """A data directory with spaces in its name; nothing may be left in it that runs."""
    folder = tmp_path / "a demo of mine"
    yield folder
    seconds_until_gone(folder, LEFT_SECONDS + 5)


def run(data_dir: Path, *options: str) -> Demo:
    """A demo that ended."""
    demo = Demo(data_dir, *options)
    try:
        code = demo.end()
    finally:
        demo.close()
    assert code == 0, demo.text
    return demo


def test_chaos_ends_with_the_truth_and_a_second_demo_is_refused(data_dir: Path) -> None:
    """Workers killed, Kafka stopped: every record is equal to the simulator's, nothing is lost, nothing is there twice."""
    demo = Demo(data_dir, "--seconds", "12", "--chaos", "--seed", "1")
    try:
        demo.until("connected: ")
        second = subprocess.run(
            [*COMMAND, "demo", "--data-dir", str(data_dir)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            env=clean_environment(),
            cwd=data_dir.parent,
            timeout=60,
            check=False,
        )
        code = demo.end()
    finally:
        demo.close()

    assert (second.returncode, second.stdout) == (69, "")
    assert "is in use by process" in second.stderr
    assert len(second.stderr.splitlines()) == 1
    assert code == 0, demo.text
    found = HONEST.search(demo.text)
    assert found, demo.text
    assert int(found["kills"]) >= 1
    assert (found["gaps"], found["duplicates"]) == ("0", "0")
    assert found["acknowledged"] == found["logged"] != "0"
    assert found["equal"] == found["records"]
    assert " crash" not in found.group()
    assert 'isolation_level="read_committed"' in demo.text
    assert "\x1b" not in demo.text
    assert (data_dir / "kafka.log").stat().st_size > 0
    assert seconds_until_gone(data_dir, 3) < 3


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for another process")
def test_interrupted_at_any_stage_nothing_is_left_and_the_next_demo_goes_on(data_dir: Path) -> None:
    """Ctrl-C or `kill -9` during the start, the load and the live part; at last a whole run on what was kept."""
    stages = (
        ("starting Kafka", signal.SIGINT),
        ("bringing schema", signal.SIGKILL),
        ("starting the simulated", signal.SIGINT),
        ("connected: ", signal.SIGKILL),
        ("--", signal.SIGINT),
    )
    for words, number in stages:
        demo = Demo(data_dir, "--seconds", "60")
        try:
            demo.until(words)
            demo.signal(number)
            code = demo.end()
        finally:
            demo.close()

        began = time.monotonic()
        seconds_until_gone(data_dir, LEFT_SECONDS)
        assert code == (130 if number is signal.SIGINT else -number), demo.text
        if number is signal.SIGINT:
            assert "the next demo goes on with the data kept" in demo.text
            assert time.monotonic() - began < 1, "Ctrl-C must leave nothing behind when it returns"

    demo = run(data_dir, "--seconds", "2")

    found = HONEST.search(demo.text)
    assert found, demo.text
    assert found["equal"] == found["records"]
    assert os.listdir(data_dir / "simulator")
