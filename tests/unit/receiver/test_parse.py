"""Reading verified bodies: carry everything through, call only the unreadable unreadable."""

import hashlib
from typing import Any

import orjson
import pytest

from receiver.parse import Category, Unreadable, category_of, looks_like_intent, parse
from tests.support.webhooks import captured, examples


@pytest.mark.parametrize("name", examples())
def test_events_travel_as_sent(name: str) -> None:
    """Every example's events come out as they were sent, unknown categories and fields included, in order."""
    document = examples()[name]

    delivery = parse(orjson.dumps(document))

    assert delivery.events == document["events"]
    assert delivery.unreadable is None
    assert not delivery.intent


def test_id_is_the_body_alone() -> None:
    """The same bytes have the same id, any other bytes another."""
    body = captured()[0].body

    assert parse(body).id == parse(body).id == hashlib.sha256(body).hexdigest()[:32]
    assert parse(body + b" ").id != parse(body).id


def test_intent_to_receive() -> None:
    """Xero's handshake is a delivery without events, sequences 0."""
    delivery = parse(captured()[0].body)

    assert delivery.intent
    assert delivery.events == []
    assert (delivery.first_sequence, delivery.last_sequence) == (0, 0)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", Unreadable.INVALID_JSON),
        (b"nonsense", Unreadable.INVALID_JSON),
        (b'{"events":[', Unreadable.INVALID_JSON),
        (b'{"events":[NaN]}', Unreadable.INVALID_JSON),
        (b'{"events":[{"a":"\\ud800"}]}', Unreadable.INVALID_JSON),
        (b'{"events":[{"a":"\xff"}]}', Unreadable.INVALID_JSON),
        (b"[" * 100_000 + b"]" * 100_000, Unreadable.INVALID_JSON),
        (b"\xef\xbb\xbf{}", Unreadable.INVALID_JSON),
        (b"[]", Unreadable.NOT_A_DELIVERY),
        (b"null", Unreadable.NOT_A_DELIVERY),
        (b'"events"', Unreadable.NOT_A_DELIVERY),
        (b"{}", Unreadable.NOT_A_DELIVERY),
        (b'{"events":null}', Unreadable.NOT_A_DELIVERY),
        (b'{"events":{"0":{}}}', Unreadable.NOT_A_DELIVERY),
        (b'{"Events":[]}', Unreadable.NOT_A_DELIVERY),
    ],
)
def test_unreadable(body: bytes, reason: Unreadable) -> None:
    """A body that is no delivery is called so; it has an id, and no events."""
    delivery = parse(body)

    assert delivery.unreadable is reason
    assert delivery.events == []
    assert not delivery.intent
    assert len(delivery.id) == 32


def test_one_bad_event_among_good_ones() -> None:
    """What is no object among the events is noticed, and the body is kept as well."""
    delivery = parse(b'{"events":[{"a":1},17,{"b":2}],"firstEventSequence":1,"lastEventSequence":3}')

    assert delivery.events == [{"a": 1}, 17, {"b": 2}]
    assert delivery.unreadable is Unreadable.EVENT_NOT_AN_OBJECT


@pytest.mark.parametrize("value", ["1", 1.5, None, True, [1], {}])
def test_odd_sequences(value: Any) -> None:
    """A sequence that is no integer is none."""
    delivery = parse(orjson.dumps({"events": [], "firstEventSequence": value, "lastEventSequence": value}))

    assert (delivery.first_sequence, delivery.last_sequence) == (None, None)


@pytest.mark.parametrize(
    ("value", "category"),
    [
        ("INVOICE", Category.INVOICE),
        ("Invoice", Category.INVOICE),
        ("creditnote", Category.CREDITNOTE),
        ("OVERPAYMENT", Category.OVERPAYMENT),
        ("HOVERCRAFT", Category.OTHER),
        ("other", Category.OTHER),
        ("", Category.OTHER),
        ("x" * 1_000, Category.OTHER),
        (None, Category.OTHER),
        (["INVOICE"], Category.OTHER),
    ],
)
def test_category(value: Any, category: Category) -> None:
    """Categories are recognised in any letter case; what is new counts as other."""
    assert category_of({"eventCategory": value}) is category


def test_looks_like_intent() -> None:
    """The handshake's wrongly signed requests are recognised by their bytes, without parsing."""
    assert looks_like_intent(captured()[1].body)
    assert not looks_like_intent(b'{"events":[{}]}')
    assert not looks_like_intent(captured()[1].body + b" " * 300)
    assert not looks_like_intent(b"")
