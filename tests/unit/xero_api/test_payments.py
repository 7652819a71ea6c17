"""Payments, batches, prepayments, overpayments, bank transactions and transfers: how they are read and mapped."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs

import pytest

from tests.support.unconfirmed import unconfirmed
from tests.support.xero_records import TENANT, example
from xero_api.decode import decode, encode
from xero_api.entity import Entity, Gone
from xero_api.errors import InvalidRecordError
from xero_api.registry import (
    BANK_TRANSACTIONS,
    BANK_TRANSFERS,
    BATCH_PAYMENTS,
    OVERPAYMENTS,
    PAYMENTS,
    PREPAYMENTS,
)
from xero_api.requests import get_all, get_ids, get_one, get_page
from xero_api.unify.oddities import Oddity, OddityKind, observed
from xero_stream.contracts.names import RecordId
from xero_stream.contracts.records.payment import Payment, PaymentKind

RIDGEWAY = {"id": "430fa14a-f945-44d3-9f97-5df5e28441b8", "name": "Ridgeway University"}
HARBOUR = {"id": "7d5b9b0a-52f2-4c7e-9f0b-1a6a1c4b9e33", "name": "Harbour Cables"}
BANK = "1a4e2f0c-6f0b-4a8e-8d2b-3f1f5a7c9d10"
REGION = {"category_id": "351953c4-8127-4009-88c3-f9cd8c9cbe9f", "category_name": "Region"}


def _captured(entity: Entity[Any], form: str = "one") -> list[dict[str, Any]]:
    return [json.loads(encode(entity.unify(raw))) for raw in decode(example(entity.name, form))[entity.list_key]]


def _unify(entity: Entity[Any], **fields: Any) -> dict[str, Any]:
    return entity.unified(TENANT, {entity.id_field: "A0", "Type": "RECEIVE", **fields})


def _line(**fields: Any) -> dict[str, Any]:
    nothing = dict.fromkeys(
        ("id", "description", "quantity", "unit_price", "discount_rate", "discount_amount", "tax_amount", "total")
    )
    return {**nothing, "account": None, "item": None, "tax_rate": None, "tracking": [], **fields}


def test_the_captured_payment_says_what_it_should() -> None:
    """A customer's payment in a foreign currency, part of a batch."""
    assert _captured(PAYMENTS) == [
        {
            "id": "38928000-e9a0-420c-8884-f624bab2a351",
            "updated_at": "2019-03-14T10:40:00.160Z",
            "direction": "receivable",
            "kind": "invoice",
            "status": "authorised",
            "date": "2019-03-14",
            "amount": 7.94,
            "bank_amount": 12.0,
            "currency": "USD",
            "exchange_rate": 0.6612345678,
            "contact": RIDGEWAY,
            "account": {"id": BANK, "code": "090"},
            "reference": "Remittance 8",
            "is_reconciled": True,
            "batch_id": "c0a8012e-41f4-4c19-9d5b-7a2f6b3e8d44",
            "allocations": [{"id": "a03ffcd2-5d91-4c7e-b483-318584e9e439", "number": "INV-0042", "amount": 7.94}],
        }
    ]


def test_refunds_name_what_they_refund() -> None:
    """A credit note that Xero shows as an invoice, and a prepayment under its own name; an account without a code."""
    credit_note, _, prepayment = _captured(PAYMENTS, "page")

    assert (credit_note["direction"], credit_note["kind"]) == ("receivable", "credit_note")
    assert credit_note["allocations"] == [
        {"id": "249f15fa-f2a7-4acc-8769-0984103f2225", "number": "CN-0005", "amount": 2.0}
    ]
    assert credit_note["account"] == {"id": "8f0e7e0a-3c0e-4f1d-9b53-90c2a1f0d7b4", "code": None}
    assert (prepayment["direction"], prepayment["kind"], prepayment["status"]) == ("payable", "prepayment", "deleted")
    assert prepayment["contact"] == HARBOUR
    assert prepayment["allocations"] == [{"id": "0d5e6d3a-4a0e-4a77-8b5a-2f0a4c1b7e02", "number": None, "amount": 15.0}]


