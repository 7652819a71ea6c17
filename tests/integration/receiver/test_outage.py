"""Kafka away: killed, frozen, or not there yet. Every answer in time, 503 and never 200, and back without a restart."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from tests.support.receivers import Line, RunningReceiver, Sent, create_topics, read_all, settings_for, until
from tests.support.servers import run_apart
from tests.support.webhooks import Maker
from xero_stream.contracts.webhook_event import WebhookEvent
from xero_stream.kafka.admin import TopicAdmin, wanted
from xero_stream.local.servers import LocalServers

PREFIX = "outage"
LIMIT_SECONDS = 5.0
"""Xero gives up after that."""
RECOVERY_SECONDS = 5.0


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServers]:
    """Servers for the tests of this module, with the receiver's topics; each leaves Kafka running, and its events in the log."""
    servers = LocalServers(tmp_path_factory.mktemp("outage"), plaintext=True)
    run_apart(servers.start())
    run_apart(create_topics(servers.bootstrap_servers, PREFIX))
    yield servers
    run_apart(servers.stop())


@asynccontextmanager
async def running(servers: LocalServers, folder: Path) -> AsyncIterator[RunningReceiver]:
    """A receiver on those servers."""
    async with RunningReceiver(bootstrap_servers=servers.bootstrap_servers, prefix=PREFIX, folder=folder) as receiver:
        yield receiver


class Load:
    """A sender that does not stop, and keeps account."""

    def __init__(self, receiver: RunningReceiver, *, senders: int = 20, pause: float = 0.05) -> None:
        self.sent = Sent()
        self._receiver = receiver
        self._maker = Maker(seed=31, tenants=30)
        self._pause = pause
        self._tasks = [asyncio.create_task(self._send()) for _ in range(senders)]

    async def _send(self) -> None:
        line = Line(self._receiver.port)
        try:
            while True:
                await self.sent.send(line, self._maker.body())
                await asyncio.sleep(self._pause)
        finally:
            line.close()

    async def until_answered(self, status: int, more: int = 1) -> None:
        """Wait for that many more answers of a status."""
        wanted = self.sent.statuses[status] + more

        async def enough() -> bool:
            return self.sent.statuses[status] >= wanted

        await until(enough, f"{more} answers {status}")

    async def stop(self) -> Sent:
        """No more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        return self.sent


async def assert_all_in_the_log(servers: LocalServers, sent: Sent) -> None:
    """Every event of every webhook that was answered 200 is in the log."""
    records = await read_all(servers.bootstrap_servers, f"{PREFIX}.webhook-events")
    logged = {WebhookEvent.model_validate_json(record.value).event["resourceId"] for record in records}
    acknowledged = {event for body in sent.acknowledged for event in resource_ids(body)}
    assert acknowledged <= logged, f"{len(acknowledged - logged)} of {len(acknowledged)} are missing"


def resource_ids(body: bytes) -> list[str]:
    """The records that a webhook's events are about."""
    return [event["resourceId"] for event in orjson.loads(body)["events"]]


async def test_killed_and_started_again(servers: LocalServers, tmp_path: Path) -> None:
    """A kill -9 of the broker under load: 503 within 5 s, flat memory, back 5 s after its return, nothing lost."""
    async with running(servers, tmp_path / "receiver") as receiver:
        await receiver.connected()
        load = Load(receiver)
        await load.until_answered(200, 200)
        before = receiver.resident_bytes()

        await servers.kafka.kill()
        await load.until_answered(503, 50)
        assert await receiver.status("/readyz") == 200
        assert await receiver.status("/livez") == 200
        for _ in range(3):
            accepted = load.sent.statuses[200]
            await asyncio.sleep(1)
            assert load.sent.statuses[200] == accepted
        grown = receiver.resident_bytes() - before
        await servers.kafka.start()
        returned = time.monotonic()
        await load.until_answered(200, 50)
        recovered = time.monotonic() - returned
        sent = await load.stop()

        assert recovered < RECOVERY_SECONDS
        assert sent.slowest < LIMIT_SECONDS
        assert set(sent.statuses) == {200, 503}
        assert sent.lost == 0
        assert grown < 50_000_000
        await assert_all_in_the_log(servers, sent)
        numbers = await receiver.metrics()
        assert numbers["xero_stream_receiver_in_flight_bytes"] < 1_000_000
        assert numbers['xero_stream_receiver_unavailable_total{reason="timed_out"}'] > 0
        assert numbers['xero_stream_receiver_unavailable_total{reason="stalled"}'] > 0


async def test_frozen(servers: LocalServers, tmp_path: Path) -> None:
    """A broker that is stopped in its tracks for longer than every time-out is an outage like any other."""
    async with running(servers, tmp_path / "receiver") as receiver:
        await receiver.connected()
        load = Load(receiver)
        await load.until_answered(200, 100)

        await servers.kafka.freeze()
        await load.until_answered(503, 20)
        await asyncio.sleep(14)
        await servers.kafka.thaw()
        thawed = time.monotonic()
        await load.until_answered(200, 50)
        recovered = time.monotonic() - thawed
        sent = await load.stop()

        assert recovered < RECOVERY_SECONDS
        assert sent.slowest < LIMIT_SECONDS
        assert set(sent.statuses) == {200, 503}
        await assert_all_in_the_log(servers, sent)


