"""The proxies, before a small server that says what it hears."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import pytest

from tests.support.kafka_wire import Api, Fate
from tests.support.proxy import HOST, KafkaProxy, Proxy
from tests.support.stack import free_port
from tests.unit.support.test_kafka_wire import answer, request

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Server:
    """Keeps what it hears; gives back every byte, or answers every request."""

    def __init__(self) -> None:
        self.port = free_port()
        self.heard = b""
        self.changed = asyncio.Event()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._serve, HOST, self.port)

    async def stop(self) -> None:
        """Listen no more."""
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    async def hears(self, expected: bytes) -> None:
        """Wait until it has heard exactly that."""
        async with asyncio.timeout(5):
            while self.heard != expected:
                self.changed.clear()
                await self.changed.wait()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(1000):
                self.heard += data
                self.changed.set()
                writer.write(data)
        writer.close()


class Broker(Server):
    """Answers requests with their correlation ids and a count."""

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        count = 0
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readexactly(4)
                body = await reader.readexactly(int.from_bytes(head))
                self.heard += head + body
                self.changed.set()
                count += 1
                writer.write(answer(int.from_bytes(body[4:8]), str(count).encode()))
        writer.close()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """A server that gives back what it hears."""
    echo = Server()
    await echo.start()
    yield echo
    await echo.stop()


@pytest.fixture
async def broker() -> AsyncIterator[Broker]:
    """A server that answers requests."""
    one = Broker()
    await one.start()
    yield one
    await one.stop()


@contextlib.asynccontextmanager
async def connected(proxy: Proxy) -> AsyncIterator[Streams]:
    """A connection to a proxy."""
    reader, writer = await asyncio.open_connection(HOST, proxy.port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def told(reader: asyncio.StreamReader, size: int) -> bytes:
    """That many bytes, soon."""
    async with asyncio.timeout(5):
        return await reader.readexactly(size)


async def ended(reader: asyncio.StreamReader) -> None:
    """The connection is reset or closed, and nothing was said before."""
    async with asyncio.timeout(5):
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""


async def test_it_forwards_both_ways(server: Server) -> None:
    """Large and small, until either side ends."""
    async with Proxy(server.port) as proxy, connected(proxy) as (reader, writer):
        for data in (b"a", b"b" * 1_000_000):
            writer.write(data)
            assert await told(reader, len(data)) == data
        assert (proxy.connections, proxy.accepted) == (1, 1)


async def test_it_is_slow(server: Server) -> None:
    """What is sent takes the latency each way and arrives in order."""
    async with Proxy(server.port) as proxy, connected(proxy) as (reader, writer):
        proxy.latency = 0.1
        began = time.monotonic()
        for letter in (b"a", b"b", b"c"):
            writer.write(letter)
            await asyncio.sleep(0.01)
        assert await told(reader, 3) == b"abc"
        assert 0.2 <= time.monotonic() - began < 1.5


async def test_it_refuses_and_accepts(server: Server) -> None:
    """New connections are refused, open ones go on, and later new ones are taken again."""
    async with Proxy(server.port) as proxy, connected(proxy) as (reader, writer):
        writer.write(b"a")
        await told(reader, 1)
        await proxy.refuse()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(HOST, proxy.port)
        writer.write(b"b")
        assert await told(reader, 1) == b"b"
        await proxy.accept()
        async with connected(proxy) as (other, other_writer):
            other_writer.write(b"c")
            assert await told(other, 1) == b"c"


async def test_it_freezes_and_thaws(server: Server) -> None:
    """Nothing passes, nothing is lost."""
    async with Proxy(server.port) as proxy, connected(proxy) as (reader, writer):
        await proxy.freeze()
        writer.write(b"a")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await reader.readexactly(1)
        assert server.heard == b""
        await proxy.thaw()
        assert await told(reader, 1) == b"a"


async def test_it_cuts(server: Server) -> None:
    """Every connection is reset, and new ones are taken."""
    async with Proxy(server.port) as proxy, connected(proxy) as (reader, writer):
        writer.write(b"a")
        await told(reader, 1)
        assert await proxy.cut() == 1
        await ended(reader)
        async with connected(proxy) as (other, other_writer):
            other_writer.write(b"b")
            assert await told(other, 1) == b"b"


async def test_a_server_that_is_gone_ends_the_connection() -> None:
    """The proxy takes a connection that leads nowhere, and ends it."""
    async with Proxy(free_port()) as proxy, connected(proxy) as (reader, _):
        await ended(reader)


async def test_a_request_is_dropped(broker: Broker) -> None:
    """The broker never hears it, the client is reset."""
    async with KafkaProxy(broker.port) as proxy, connected(proxy) as (reader, writer):
        rule = proxy.plan(Api.END_TXN, Fate.DROP)
        writer.write(request(Api.END_TXN, 1))
        await ended(reader)
    assert (broker.heard, rule.fired, rule.done) == (b"", 1, 1)


async def test_a_late_request_arrives_though_its_sender_is_gone(broker: Broker) -> None:
    """As one that was still in the broker's receive buffer."""
    late = request(Api.END_TXN, 1)
    async with KafkaProxy(broker.port) as proxy:
        rule = proxy.plan(Api.END_TXN, Fate.DELAY, seconds=0.3)
        async with connected(proxy) as (_, writer):
            writer.write(late)
            await writer.drain()
        await asyncio.sleep(0.1)
        assert broker.heard == b""
        await broker.hears(late)
        assert rule.done == 1


