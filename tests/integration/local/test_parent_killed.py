"""``kill -9`` of the program that runs the servers: nothing of them is left, and the next start goes on."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from tests.support import local_child
from tests.support.processes import processes_of, seconds_until_gone
from xero_stream.local.servers import LocalServers

LIMIT_SECONDS = 15.0

Spawn = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def spawn() -> Iterator[Spawn]:
    """Starts the child program; those still alive at the end are killed."""
    children: list[subprocess.Popen[str]] = []

    def start(folder: Path, *arguments: str) -> "subprocess.Popen[str]":
        child = subprocess.Popen(
            [sys.executable, local_child.__file__, str(folder), *arguments], stdout=subprocess.PIPE, text=True
        )
        children.append(child)
        return child

    yield start
    for child in children:
        kill(child)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory, new for the first of these tests."""
    return tmp_path_factory.mktemp("killed")


def kill(child: "subprocess.Popen[str]") -> None:
    """``kill -9``, and wait for its end."""
    child.kill()
    child.wait()
    assert child.stdout is not None
    child.stdout.close()


def until_ready(child: "subprocess.Popen[str]") -> None:
    """Read what the child says until it is ready."""
    assert child.stdout is not None
    for line in child.stdout:
        if line.startswith("ready"):
            return
    raise AssertionError("it ended")


def until_there(child: "subprocess.Popen[str]", path: Path, word: str) -> None:
    """Wait until a file of the starting servers is there and has a word in it."""
    begin = time.monotonic()
    while not (path.exists() and (not word or word in path.read_text(encoding="utf-8", errors="replace"))):
        assert child.poll() is None, "it ended"
        assert time.monotonic() - begin < 60
        time.sleep(0.005)


MOMENTS = {
    "the directory is locked": ("lock", ""),
    "initdb runs": ("postgres.new/data/PG_VERSION", ""),
    "a new PostgreSQL starts": ("postgres/postmaster.pid", ""),
    "the log directory is being formatted": ("kafka/server.properties", ""),
    "the log directory is formatted": ("kafka/data/meta.properties", ""),
    "Kafka starts": ("kafka.log", "Starting controller"),
}


async def test_killed_at_any_moment_of_the_start(data: Path, spawn: Spawn) -> None:
    """Killed at six stages, each time nothing is left; then the same directory starts, whole."""
    for stage, (file, word) in MOMENTS.items():
        child = spawn(data)
        until_there(child, data / file, word)
        kill(child)

        assert seconds_until_gone(data, LIMIT_SECONDS) < LIMIT_SECONDS, stage

    async with LocalServers(data) as servers:
        connection = await asyncpg.connect(servers.database_url)
        assert await connection.fetchval("SELECT 1") == 1
        await connection.close()
        assert servers.kafka.running


async def test_killed_while_the_servers_run(data: Path, spawn: Spawn) -> None:
    """Both servers end by themselves, and a start right after the kill waits for that and goes on."""
    child = spawn(data)
    until_ready(child)
    assert len(processes_of(data)) > 5

    kill(child)
    said: list[str] = []
    async with LocalServers(data, progress=said.append) as servers:
        running = servers.kafka.running and servers.postgres.running

    assert running
    assert "waiting for the servers of an earlier run to stop" in said
    assert await asyncio.to_thread(seconds_until_gone, data, 1.0) < 1.0


async def test_killed_while_the_servers_are_frozen(data: Path, spawn: Spawn) -> None:
    """Frozen servers are woken and stopped, or killed: either way they are gone in time."""
    child = spawn(data, "freeze")
    until_ready(child)

    kill(child)

    assert seconds_until_gone(data, LIMIT_SECONDS) < LIMIT_SECONDS