@pytest.mark.parametrize(
    ("payment_type", "direction", "kind"),
    [
        ("ACCRECPAYMENT", "receivable", "invoice"),
        ("ACCPAYPAYMENT", "payable", "invoice"),
        ("ARCREDITPAYMENT", "receivable", "credit_note"),
        ("APCREDITPAYMENT", "payable", "credit_note"),
        ("ARPREPAYMENTPAYMENT", "receivable", "prepayment"),
        ("APPREPAYMENTPAYMENT", "payable", "prepayment"),
        ("AROVERPAYMENTPAYMENT", "receivable", "overpayment"),
        ("apoverpaymentpayment", "payable", "overpayment"),
        ("CRYPTOPAYMENT", None, "cryptopayment"),
        ("", None, None),
        (None, None, None),
    ],
)
def test_types_of_payments(payment_type: str | None, direction: str | None, kind: str | None) -> None:
    """Eight types of Xero's, two directions and four kinds; an unknown type is carried, and guesses no direction."""
    payment = _unify(PAYMENTS, PaymentType=payment_type)

    assert (payment["direction"], payment["kind"]) == (direction, kind)


@pytest.mark.parametrize(
    ("key", "document", "allocation"),
    [
        ("Invoice", {"InvoiceID": "I1", "InvoiceNumber": "1"}, {"id": "i1", "number": "1"}),
        ("CreditNote", {"CreditNoteID": "C1", "CreditNoteNumber": "2"}, {"id": "c1", "number": "2"}),
        ("Prepayment", {"PrepaymentID": "P1", "InvoiceNumber": "3"}, {"id": "p1", "number": "3"}),
        ("Overpayment", {"OverpaymentID": "O1"}, {"id": "o1", "number": None}),
    ],
)
def test_the_document_is_found_under_each_of_its_names(
    key: str, document: dict[str, Any], allocation: dict[str, Any]
) -> None:
    """Whichever object Xero shows the document in, and however empty the others are."""
    empty: dict[str, Any] = {other: {} for other in ("Invoice", "CreditNote", "Prepayment", "Overpayment")}

    payment = _unify(PAYMENTS, Amount=5, **{**empty, key: document})

    assert payment["allocations"] == [{**allocation, "amount": 5.0}]


def test_a_payment_without_a_document_is_put_to_nothing() -> None:
    """No allocation is invented for it, its amount stands."""
    payment = _unify(PAYMENTS, Amount=5, Invoice={"CurrencyCode": "NZD"})

    assert (payment["amount"], payment["currency"], payment["allocations"]) == (5.0, "NZD", [])


def test_a_batch_is_known_by_its_object_too() -> None:
    """BatchPaymentID, or that of the BatchPayment object."""
    assert _unify(PAYMENTS, BatchPaymentID="B1")["batch_id"] == "b1"
    assert _unify(PAYMENTS, BatchPayment={"BatchPaymentID": "B2", "TotalAmount": "12.00"})["batch_id"] == "b2"
    assert _unify(PAYMENTS, BatchPayment={})["batch_id"] is None


def test_a_payment_in_python() -> None:
    """Known words are members of their sets, amounts decimals, unknown words strings."""
    known = Payment.model_validate(
        _unify(PAYMENTS, PaymentType="ACCPAYPAYMENT", Amount=Decimal("12345678901234567.89"))
    )
    unknown = Payment.model_validate(_unify(PAYMENTS, PaymentType="NEW", Status="HELD"))

    assert known.kind is PaymentKind.INVOICE
    assert known.amount == Decimal("12345678901234567.89")
    assert (unknown.kind, unknown.direction, unknown.status) == ("new", None, "held")


