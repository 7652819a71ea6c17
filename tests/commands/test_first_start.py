"""The demo's first start: interrupted at any second, by two users of one machine, with nothing outside its folder."""

import os
import random
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.commands.conftest import clean_environment
from tests.support.processes import seconds_until_gone
from xero_stream.local.jars import locked_jars
from xero_stream.settings.local import LocalSettings

pytestmark = [
    pytest.mark.timeout(1800 if os.environ.get("XERO_STREAM_SOAK") else 300),
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for another process"),
]

ROOT = Path(__file__).parents[2]
NOBODY = 65534
LEFT_SECONDS = 15.0
START_SECONDS = 12
"""Longer than a first start takes until its live view, on an idle machine."""
DRAWN = random.Random(os.environ.get("XERO_STREAM_SEED") or None)


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Somebody with a folder, a HOME and a temporary folder, the last two empty.

    Attributes:
        folder: of the demo's data.
        elsewhere: HOME and TMPDIR.
        cache: with Kafka's jars.
        uid: whose; None is ours.
    """

    folder: Path
    elsewhere: Path
    cache: Path
    uid: int | None = None

    def demo(self, *options: str) -> "subprocess.Popen[str]":
        """Start the demo, as the foreground program of a terminal."""
        environment = clean_environment() | {
            "HOME": str(self.elsewhere),
            "TMPDIR": str(self.elsewhere),
            "XERO_STREAM_CACHE_DIR": str(self.cache),
            "PYTHONPATH": os.pathsep.join([str(ROOT), *(path for path in sys.path if path.endswith("site-packages"))]),
        }
        return subprocess.Popen(
            [interpreter(self.uid), "-m", "cli.main", "demo", "--data-dir", str(self.folder / "data"), *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            cwd=self.folder,
            env=environment,
            start_new_session=True,
            user=self.uid,
            group=self.uid,
            extra_groups=None if self.uid is None else [],
        )

    def ends_well(self, demo: "subprocess.Popen[str]") -> None:
        """Wait for the verdict: all agrees, and nothing was written elsewhere."""
        said, _ = demo.communicate(timeout=240)
        assert demo.returncode == 0, said
        assert "records equal" in said
        assert list(self.elsewhere.rglob("*")) == []
        assert seconds_until_gone(self.folder, LEFT_SECONDS) < LEFT_SECONDS


def interpreter(uid: int | None) -> str:
    """A Python that a user may run: ours, or the system's where ours is in somebody's home and both are of one version."""
    own = Path(sys.executable)
    if uid is None or all(part.stat().st_mode & stat.S_IXOTH for part in (own.resolve(), *own.resolve().parents)):
        return str(own)
    system = shutil.which("python3", path=os.defpath)
    asked = [system or "python3", "-c", "import sys; print(sys.version_info[:2])"]
    if system is None or subprocess.check_output(asked, text=True).strip() != str(sys.version_info[:2]):
        pytest.skip(f"no Python {sys.version_info[:2]} that user {uid} may run")
    return system


def made(folder: Path, uid: int | None = None) -> User:
    """A user whose first start is still to come, in a folder that everybody may enter.

    The jars are there: they are downloaded once for all tests. Kafka's archive of classes is made by another user's start, and by
    ours in `make soak`.
    """
    shared = LocalSettings.read().cache_dir.expanduser()
    own = uid is not None or bool(os.environ.get("XERO_STREAM_SOAK"))
    user = User(
        folder=folder / "clone",
        elsewhere=folder / "elsewhere",
        cache=folder / "clone" / "cache" if own else shared,
        uid=uid,
    )
    for path in (user.folder, user.elsewhere):
        path.mkdir(parents=True)
    if own:
        for there, here in zip(locked_jars(shared / "maven"), locked_jars(user.cache / "maven"), strict=True):
            here.local.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(there.local, here.local)
    if uid is not None:
        for path in (user.folder, user.elsewhere, *user.folder.rglob("*")):
            os.chown(path, uid, uid)
    return user


@pytest.fixture
def open_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder that another user reaches, unlike pytest's own."""
    folder = Path("/tmp") / f"xero-stream-{tmp_path_factory.getbasetemp().name}-{os.getpid()}"
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def spans() -> Sequence[tuple[float, float]]:
    """From when to when Ctrl-C comes: every second in `make soak`; else once while Python loads, once in the rest.

    The moment is drawn when the test runs: all workers of a run must collect tests of the same names.
    """
    if os.environ.get("XERO_STREAM_SOAK"):
        return [(moment, moment) for moment in (0.1, 0.4, 0.7, *range(1, START_SECONDS + 1))]
    return [(0.1, 0.9), (1.0, START_SECONDS)]


def interrupt(user: User, moment: float) -> None:
    """Ctrl-C at that moment of a start: it ends in order, says nothing like a traceback, and leaves no process."""
    demo = user.demo("--seconds", "60")
    time.sleep(moment)
    os.killpg(demo.pid, signal.SIGINT)
    said, _ = demo.communicate(timeout=60)

    # Until Python has its handler the signal itself ends the process; a shell says 130 for both.
    assert demo.returncode in {130, -signal.SIGINT}, f"after {moment} s: {said}"
    assert "Traceback" not in said, f"after {moment} s: {said}"
    assert seconds_until_gone(user.folder, LEFT_SECONDS) < LEFT_SECONDS


@pytest.mark.parametrize("span", spans(), ids=lambda span: f"{span[0]:g}-{span[1]:g}s")
def test_ctrl_c_at_a_second_of_the_first_start(open_folder: Path, span: tuple[float, float]) -> None:
    """Whatever was half made then, the next start works, and nothing is outside the folder."""
    user = made(open_folder / "one")

    interrupt(user, DRAWN.uniform(*span))

    user.ends_well(user.demo("--seconds", "1"))


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root can be another user")
def test_two_users_of_one_machine(open_folder: Path) -> None:
    """Both first starts at the same time, as root and as nobody: each with its own servers, ports and files."""
    root, nobody = made(open_folder / "root"), made(open_folder / "nobody", NOBODY)

    first, second = root.demo("--seconds", "2"), nobody.demo("--seconds", "2")
    nobody.ends_well(second)
    root.ends_well(first)

    assert {path.stat().st_uid for path in nobody.folder.rglob("*")} == {NOBODY}
