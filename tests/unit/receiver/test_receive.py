"""A request's way through the receiver, Kafka's part played by the test: large bodies in steps, the same work for all."""

import asyncio
import gc
import tracemalloc
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import orjson
import pytest
from aiohttp import HttpVersion, HttpVersion10, HttpVersion11
from hypothesis import given, settings
from hypothesis import strategies as st
from multidict import CIMultiDict
from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from structlog.testing import capture_logs

from receiver.answers import Answers
from receiver.connections import Connection
from receiver.keys import KeyRing
from receiver.limits import Limits
from receiver.metrics import ReceiverMetrics
from receiver.parse import Unreadable
from receiver.receive import Receive
from receiver.records import Shaper
from tests.support.opcodes import steps
from tests.support.webhooks import KEY, Maker, sign
from xero_stream.contracts.topics import Topics
from xero_stream.kafka.partition_queue import Outcome, Record, cost
from xero_stream.settings.apps import WebhookApps
from xero_stream.settings.xero import WebhookKeySettings

MEBIBYTE = 1024 * 1024


class Content:
    """A body that came with its head, as aiohttp hands it out."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def is_eof(self) -> bool:
        """It is all here."""
        return True

    def read_nowait(self) -> bytes:
        """All of it."""
        return self._body


class Peer(Connection):
    """A connection that only has the moments."""

    def __init__(self) -> None:
        pass

    def began(self) -> None:
        """Nobody counts."""

    def ended(self, *, accepted: bool) -> None:
        """Nobody counts."""
        del accepted


class Request:
    """What the receiver looks at."""

    def __init__(
        self,
        body: bytes,
        *,
        signature: str | None = None,
        path: str = "/webhooks/xero",
        method: str = "POST",
        version: HttpVersion = HttpVersion11,
        headers: Sequence[tuple[str, str]] = (("Host", "receiver"),),
    ) -> None:
        self.content = Content(body)
        self.raw_path = path
        self.method = method
        self.version = version
        self.keep_alive = True
        self.remote = "127.0.0.1"
        self.headers = CIMultiDict([*headers, ("x-xero-signature", sign(body) if signature is None else signature)])
        self.protocol = Peer()


class Kafka:
    """Takes everything at once, within its room; remembers in which of the loop's rounds."""

    def __init__(self, limit: int = 64 * MEBIBYTE) -> None:
        self.limit_bytes = limit
        self.turns = 0
        self.slices: list[tuple[int, list[Record]]] = []
        self.asked: list[int] = []
        self.held = 0

    async def append(self, records: list[Record], deadline: float) -> Outcome:
        """Take them."""
        del deadline
        self.slices.append((self.turns, records))
        return Outcome.ACKNOWLEDGED

    def open(self, room: int, deadline: float) -> Any:
        """Take what follows, if there is room."""
        del deadline
        self.asked.append(room)
        return self if room <= self.limit_bytes else Outcome.OVERLOADED

    def __enter__(self) -> "Kafka":
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is held."""

    def add(self, records: list[Record]) -> bool:
        """Take them."""
        self.held += sum(map(cost, records))
        self.slices.append((self.turns, records))
        return True

    async def outcome(self) -> Outcome:
        """It is in the log."""
        return Outcome.ACKNOWLEDGED

    async def count_turns(self) -> None:
        """The neighbour: whoever else wants the loop."""
        while True:
            self.turns += 1
            await asyncio.sleep(0)

    @property
    def records(self) -> list[Record]:
        """All that was taken."""
        return [record for _, some in self.slices for record in some]


class Bench:
    """A receiver without connections."""

    def __init__(self, kafka: Kafka | None = None, keys: str = KEY) -> None:
        self.kafka = kafka or Kafka()
        self.registry = CollectorRegistry()
        settings = WebhookKeySettings.model_construct(webhook_keys=SecretStr(keys))
        appender: Any = self.kafka
        self.receive = Receive(
            keys=KeyRing(WebhookApps(settings, None), random_bytes=bytes),
            shaper=Shaper(topics=Topics(), partitions=3),
            appender=appender,
            answers=Answers(0.0),
            metrics=ReceiverMetrics(registry=self.registry).worker(),
            limits=Limits(),
        )

    async def status(self, request: Any) -> int:
        """The answer's status, with a neighbour that counts its turns."""
        neighbour = asyncio.create_task(self.kafka.count_turns())
        try:
            return (await self.receive(request)).status
        finally:
            neighbour.cancel()

    def post(self, body: bytes, **fields: Any) -> int:
        """Post a rightly signed body."""
        return asyncio.run(self.status(Request(body, **fields)))


