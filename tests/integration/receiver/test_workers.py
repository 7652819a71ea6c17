"""The parent of workers, with workers that do what a test says: no Kafka, no port."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from prometheus_client import CollectorRegistry

from receiver.workers import UNUSABLE, Workers
from tests.support.receivers import until
from xero_stream.settings.base import SettingsError
from xero_stream.settings.receiver import ReceiverSettings

RESTARTS = "xero_stream_receiver_worker_restarts_total"
SILENT = "import time; time.sleep(60)"
LIVELY = """
import argparse, time
from prometheus_client import CollectorRegistry
from receiver.metrics import LAYOUT, ReceiverMetrics
from xero_stream.telemetry.cells import SharedCells
parser = argparse.ArgumentParser()
for name in ("--worker", "--of", "--listening", "--cells"): parser.add_argument(name, type=int)
options = parser.parse_args()
metrics = ReceiverMetrics(registry=CollectorRegistry(), cells=SharedCells(LAYOUT, options.of, options.cells))
worker = metrics.worker(options.worker)
worker.serving(True)
while True:
    worker.beat(time.monotonic(), 0.0)
    time.sleep(0.05)
"""


class Parent:
    """A running parent of two workers."""

    def __init__(self, script: str, silent_seconds: float) -> None:
        self.registry = CollectorRegistry()
        self.workers = Workers(
            settings=ReceiverSettings.read(workers=2),
            registry=self.registry,
            command=(sys.executable, "-c", script),
            silent_seconds=silent_seconds,
        )
        self.stop = asyncio.Event()
        self.running: asyncio.Task[None] | None = None

    def number(self, name: str) -> float:
        """A metric's value."""
        return self.registry.get_sample_value(name) or 0.0

    async def reaches(self, condition: Callable[[], bool], what: str) -> None:
        """Wait for a condition."""

        async def holds() -> bool:
            return condition()

        await until(holds, what)


@asynccontextmanager
async def parent(script: str, silent_seconds: float = 60.0) -> AsyncIterator[Parent]:
    """A parent whose workers run a script."""
    running = Parent(script, silent_seconds)
    with socket.socket() as listening:
        running.running = asyncio.create_task(running.workers.run(listening, running.stop))
        try:
            yield running
        finally:
            running.stop.set()
            await asyncio.wait({running.running})


async def test_lively_workers_are_left_alone() -> None:
    """Workers that show signs of life are live, ready, and not touched."""
    async with parent(LIVELY, silent_seconds=5.0) as running:
        await running.reaches(lambda: running.number("xero_stream_receiver_workers") == 2, "both workers to serve")

        assert running.workers.live().ok
        assert running.workers.ready().ok
        assert running.number(RESTARTS) == 0


async def test_silent_worker_is_replaced() -> None:
    """A worker without a sign of life is not live, and is killed and started again when that goes on."""
    async with parent(SILENT, silent_seconds=0.2) as running:
        await running.reaches(lambda: not running.workers.live().ok, "the silence to be noticed")
        await running.reaches(lambda: running.number(RESTARTS) >= 2, "both to be replaced")

        assert not running.workers.ready().ok


async def test_worker_that_ends_is_started_again() -> None:
    """A worker that ends by itself is started again, ever more slowly."""
    async with parent("raise SystemExit(1)") as running:
        await running.reaches(lambda: running.number(RESTARTS) >= 4, "two restarts each")


async def test_worker_that_cannot_run_ends_the_parent() -> None:
    """A worker that says that its settings are unusable is not started again: the parent ends with an error."""
    async with parent(f"raise SystemExit({UNUSABLE})") as running:
        assert running.running is not None

        with pytest.raises(SettingsError, match="in the log above"):
            await asyncio.wait_for(running.running, 20)


async def test_stop_ends_them() -> None:
    """Told to stop, the parent ends its workers and itself."""
    async with parent(LIVELY) as running:
        await running.reaches(lambda: running.number("xero_stream_receiver_workers") == 2, "both workers to serve")
        running.stop.set()
        assert running.running is not None

        await asyncio.wait_for(running.running, 20)

        assert running.number("xero_stream_receiver_workers") == 0
