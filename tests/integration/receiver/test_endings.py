"""How a receiver ends: killed it loses nothing that it acknowledged, asked to end it drains; workers likewise."""

import asyncio
import os
import random
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest

from tests.support.receivers import Line, RunningReceiver, Sent, create_topics, read_all, until
from tests.support.stack import free_port
from tests.support.webhooks import KEY, Maker, raw_request


async def assert_all_in_the_log(receiver: RunningReceiver, sent: Sent) -> None:
    """Every event of every webhook that was answered 200 is in the log."""
    records = await read_all(receiver.bootstrap_servers, f"{receiver.prefix}.webhook-events")
    logged = {orjson.loads(record.value)["event"]["resourceId"] for record in records}
    acknowledged = [event["resourceId"] for body in sent.acknowledged for event in orjson.loads(body)["events"]]
    assert len(acknowledged) > 0
    assert set(acknowledged) <= logged


async def load(receiver: RunningReceiver, sent: Sent, until_set: asyncio.Event, seed: int) -> None:
    """Send one webhook after another."""
    maker = Maker(seed=seed, tenants=20)
    line = Line(receiver.port)
    while not until_set.is_set():
        if await sent.send(line, maker.body(2)) is None:
            await asyncio.sleep(0.02)
    line.close()


async def test_killed_under_load(own_receiver: RunningReceiver) -> None:
    """A kill -9 at random moments under load: what was answered 200 is in the log, every time."""
    sent, enough = Sent(), asyncio.Event()
    senders = [asyncio.create_task(load(own_receiver, sent, enough, seed)) for seed in range(16)]
    chance = random.Random(41)

    for _ in range(5):
        await own_receiver.connected()
        await asyncio.sleep(chance.uniform(0.2, 0.8))
        own_receiver.process.kill()
        await own_receiver.start()
    enough.set()
    await asyncio.gather(*senders)

    assert own_receiver.process.starts == 6
    assert sent.lost > 0
    await assert_all_in_the_log(own_receiver, sent)


@pytest.mark.parametrize("arguments", [(), ("--workers", "2")], ids=["alone", "two workers"])
async def test_drained_under_load(kafka: str, topic_prefix: str, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """SIGTERM under load: every request that it took is answered, none is reset, and it ends in time with 0."""
    await create_topics(kafka, topic_prefix)
    async with RunningReceiver(
        bootstrap_servers=kafka, prefix=topic_prefix, folder=tmp_path, arguments=arguments
    ) as receiver:
        await receiver.connected()
        answered = await drained(receiver)

        assert answered > 20
        assert '"clean":true' in receiver.logged()
        assert "Traceback" not in receiver.logged()


async def drained(receiver: RunningReceiver) -> int:
    """Load over connections that count what is lost, and a SIGTERM in the middle of it.

    Returns:
        How many requests were answered.
    """
    stopped = asyncio.Event()
    connections = [asyncio.create_task(requests_until_closed(receiver, seed, stopped)) for seed in range(20)]
    await asyncio.sleep(0.5)

    started = time.monotonic()
    receiver.process.signal(signal.SIGTERM)
    stopped.set()
    results = await asyncio.gather(*connections)

    assert await receiver.process.stop(within=10) == 0
    assert time.monotonic() - started < 10
    for answers in results:
        assert answers[-1].count(b"Connection: close") == 1
        assert all(answer.startswith(b"HTTP/1.1 200 ") for answer in answers)
    return sum(map(len, results))


async def requests_until_closed(receiver: RunningReceiver, seed: int, stopped: asyncio.Event) -> list[bytes]:
    """One request after another on one connection, until the receiver says that it closes it."""
    maker = Maker(seed=100 + seed)
    reader, writer = await asyncio.open_connection("127.0.0.1", receiver.port)
    answers: list[bytes] = []
    try:
        while not answers or b"Connection: close" not in answers[-1]:
            writer.write(raw_request(maker.body()))
            answers.append(await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 6))
            if not stopped.is_set():
                await asyncio.sleep(0.01)
    finally:
        writer.close()
    return answers


async def test_idle_connections_do_not_delay_the_end(own_receiver: RunningReceiver) -> None:
    """Connections that are merely open are closed, and the end comes soon."""
    pairs = [await asyncio.open_connection("127.0.0.1", own_receiver.port) for _ in range(10)]
    started = time.monotonic()

    assert await own_receiver.process.stop() == 0

    assert time.monotonic() - started < 5
    for reader, writer in pairs:
        assert await reader.read() == b""
        writer.close()


@pytest.fixture
async def two_workers(kafka: str, topic_prefix: str, tmp_path: Path) -> AsyncIterator[RunningReceiver]:
    """A receiver of two workers, connected."""
    await create_topics(kafka, topic_prefix)
    receiver = RunningReceiver(
        bootstrap_servers=kafka, prefix=topic_prefix, folder=tmp_path, arguments=("--workers", "2")
    )
    async with receiver:
        await workers_serve(receiver, 2)
        await receiver.connected()
        yield receiver


