"""``scripts/install.sh``: an installation that was interrupted anywhere is made again by the next start."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.processes import until

SCRIPT = Path(__file__).parents[3] / "scripts" / "install.sh"
BACKEND = """
import pathlib, tempfile, zipfile

pathlib.Path("temporary").write_text(tempfile.gettempdir())

def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    info = "small-1.dist-info"
    files = {
        "small.py": "",
        f"{info}/METADATA": "Metadata-Version: 2.1\\nName: small\\nVersion: 1\\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\\nGenerator: us\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{name},,\\n" for name in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(f"{wheel_directory}/small-1-py3-none-any.whl", "w") as wheel:
        for name, text in files.items():
            wheel.writestr(name, text)
    return "small-1-py3-none-any.whl"
"""
PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "small"
version = "1"
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone of a project that needs no package, so that nothing is downloaded."""
    clone = tmp_path / "clone"
    (clone / "scripts").mkdir(parents=True)
    (clone / "requirements").mkdir()
    shutil.copy(SCRIPT, clone / "scripts")
    (clone / "requirements" / "local.lock").write_text("# nothing\n")
    (clone / "backend.py").write_text(BACKEND)
    (clone / "pyproject.toml").write_text(PROJECT)
    return clone


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Path]:
    """HOME and TMPDIR: what the script must not write to."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    yield folder
    assert list(folder.iterdir()) == []


def start(clone: Path, elsewhere: Path) -> subprocess.Popen[str]:
    """Run the script as a process group, as a terminal does."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_"))}
    return subprocess.Popen(
        ["sh", "scripts/install.sh", "local"],
        cwd=clone,
        env={
            **environment,
            "PATH": "/usr/bin:/bin",
            "PYTHON": sys.executable,
            "PIP_NO_INDEX": "1",
            "HOME": str(elsewhere),
            "TMPDIR": str(elsewhere),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def test_interrupted_installation_is_made_again(clone: Path, elsewhere: Path) -> None:
    """Ctrl-C while the virtual environment is made: the next start says so and succeeds; a third has nothing to do."""
    mark, stamp = clone / ".venv" / ".building", clone / ".venv" / ".installed-local"

    first = start(clone, elsewhere)
    until((clone / ".venv" / "bin" / "python").exists)
    os.killpg(first.pid, signal.SIGINT)
    first.communicate(timeout=30)
    assert mark.exists()
    assert not stamp.exists()
    second = start(clone, elsewhere)
    said, _ = second.communicate(timeout=120)

    assert second.returncode == 0, said
    assert "an earlier installation was interrupted" in said
    assert stamp.exists()
    assert not mark.exists()
    assert (clone / "temporary").read_text() == str(clone / ".venv" / "tmp"), "an interrupted pip leaves much there"
    assert not (clone / ".venv" / "tmp").exists()
    assert subprocess.run([clone / ".venv" / "bin" / "python", "-c", "import small"], check=False).returncode == 0


def test_installation_by_another_process_is_left_alone(clone: Path, elsewhere: Path) -> None:
    """The environment that a living process makes is neither used nor removed."""
    mark = clone / ".venv" / ".building"
    mark.parent.mkdir()
    mark.write_text(str(os.getpid()))

    ended = start(clone, elsewhere)
    said, _ = ended.communicate(timeout=30)

    assert ended.returncode == 1
    assert f"process {os.getpid()} is installing" in said
    assert mark.exists()


def test_foreign_environment_is_left_alone(clone: Path, elsewhere: Path) -> None:
    """A folder ``.venv`` without a working Python is not ours to remove: the message says what to do."""
    (clone / ".venv").mkdir()
    (clone / ".venv" / "mine").touch()

    ended = start(clone, elsewhere)
    said, _ = ended.communicate(timeout=30)

    assert ended.returncode == 1
    assert "no working Python with pip" in said
    assert (clone / ".venv" / "mine").exists()
