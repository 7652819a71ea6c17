"""``make demo`` in a fresh clone, interrupted at every second of the installation: ``make soak`` alone, as it installs for real."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.processes import seconds_until_gone

ROOT = Path(__file__).parents[3]
PLENTY = 300
"""Seconds: more than an installation takes."""

pytestmark = [
    pytest.mark.skipif(not os.environ.get("XERO_STREAM_SOAK"), reason="installs some hundred MB: make soak"),
    pytest.mark.timeout(3600),
]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The files that a clone has, as they are here."""
    clone = tmp_path / "clone"
    clone.mkdir()
    files = subprocess.check_output(["git", "-C", str(ROOT), "ls-files", "-z"])
    archive = subprocess.run(
        ["tar", "-C", str(ROOT), "--null", "-T", "-", "-c"], input=files, capture_output=True, check=True
    )
    subprocess.run(["tar", "-C", str(clone), "-x"], input=archive.stdout, check=True)
    return clone


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Path]:
    """HOME and TMPDIR: nothing may be written there."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    yield folder
    assert list(folder.rglob("*")) == []


def make(clone: Path, elsewhere: Path, *arguments: str) -> "subprocess.Popen[str]":
    """Run make as the foreground program of a terminal; the index, if it is not the public one, comes from pip's variables."""
    kept = {
        name: value for name, value in os.environ.items() if name.startswith(("PIP_", "UV_", "SSL_", "LC_", "LANG"))
    }
    return subprocess.Popen(
        ["make", *arguments],
        cwd=clone,
        env={**kept, "PATH": os.environ["PATH"], "HOME": str(elsewhere), "TMPDIR": str(elsewhere)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        start_new_session=True,
    )


def test_ctrl_c_at_every_second_of_the_installation(clone: Path, elsewhere: Path) -> None:
    """Each start goes on or starts again; once one is left alone the demo runs, and a warm one needs no installation."""
    stamp = clone / ".venv" / ".installed-local"
    for moment in range(PLENTY):
        process = make(clone, elsewhere, "demo", "ARGS=--seconds 60")
        time.sleep(moment)
        whole = stamp.exists()
        os.killpg(process.pid, signal.SIGINT)
        said, _ = process.communicate(timeout=60)
        assert "Traceback" not in said, f"after {moment} s: {said}"
        assert seconds_until_gone(clone, 15) < 15
        if whole:
            break
    else:
        raise AssertionError(f"never installed within {PLENTY} s: {said}")

    began = time.monotonic()
    warm = make(clone, elsewhere, "demo", "ARGS=--seconds 1")
    said, _ = warm.communicate(timeout=PLENTY)

    assert warm.returncode == 0, said
    assert "records equal" in said
    assert "packages" not in said, f"installed again: {said}"
    print(f"warm start and verdict: {time.monotonic() - began:.0f} s")  # noqa: T201 - the figure of the run
