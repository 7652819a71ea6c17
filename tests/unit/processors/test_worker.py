"""A partition's worker when things break that nobody foresaw."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

from prometheus_client import CollectorRegistry

from processors.metrics import ProcessorMetrics
from processors.partitions.worker import PartitionWorker


class Store:
    """Breaks whenever a connection is asked for."""

    def __init__(self) -> None:
        self.asked = 0
        self.again = asyncio.Event()

    def acquire(self) -> Any:
        """Break; the second time is told."""
        self.asked += 1
        if self.asked == 2:
            self.again.set()
        raise LookupError("a fault of ours")


async def test_a_worker_that_broke_begins_again() -> None:
    """Kafka goes on assigning its partition to us: without a worker nobody would notice that it stands still."""
    store = Store()
    services = cast(
        "Any", SimpleNamespace(pool=store, owner="test", shared=dict, metrics=ProcessorMetrics(CollectorRegistry()))
    )
    worker = PartitionWorker(partition=1, services=services, source=cast("Any", None), on_fatal=print)

    worker.start()
    async with asyncio.timeout(5):
        await store.again.wait()
    await worker.stop(0)

    assert not worker.ready
