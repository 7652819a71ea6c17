"""Every hostile request of the table, a few at a time, on the wire; Kafka's part is played by a fake that takes everything."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import orjson
import pytest
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from receiver.answers import Answers
from receiver.connections import Listener
from receiver.keys import KeyRing
from receiver.limits import Limits
from receiver.metrics import ReceiverMetrics
from receiver.parse import unparsed
from receiver.receive import Receive
from receiver.records import Shaper
from tests.support.fake_producer import FakeBatch, FakeProducer, FakeProducers, Measured
from tests.support.hostile import Case, cases, exchange, generated
from tests.support.webhooks import KEY, raw_request
from xero_stream.contracts.topics import Topics
from xero_stream.kafka.appender import Appender
from xero_stream.settings.apps import WebhookApps
from xero_stream.settings.xero import WebhookKeySettings

AT_ONCE = 8


class Willing(FakeProducer):
    """Acknowledges every batch at once, and keeps its values."""

    def __init__(self) -> None:
        super().__init__(room=500)
        self.kept: list[tuple[str, bytes]] = []

    async def send_batch(self, batch: FakeBatch, topic: str, *, partition: int) -> "asyncio.Future[None]":
        """Take it."""
        del partition
        self.kept += [(topic, value) for value in batch.values]
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        future.set_result(None)
        return future


class WillingProducers(FakeProducers):
    """Builds one."""

    def __init__(self) -> None:
        super().__init__()
        self.one = Willing()

    async def build(self) -> Any:
        """It."""
        return self.one


class Edge:
    """A listening receiver."""

    def __init__(self, port: int, kept: list[tuple[str, bytes]], registry: CollectorRegistry) -> None:
        self.port = port
        self.kept = kept
        self.registry = registry


@pytest.fixture
async def edge() -> AsyncIterator[Edge]:
    """A listener with the receiver's own limits, on a free port."""
    registry = CollectorRegistry()
    metrics = ReceiverMetrics(registry=registry).worker()
    producers = WillingProducers()
    limits, answers = Limits(), Answers(0.0)
    appender = Appender(producers=producers, observer=Measured(), limit_bytes=limits.in_flight_bytes)
    appender.start()
    await appender.first_build
    settings = WebhookKeySettings.model_construct(webhook_keys=SecretStr(KEY))
    handler = Receive(
        keys=KeyRing(WebhookApps(settings, None), random_bytes=os.urandom),
        shaper=Shaper(topics=Topics(), partitions=3),
        appender=appender,
        answers=answers,
        metrics=metrics,
        limits=limits,
    )
    listener = Listener(handler, answers=answers, metrics=metrics, limits=limits, clock=time.monotonic)
    server = await asyncio.get_running_loop().create_server(listener, "127.0.0.1", 0)

    async def sweep() -> None:
        while True:
            await asyncio.sleep(0.25)
            listener.sweep()

    sweeping = asyncio.create_task(sweep())
    yield Edge(server.sockets[0].getsockname()[1], producers.one.kept, registry)
    sweeping.cancel()
    server.close()
    await listener.shutdown(1)
    await appender.stop(1)


async def send(port: int, case: Case) -> int:
    """Send a request; its status, 0 where there is no answer."""
    if case.leaves:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(case.parts[0])
        await writer.drain()
        writer.close()
        return 0
    answer = await exchange(port, *case.parts, pause=case.pause)
    return int(answer.split(b" ", 2)[1]) if answer else 0


def made_up() -> Iterator[Case]:
    """Generated bodies, rightly signed."""
    for number, body in enumerate(generated(7, 40)):
        yield Case(name=f"generated {number}", parts=(raw_request(body),), statuses=(200, 503), body=body)


async def test_every_answer_is_as_documented(edge: Edge) -> None:
    """More than 400 requests: each is answered as the documentation says, none by a mistake of ours, each 200 is kept."""
    table = [*cases(), *made_up()]
    assert len(table) > 440
    places = asyncio.Semaphore(AT_ONCE)

    async def one(case: Case) -> int:
        async with places:
            return await send(edge.port, case)

    statuses = await asyncio.gather(*map(one, table))

    wrong = [(case.name, status) for case, status in zip(table, statuses, strict=True) if status not in case.statuses]
    assert wrong == []
    assert not edge.registry.get_sample_value("xero_stream_receiver_requests_total", {"outcome": "failed"})
    letters = {value for topic, value in edge.kept if topic == "xero.dead-letters"}
    events = {orjson.loads(value)["delivery_id"] for topic, value in edge.kept if topic == "xero.webhook-events"}
    lost = [
        case.name
        for case, status in zip(table, statuses, strict=True)
        if status == 200 and case.body is not None and case.body not in letters and unparsed(case.body).id not in events
    ]
    assert lost == []