def absurd(event: bytes, count: int) -> bytes:
    """A body of that many equal events."""
    return b'{"events":[' + b",".join([event] * count) + b"]}"


def test_a_large_delivery_is_made_in_slices() -> None:
    """12,500 events, as many as fit into 4 MiB: all arrive in order, and after each slice it is the others' turn."""
    bench = Bench()
    body = Maker(tenants=1).body(12_000)

    assert bench.post(body) == 200

    turns = [turn for turn, _ in bench.kafka.slices]
    assert len(set(turns)) == len(turns) >= 12_000 / 128
    assert max(len(records) for _, records in bench.kafka.slices) <= 128
    assert [orjson.loads(record.value)["index"] for record in bench.kafka.records] == list(range(12_000))
    assert bench.kafka.held <= bench.kafka.asked[0]
    assert gc.isenabled()


def test_small_deliveries_do_not_wait_for_a_turn() -> None:
    """A delivery as Xero's usual ones is made in one piece, without a detour."""
    bench = Bench()

    assert bench.post(Maker().body(20)) == 200

    assert [len(records) for _, records in bench.kafka.slices] == [20]
    assert bench.kafka.asked == []


@pytest.mark.parametrize("count", [100_000, 300_000, 1_390_000])
def test_more_than_can_ever_fit(count: int) -> None:
    """A body with more events than a worker may hold is a dead letter as a whole, answered 200, and never parsed."""
    bench = Bench()
    body = absurd(b"{}", count)

    with capture_logs() as lines:
        assert bench.post(body) == 200

    assert [(record.topic, record.value) for record in bench.kafka.records] == [("xero.dead-letters", body)]
    assert [line["reason"] for line in lines] == [Unreadable.TOO_MANY]
    assert bench.kafka.asked == [len(body)]


def test_no_room_now() -> None:
    """A delivery that would fit, and does not now, is answered 503 before anything of it is made."""
    kafka = Kafka()
    bench = Bench(kafka)
    body = Maker().body(1_000)

    kafka.open = lambda *_: Outcome.OVERLOADED  # type: ignore[method-assign]

    assert bench.post(body) == 503
    assert kafka.slices == []
    assert gc.isenabled()


async def test_large_deliveries_take_turns() -> None:
    """Several at once are worked on one after another; one whose time is up meanwhile is answered 503."""
    bench = Bench()
    bodies = [Maker(seed=seed).body(1_000) for seed in range(3)]

    answers = await asyncio.gather(*[bench.receive(Request(body)) for body in bodies])  # type: ignore[arg-type]

    assert [answer.status for answer in answers] == [200] * 3
    made = [orjson.loads(record.value)["delivery_id"] for record in bench.kafka.records]
    assert sum(one != other for one, other in pairwise(made)) == 2

    await bench.receive._turn.acquire()
    bench.receive._limits = Limits(answer_seconds=0.05)
    assert (await bench.receive(Request(bodies[0]))).status == 503  # type: ignore[arg-type]


events = st.sampled_from(
    [
        b"{}", b"[]", b"1", b'"a"', '"😀"'.encode(), b'{"":{}}', b'{"":[]}', b"[" * 500 + b"]" * 500, b'{"":' * 500 + b"1" + b"}" * 500,
        b'{"tenantId":"0e8d2e0c-9f6c-4a58-8c2b-2b6a6f0a8f11"}', b'{"tenantId":"' + b"t" * 5_000 + b'"}', b"{", b"1e400", b'"\xff"',
    ]
)  # fmt: skip
bodies = st.builds(absurd, events, st.integers(0, 400_000)) | st.builds(
    lambda some, count: absurd(b",".join(some), count), st.lists(events, min_size=1, max_size=4), st.integers(0, 20_000)
)


