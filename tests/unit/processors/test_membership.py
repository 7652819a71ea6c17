"""The group member while Kafka is not there."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest
from prometheus_client import CollectorRegistry

from processors.metrics import ProcessorMetrics
from processors.partitions.consumer import Membership
from processors.tenants.watchdog import Watchdog
from tests.support.stack import free_port
from xero_stream.settings.kafka import KafkaSettings
from xero_stream.settings.processors import ProcessorSettings


class Beats(Watchdog):
    """Counts signs of life."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.changed = asyncio.Event()

    def beat(self, name: str, now: float, *, limit: float | None = None) -> None:
        """Count it."""
        super().beat(name, now, limit=limit)
        self.names.append(name)
        self.changed.set()


async def test_trying_again_is_a_sign_of_life() -> None:
    """However long Kafka is away, the process is not stuck; it knows that it has no assignment, and since when."""
    beats, now = Beats(), 100.0

    def clock() -> float:
        nonlocal now
        now += 0.001
        return now

    services = cast("Any", SimpleNamespace(owner="test", metrics=ProcessorMetrics(CollectorRegistry(), beats)))
    membership = Membership(
        kafka=KafkaSettings.read(bootstrap_servers=f"127.0.0.1:{free_port()}"),
        settings=ProcessorSettings.read(),
        services=services,
        on_fatal=print,
        clock=clock,
    )
    task = asyncio.create_task(membership.run())

    async with asyncio.timeout(20):
        while beats.names.count("consumer") < 3:
            beats.changed.clear()
            await beats.changed.wait()
    now = 130.0

    assert membership.joining_seconds == pytest.approx(30.0, abs=0.1)
    task.cancel()
    await asyncio.wait([task])
