"""The real Kafka and the real PostgreSQL of a test run.

They are started once, when the first test asks for them, and stopped at its end; a test that kills or freezes servers
has its own (``private_servers``). A server that can't be started fails the test that asked: nothing is skipped.
"""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol, TypeVar

import asyncpg
import pytest

from xero_stream.local.servers import LocalServers
from xero_stream.store.migrate import upgrade

T = TypeVar("T")

TEMPLATE = "migrated_template"
NOT_DURABLE = {"fsync": "off", "full_page_writes": "off"}
"""The shared PostgreSQL never crashes, and a database is made and dropped for nearly every test: nothing waits for the disk."""


def run_apart(work: Coroutine[object, object, T]) -> T:
    """Run a coroutine in a thread with an event loop of its own, so that a test's loop is not disturbed."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


class SharedServers:
    """The servers that all tests of a run share."""

    def __init__(self, servers: LocalServers, data_dir: Path) -> None:
        self._servers = servers
        self._data_dir = data_dir
        self._has_template = False

    @property
    def bootstrap_servers(self) -> str:
        """Kafka's ``host:port``."""
        return self._servers.bootstrap_servers

    @property
    def postgres_pid(self) -> int:
        """PostgreSQL's process id."""
        return self._servers.postgres_pid

    def log_of(self, topic: str, partition: int = 0) -> bytes:
        """What the broker has stored of a partition: its record batches, one after another."""
        (segment,) = (self._data_dir / "kafka/data" / f"{topic}-{partition}").glob("*.log")
        return segment.read_bytes()

    def url(self, database: str) -> str:
        """The URL of a database."""
        return self._servers.postgres.url(database)

    def create_database(self, *, migrated: bool) -> str:
        """Make a database.

        Args:
            migrated: with our schema at its newest version, or empty.

        Returns:
            Its name.
        """
        if migrated and not self._has_template:
            self._make_template()
        name = f"test_{uuid.uuid4().hex[:12]}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE if migrated else 'template1'}")
        return name

    def copy_database(self, url: str) -> str:
        """Copy a database nobody is connected to, as a backup would.

        Args:
            url: the database's.

        Returns:
            The copy's name.
        """
        name = f"test_{uuid.uuid4().hex[:12]}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE {url.rpartition('/')[2].partition('?')[0]}")
        return name

    def drop_database(self, name: str) -> None:
        """Remove a database, whoever is still connected to it."""
        self._execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def _make_template(self) -> None:
        self._execute(f"CREATE DATABASE {TEMPLATE}")
        run_apart(upgrade(self.url(TEMPLATE)))
        self._has_template = True

    def _execute(self, statement: str) -> None:
        async def execute() -> None:
            connection = await asyncpg.connect(self._servers.database_url)
            try:
                async with asyncio.timeout(30):
                    while True:
                        try:
                            await connection.execute(statement)
                        except asyncpg.InsufficientPrivilegeError:
                            # The server's own cleaner is in the database, and not ours to end; it is done soon.
                            await asyncio.sleep(0.2)
                        else:
                            return
            finally:
                await connection.close()

        run_apart(execute())


@pytest.fixture(scope="session")
def shared_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedServers]:
    """Kafka and PostgreSQL of this run; prefer ``kafka`` and ``database_url``."""
    said: list[str] = []
    data_dir = tmp_path_factory.mktemp("servers")
    servers = LocalServers(data_dir, progress=said.append, database=NOT_DURABLE, plaintext=True)
    run_apart(servers.start())
    yield SharedServers(servers, data_dir)
    run_apart(servers.stop())


@pytest.fixture
def kafka(shared_servers: SharedServers) -> str:
    """``host:port`` of the shared Kafka. Use ``topic_prefix`` to keep out of the way of other tests."""
    return shared_servers.bootstrap_servers


@pytest.fixture
def topic_prefix() -> str:
    """A prefix for topics, groups and transactional ids that no other test has."""
    return f"t{uuid.uuid4().hex[:10]}"


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
