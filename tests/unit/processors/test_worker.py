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
        "Any",
        SimpleNamespace(
            pool=store, owner="test", shared=dict, metrics=ProcessorMetrics(CollectorRegistry()).partitions
        ),
    )
    worker = PartitionWorker(partition=1, services=services, source=cast("Any", None), on_fatal=print)

    worker.start()
    async with asyncio.timeout(5):
        await store.again.wait()
    await worker.stop(0)

    assert not worker.ready


async def test_intake_that_ends_after_its_lease_leaves_no_offset_behind() -> None:
    """The next lease would take events in at once, from an offset that its own start then sets back."""
    worker = PartitionWorker(
        partition=1,
        services=cast("Any", SimpleNamespace(metrics=ProcessorMetrics(CollectorRegistry()).partitions)),
        source=cast("Any", None),
        on_fatal=print,
    )
    lease = cast("Any", SimpleNamespace(partition=1, epoch=1))
    done: asyncio.Task[None] = asyncio.create_task(asyncio.sleep(0))
    worker._lease, worker.next_offset = lease, 5
    under_way, may_end = asyncio.Event(), asyncio.Event()

    async def take_in() -> None:
        async with worker._intake:
            under_way.set()
            await may_end.wait()
            worker.next_offset = 9

    taking = asyncio.create_task(take_in())
    await under_way.wait()
    ending = asyncio.create_task(worker._tear_down(lease, done, done, done, clean=False))
    await asyncio.sleep(0)
    may_end.set()
    await asyncio.gather(taking, ending)

    assert worker.next_offset is None
    assert not worker.ready