def test_the_captured_bank_transaction_says_what_it_should() -> None:
    """Money spent in the organisation's currency."""
    assert _captured(BANK_TRANSACTIONS) == [
        {
            "id": "db54aab0-ad40-4ced-bcff-0940ba20db2d",
            "updated_at": "2019-02-15T00:13:34.437Z",
            "type": "spend",
            "status": "authorised",
            "bank_account": {"id": BANK, "code": "090", "name": "Everyday account"},
            "contact": HARBOUR,
            "date": "2019-02-14",
            "reference": "EFT 409",
            "is_reconciled": True,
            "currency": "NZD",
            "exchange_rate": None,
            "tax_inclusion": "exclusive",
            "sub_total": 37.04,
            "total_tax": 5.56,
            "total": 42.6,
            "line_items": [
                _line(
                    id="5b0c3c1e-25b7-4d6b-8a1c-7d7ef9c2b301",
                    description="Patch leads",
                    quantity=3.0,
                    unit_price=12.3456,
                    tax_amount=5.56,
                    total=37.04,
                    account={"id": "0b9c1fd5-9a1f-4a55-bc7e-7b2f1ad4c7aa", "code": "429"},
                    tax_rate="INPUT2",
                    tracking=[{**REGION, "option_id": "ce205173-7387-4651-9726-2cf4c5405ba2", "option_name": "North"}],
                )
            ],
            "prepayment_id": None,
            "overpayment_id": None,
            "url": "https://app.example/r/7",
            "has_attachments": True,
        }
    ]


def test_other_bank_transactions() -> None:
    """A voided overpayment with strings for numbers and flags; a transfer, which has no contact and no lines."""
    overpayment, _, transfer = _captured(BANK_TRANSACTIONS, "page")

    assert (overpayment["type"], overpayment["status"]) == ("receive_overpayment", "voided")
    assert (overpayment["total"], overpayment["is_reconciled"]) == (9.0, False)
    assert overpayment["exchange_rate"] == 0.6612345678
    assert overpayment["overpayment_id"] == "7d457db3-3b0a-47e9-8b79-81252a7bcdcc"
    assert (transfer["type"], transfer["contact"], transfer["line_items"]) == ("spend_transfer", None, [])


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("RECEIVE", "receive"),
        ("SPEND", "spend"),
        ("RECEIVE-OVERPAYMENT", "receive_overpayment"),
        ("SPEND-PREPAYMENT", "spend_prepayment"),
        ("Spend-Transfer", "spend_transfer"),
        ("RECEIVE-CREDIT", "receive-credit"),
    ],
)
def test_types_of_bank_transactions(word: str, expected: str) -> None:
    """Our words for Xero's; an unknown type is carried in lower case."""
    assert _unify(BANK_TRANSACTIONS, Type=word)["type"] == expected


def test_a_bank_transaction_without_a_type_is_mapped() -> None:
    """Xero requires one; where it can't be read, it is null, and the rest is there."""
    assert _unify(BANK_TRANSACTIONS, Type=None, Reference="r")["type"] is None


@unconfirmed("lists leave CurrencyRate out where it is 1 (seen with bank transactions), and nowhere else")
@pytest.mark.parametrize("entity", [BANK_TRANSACTIONS, BANK_TRANSFERS, PREPAYMENTS, OVERPAYMENTS], ids=lambda e: e.name)
@pytest.mark.parametrize(
    ("rate", "expected"),
    [(1, None), (1.0, None), ("1.000000", None), (None, None), (0.66, 0.66), (1e-10, 1e-10), ("1.5", 1.5), (0, 0.0)],
)
def test_a_rate_of_one_is_no_rate(entity: Entity[Any], rate: Any, expected: float | None) -> None:
    """Lists leave out the rate of the organisation's own currency, single reads say 1: both are null."""
    assert _unify(entity, CurrencyRate=rate)["exchange_rate"] == expected


def test_the_captured_bank_transfer_says_what_it_should() -> None:
    """Two ends, each with its account, its transaction and its tracking; a date with a time is its day."""
    assert _captured(BANK_TRANSFERS) == [
        {
            "id": "6221458a-ef7a-4d5f-9b1c-1b96ce03833d",
            "updated_at": None,
            "created_at": "2016-10-17T20:46:01.140Z",
            "status": "authorised",
            "date": "2016-11-12",
            "amount": 20.0,
            "exchange_rate": None,
            "reference": "Rainy days",
            "source": {
                "account_id": BANK,
                "account_name": "Everyday account",
                "transaction_id": "a3eca480-bc04-4292-9bbd-5c57b8ba12b5",
                "is_reconciled": True,
                "tracking": [{**REGION, "option_id": "ce205173-7387-4651-9726-2cf4c5405ba2", "option_name": "North"}],
            },
            "destination": {
                "account_id": "5d0f8b7c-1d5e-4c26-9a70-6b7f0ce1f3aa",
                "account_name": "Savings",
                "transaction_id": "4ca13f40-f3a0-4530-a442-a600f5696119",
                "is_reconciled": True,
                "tracking": [{**REGION, "option_id": "9f8e7d6c-5b4a-3c2d-1e0f-a9b8c7d6e5f4", "option_name": "South"}],
            },
            "has_attachments": True,
        }
    ]