async def workers_serve(receiver: RunningReceiver, count: int) -> None:
    """Wait until that many workers answer requests."""

    async def serve() -> bool:
        return (await receiver.metrics())["xero_stream_receiver_workers"] == count

    await until(serve, f"{count} workers")


def workers_of(receiver: RunningReceiver) -> list[int]:
    """The process ids of the workers, by the parent's log of what they said."""
    lines = [orjson.loads(line) for line in receiver.logged().splitlines() if line.startswith("{")]
    pids = [line["pid"] for line in lines if line.get("event") == "receiver_serving"]
    return [pid for pid in pids if alive(pid)]


def alive(pid: int) -> bool:
    """Whether the process exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_workers_are_counted_together(two_workers: RunningReceiver) -> None:
    """The metrics of all workers are one sum; a killed worker is replaced, and its counts stay."""
    maker = Maker(seed=42)
    accepted = 'xero_stream_receiver_requests_total{outcome="accepted"}'
    for _ in range(40):
        _, writer = await asyncio.open_connection("127.0.0.1", two_workers.port)
        writer.close()
    for answer in await asyncio.gather(*[two_workers.post(maker.body()) for _ in range(60)]):
        assert answer.status_code == 200
    before = await two_workers.metrics()
    assert before[accepted] == 60
    assert before["xero_stream_receiver_append_seconds_count"] == 60
    assert before["xero_stream_receiver_producer_available"] == 2

    first, second = workers_of(two_workers)
    os.kill(first, signal.SIGKILL)
    await until(lambda: restarted(two_workers), "the worker to be replaced")
    await workers_serve(two_workers, 2)
    await two_workers.connected()

    after = await two_workers.metrics()
    assert after[accepted] == 60
    assert after["xero_stream_receiver_worker_restarts_total"] == 1
    assert second in workers_of(two_workers)
    assert len(workers_of(two_workers)) == 2
    for _ in range(20):
        assert (await two_workers.post(maker.body())).status_code == 200
    assert (await two_workers.metrics())[accepted] == 80


async def restarted(receiver: RunningReceiver) -> bool:
    """Whether a worker was started again."""
    return (await receiver.metrics())["xero_stream_receiver_worker_restarts_total"] == 1


async def test_workers_killed_under_load(two_workers: RunningReceiver) -> None:
    """A kill -9 of workers under load loses nothing that was acknowledged; the port goes on answering."""
    sent, enough = Sent(), asyncio.Event()
    senders = [asyncio.create_task(load(two_workers, sent, enough, seed)) for seed in range(8)]
    for _ in range(3):
        await asyncio.sleep(0.5)
        os.kill(workers_of(two_workers)[0], signal.SIGKILL)
        await workers_serve(two_workers, 2)
    enough.set()
    await asyncio.gather(*senders)

    await assert_all_in_the_log(two_workers, sent)
    assert set(sent.statuses) == {200}


async def test_workers_end_with_their_parent(two_workers: RunningReceiver) -> None:
    """A kill -9 of the parent takes the workers with it, drained."""
    pids = workers_of(two_workers)
    assert len(pids) == 2

    two_workers.process.kill()

    async def gone() -> bool:
        return not any(map(alive, pids))

    await until(gone, "the workers to end", 10)
    assert two_workers.logged().count('"receiver_drained"') == 2


async def test_no_key_no_start(kafka: str, topic_prefix: str, tmp_path: Path) -> None:
    """Without a signing key it ends at once, with one line that says what to set."""
    await assert_refuses(
        RunningReceiver(
            bootstrap_servers=kafka, prefix=topic_prefix, folder=tmp_path, environment={"XERO_WEBHOOK_KEYS": ""}
        ),
        "XERO_WEBHOOK_KEYS",
    )


@pytest.mark.parametrize("name", ["XERO_STREAM_RECEIVER_PORT", "XERO_STREAM_RECEIVER_PRIVATE_PORT"])
async def test_taken_port(kafka: str, topic_prefix: str, tmp_path: Path, name: str) -> None:
    """A taken port is one line that names the setting."""
    port = free_port()
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", port)
    async with server:
        await assert_refuses(
            RunningReceiver(
                bootstrap_servers=kafka, prefix=topic_prefix, folder=tmp_path, environment={name: str(port)}
            ),
            name,
        )


async def assert_refuses(receiver: RunningReceiver, words: str) -> None:
    """It ends with 2 and a single line."""
    receiver.process.start()
    try:
        assert receiver.process.child is not None
        assert await asyncio.to_thread(receiver.process.child.wait, 20) == 2
    finally:
        receiver.process.kill()
        await receiver.http.aclose() if hasattr(receiver, "http") else None
    (line,) = [line for line in receiver.logged().splitlines() if words in line]
    assert "Traceback" not in receiver.logged()
    assert KEY not in receiver.logged()
    assert line
