"""A database for the sinks' tables."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.support.servers import SharedServers


class Database:
    """An empty database, and how Java is told of it."""

    def __init__(self, url: str) -> None:
        self.url = url
        parts = urlsplit(url)
        self.user, self.password = parts.username or "", parts.password or ""
        self.jdbc = f"jdbc:postgresql://{parts.hostname}:{parts.port}{parts.path}"


@pytest.fixture
def database(shared_servers: SharedServers) -> Iterator[Database]:
    """An empty database of this test's own."""
    name = shared_servers.create_database(migrated=False)
    yield Database(shared_servers.url(name))
    shared_servers.drop_database(name)
