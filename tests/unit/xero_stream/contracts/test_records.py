"""The typed records as a consumer uses them."""

import json
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from tests.support.xero_records import TENANT, example
from xero_api.decode import decode, encode
from xero_api.registry import CONTACTS, INVOICES
from xero_stream.contracts.records.common import Direction
from xero_stream.contracts.records.contact import Contact
from xero_stream.contracts.records.invoice import Invoice, InvoiceStatus


@pytest.fixture
def published() -> dict[str, Any]:
    """An invoice as it is published, parsed plainly."""
    raw = decode(example("invoices", "ids"))["Invoices"][0]
    document: dict[str, Any] = json.loads(encode(INVOICES.unified(TENANT, raw)))
    return document


def test_amounts_are_decimals_to_the_last_digit(published: dict[str, Any]) -> None:
    """Reading keeps 17 digits that a double would lose."""
    text = json.dumps(published).replace("1150.0", "12345678901234567.89")

    invoice = Invoice.read(text)

    assert invoice.total == Decimal("12345678901234567.89")
    assert invoice.exchange_rate == Decimal("0.6612345678")


def test_a_dump_writes_numbers(published: dict[str, Any]) -> None:
    """model_dump_json gives numbers, equal in value to those read."""
    invoice = Invoice.read(json.dumps(published))

    dumped = json.loads(invoice.model_dump_json())

    assert dumped == published


def test_known_words_are_enum_members_and_others_strings(published: dict[str, Any]) -> None:
    """A status we know compares as a member; one Xero adds stays a plain string."""
    known = Invoice.read(published)
    novel = Invoice.read({**published, "status": "disputed"})

    assert known.status is InvoiceStatus.PARTIALLY_PAID
    assert known.type is Direction.RECEIVABLE
    assert novel.status == "disputed"


def test_fields_of_a_later_release_do_not_disturb(published: dict[str, Any]) -> None:
    """Reading ignores what it does not know, at any depth; constructing a record does not."""
    later = {**published, "mood": "good", "contact": {**published["contact"], "mood": "better"}}

    assert Invoice.read(later) == Invoice.read(published)
    with pytest.raises(ValidationError, match="mood"):
        Invoice.model_validate(later)


def test_records_do_not_change(published: dict[str, Any]) -> None:
    """A record is a value: no field can be set."""
    invoice = Invoice.read(published)

    with pytest.raises(ValidationError, match="frozen"):
        invoice.number = "other"  # type: ignore[misc] # that it is refused is the point


def test_balances_and_network_keys_are_left_out() -> None:
    """A contact holds no balance (it would be stale) and no XeroNetworkKey (it is a credential)."""
    raw = {**decode(example("contacts", "one"))["Contacts"][0], "XeroNetworkKey": "SECRET-KEY"}

    text = encode(CONTACTS.unified(TENANT, raw)).decode()

    assert Contact.read(text).name == "Acme Parts Co."
    assert "99.0" not in text
    assert "SECRET-KEY" not in text