def test_the_captured_batch_says_what_it_should() -> None:
    """Payments in an order of their own, one in a foreign currency."""
    nothing = dict.fromkeys(("reference", "bank_account_number", "particulars", "code", "details"))

    assert _captured(BATCH_PAYMENTS) == [
        {
            "id": "44a1013e-4946-4a73-b207-dfe5424a5ea6",
            "updated_at": "2018-10-03T00:07:19.370Z",
            "direction": "payable",
            "status": "authorised",
            "account_id": BANK,
            "currency": "NZD",
            "date": "2018-10-03",
            "total": 1453.55,
            "reference": "Run 12",
            "particulars": "Suppliers",
            "code": "MARCH",
            "details": None,
            "narrative": None,
            "is_reconciled": True,
            "payments": [
                {
                    **nothing,
                    "id": "6e20be79-32d8-4ae1-978e-f76d9b245c03",
                    "invoice_id": "30a87092-31b5-4a2c-831e-327486533dd3",
                    "currency": "AUD",
                    "amount": 495.0,
                    "bank_amount": 540.0,
                },
                {
                    "id": "a22a64cb-364e-43fa-9a1f-bb2cd1f4addf",
                    "invoice_id": "5aa9451d-95d1-4f95-a966-bbab2573f71d",
                    "currency": "NZD",
                    "amount": 913.55,
                    "bank_amount": 913.55,
                    "reference": "ref/cheque",
                    "bank_account_number": "12-3100-0000001-00",
                    "particulars": "Cables",
                    "code": "03",
                    "details": "INV 77",
                },
            ],
        }
    ]
    assert _captured(BATCH_PAYMENTS, "page")[1]["direction"] == "receivable"


def test_the_captured_prepayment_says_what_it_should() -> None:
    """A deposit, a little of it used, some of it paid back."""
    assert _captured(PREPAYMENTS) == [
        {
            "id": "ce0cddef-cf5a-4e59-b638-f225679115a8",
            "updated_at": "2019-03-14T00:13:44.850Z",
            "type": "receivable",
            "status": "authorised",
            "number": "INV-0011",
            "reference": "INV-0011",
            "contact": RIDGEWAY,
            "date": "2019-03-13",
            "currency": "NZD",
            "exchange_rate": None,
            "tax_inclusion": "exclusive",
            "sub_total": 3000.12,
            "total_tax": 450.02,
            "total": 3450.14,
            "remaining_credit": 3434.14,
            "line_items": [
                _line(
                    id="4a7d5f1e-2a3c-4d39-ae83-07b1a1b6a8d3",
                    description="Deposit",
                    quantity=1.0,
                    unit_price=3000.1234,
                    tax_amount=450.02,
                    total=3000.12,
                    account={"id": None, "code": "200"},
                    tax_rate="OUTPUT2",
                )
            ],
            "allocations": [
                {
                    "id": "2b7e8f0d-6a1c-4f0b-9f52-5e4a4b9d8f22",
                    "invoice": {"id": "c7c37b83-ac95-45ea-88ba-8ad83a5f22ff", "number": "INV-0004"},
                    "amount": 1.0,
                    "date": "2019-03-13",
                }
            ],
            "payments": [
                {
                    "id": "d2b9a5e4-8c39-4e0a-a2b5-53a1c9e7f611",
                    "date": "2019-03-15",
                    "amount": 15.0,
                    "reference": "Deposit back",
                    "exchange_rate": 1.0,
                }
            ],
            "has_attachments": True,
        }
    ]


