"""The room that a body is said to take, against what Python takes for it."""

import gc
import tracemalloc

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from receiver.parse import Unreadable, parse, room, unparsed
from receiver.records import Receipt, Shaper, is_large
from tests.support.webhooks import Maker
from xero_stream.contracts.names import AppName
from xero_stream.contracts.topics import Topics

SIZE = 20 * 1024
EVENTS = [
    b"{}", b"[]", b"1", b"257", b"0.1", b'""', b'"a"', b'"ab"', '"é"'.encode(), '"€"'.encode(), '"😀"'.encode(), b"null",
    b'"\\ud83d\\ude00"', b'"\\u0001"', b'{"":1}', b'{"":{}}', b'{"":[]}', b"[[]]", b"[" * 200 + b"]" * 200,
    b'{"":' * 200 + b"1" + b"}" * 200, b'{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1}', b"1e15", b'{"a":"b"}',
    orjson.dumps(Maker().event()),
]  # fmt: skip
"""Of each as many as fit: what takes most memory for its bytes."""


def of(events: list[bytes], size: int = SIZE) -> bytes:
    """A body with these events, over and over."""
    round_ = b",".join(events)
    return b'{"events":[' + b",".join([round_] * max(1, size // (len(round_) + 1))) + b"]}"


def taken(body: bytes) -> int:
    """Bytes that the parsed body, all its records and orjson's form of it take together.

    orjson asks for twelve times the body, of which the system gives it the pages that it writes to: a copy of the body and 16
    bytes for each value and name. So that is added, and the peak that Python sees is not used.
    """
    shaper = Shaper(topics=Topics(), partitions=6)
    receipt = Receipt(AppName("default"), body, "s", 0, "00-a-b-01")
    gc.collect()
    tracemalloc.start()
    shaping = shaper.shape(parse(body), receipt)
    records = list(shaping.slices())
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert records
    return held + len(body) + 16 * sum(body.count(mark) for mark in (b"{", b"[", b",", b":"))


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event[:12].decode("utf-8", "replace"))
def test_is_an_upper_bound(event: bytes) -> None:
    """Whatever the body is made of, it takes no more room than was asked for."""
    body = of([event])

    assert taken(body) <= room(body)


def test_keys_of_their_own() -> None:
    """A single object with very many names is no exception, nor a string with one wide character."""
    names = b",".join(b'"%x":1' % number for number in range(2_000))
    for body in (b'{"events":[{' + names + b"}]}", b'{"events":["' + "😀".encode() + b"a" * SIZE + b'"]}'):
        assert taken(body) <= room(body)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(EVENTS), min_size=1, max_size=5))
def test_is_an_upper_bound_for_mixtures(events: list[bytes]) -> None:
    """Nor does a mixture take more."""
    body = of(events, 4 * 1024)

    assert taken(body) <= room(body)


def test_a_full_body_of_xeros_events_fits() -> None:
    """The largest body of events as Xero sends them fits into what a worker may hold by default; an absurd one does not."""
    event = orjson.dumps(Maker().event())
    full = of([event], 4 * 1024 * 1024 - 100)
    assert len(full) < 4 * 1024 * 1024

    assert room(full) < 64 * 1024 * 1024
    assert room(of([b"{}"], 100_000 * 3)) > 64 * 1024 * 1024


def test_unparsed() -> None:
    """A body that does not fit has its id, and a reason; nothing of it is read."""
    body = of([b"{}"])

    delivery = unparsed(body)

    assert delivery.id == parse(body).id
    assert (delivery.events, delivery.unreadable, delivery.intent) == ([], Unreadable.TOO_MANY, False)


@pytest.mark.parametrize(
    ("body", "large"),
    [
        (of([b"{}"], 3 * 127), False),
        (of([b"{}"], 3 * 130), True),
        (b" " * 16_384, False),
        (b" " * 16_385, True),
        (Maker().body(20), False),
    ],
)
def test_large(body: bytes, large: bool) -> None:
    """Large is what takes long: many bytes, or many events."""
    assert is_large(body) is large
