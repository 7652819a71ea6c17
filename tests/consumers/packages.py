"""Other people's clients in environments of their own: nothing but the packages named, at pinned versions."""

import contextlib
import json
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

PYTHON = {
    "aiokafka": ("aiokafka==0.14.0",),
    "confluent-kafka": ("confluent-kafka==2.16.1",),
    "kafka-python": ("kafka-python==3.0.12",),
    "faststream": ("faststream[kafka]==0.7.8",),
    "cloudevents-python": ("aiokafka==0.14.0", "cloudevents==2.2.0"),
}
NODE = {"kafkajs": "2.2.4", "lossless-json": "4.3.3", "cloudevents": "10.0.0"}


def python_with(packages: Sequence[str], folder: Path) -> str:
    """The interpreter of a fresh virtual environment with these packages.

    Args:
        packages: what ``pip install`` is told.
        folder: where; must not exist.
    """
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = str(folder / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
    return python


def node_modules(packages: dict[str, str], folder: Path) -> Path:
    """A folder in which Node.js finds these packages."""
    folder.mkdir()
    (folder / "package.json").write_text(json.dumps({"private": True, "dependencies": packages}))
    subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund"], cwd=folder, check=True)
    return folder


@contextlib.contextmanager
def running(argv: Sequence[str], folder: Path) -> Iterator[Iterator[str]]:
    """The lines that a program prints, until the block ends or it says nothing for two minutes."""
    with (folder / "errors").open("wb") as errors:
        program = subprocess.Popen(argv, cwd=folder, stdout=subprocess.PIPE, stderr=errors, encoding="utf-8")
    lines: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        assert program.stdout is not None
        for line in program.stdout:
            lines.put(line)
        lines.put(None)

    reader = threading.Thread(target=read)
    reader.start()

    def told() -> Iterator[str]:
        quiet_since = time.monotonic()
        while time.monotonic() - quiet_since < 120:
            with contextlib.suppress(queue.Empty):
                line = lines.get(timeout=1)
                if line is None:
                    break
                quiet_since = time.monotonic()
                yield line
        raise AssertionError(f"it says no more:\n{(folder / 'errors').read_text()[-4000:]}")

    try:
        yield told()
    finally:
        program.kill()
        program.wait()
        reader.join()
        assert program.stdout is not None
        program.stdout.close()