async def test_killed_while_kafka_is_frozen(servers: LocalServers, tmp_path: Path) -> None:
    """Kill -9 of the receiver while Kafka does not answer: who was told 200 before is in the log, nobody was since.

    A receiver that answered when it had handed a record over, not when Kafka had it, would lose webhooks here.
    """
    async with running(servers, tmp_path / "receiver") as receiver:
        await receiver.connected()
        load = Load(receiver)
        for _ in range(3):
            await load.until_answered(200, 50)
            await servers.kafka.freeze()
            await asyncio.sleep(0.7)
            receiver.process.kill()
            await servers.kafka.thaw()
            await receiver.start()
            await receiver.connected()
        await load.until_answered(200, 50)
        sent = await load.stop()

        await assert_all_in_the_log(servers, sent)


async def test_started_without_kafka(servers: LocalServers, tmp_path: Path) -> None:
    """A receiver starts while Kafka is down, says 503 and 401 as it should, and works as soon as Kafka is there."""
    await servers.kafka.stop()
    maker = Maker(seed=32)
    async with running(servers, tmp_path / "receiver") as receiver:
        started = time.monotonic()
        assert (await receiver.post(maker.body())).status_code == 503
        assert time.monotonic() - started < LIMIT_SECONDS
        started = time.monotonic()
        assert (await receiver.post(maker.body())).status_code == 503
        assert time.monotonic() - started < 0.5
        assert (await receiver.post(maker.body(), signature="wrong")).status_code == 401
        assert (await receiver.post(maker.body(0))).status_code == 200

        await servers.kafka.start()
        returned = time.monotonic()
        sent, line = Sent(), Line(receiver.port)

        async def accepted() -> bool:
            return await sent.send(line, maker.body()) == 200

        await until(accepted, "the first webhook to be accepted", RECOVERY_SECONDS)

        assert time.monotonic() - returned < RECOVERY_SECONDS
        line.close()
        await assert_all_in_the_log(servers, sent)


async def test_refused_record_does_not_stop_the_others(kafka: str, topic_prefix: str, tmp_path: Path) -> None:
    """After a record that the broker refuses, which spoils the producer for good, the next ones are accepted.

    aiokafka's sequence numbers run ahead of the broker's after a refusal, and everything that follows in the partition
    is refused too, until somebody restarts the process: aio-libs/aiokafka#1017.
    """
    settings = settings_for(kafka, topic_prefix)
    specs = wanted(settings, ())
    async with TopicAdmin(settings) as admin:
        await admin.apply([replace(spec, configs={**spec.configs, "max.message.bytes": "4096"}) for spec in specs])
    maker = Maker(seed=33, tenants=1)
    note = random.Random(33).randbytes(8_192).hex()  # compressed, it is still larger than what the topic takes
    large = orjson.dumps({"events": [{**maker.event(), "note": note}], "firstEventSequence": 1})
    sent = Sent()
    async with RunningReceiver(bootstrap_servers=kafka, prefix=topic_prefix, folder=tmp_path) as receiver:
        await receiver.connected()
        line = Line(receiver.port)
        for _ in range(3):
            assert await sent.send(line, maker.body()) == 200
            assert (await receiver.post(large)).status_code == 503

            async def accepted() -> bool:
                return await sent.send(line, maker.body()) == 200

            await until(accepted, "the next webhook to be accepted", RECOVERY_SECONDS)

        line.close()
        assert sent.slowest < LIMIT_SECONDS
        numbers = await receiver.metrics()
        assert numbers['xero_stream_receiver_producer_builds_total{reason="broken"}'] >= 3
        assert numbers['xero_stream_receiver_unavailable_total{reason="refused"}'] == 3
    records = await read_all(kafka, f"{topic_prefix}.webhook-events")
    logged = [orjson.loads(record.value)["event"]["resourceId"] for record in records]
    assert set(logged) >= {event for body in sent.acknowledged for event in resource_ids(body)}


async def test_topic_with_other_partitions(servers: LocalServers, tmp_path: Path) -> None:
    """A receiver whose setting differs from the topic does not start: tenants would be in the wrong partitions."""
    receiver = RunningReceiver(
        bootstrap_servers=servers.bootstrap_servers,
        prefix=PREFIX,
        folder=tmp_path,
        environment={"KAFKA_PARTITIONS": "4"},
    )
    receiver.process.start()
    try:
        assert receiver.process.child is not None
        assert await asyncio.to_thread(receiver.process.child.wait, 20) == 2
    finally:
        receiver.process.kill()

    assert "has 3 partitions, KAFKA_PARTITIONS is 4" in receiver.logged()
