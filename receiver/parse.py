"""From a verified body to its events. Pure; never raises, never drops a byte.

What Xero may add or spell differently (categories, types, fields) is carried through; only what is no JSON, or has not
the envelope's shape, is called unreadable, and then the whole body goes to the dead letters.
"""

import hashlib
from enum import StrEnum
from typing import Any, NamedTuple

import orjson


class Unreadable(StrEnum):
    """Why a verified body, or a part of it, could not be read."""

    INVALID_JSON = "invalid_json"
    NOT_A_DELIVERY = "not_a_delivery"  # JSON, but no object with a list of events
    EVENT_NOT_AN_OBJECT = "event_not_an_object"  # the other events are read
    TOO_MANY = "too_many"  # more events, or values in them, than can ever be held; nothing of it is parsed
    TOO_LARGE = "too_large"  # an event whose record would not fit a Kafka message
    TOO_DEEP = "too_deep"  # an event nested deeper than can be written again


class Category(StrEnum):
    """Xero's event categories as a closed set for metrics; anything else is OTHER and travels all the same."""

    # Enum's own hash is written in Python; this one is looked up for every event.
    __hash__ = str.__hash__

    CONTACT = "contact"
    INVOICE = "invoice"
    CREDITNOTE = "creditnote"
    PREPAYMENT = "prepayment"
    OVERPAYMENT = "overpayment"
    PAYMENT = "payment"  # the word is unconfirmed: xero_api/registry.py says why
    SUBSCRIPTION = "subscription"
    OTHER = "other"


class Delivery(NamedTuple):
    """A body, read.

    Attributes:
        id: first 32 hex digits of SHA-256 over the body: the same bytes sent again have the same id.
        events: what its ``events`` has, in order; what is no object among them is no event.
        first_sequence: ``firstEventSequence`` if it is an integer.
        last_sequence: ``lastEventSequence`` if it is an integer.
        unreadable: why the body has to be kept as a dead letter, or None.
        intent: it is a well-formed delivery without events: Xero's intent to receive.
    """

    id: str
    events: list[Any]
    first_sequence: int | None
    last_sequence: int | None
    unreadable: Unreadable | None
    intent: bool


# As Xero spells them, and in lower case.
_CATEGORIES = {spelling: category for category in Category for spelling in (category.value, category.value.upper())}
_LONGEST_CATEGORY = 128


def parse(body: bytes) -> Delivery:
    """Read a verified body.

    Args:
        body: exactly as received.
    """
    delivery_id = _id(body)
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return Delivery(delivery_id, [], None, None, Unreadable.INVALID_JSON, intent=False)
    events = document.get("events") if isinstance(document, dict) else None
    if not isinstance(events, list):
        return Delivery(delivery_id, [], None, None, Unreadable.NOT_A_DELIVERY, intent=False)
    return Delivery(
        delivery_id,
        events,
        _integer(document.get("firstEventSequence")),
        _integer(document.get("lastEventSequence")),
        None if set(map(type, events)) <= {dict} else Unreadable.EVENT_NOT_AN_OBJECT,
        intent=not events,
    )


def unparsed(body: bytes) -> Delivery:
    """A verified body of which nothing is read, because :func:`room` says that it does not fit.

    Args:
        body: exactly as received.
    """
    return Delivery(_id(body), [], None, None, Unreadable.TOO_MANY, intent=False)


def room(body: bytes) -> int:
    """Bytes of memory that a body takes at most while it is worked on, told without parsing it.

    Brackets, commas and colons are counted, those inside of strings too: so it is an upper bound of the parsed document, at
    the moment when orjson has its own form of it as well, and of the records to make of it. ``tests/unit/receiver/test_room.py``
    holds it against what Python takes.

    Args:
        body: exactly as received.
    """
    plain = body.isascii() and b"\\u" not in body
    return (
        body.count(b"{") * (_OBJECT + _RECORD)
        + body.count(b"[") * _ARRAY
        + body.count(b",") * _VALUE
        + body.count(b":") * _NAME
        + len(body) * (_PLAIN if plain else _WIDE)
    )


_OBJECT = 220
_ARRAY = 110
_VALUE = 110
_NAME = 72
_RECORD = 1_324  # what a record costs besides its event: the envelope, and partition_queue.py's overhead
_PLAIN = 3  # orjson's copy, the strings, and the events written again
_WIDE = 7  # a single character beyond the basic plane makes every character of its string four bytes


def category_of(event: dict[str, Any]) -> Category:
    """An event's category for metrics, whatever its letter case."""
    category = event.get("eventCategory")
    known = _CATEGORIES.get(category) if type(category) is str else None
    if known is not None:
        return known
    if isinstance(category, str) and len(category) <= _LONGEST_CATEGORY:
        return _CATEGORIES.get(category.lower(), Category.OTHER)
    return Category.OTHER


def looks_like_intent(body: bytes) -> bool:
    """Whether a body that failed verification looks like an intent to receive. For a metric, nothing else.

    Xero's handshake sends some wrongly signed requests on purpose, and its operator wants to see them arrive. The
    bytes are searched, not parsed: an unverified body never reaches a parser.
    """
    return len(body) < 256 and b'"events":[]' in body.replace(b" ", b"")


def _id(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:32]


def _integer(value: Any) -> int | None:
    return value if type(value) is int else None
