"""Messages and truth as the checkers take them."""

from decimal import Decimal

import pytest

from tests.support.histories import TENANT, good_log, ref
from verify.history import RecordRef, Spot, latest, read_change, read_record
from verify.truth import unified
from xero_api.errors import InvalidRecordError
from xero_api.registry import CONTACTS, INVOICES

SPOT = Spot("xero.changes.invoices", 1, 7)


def test_a_change_is_read_with_exact_numbers() -> None:
    """A 17-digit amount keeps its digits, or it would equal a rounded one."""
    value = b'{"op":"c","after":{"total":12345678901234567},"source":{"position":3}}'
    change = read_change(SPOT, b"k", value, [("ce_type", b"t"), ("ce_id", b"abc")])

    assert change.event["after"]["total"] == Decimal(12345678901234567)
    assert (change.ce_id, change.position) == ("abc", 3)


def test_a_change_without_the_header_has_an_empty_id() -> None:
    """The check calls it out; reading does not fail."""
    assert read_change(SPOT, b"k", b'{"op":"c"}', []).ce_id == ""


def test_a_record_message_knows_its_record_by_its_key() -> None:
    """A tombstone has nothing but a key."""
    message = read_record(SPOT, b'{"tenant_id":"t","id":"r"}', None, [], "invoices")
    assert (message.ref, message.value) == (RecordRef("t", "invoices", "r"), None)


def test_the_latest_change_wins() -> None:
    """Folding keeps each record as its last change leaves it."""
    state = latest(good_log().changes)
    assert state[ref("i1")].record == {"tenant_id": TENANT, "id": "i1", "status": "paid", "total": 10.0}
    assert state[ref("c1", "contacts")].record is None
    assert state[ref("i2")].position == 8


def test_truth_is_mapped_as_it_is_published() -> None:
    """Ids in lower case, amounts as the same JSON numbers, gone records as None."""
    body = (
        b'{"Invoices":[{"InvoiceID":"AB-1","Type":"ACCREC","Status":"PAID","Total":12345678901234567,'
        b'"UpdatedDateUTC":"/Date(1718932539902+0000)/"},'
        b'{"InvoiceID":"AB-2","Type":"ACCREC","Status":"DELETED"}]}'
    )
    truth = unified(INVOICES, TENANT.upper(), body)

    record = truth[ref("ab-1")]
    assert record is not None
    assert (record["total"], record["status"]) == (Decimal(12345678901234567), "paid")
    assert truth[ref("ab-2")] is None


def test_a_merged_contact_is_gone() -> None:
    """MergedToContactID makes it a delete, whatever its status."""
    body = b'{"Contacts":[{"ContactID":"c1","Name":"A","ContactStatus":"ARCHIVED","MergedToContactID":"c2"}]}'
    assert unified(CONTACTS, TENANT, body) == {ref("c1", "contacts"): None}


def test_a_truth_that_cannot_be_mapped_is_an_error() -> None:
    """Better no verdict than one over fewer records than there are."""
    with pytest.raises(InvalidRecordError):
        unified(INVOICES, TENANT, b'{"Invoices":[{"InvoiceID":"i1","LineItems":true,"Type":"ACCREC"}]}')
