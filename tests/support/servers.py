"""The real Kafka and the real PostgreSQL of a test run.

They are started once, when the first test of any worker asks for them, and stopped at its end; a test that kills or freezes
servers has its own (``private_servers``). A server that can't be started fails the test that asked: nothing is skipped.
"""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol, TypeVar

import pytest

from tests.support.servers_of_run import TEMPLATE, ServersOfRun, ask
from xero_stream.local.servers import LocalServers

T = TypeVar("T")

SERVERS = pytest.StashKey[ServersOfRun]()


def address_of_servers(config: pytest.Config) -> str:
    """Where the servers of the run are asked for: a worker of xdist is told, else they are this process's own.

    Args:
        config: of the worker, or of the process that directs the workers.
    """
    told: Mapping[str, str] = getattr(config, "workerinput", {})
    if "servers" in told:
        return told["servers"]
    if SERVERS not in config.stash:
        config.stash[SERVERS] = ServersOfRun()
    return config.stash[SERVERS].address


def stop_servers(config: pytest.Config) -> None:
    """Stop the servers of the run, if they are this process's and were asked for."""
    if SERVERS in config.stash:
        config.stash[SERVERS].stop()
        del config.stash[SERVERS]


def run_apart(work: Coroutine[object, object, T]) -> T:
    """Run a coroutine in a thread with an event loop of its own, so that a test's loop is not disturbed."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


class SharedServers:
    """The servers that all tests of a run share, whichever worker runs them."""

    def __init__(self, question: Callable[..., Mapping[str, Any]]) -> None:
        self._ask = question
        self._about = question("describe")

    @property
    def bootstrap_servers(self) -> str:
        """Kafka's ``host:port``."""
        return str(self._about["bootstrap_servers"])

    @property
    def postgres_pid(self) -> int:
        """PostgreSQL's process id."""
        return int(self._about["postgres_pid"])

    @property
    def data_dir(self) -> Path:
        """The servers' data directory."""
        return Path(self._about["data_dir"])

    @property
    def environment(self) -> Mapping[str, str]:
        """The settings that lead to the servers, by environment variable."""
        environment: Mapping[str, str] = self._about["environment"]
        return environment

    @property
    def logs(self) -> Sequence[Path]:
        """What the servers have written."""
        return [Path(log) for log in self._about["logs"]]

    def log_of(self, topic: str, partition: int = 0) -> bytes:
        """What the broker has stored of a partition: its record batches, one after another."""
        (segment,) = (self.data_dir / "kafka/data" / f"{topic}-{partition}").glob("*.log")
        return segment.read_bytes()

    def url(self, database: str) -> str:
        """The URL of a database."""
        return f"{self._about['database_url'].rpartition('/')[0]}/{database}"

    def create_database(self, *, migrated: bool) -> str:
        """Make a database.

        Args:
            migrated: with our schema at its newest version, or empty.

        Returns:
            Its name.
        """
        return self._copy(TEMPLATE if migrated else "template1")

    def copy_database(self, url: str) -> str:
        """Copy a database nobody is connected to, as a backup would.

        Args:
            url: the database's.

        Returns:
            The copy's name.
        """
        return self._copy(url.rpartition("/")[2].partition("?")[0])

    def _copy(self, name: str) -> str:
        return str(self._ask("copy database", name)["name"])

    def drop_database(self, name: str) -> None:
        """Remove a database soon, whoever is still connected to it."""
        self._ask("drop database", name)

    def delete_topics(self, prefix: str) -> None:
        """Remove all topics of a prefix soon; there need not be any."""
        self._ask("delete topics", prefix)


@pytest.fixture(scope="session")
def shared_servers(pytestconfig: pytest.Config) -> SharedServers:
    """Kafka and PostgreSQL of this run; prefer ``kafka`` and ``database_url``."""
    return SharedServers(ask(address_of_servers(pytestconfig)))


@pytest.fixture
def kafka(shared_servers: SharedServers) -> str:
    """``host:port`` of the shared Kafka. Use ``topic_prefix`` to keep out of the way of other tests."""
    return shared_servers.bootstrap_servers


@pytest.fixture
def topic_prefix(shared_servers: SharedServers) -> Iterator[str]:
    """A prefix for topics, groups and transactional ids that no other test has; its topics go with the test."""
    prefix = f"t{uuid.uuid4().hex[:10]}"
    yield prefix
    shared_servers.delete_topics(prefix)


@pytest.fixture
def database_url(shared_servers: SharedServers) -> Iterator[str]:
    """The URL of a fresh database with our schema."""
    name = shared_servers.create_database(migrated=True)
    yield shared_servers.url(name)
    shared_servers.drop_database(name)


@pytest.fixture
def empty_database_url(shared_servers: SharedServers) -> Iterator[str]:
    """The URL of a fresh database without anything in it."""
    name = shared_servers.create_database(migrated=False)
    yield shared_servers.url(name)
    shared_servers.drop_database(name)


class StartServers(Protocol):
    """What the fixture ``private_servers`` is."""

    async def __call__(self, data_dir: Path | None = None, *, progress: Callable[[str], None] = ...) -> LocalServers:
        """Start servers of one's own, stopped at the end of the test.

        Args:
            data_dir: their data; a new folder by default.
            progress: told what goes on.
        """
        ...


@pytest.fixture
async def private_servers(tmp_path: Path) -> AsyncIterator[StartServers]:
    """Servers that a test may kill, freeze and restart as it likes."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(data_dir: Path | None = None, *, progress: Callable[[str], None] = print) -> LocalServers:
            folder = data_dir or tmp_path / f"servers-{uuid.uuid4().hex[:6]}"
            return await stack.enter_async_context(LocalServers(folder, progress=progress, plaintext=True))

        yield start
