"""Kafka's framing, and what rules make of requests and answers."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.kafka_wire import Api, Fate, Frames, KafkaWire, Rule, Step


def request(api: int, correlation: int, client: str | None = "client", body: bytes = b"body") -> bytes:
    """A request as on the wire."""
    name = b"" if client is None else client.encode()
    length = -1 if client is None else len(name)
    message = struct.pack(">hhih", api, 3, correlation, length) + name + body
    return struct.pack(">i", len(message)) + message


def answer(correlation: int, body: bytes = b"answer") -> bytes:
    """An answer as on the wire."""
    message = struct.pack(">i", correlation) + body
    return struct.pack(">i", len(message)) + message


def passed(steps: list[Step]) -> list[bytes]:
    """What is passed on."""
    return [step.data for step in steps if step.data]


@given(bodies=st.lists(st.binary(min_size=4, max_size=30), max_size=6), cuts=st.lists(st.integers(1, 9), min_size=1))
def test_messages_are_found_however_the_stream_is_cut(bodies: list[bytes], cuts: list[int]) -> None:
    """Frames come out whole and in order, with nothing left over or made up."""
    messages = [struct.pack(">i", len(body)) + body for body in bodies]
    stream, frames, found, turn = b"".join(messages), Frames(), list[bytes](), 0

    while stream:
        size = cuts[turn % len(cuts)]
        found += frames.feed(stream[:size])
        stream, turn = stream[size:], turn + 1

    assert found == messages


def test_what_is_not_kafka_is_refused() -> None:
    """A length that no message can have ends the connection instead of waiting for gigabytes."""
    with pytest.raises(ValueError, match="-2"):
        Frames().feed(struct.pack(">i", -2) + b"rest")


def test_without_rules_everything_passes() -> None:
    """Requests and answers go through byte for byte, those of clients without a name too."""
    wire = KafkaWire(list)

    assert passed(wire.from_client(request(Api.FETCH, 1) + request(99, 2, None))) == [
        request(Api.FETCH, 1),
        request(99, 2, None),
    ]
    assert passed(wire.from_server(answer(1) + answer(2))) == [answer(1), answer(2)]


def test_a_rule_meets_its_requests_and_no_other() -> None:
    """By kind and by client, and only as often as it says."""
    rule = Rule(api=Api.PRODUCE, fate=Fate.LOSE_ANSWER, client="relay", times=1)
    wire = KafkaWire(lambda: [rule])

    wire.from_client(request(Api.FETCH, 1, "relay"))
    wire.from_client(request(Api.PRODUCE, 2, "receiver"))
    assert rule.fired == 0
    wire.from_client(request(Api.PRODUCE, 3, "x.relay.1"))
    assert rule.fired == 1
    wire.from_client(request(Api.PRODUCE, 4, "x.relay.1"))
    assert rule.fired == 1


def test_a_dropped_request_resets_the_connection() -> None:
    """The broker gets nothing of it."""
    rule = Rule(api=Api.END_TXN, fate=Fate.DROP)

    assert KafkaWire(lambda: [rule]).from_client(request(Api.END_TXN, 1)) == [Step(reset=True, rule=rule)]


def test_a_silenced_request_silences_its_connection() -> None:
    """Neither it nor what follows reaches the broker; what was asked before is still answered."""
    rule = Rule(api=Api.END_TXN, fate=Fate.SILENCE)
    wire = KafkaWire(lambda: [rule])

    assert passed(wire.from_client(request(Api.FETCH, 1))) == [request(Api.FETCH, 1)]
    assert passed(wire.from_client(request(Api.END_TXN, 2) + request(Api.FETCH, 3))) == []
    assert passed(wire.from_server(answer(1))) == [answer(1)]


def test_a_delayed_request_is_late() -> None:
    """It is the same request, and its answer passes."""
    rule = Rule(api=Api.END_TXN, fate=Fate.DELAY, seconds=7)
    wire = KafkaWire(lambda: [rule])

    assert wire.from_client(request(Api.END_TXN, 1)) == [Step(data=request(Api.END_TXN, 1), late=7, rule=rule)]
    assert passed(wire.from_server(answer(1))) == [answer(1)]


def test_a_repeated_request_is_answered_once() -> None:
    """The broker gets it twice, before what follows; the sender hears the first answer."""
    rule = Rule(api=Api.INIT_PRODUCER_ID, fate=Fate.REPEAT)
    wire = KafkaWire(lambda: [rule])
    repeated, following = request(Api.INIT_PRODUCER_ID, 1), request(Api.FETCH, 2)

    assert passed(wire.from_client(repeated + following)) == [repeated, repeated, following]
    assert passed(wire.from_server(answer(1, b"first"))) == [answer(1, b"first")]
    assert wire.from_server(answer(1, b"second")) == [Step(rule=rule)]
    assert passed(wire.from_server(answer(2))) == [answer(2)]


def test_a_lost_answer_resets_the_connection() -> None:
    """The broker gets the request; answers before it arrive."""
    rule = Rule(api=Api.END_TXN, fate=Fate.LOSE_ANSWER)
    wire = KafkaWire(lambda: [rule])
    before, lost = request(Api.FETCH, 1), request(Api.END_TXN, 2)

    assert passed(wire.from_client(before + lost)) == [before, lost]
    assert wire.from_server(answer(1) + answer(2)) == [Step(data=answer(1)), Step(reset=True, rule=rule)]


def test_a_request_that_is_not_answered_confuses_nothing() -> None:
    """Records sent with acks=0 get no answer; the rule of the next request still finds its own."""
    rule = Rule(api=Api.END_TXN, fate=Fate.LOSE_ANSWER)
    wire = KafkaWire(lambda: [rule])

    wire.from_client(request(Api.PRODUCE, 1) + request(Api.END_TXN, 2))

    assert wire.from_server(answer(2)) == [Step(reset=True, rule=rule)]
