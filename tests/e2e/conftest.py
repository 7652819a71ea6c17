"""The stack that tests of this folder share."""

import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.servers import SharedServers
from tests.support.stack import Stack
from tests.support.stacks import chance, folder, kept_folder, new_stack, scale, seed

__all__ = ["chance", "folder", "new_stack", "scale", "seed"]

INVOICES = 75
"""Of each organisation of the quiet stack: more than one IDs= call takes."""


UNCONNECTED = 20
"""Records of organisations that are not connected that the quiet stack keeps marked, per partition."""


@pytest.fixture(scope="session")
def quiet_folder(request: pytest.FixtureRequest) -> Iterator[Path]:
    """Where the logs of the quiet stack go."""
    yield from kept_folder(request, "quiet")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def quiet(shared_servers: SharedServers, quiet_folder: Path) -> AsyncIterator[Stack]:
    """A system that tests share: four loaded organisations, a stale answer believed after two seconds, all logged."""
    name = shared_servers.create_database(migrated=True)
    async with Stack(
        bootstrap_servers=shared_servers.bootstrap_servers,
        database_url=shared_servers.url(name),
        prefix=f"t{uuid.uuid4().hex[:10]}",
        folder=quiet_folder,
        simulator_options=["--tenants=4", f"--invoices={INVOICES}", "--contacts=8", "--credit-notes=4"],
        environment={
            "XERO_STREAM_PATIENCE_SECONDS": "2",
            "XERO_STREAM_LOG_LEVEL": "debug",
            "XERO_STREAM_UNCONNECTED_RECORDS": str(UNCONNECTED),
        },
    ) as running:
        await running.connect()
        await running.drained()
        yield running
        await running.assert_quotas_kept()
    shared_servers.drop_database(name)