def test_the_captured_overpayment_says_what_it_should() -> None:
    """Paid twice; what it shares with prepayments is mapped the same way."""
    (overpayment,) = _captured(OVERPAYMENTS)
    (prepayment,) = _captured(PREPAYMENTS)

    assert list(overpayment) == [name for name in prepayment if name != "number"]
    assert overpayment["type"] == "receivable"
    assert overpayment["status"] == "authorised"
    assert overpayment["reference"] == "Paid twice"
    assert overpayment["date"] == "2019-03-12"
    assert overpayment["tax_inclusion"] == "no_tax"
    assert (overpayment["total"], overpayment["remaining_credit"]) == (20.0, 4.0)
    assert [item["amount"] for item in overpayment["allocations"] + overpayment["payments"]] == [1.0, 15.0]


@pytest.mark.parametrize(
    ("entity", "word", "expected"),
    [
        (PREPAYMENTS, "RECEIVE-PREPAYMENT", "receivable"),
        (PREPAYMENTS, "SPEND-PREPAYMENT", "payable"),
        (PREPAYMENTS, "ARPREPAYMENT", "receivable"),
        (PREPAYMENTS, "APPREPAYMENT", "payable"),
        (OVERPAYMENTS, "RECEIVE-OVERPAYMENT", "receivable"),
        (OVERPAYMENTS, "SPEND-OVERPAYMENT", "payable"),
        (OVERPAYMENTS, "AROVERPAYMENT", "receivable"),
        (OVERPAYMENTS, "APOVERPAYMENT", "payable"),
        (OVERPAYMENTS, "BARTER", "barter"),
        (PREPAYMENTS, None, None),
        (BATCH_PAYMENTS, "PAYBATCH", "payable"),
        (BATCH_PAYMENTS, "RECBATCH", "receivable"),
        (BATCH_PAYMENTS, "MIXBATCH", "mixbatch"),
        (BATCH_PAYMENTS, None, None),
    ],
)
def test_sides_of_the_books(entity: Entity[Any], word: str | None, expected: str | None) -> None:
    """Both spellings of prepayments and overpayments, both batches; an unknown type is carried."""
    unified = _unify(entity, Type=word)

    assert unified["direction" if entity is BATCH_PAYMENTS else "type"] == expected


@pytest.mark.parametrize(
    ("entity", "status", "gone"),
    [
        (PAYMENTS, "DELETED", Gone.DELETED),
        (BATCH_PAYMENTS, "DELETED", Gone.DELETED),
        (BANK_TRANSFERS, "DELETED", Gone.DELETED),
        (BANK_TRANSACTIONS, "DELETED", Gone.DELETED),
        (BANK_TRANSACTIONS, "VOIDED", None),
        (PREPAYMENTS, "VOIDED", None),
        (OVERPAYMENTS, "VOIDED", None),
        (PAYMENTS, "AUTHORISED", None),
    ],
)
def test_deleted_is_gone_and_voided_stays(entity: Entity[Any], status: str, gone: Gone | None) -> None:
    """A voided record can still be read; a deleted one, also where Xero still lists it, is a delete."""
    assert entity.gone_as({"Status": status}) is gone
    assert _unify(entity, Status=status)["status"] == status.lower()


@pytest.mark.parametrize(
    ("entity", "fields", "path"),
    [
        (PAYMENTS, {"Account": [1]}, "Account"),
        (PAYMENTS, {"Invoice": {"Contact": "A & B"}}, "Invoice.Contact"),
        (BANK_TRANSFERS, {"CreatedDateUTC": 5}, "CreatedDateUTC"),
        (BATCH_PAYMENTS, {"Payments": [{}, 7]}, "Payments[1]"),
        (BATCH_PAYMENTS, {"BatchPaymentID": None}, "BatchPaymentID"),
    ],
)
def test_what_can_not_be_mapped_is_named(entity: Entity[Any], fields: dict[str, Any], path: str) -> None:
    """The error says where, however deep."""
    with pytest.raises(InvalidRecordError) as caught:
        _unify(entity, **fields)

    assert caught.value.path == path


