"""Connections: how many, and for how long."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry

from receiver.answers import Answers
from receiver.connections import Connection, Listener
from receiver.limits import Limits
from receiver.metrics import ReceiverMetrics


class Transport(asyncio.Transport):
    """A connection to nobody."""

    def __init__(self) -> None:
        super().__init__()
        self.closed = False
        self.written = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Remember."""
        self.written += bytes(data)

    def close(self) -> None:
        """Remember."""
        self.closed = True

    def is_closing(self) -> bool:
        """Whether it is closed."""
        return self.closed


class Bench:
    """A listener and a clock in a test's hand."""

    def __init__(self, limits: Limits) -> None:
        self.now = 1_000.0
        self.registry = CollectorRegistry()
        answers = Answers(0.0)

        async def answer(request: web.BaseRequest) -> web.StreamResponse:
            connection = request.protocol
            assert isinstance(connection, Connection)
            connection.began()
            connection.ended()
            return answers.get(200, keep=True)

        self.listener = Listener(
            answer,
            answers=answers,
            metrics=ReceiverMetrics(registry=self.registry).worker(),
            limits=limits,
            clock=lambda: self.now,
        )
        self.made: list[tuple[Connection, Transport]] = []

    def connect(self) -> tuple[Connection, Transport]:
        """A new connection, a second later."""
        self.now += 1
        connection, transport = self.listener(), Transport()
        connection.connection_made(transport)
        self.made.append((connection, transport))
        return connection, transport

    def cut(self, reason: str) -> float:
        """How many were closed for a reason."""
        name = "xero_stream_receiver_connections_cut_total"
        return self.registry.get_sample_value(name, {"reason": reason}) or 0.0

    def close(self) -> None:
        """Every connection is lost."""
        for connection, _ in self.made:
            connection.connection_lost(None)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    """At most three connections, heads within five seconds."""
    bench = Bench(Limits(connections=3, header_seconds=5.0))
    yield bench
    bench.close()


async def test_idle_connections_are_bounded(bench: Bench) -> None:
    """An idle connection is kept for as long as the limits say, not for aiohttp's hour."""
    connection, _ = bench.connect()

    assert connection.keepalive_timeout == Limits().keep_alive_seconds == 75


async def test_the_longest_idle_makes_room(bench: Bench) -> None:
    """Above the cap the connection that has been idle for longest is closed, never one that is being answered."""
    (busy, _), (_, second), (third, third_transport) = (bench.connect() for _ in range(3))
    busy.began()
    third.ended()

    _, fourth = bench.connect()

    assert second.closed
    assert not fourth.closed
    assert not third_transport.closed
    assert bench.listener.open == 3
    assert bench.cut("crowded") == 1


async def test_nobody_idle(bench: Bench) -> None:
    """Where every connection is being answered, the newcomer has to go."""
    for connection, _ in (bench.connect() for _ in range(3)):
        connection.began()

    _, newcomer = bench.connect()

    assert newcomer.closed
    assert bench.listener.open == 3


async def test_head_that_does_not_come(bench: Bench) -> None:
    """A connection whose head has begun and does not end is cut; one that said nothing, or is done, is not."""
    (started, cut), (_, silent), (done, kept) = (bench.connect() for _ in range(3))
    started.data_received(b"POST /web")
    done.data_received(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
    await asyncio.sleep(0.01)
    assert kept.written.startswith(b"HTTP/1.1 200 OK")

    bench.now += 5
    bench.listener.sweep()
    assert not cut.closed
    bench.now += 0.1
    bench.listener.sweep()

    assert cut.closed
    assert not silent.closed
    assert not kept.closed
    assert bench.cut("header") == 1


async def test_dripping_does_not_help(bench: Bench) -> None:
    """The time of a head counts from its first byte, however many follow one by one."""
    connection, transport = bench.connect()
    for byte in b"POST /web":
        connection.data_received(bytes([byte]))
        bench.now += 1

    bench.listener.sweep()

    assert transport.closed


async def test_counted(bench: Bench) -> None:
    """Open connections are counted, and counted off once."""
    connection, _ = bench.connect()
    bench.connect()
    assert bench.registry.get_sample_value("xero_stream_receiver_connections") == 2

    connection.connection_lost(None)
    connection.connection_lost(None)

    assert bench.registry.get_sample_value("xero_stream_receiver_connections") == 1