@settings(max_examples=25, deadline=None)
@given(bodies)
def test_any_body(body: bytes) -> None:
    """Whatever is signed: 200, every event or the whole body in the log, in slices, within the memory that was asked for."""
    body = body[: 4 * MEBIBYTE]
    bench = Bench()
    request = Request(body)
    tracemalloc.start()

    status = asyncio.run(bench.status(request))

    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert status == 200
    letters = [record.value for record in bench.kafka.records if record.topic == "xero.dead-letters"]
    assert all(letter is body for letter in letters)
    assert letters or all(record.topic == "xero.webhook-events" for record in bench.kafka.records)
    assert max(len(records) for _, records in bench.kafka.slices) <= 128 + 1
    # The fake holds every record until the end, as a Kafka that is slow would make the appender do.
    assert held <= 64 * MEBIBYTE
    assert bench.kafka.held <= 64 * MEBIBYTE


def test_the_same_work_for_all_apps() -> None:
    """An app that exists and one that does not cost the same steps, and so the same time, with a wrong signature."""
    body = Maker().body()

    def work(bench: Bench, path: str) -> int:
        def run() -> None:
            request: Any = Request(body, signature=sign(body, "another"), path=path)
            with pytest.raises(StopIteration):
                bench.receive(request).send(None)

        return min(steps(run) for _ in range(3))  # whether a log line is held back depends on the time

    for keys in (KEY, f"{KEY},{KEY}-but-older"):
        bench = Bench(keys=keys)
        known = work(bench, "/webhooks/xero/default")
        assert {work(bench, f"/webhooks/xero/{name}") for name in ("nobody", "DEFAULT", "default2")} == {known}
        assert known > 100


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, 200),
        ({"path": "http://receiver/webhooks/xero"}, 200),
        ({"path": "HTTP://receiver:80/webhooks/xero/default?a=b"}, 200),
        ({"path": "http://receiver/elsewhere"}, 404),
        ({"path": "receiver:443"}, 404),
        ({"headers": [("Host", "receiver"), ("Content-Encoding", "")]}, 200),
        ({"headers": [("Host", "receiver"), ("Content-Encoding", " , identity")]}, 200),
        ({"headers": [("Host", "receiver"), ("Content-Encoding", ""), ("Content-Encoding", "gzip")]}, 415),
        ({"headers": [("Host", "receiver"), ("Content-Encoding", "identity,br")]}, 415),
        ({"headers": [("Host", "receiver"), ("Host", "another")]}, 400),
        ({"version": HttpVersion10, "headers": []}, 200),
        ({"version": HttpVersion(2, 0)}, 505),
        ({"version": HttpVersion(0, 9)}, 505),
        ({"version": HttpVersion(2, 0), "path": "/elsewhere"}, 505),
        ({"method": "GET"}, 405),
    ],
)
def test_forms_of_a_request(fields: dict[str, Any], status: int) -> None:
    """RFC 9110 and 9112: forms that a server has to take are taken, those that it must not are refused."""
    assert Bench().post(Maker().body(), **fields) == status


def test_repeated_lines_are_held_back() -> None:
    """Whoever may sign can't fill the log: one line of a kind, with a count later."""
    bench = Bench()

    with capture_logs() as lines:
        for body in (b"junk", b"[]", b'{"events":[]}') * 50:
            assert bench.post(body) == 200
        for number in range(50):
            assert bench.post(b"%d" % number, signature="wrong", path=f"/webhooks/xero/{number % 2 and 'x'}") == 401

    assert sorted(line["event"] for line in lines) == [
        "dead_letter", "dead_letter", "intent_to_receive", "request_rejected",
    ]  # fmt: skip
