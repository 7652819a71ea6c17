"""A receiver in a process of its own, its topics on the real Kafka, and what can be asked of it."""

import asyncio
import contextlib
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import httpx
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import ConsumerRecord, TopicPartition

from tests.support.stack import PARTITIONS, Process, free_port
from tests.support.webhooks import KEY, raw_request, sign
from xero_stream.kafka.admin import TopicAdmin, wanted
from xero_stream.settings.kafka import KafkaSettings


async def until(condition: Callable[[], Awaitable[bool]], what: str, within: float = 20.0) -> None:
    """Wait for something that can only be asked for, not awaited.

    Raises:
        AssertionError: it did not come about in time.
    """
    end = time.monotonic() + within
    while not await condition():
        assert time.monotonic() < end, f"waited {within} s for {what}"
        await asyncio.sleep(0.05)


@dataclass(slots=True, kw_only=True)
class RunningReceiver:
    """``python -m receiver`` with its public and private port."""

    bootstrap_servers: str
    prefix: str
    folder: Path
    arguments: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    private_port: int = field(default_factory=free_port)
    process: Process = field(init=False)
    http: httpx.AsyncClient = field(init=False)

    def __post_init__(self) -> None:
        """Declare the process."""
        self.process = Process(
            name="receiver",
            command=[sys.executable, "-m", "receiver", *self.arguments],
            env={
                "KAFKA_BOOTSTRAP_SERVERS": self.bootstrap_servers,
                "KAFKA_TOPIC_PREFIX": self.prefix,
                "KAFKA_PARTITIONS": str(PARTITIONS),
                "KAFKA_REPLICATION_FACTOR": "1",
                "XERO_WEBHOOK_KEYS": KEY,
                "XERO_STREAM_RECEIVER_HOST": "127.0.0.1",
                "XERO_STREAM_RECEIVER_PORT": str(self.port),
                "XERO_STREAM_RECEIVER_PRIVATE_PORT": str(self.private_port),
                "XERO_STREAM_LOG_FORMAT": "json",
                **self.environment,
            },
            log=self.folder / "receiver.log",
        )

    async def __aenter__(self) -> Self:
        """Start it and wait until it answers."""
        async with self.client():
            await self.start()
        self.http = self._client()
        return self

    async def __aexit__(self, *_: object) -> None:
        """End it, whatever became of it."""
        await self.http.aclose()
        self.process.kill()

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{self.port}",
            timeout=10,
            trust_env=False,
            verify=False,  # plain HTTP: nothing to load certificates for
            limits=httpx.Limits(max_connections=64),
        )

    @contextlib.asynccontextmanager
    async def client(self) -> AsyncIterator[Self]:
        """Talk to it from this event loop, for a while."""
        async with self._client() as self.http:
            yield self

    async def start(self) -> None:
        """Start it, again perhaps, and wait until it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.process.start()
        await until(self.is_ready, "the receiver to be ready")

    async def is_ready(self) -> bool:
        """Whether it takes requests."""
        assert self.process.child is not None
        assert self.process.child.poll() is None, self.process.tail()
        return await self.status("/readyz") == 200

    async def connected(self) -> None:
        """Wait until every worker has a producer."""

        async def all_connected() -> bool:
            numbers = await self.metrics()
            return numbers.get("xero_stream_receiver_producer_available", 0) >= max(
                1, numbers.get("xero_stream_receiver_workers", 1)
            )

        await until(all_connected, "the receiver to reach Kafka")

    async def status(self, page: str) -> int | None:
        """The status of a private page, or None where nobody answers."""
        with contextlib.suppress(httpx.TransportError):
            return (await self.http.get(f"http://127.0.0.1:{self.private_port}{page}")).status_code
        return None

    async def metrics(self) -> dict[str, float]:
        """What ``/metrics`` says."""
        answer = await self.http.get(f"http://127.0.0.1:{self.private_port}/metrics")
        lines = (line.rsplit(" ", 1) for line in answer.text.splitlines() if not line.startswith("#"))
        return {name: float(value) for name, value in lines}

    async def post(
        self, body: bytes, *, signature: str | None = "", path: str = "/webhooks/xero", **headers: str
    ) -> httpx.Response:
        """Post a webhook.

        Args:
            body: its body.
            signature: its signature; "" for the right one, None for none.
            path: where to.
            headers: more headers, underscores for hyphens.
        """
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if signature is not None:
            given["x-xero-signature"] = signature or sign(body)
        return await self.http.post(path, content=body, headers=given)

    def logged(self) -> str:
        """Everything it has written."""
        return self.process.log.read_text(encoding="utf-8", errors="replace")

    def resident_bytes(self) -> int:
        """Memory of the process."""
        kilobytes = subprocess.run(
            ["ps", "-o", "rss=", "-p", str(self.process.pid)], capture_output=True, check=True, text=True
        ).stdout
        return int(kilobytes) * 1024


def settings_for(bootstrap_servers: str, prefix: str) -> KafkaSettings:
    """Kafka's settings of a test."""
    return KafkaSettings.read(
        bootstrap_servers=bootstrap_servers, topic_prefix=prefix, partitions=PARTITIONS, replication_factor=1
    )


async def create_topics(bootstrap_servers: str, prefix: str) -> None:
    """The topics that a receiver writes to."""
    settings = settings_for(bootstrap_servers, prefix)
    async with TopicAdmin(settings) as admin:
        await admin.apply(wanted(settings, (), deliveries=True))


async def read_all(bootstrap_servers: str, topic: str) -> list[ConsumerRecord]:
    """Every record of a topic, by partition and offset."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap_servers, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        begins = await consumer.beginning_offsets(partitions)
        records: list[ConsumerRecord] = []
        reached = dict(begins)
        while any(reached[partition] < ends[partition] for partition in partitions):
            for partition, some in (await consumer.getmany(timeout_ms=500)).items():
                records.extend(record for record in some if record.offset < ends[partition])
                reached[partition] = some[-1].offset + 1
        return sorted(records, key=lambda record: (record.partition, record.offset))
    finally:
        await consumer.stop()


class Line:
    """One keep-alive connection, without a client library whose own work would count as the receiver's."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, body: bytes) -> tuple[int, float]:
        """Post a rightly signed webhook.

        Returns:
            The status, and the seconds from the last byte sent to the end of the answer.

        Raises:
            ConnectionError: there was no answer.
        """
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        request = raw_request(body)
        started = time.monotonic()
        try:
            writer.write(request)
            answer = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            self.close()
            raise ConnectionError from error
        if b"Connection: close" in answer:
            self.close()
        return int(answer[9:12]), time.monotonic() - started

    def close(self) -> None:
        """Close it; the next post opens it again."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


@dataclass(slots=True)
class Sent:
    """What became of webhooks that were sent."""

    acknowledged: list[bytes] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    lost: int = 0
    slowest: float = 0.0

    async def send(self, line: Line, body: bytes) -> int | None:
        """Send one and keep account; None where there was no answer."""
        try:
            status, seconds = await line.post(body)
        except OSError:
            self.lost += 1
            return None
        self.slowest = max(self.slowest, seconds)
        self.statuses[status] += 1
        if status == 200:
            self.acknowledged.append(body)
        return status
