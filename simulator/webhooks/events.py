"""Webhook events: which change becomes which event, and its JSON. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from simulator.books.advance import Advance
from simulator.books.credit_note import CreditNote
from simulator.books.organisation import Change
from simulator.books.payment import PaymentRecord
from simulator.books.words import Endpoint

API_HOST = "https://api.xero.com"
"""``resourceUrl`` always names Xero's own host, wherever the simulator listens."""

CATEGORY: dict[Endpoint, str] = {
    Endpoint.INVOICES: "INVOICE",
    Endpoint.CONTACTS: "CONTACT",
    Endpoint.CREDIT_NOTES: "CREDITNOTE",
    Endpoint.PREPAYMENTS: "PREPAYMENT",
    Endpoint.OVERPAYMENTS: "OVERPAYMENT",
    Endpoint.PAYMENTS: "PAYMENT",
}
"""Which endpoints Xero announces, and in which word.

PAYMENT is unconfirmed: Xero's OpenAPI 20.0.0 names the webhook and its schema, and we have seen neither the word nor the
keys of ``data``. Both follow PREPAYMENT and OVERPAYMENT."""

_WITH_STAMP = Advance | PaymentRecord
"""Whose ``data`` has ``UpdatedDateUTCString`` beside type and status."""


def subscription(words: Iterable[str]) -> frozenset[str]:
    """The categories that an app subscribes to.

    Args:
        words: as they were given.

    Raises:
        ValueError: Xero has no such category.
    """
    chosen = frozenset(words)
    unknown = sorted(chosen - set(CATEGORY.values()))
    if unknown:
        raise ValueError(f"{', '.join(unknown)}: no webhook category; choose among {', '.join(CATEGORY.values())}")
    return chosen


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event waiting to be delivered.

    Attributes:
        sequence: its number in the app's stream, from 1.
        at_ms: when it happened.
        tenant_id: whose it is.
        endpoint: endpoint of the record, or the category of an event made to order.
        body: its JSON.
        parcel: events of one parcel travel in one delivery, alone; None for ordinary ones.
    """

    sequence: int
    at_ms: int
    tenant_id: str
    endpoint: str
    body: bytes
    parcel: int | None = None


def event_date(at_ms: int) -> str:
    """``2024-06-21T01:15:39.902``: UTC, milliseconds, neither ``Z`` nor offset."""
    moment = datetime.fromtimestamp(at_ms // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03d}"


def event_body(change: Change, tenant_id: str, at_ms: int) -> bytes:
    """The event of a change.

    Args:
        tenant_id: in whose books.
        at_ms: the event's date.
    """
    record_id = change.record.id
    body: dict[str, Any] = {
        "resourceUrl": f"{API_HOST}/api.xro/2.0/{change.endpoint}/{record_id}",
        "resourceId": record_id,
        "tenantId": tenant_id,
        "tenantType": "ORGANISATION",
        "eventCategory": CATEGORY[change.endpoint],
        "eventType": "CREATE" if change.created else "UPDATE",
        "eventDateUtc": event_date(at_ms),
    }
    if isinstance(change.record, CreditNote | _WITH_STAMP):
        body["data"] = {"Type": change.record.type, "Status": change.record.status}
    if isinstance(change.record, _WITH_STAMP):
        body["data"]["UpdatedDateUTCString"] = f"{event_date(change.record.updated_ms)[:19]}Z"
    return orjson.dumps(body)
