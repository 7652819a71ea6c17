"""``xero-stream local``: what it prints, and how it ends."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.processes import processes_of

RUN = """
import asyncio, sys
from pathlib import Path
from xero_stream.local.command import run_local
from xero_stream.local.errors import LocalServerError
try:
    asyncio.run(run_local(Path(sys.argv[1])))
except LocalServerError as error:
    sys.exit(str(error))
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory, new for the first of these tests."""
    return tmp_path_factory.mktemp("command")


def start(folder: Path) -> "subprocess.Popen[str]":
    """The command, in a process group of its own as a terminal would give it."""
    return subprocess.Popen(
        [sys.executable, "-c", RUN, str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def lines(process: "subprocess.Popen[str]", count: int) -> list[str]:
    """The first lines on standard output."""
    assert process.stdout is not None
    return [process.stdout.readline() for _ in range(count)]


@pytest.mark.skipif(sys.platform == "win32", reason="process groups are POSIX")
def test_ctrl_c_ends_it_in_order(data: Path) -> None:
    """It prints what to export; Ctrl-C, which reaches the whole group, stops both servers in order and exits with 0."""
    process = start(data)
    exports = lines(process, 8)

    os.killpg(process.pid, signal.SIGINT)
    _, notes = process.communicate(timeout=60)

    assert exports[0].startswith("export KAFKA_BOOTSTRAP_SERVERS='127.0.0.1:")
    password = (data / "kafka.password").read_text(encoding="ascii").strip()
    assert exports[1:7] == [
        "export KAFKA_SECURITY_PROTOCOL='SASL_PLAINTEXT'\n",
        "export KAFKA_SASL_MECHANISM='PLAIN'\n",
        "export KAFKA_SASL_USERNAME='xero_stream'\n",
        f"export KAFKA_SASL_PASSWORD='{password}'\n",
        "export KAFKA_REPLICATION_FACTOR='1'\n",
        "export KAFKA_PARTITIONS='3'\n",
    ]
    assert exports[7].startswith("export DATABASE_URL='postgresql://xero_stream:")
    assert (process.returncode, processes_of(data)) == (0, {})
    assert f"their data and logs are in {data}. Ctrl-C stops them." in notes
    assert notes.endswith("xero-stream: stopped; the next start goes on with the data kept\n")
    assert "shut down completed" in (data / "kafka.log").read_text(encoding="utf-8")
    assert "database system is shut down" in (data / "postgres.log").read_text(encoding="utf-8")


def test_a_server_that_ends_by_itself_is_said(data: Path) -> None:
    """When PostgreSQL is killed by somebody else, the command stops Kafka and fails with one line."""
    process = start(data)
    lines(process, 8)
    pid = int((data / "postgres" / "postmaster.pid").read_text(encoding="utf-8").splitlines()[0])

    os.kill(pid, signal.SIGKILL)
    _, notes = process.communicate(timeout=60)

    assert (process.returncode, processes_of(data)) == (1, {})
    assert "PostgreSQL ended by itself (status -9)" in notes.splitlines()[-1]


@pytest.mark.skipif(sys.platform == "win32", reason="process groups are POSIX")
def test_sigterm_while_starting(data: Path) -> None:
    """Asked to end before the servers are up, it ends with 0 and leaves nothing."""
    process = start(data)
    assert process.stderr is not None
    assert process.stderr.readline() == "xero-stream: starting Kafka and PostgreSQL\n"

    process.terminate()
    process.communicate(timeout=60)

    assert (process.returncode, processes_of(data)) == (0, {})