@pytest.mark.parametrize(
    ("entity", "fields", "path"),
    [
        (PAYMENTS, {"Invoice": {"Contact": {"Name": {}}}}, "Invoice.Contact.Name"),
        (PAYMENTS, {"BatchPayment": {"BatchPaymentID": 5}}, "BatchPayment.BatchPaymentID"),
        (PAYMENTS, {"Account": []}, "Account"),
        (PAYMENTS, {"Amount": "much"}, "Amount"),
        (BANK_TRANSACTIONS, {"BankAccount": {"Code": []}}, "BankAccount.Code"),
        (BANK_TRANSFERS, {"ToTracking": [{"Option": {}}]}, "ToTracking.Option"),
        (BANK_TRANSFERS, {"FromBankAccount": {"AccountID": 5}}, "FromBankAccount.AccountID"),
        (BATCH_PAYMENTS, {"Payments": [{}, {"Invoice": {"InvoiceID": 5}}]}, "Payments.Invoice.InvoiceID"),
        (PREPAYMENTS, {"CurrencyRate": "NaN"}, "CurrencyRate"),
        (OVERPAYMENTS, {"Allocations": [{"IsDeleted": "maybe"}]}, "Allocations.IsDeleted"),
    ],
)
def test_a_scalar_that_can_not_be_read_costs_its_field_only(
    entity: Entity[Any], fields: dict[str, Any], path: str
) -> None:
    """The record is mapped; the field is named, however deep."""
    raw = {entity.id_field: "A0", "Type": "RECEIVE", **fields}

    unified, oddities = observed(entity.unify, raw)

    entity.model.model_validate({"tenant_id": "t", **unified})
    assert oddities == [Oddity(OddityKind.UNREADABLE, path)]


@unconfirmed("an OR of ids in where, which was seen with payments, works for the others too")
@pytest.mark.parametrize("entity", [PAYMENTS, BANK_TRANSACTIONS, PREPAYMENTS, OVERPAYMENTS], ids=lambda e: e.name)
def test_many_by_id_are_asked_for_by_where(entity: Entity[Any]) -> None:
    """None of them has IDs=, which Xero ignores there: everything would come back."""
    query = parse_qs(get_ids(entity, [RecordId(BANK)]).query)

    assert query["where"] == [f'{entity.id_field}==Guid("{BANK}")']
    assert "IDs" not in query


@pytest.mark.parametrize("entity", [BANK_TRANSFERS, BATCH_PAYMENTS], ids=lambda e: e.name)
def test_lists_without_pages_come_whole(entity: Entity[Any]) -> None:
    """There is nothing to page by and no batch of ids; deleted transfers are asked for, Xero hides them else."""
    assert get_all(entity).params == ((("includeDeleted", "true"),) if entity is BANK_TRANSFERS else ())
    with pytest.raises(ValueError, match="no pages"):
        get_page(entity, None)
    with pytest.raises(ValueError, match="one by one"):
        get_ids(entity, [RecordId(BANK)])


@unconfirmed("single reads of prepayments and overpayments honour unitdp, which is documented for their lists")
@pytest.mark.parametrize("entity", [BANK_TRANSACTIONS, PREPAYMENTS, OVERPAYMENTS], ids=lambda e: e.name)
def test_prices_have_four_decimals_in_every_form(entity: Entity[Any]) -> None:
    """A form without unitdp would round them, and the same record would differ."""
    for request in (get_one(entity, RecordId(BANK)), get_ids(entity, [RecordId(BANK)]), get_page(entity, None)):
        assert ("unitdp", "4") in request.params


def test_a_transfer_is_dated_by_its_creation() -> None:
    """It has no other stamp; that one doesn't move, so a deletion is told by the later read."""
    raw = {"CreatedDateUTC": "/Date(1476737161140+0000)/", "UpdatedDateUTC": "/Date(1577836800000+0000)/"}

    assert BANK_TRANSFERS.version(raw) == datetime(2016, 10, 17, 20, 46, 1, 140_000, tzinfo=UTC)


def test_payments_prepayments_and_overpayments_are_announced() -> None:
    """Since August, September and November 2026; batches, bank transactions and transfers are not."""
    announced = {entity.webhook: entity for entity in (PREPAYMENTS, OVERPAYMENTS, PAYMENTS)}
    assert announced == {"PREPAYMENT": PREPAYMENTS, "OVERPAYMENT": OVERPAYMENTS, "PAYMENT": PAYMENTS}
    assert "unconfirmed" in PAYMENTS.differs["webhook"]
    assert {entity.webhook for entity in (BATCH_PAYMENTS, BANK_TRANSACTIONS, BANK_TRANSFERS)} == {None}
