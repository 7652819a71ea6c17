"""A receiver that the tests of a module share, on the real Kafka."""

import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.support.receivers import RunningReceiver, create_topics
from tests.support.servers import SharedServers, run_apart

APPS = """
[apps.nz]
webhook_keys = ["nz-newer-key-of-the-file-0123456789", "nz-older-key-of-the-file-0123456789"]
"""


@pytest.fixture(scope="module")
def module_receiver(
    shared_servers: SharedServers, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningReceiver]:
    """Started once per module; use ``receiver``."""
    folder = tmp_path_factory.mktemp("receiver")
    (folder / "apps.toml").write_text(APPS)
    receiver = RunningReceiver(
        bootstrap_servers=shared_servers.bootstrap_servers,
        prefix=f"t{uuid.uuid4().hex[:10]}",
        folder=folder,
        environment={
            "XERO_STREAM_APPS_FILE": str(folder / "apps.toml"),
            "XERO_STREAM_KEEP_DELIVERIES": "true",
            "XERO_CLIENT_SECRET": "canary-of-the-processors",
        },
    )

    async def start() -> None:
        await create_topics(receiver.bootstrap_servers, receiver.prefix)
        async with receiver.client():
            await receiver.start()
            await receiver.connected()

    run_apart(start())
    yield receiver
    receiver.process.kill()


@pytest.fixture
async def receiver(module_receiver: RunningReceiver) -> AsyncIterator[RunningReceiver]:
    """A running receiver, connected to Kafka."""
    async with module_receiver.client():
        yield module_receiver


@pytest.fixture
async def own_receiver(kafka: str, topic_prefix: str, tmp_path: Path) -> AsyncIterator[RunningReceiver]:
    """A receiver that the test may kill."""
    await create_topics(kafka, topic_prefix)
    async with RunningReceiver(bootstrap_servers=kafka, prefix=topic_prefix, folder=tmp_path) as receiver:
        await receiver.connected()
        yield receiver
