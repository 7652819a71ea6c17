"""From a verified body to its events. Pure; never raises, never drops a byte.

What Xero may add or spell differently (categories, types, fields) is carried through; only what is no JSON, or has not
the envelope's shape, is called unreadable, and then the whole body goes to the dead letters.
"""

import hashlib
from enum import StrEnum
from typing import Any, NamedTuple

import orjson

from xero_stream.contracts.ids import tenant_id_of
from xero_stream.contracts.names import TenantId


class Unreadable(StrEnum):
    """Why a verified body, or a part of it, could not be read."""

    INVALID_JSON = "invalid_json"
    NOT_A_DELIVERY = "not_a_delivery"  # JSON, but no object with a list of events
    EVENT_NOT_AN_OBJECT = "event_not_an_object"  # the other events are read
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


class Event(NamedTuple):
    """One event.

    Attributes:
        position: its place in the delivery's ``events``, from 0.
        body: as sent.
        tenant: the organisation in the one spelling of its id, or None where ``tenantId`` is no GUID.
        category: for metrics.
    """

    position: int
    body: dict[str, Any]
    tenant: TenantId | None
    category: Category


class Delivery(NamedTuple):
    """A body, read.

    Attributes:
        id: first 32 hex digits of SHA-256 over the body: the same bytes sent again have the same id.
        events: what could be read, in order.
        first_sequence: ``firstEventSequence`` if it is an integer.
        last_sequence: ``lastEventSequence`` if it is an integer.
        unreadable: why the body has to be kept as a dead letter, or None.
        intent: it is a well-formed delivery without events: Xero's intent to receive.
    """

    id: str
    events: tuple[Event, ...]
    first_sequence: int | None
    last_sequence: int | None
    unreadable: Unreadable | None
    intent: bool


_CATEGORIES = {category.value: category for category in Category}
_LONGEST_CATEGORY = 128


def parse(body: bytes) -> Delivery:
    """Read a verified body.

    Args:
        body: exactly as received.
    """
    delivery_id = hashlib.sha256(body).hexdigest()[:32]
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return Delivery(delivery_id, (), None, None, Unreadable.INVALID_JSON, intent=False)
    events = document.get("events") if isinstance(document, dict) else None
    if not isinstance(events, list):
        return Delivery(delivery_id, (), None, None, Unreadable.NOT_A_DELIVERY, intent=False)
    read = tuple(
        [
            Event(position, event, tenant_id_of(event.get("tenantId")), category_of(event))
            for position, event in enumerate(events)
            if isinstance(event, dict)
        ]
    )
    return Delivery(
        delivery_id,
        read,
        _integer(document.get("firstEventSequence")),
        _integer(document.get("lastEventSequence")),
        None if len(read) == len(events) else Unreadable.EVENT_NOT_AN_OBJECT,
        intent=not events,
    )


def category_of(event: dict[str, Any]) -> Category:
    """An event's category for metrics, whatever its letter case."""
    category = event.get("eventCategory")
    if isinstance(category, str) and len(category) <= _LONGEST_CATEGORY:
        return _CATEGORIES.get(category.lower(), Category.OTHER)
    return Category.OTHER


def looks_like_intent(body: bytes) -> bool:
    """Whether a body that failed verification looks like an intent to receive. For a metric, nothing else.

    Xero's handshake sends some wrongly signed requests on purpose, and its operator wants to see them arrive. The
    bytes are searched, not parsed: an unverified body never reaches a parser.
    """
    return len(body) < 256 and b'"events":[]' in body.replace(b" ", b"")


def _integer(value: Any) -> int | None:
    return value if type(value) is int else None
