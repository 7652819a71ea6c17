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
from tests.support.opcodes import steps


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
            connection.ended(accepted=True)
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


def served(bench: Bench, *, accepted: bool = True) -> Transport:
    """A connection that has had an answer, 200 or another."""
    connection, transport = bench.connect()
    connection.began()
    connection.ended(accepted=accepted)
    return transport


async def test_who_makes_room_first() -> None:
    """Above the cap unfinished heads go first, then who never had a 200, then the longest idle; each kind from its oldest."""
    bench = Bench(Limits(connections=6))
    sender, other_sender = served(bench), served(bench)
    refused = served(bench, accepted=False)
    (_, silent), (half, half_transport), (later_half, later) = (bench.connect() for _ in range(3))
    later_half.data_received(b"P")
    half.data_received(b"POST /web")

    for expected in (later, half_transport, refused, silent):
        assert not expected.closed
        served(bench)
        assert expected.closed

    bench.connect()
    assert sender.closed
    assert not other_sender.closed
    assert bench.listener.open == 6
    assert bench.cut("evicted") == 5
    bench.close()


async def test_a_crowd_of_half_heads_does_not_push_a_sender_out(bench: Bench) -> None:
    """However many begin a request and do not end it: the one who sends webhooks stays."""
    sender = served(bench)

    for _ in range(100):
        connection, _ = bench.connect()
        connection.data_received(b"POST /webhooks/xero HTTP/1.1\r\nHost:")

    assert not sender.closed
    assert bench.listener.open == 3


async def test_a_complete_request_is_never_cut(bench: Bench) -> None:
    """A request whose head is complete counts as being answered from that moment, not from when its turn comes."""
    connection, transport = bench.connect()
    connection.data_received(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n")

    for _ in range(5):
        bench.connect()
    await asyncio.sleep(0.01)

    assert transport.written.startswith(b"HTTP/1.1 200 OK")
    assert not transport.closed


async def test_making_room_costs_the_same_however_many_there_are() -> None:
    """To find who makes room takes as many steps among 3,000 connections as among 30, also after many have gone."""

    def work(connections: int) -> int:
        bench = Bench(Limits(connections=connections))
        for _ in range(connections * 2):
            bench.connect()
        counted = steps(bench.connect)
        bench.close()
        return counted

    # Steps that depend on the time (a log line that is held back or not) differ by some tens; a search would cost thousands.
    assert work(3_000) < 1.5 * work(30)


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
