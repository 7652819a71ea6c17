"""``xero-stream demo`` as a newcomer calls it: without a terminal, twice, twice at once, interrupted, broken at random."""

import os
import re
import signal
import subprocess
import sys
import threading
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
STAGES = (("starting Kafka", signal.SIGINT), ("starting the simulated", signal.SIGKILL))
EVERY_STAGE = tuple(
    (words, number)
    for words in (
        "starting Kafka",
        "bringing schema",
        "starting the simulated",
        "intent to receive",
        "connected: ",
        "--",
    )
    for number in (signal.SIGINT, signal.SIGKILL)
)


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
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

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
        self._reader.join(10)
        assert self._process.stdout is not None
        self._process.stdout.close()


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
            timeout=120,
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


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for another process, and no pty")
def test_interrupted_at_any_stage_nothing_is_left_and_the_next_demo_goes_on(data_dir: Path) -> None:
    """Ctrl-C or `kill -9` during the start, the load and the live view; at last a whole run on what was kept."""
    for words, number in EVERY_STAGE if os.environ.get("XERO_STREAM_SOAK") else STAGES:
        demo = Demo(data_dir, "--seconds", "60")
        try:
            demo.until(words)
            demo.signal(number)
            code = demo.end()
        finally:
            demo.close()

        stopped_by_itself = number is signal.SIGINT
        assert code == (130 if stopped_by_itself else -number), demo.text
        assert seconds_until_gone(data_dir, LEFT_SECONDS) < (1.0 if stopped_by_itself else LEFT_SECONDS)
        if stopped_by_itself:
            assert "the next demo goes on with the data kept" in demo.text
    _live_in_a_terminal(data_dir)

    demo = run(data_dir, "--seconds", "2")

    found = HONEST.search(demo.text)
    assert found, demo.text
    assert found["equal"] == found["records"]
    assert "xero-stream: loaded" not in demo.text, "the load of an earlier demo counts"


def _live_in_a_terminal(data_dir: Path) -> None:
    """A person at a terminal: the live view, some keys, Ctrl-C."""
    spawn = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"
    terminal = subprocess.Popen(
        [sys.executable, "-c", spawn, *COMMAND, "demo", "--data-dir", str(data_dir)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=data_dir.parent,
        env={**clean_environment(), "TERM": "xterm", "COLUMNS": "80", "LINES": "24"},
        start_new_session=True,
    )
    assert terminal.stdin is not None
    assert terminal.stdout is not None
    shown = b""

    def until(words: bytes) -> None:
        nonlocal shown
        while words not in shown:
            piece = os.read(terminal.stdout.fileno(), 65_536) if terminal.stdout else b""
            assert piece, shown.decode()
            shown += piece

    try:
        until(b"q\x1b[0m\x1b[2m quit")
        for key, answer in (
            (b"x", b"that key does nothing: ? says what each does"),
            (b"?", b"ends the next worker"),
            (b"e", b"100 edits at once"),
            (b"k", b"is back"),
            (b"r", b"the others go on"),
        ):
            terminal.stdin.write(key)
            terminal.stdin.flush()
            until(answer)
        terminal.stdin.write(b"\x03")
        terminal.stdin.flush()
        until(b"the next demo goes on with the data kept")
        code = terminal.wait(30)
    finally:
        terminal.kill()
        terminal.wait()
        terminal.stdin.close()
        terminal.stdout.close()

    assert code == 0
    screen, _, after = shown.partition(b"\x1b[?25h\x1b[?1049l")
    assert screen.count(b"\x1b[?1049h") == 1
    assert b"\x1b" not in after, "the terminal is itself again"
    assert seconds_until_gone(data_dir, 3) < 3