async def test_a_request_is_repeated(broker: Broker) -> None:
    """The broker hears it twice before the next one; the second answer is swallowed."""
    repeated, following = request(Api.END_TXN, 1), request(Api.FETCH, 2)
    async with KafkaProxy(broker.port) as proxy, connected(proxy) as (reader, writer):
        rule = proxy.plan(Api.END_TXN, Fate.REPEAT)
        writer.write(repeated)
        first = answer(1, b"1")
        assert await told(reader, len(first)) == first
        writer.write(following)
        last = answer(2, b"3")
        assert await told(reader, len(last)) == last
        assert rule.done == 1
    assert broker.heard == repeated + repeated + following


async def test_an_answer_is_lost(broker: Broker) -> None:
    """The broker hears the request; its sender hears nothing and is reset. The next connection works."""
    async with KafkaProxy(broker.port) as proxy:
        rule = proxy.plan(Api.END_TXN, Fate.LOSE_ANSWER)
        async with connected(proxy) as (reader, writer):
            writer.write(request(Api.END_TXN, 1))
            await ended(reader)
        assert broker.heard == request(Api.END_TXN, 1)
        async with connected(proxy) as (reader, writer):
            writer.write(request(Api.END_TXN, 2))
            assert await told(reader, 9) == answer(2, b"1")
        assert (rule.fired, rule.done) == (1, 1)


async def test_a_connection_is_silenced(broker: Broker) -> None:
    """Nothing of it is answered; healing lets the next connection pass."""
    async with KafkaProxy(broker.port) as proxy, connected(proxy) as (reader, writer):
        proxy.plan(Api.END_TXN, Fate.SILENCE, times=9)
        writer.write(request(Api.END_TXN, 1))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await reader.readexactly(1)
        await proxy.heal()
        async with connected(proxy) as (other, other_writer):
            other_writer.write(request(Api.END_TXN, 2))
            assert await told(other, 9) == answer(2, b"1")


async def test_what_is_not_kafka_is_told(server: Server) -> None:
    """A proxy that could not do its work says so at its end: a test behind it proves nothing."""
    proxy = await KafkaProxy(server.port).__aenter__()
    async with connected(proxy) as (reader, writer):
        writer.write(b"\xff\xff\xff\xfenonsense")
        await ended(reader)
    with pytest.raises(BaseExceptionGroup, match="broke down"):
        await proxy.__aexit__()
