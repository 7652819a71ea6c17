"""Mappings on captured answers and on single fields."""

import json
from decimal import Decimal
from typing import Any

import pytest

from tests.support.xero_records import TENANT, example, forms
from xero_api.decode import decode, encode
from xero_api.entity import Entity
from xero_api.errors import InvalidRecordError
from xero_api.registry import CONTACTS, CREDIT_NOTES, ENTITIES, INVOICES
from xero_api.unify.fields import canonical
from xero_api.unify.oddities import Oddity, OddityKind, observed
from xero_stream.contracts.records.common import Record
from xero_stream.contracts.records.invoice import Invoice

entities = pytest.mark.parametrize("entity", ENTITIES, ids=lambda entity: entity.name)


def _captured(entity: Entity[Any], form: str) -> dict[str, dict[str, Any]]:
    records = decode(example(entity.name, form))[entity.list_key]
    return {str(entity.id_of(raw)): raw for raw in records}


def _invoice(**fields: Any) -> dict[str, Any]:
    return INVOICES.unify({"InvoiceID": "A0", "Type": "ACCREC", **fields})


def _contact(**fields: Any) -> dict[str, Any]:
    return CONTACTS.unify({"ContactID": "A0", **fields})


def _credit_note(**fields: Any) -> dict[str, Any]:
    return CREDIT_NOTES.unify({"CreditNoteID": "A0", "Type": "ACCRECCREDIT", **fields})


@entities
def test_single_read_batch_and_page_give_the_same_record(entity: Entity[Any]) -> None:
    """However a record was read, the bytes published are the same."""
    captured = [_captured(entity, form) for form in forms(entity)]
    shared = set.intersection(*(set(form) for form in captured))

    assert shared
    for record_id in shared:
        assert len({encode(entity.unify(form[record_id])) for form in captured}) == 1


FULL_LINE = {
    "LineItemID": "L1",
    "Description": "d",
    "Quantity": 1,
    "UnitAmount": 2,
    "DiscountRate": 3,
    "DiscountAmount": 4,
    "TaxAmount": 5,
    "LineAmount": 6,
    "AccountID": "AC",
    "AccountCode": "200",
    "Item": {"ItemID": "I1", "Code": "c", "Name": "n"},
    "TaxType": "OUTPUT2",
    "Tracking": [{"TrackingCategoryID": "T1", "Name": "Region", "TrackingOptionID": "T2", "Option": "North"}],
}
FULL_PAYMENT = {"PaymentID": "P1", "Date": "2018-01-02", "Amount": 1, "Reference": "r", "CurrencyRate": 1}


def _full(entity: Entity[Any]) -> dict[str, Any]:
    """A record with every field of the contract filled."""
    raw = next(iter(_captured(entity, forms(entity)[0]).values()))
    extras: dict[str, dict[str, Any]] = {
        "invoices": {
            "LineItems": [FULL_LINE],
            "Payments": [FULL_PAYMENT],
            "Overpayments": [{"OverpaymentID": "O1", "AppliedAmount": 1, "Date": "2018-01-02"}],
            "PlannedPaymentDate": "2018-01-02",
            "FullyPaidOnDate": "2018-01-02",
            "RepeatingInvoiceID": "R1",
            "CISDeduction": 1,
            "CISRate": 20,
            "RoundingAmount": 0.03,
            "EnteredTotal": 10,
        },
        "accounts": {"CreatedDateUTC": "/Date(1541176290160+0000)/"},
        "items": {"QuantityAvailable": -2, "QuantityOnBackOrder": 2},
        "contacts": {"MergedToContactID": "M1"},
        "credit-notes": {"LineItems": [FULL_LINE], "Payments": [FULL_PAYMENT]},
        "bank-transactions": {
            "LineItems": [FULL_LINE],
            "CurrencyRate": 2,
            "PrepaymentID": "PR1",
            "OverpaymentID": "O1",
        },
        "bank-transfers": {"CurrencyRate": 2},
        "batch-payments": {"Details": "d", "Narrative": "n"},
        "prepayments": {"LineItems": [FULL_LINE], "CurrencyRate": 2},
        "overpayments": {"LineItems": [FULL_LINE], "CurrencyRate": 2},
    }
    return {**raw, **extras.get(entity.name, {})}


NEVER_FILLED = {
    "invoices": {"prepayments[].number", "overpayments[].number"},  # only credit notes are numbered
    "items": {"sales.cost_of_goods_account"},  # purchases only
    # Xero gives them no UpdatedDateUTC
    **{
        name: {"updated_at"}
        for name in ("tax-rates", "tracking-categories", "organisations", "repeating-invoices", "contact-groups")
    },
    # what travels as it is has a name and a status only where Xero has one
    **{name: {"updated_at", "status"} for name in ("branding-themes", "currencies", "payment-services")},
    "budgets": {"status"},
    "linked-transactions": {"name"},
    "bank-transfers": {"updated_at"},  # Xero keeps when they were created, nothing else
}


def _unfilled(value: Any, path: str = "") -> set[str]:
    if value is None or value == [] or value is False:
        return {path}
    if isinstance(value, dict):
        return {found for key, item in value.items() for found in _unfilled(item, f"{path}.{key}".lstrip("."))}
    if isinstance(value, list):
        first = _unfilled(value[0], f"{path}[]")
        return {path for path in first if all(path in _unfilled(item, f"{path}[]") for item in value[1:])} or (
            first if len(value) == 1 else set()
        )
    return set()


@entities
def test_every_field_of_the_contract_can_be_filled(entity: Entity[Any]) -> None:
    """No field of the model is a promise nobody keeps, and what is filled is valid."""
    unified = entity.unified(TENANT, _full(entity))

    assert _unfilled(unified) == NEVER_FILLED.get(entity.name, set())
    entity.model.model_validate(unified)


def test_the_captured_invoice_says_what_it_should() -> None:
    """The whole mapping, once, spelled out."""
    unified = INVOICES.unify(_captured(INVOICES, "one").popitem()[1])

    assert json.loads(encode(unified)) == {
        "id": "a03ffcd2-5d91-4c7e-b483-318584e9e439",
        "updated_at": "2019-03-07T17:59:28.133Z",
        "type": "receivable",
        "status": "partially_paid",
        "number": "INV-0042",
        "reference": "P/O CRM08-12",
        "contact": {"id": "430fa14a-f945-44d3-9f97-5df5e28441b8", "name": "Ridgeway University"},
        "issue_date": "2019-03-07",
        "due_date": "2019-03-13",
        "expected_payment_date": "2019-03-14",
        "planned_payment_date": None,
        "paid_on_date": None,
        "currency": "NZD",
        "exchange_rate": 0.6612345678,
        "tax_inclusion": "exclusive",
        "sub_total": 1000.0,
        "total_tax": 150.0,
        "total_discount": 0.1,
        "total": 1150.0,
        "rounding_amount": None,
        "entered_total": None,
        "amount_paid": 150.0,
        "amount_credited": 42.5,
        "amount_due": 957.5,
        "cis_deduction": None,
        "cis_rate": None,
        "line_items": [
            {
                "id": "b18f39d9-7739-4246-9288-72afe939d2d5",
                "description": "Development work - 1 day",
                "quantity": 3.0001,
                "unit_price": 333.3333,
                "discount_rate": 0.01,
                "discount_amount": 0.1,
                "tax_amount": 150.0,
                "total": 1000.0,
                "account": {"id": "4f2a3ed3-5fa8-4e1a-bd38-2b1f1ee3c0f0", "code": "200"},
                "item": {"id": "fed07c3f-ca77-4820-b4df-304048b3266f", "code": "DevD", "name": "Development work"},
                "tax_rate": "OUTPUT2",
                "tracking": [
                    {
                        "category_id": "351953c4-8127-4009-88c3-f9cd8c9cbe9f",
                        "category_name": "Region",
                        "option_id": "ce205173-7387-4651-9726-2cf4c5405ba2",
                        "option_name": "North",
                    }
                ],
            },
            {
                "id": "0b2a8d29-1f1e-4f50-8a52-0a0b0b2f3c11",
                "description": "A line that is only text",
                "quantity": None,
                "unit_price": None,
                "discount_rate": None,
                "discount_amount": None,
                "tax_amount": None,
                "total": None,
                "account": None,
                "item": None,
                "tax_rate": None,
                "tracking": [],
            },
        ],
        "payments": [
            {
                "id": "38928000-e9a0-420c-8884-f624bab2a351",
                "date": "2019-03-18",
                "amount": 49.5,
                "reference": None,
                "exchange_rate": 1.0,
            },
            {
                "id": "b18f39d9-7739-4246-9288-72afe939d2d5",
                "date": "2019-03-19",
                "amount": 100.5,
                "reference": "part",
                "exchange_rate": 1.0,
            },
        ],
        "credit_notes": [
            {"id": "249f15fa-f2a7-4acc-8769-0984103f2225", "number": "CN-0005", "date": "2019-03-05", "amount": 32.5}
        ],
        "prepayments": [
            {"id": "6b037c9b-2e5d-4905-84d3-eabfb3438242", "number": None, "date": "2019-03-05", "amount": 10.0}
        ],
        "overpayments": [],
        "sent_to_contact": True,
        "has_attachments": True,
        "url": "https://app.example/i/42",
        "branding_theme_id": "dabc7637-62c1-4941-8a6e-ee44fa5090e7",
        "repeating_invoice_id": None,
    }


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"Status": "AUTHORISED", "Total": 10, "AmountPaid": 0}, "authorised"),
        ({"Status": "AUTHORISED", "Total": 10, "AmountPaid": 4}, "partially_paid"),
        ({"Status": "AUTHORISED", "Total": 10, "AmountPaid": 0, "AmountCredited": 4}, "partially_paid"),
        ({"Status": "AUTHORISED", "Total": 0.3, "AmountPaid": 0.1, "AmountCredited": 0.2}, "authorised"),
        ({"Status": "AUTHORISED", "Total": 10, "AmountPaid": 4, "AmountCredited": -4}, "authorised"),
        ({"Status": "AUTHORISED", "AmountPaid": 4}, "authorised"),
        ({"Status": "PAID", "Total": 10, "AmountPaid": 10}, "paid"),
        ({"Status": "VOIDED", "Total": 10, "AmountPaid": 4}, "voided"),
        ({"Status": "SUBMITTED"}, "submitted"),
        ({"Status": "Reticulated"}, "reticulated"),
        ({}, None),
    ],
)
def test_status_of_an_invoice(fields: dict[str, Any], status: str | None) -> None:
    """Partially paid is worked out, exactly; unknown words are carried in lower case."""
    assert _invoice(**fields)["status"] == status


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1150, 1150.0),
        (1150.0, 1150.0),
        ("1150.00", 1150.0),
        (-0.0, 0.0),
        (Decimal("1150.000"), 1150.0),
        (12345678901234567, Decimal(12345678901234567)),
        (Decimal("12345678901234567.0"), Decimal(12345678901234567)),
        (Decimal("1E+300"), 1e300),
        (Decimal("123456789012345678E+250"), Decimal("123456789012345678E+250")),
        (10**20, 1e20),
        (None, None),
        ("", None),
    ],
)
def test_equal_amounts_have_one_form(value: Any, expected: float | Decimal | None) -> None:
    """However Xero writes a number, its bytes are the same."""
    total = _invoice(Total=value)["total"]

    assert repr(total) == repr(expected)


def test_canonical_refuses_what_is_no_number() -> None:
    """Infinity and NaN have no JSON."""
    for value in ("Infinity", "NaN", "-Infinity"):
        with pytest.raises(ValueError, match="finite"):
            canonical(Decimal(value))


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"InvoiceID": None}, "InvoiceID"),
        ({"InvoiceID": "00000000-0000-0000-0000-000000000000"}, "InvoiceID"),
        ({"InvoiceID": 5}, "InvoiceID"),
        ({"UpdatedDateUTC": 5}, "UpdatedDateUTC"),
        ({"UpdatedDateUTC": {}}, "UpdatedDateUTC"),
        ({"Contact": [1]}, "Contact"),
        ({"Contact": "A & B"}, "Contact"),
        ({"LineItems": {"a": 1}}, "LineItems"),
        ({"LineItems": [FULL_LINE, 5]}, "LineItems[1]"),
        ({"LineItems": [{"Tracking": [{}, []]}]}, "LineItems[0].Tracking[1]"),
    ],
)
def test_what_can_not_be_mapped_is_named(fields: dict[str, Any], path: str) -> None:
    """Identity, version and shape: the error says where, never what stood there."""
    with pytest.raises(InvalidRecordError) as caught:
        _invoice(**fields)

    assert caught.value.path == path


@pytest.mark.parametrize(
    ("fields", "ours", "expected"),
    [
        ({"SentToContact": 1}, "sent_to_contact", True),
        ({"SentToContact": 0.0}, "sent_to_contact", False),
        ({"SentToContact": "TRUE"}, "sent_to_contact", True),
        ({"SentToContact": " false "}, "sent_to_contact", False),
        ({"SentToContact": "1"}, "sent_to_contact", True),
        ({"SentToContact": None}, "sent_to_contact", False),
        ({"Total": "1150.00"}, "total", 1150.0),
        ({"Total": " 1150 "}, "total", 1150.0),
        ({"Total": "-.5"}, "total", -0.5),
        ({"Total": "1E+3"}, "total", 1000.0),
        ({"InvoiceNumber": 1.5}, "number", "1.5"),
        ({"InvoiceNumber": 7}, "number", "7"),
        ({"Reference": Decimal(12345678901234567)}, "reference", "12345678901234567"),
        ({"Type": None}, "type", None),
        ({"Contact": None}, "contact", None),
        ({"LineItems": None}, "line_items", []),
    ],
)
def test_a_scalar_of_another_kind_is_read_where_its_meaning_is_clear(
    fields: dict[str, Any], ours: str, expected: Any
) -> None:
    """Nothing odd is noticed: the value is what Xero means."""
    invoice, oddities = observed(INVOICES.unify, {"InvoiceID": "A0", "Type": "ACCREC", **fields})

    assert repr(invoice[ours]) == repr(expected)
    assert oddities == []
    Invoice.model_validate({"tenant_id": "t", **invoice})


@pytest.mark.parametrize(
    ("fields", "expected", "path"),
    [
        ({"Total": {}}, {"total": None}, "Total"),
        ({"Total": "many"}, {"total": None}, "Total"),
        ({"Total": "1,150.00"}, {"total": None}, "Total"),
        ({"Total": "1_150"}, {"total": None}, "Total"),
        ({"Total": "NaN"}, {"total": None}, "Total"),
        ({"Total": True}, {"total": None}, "Total"),
        ({"Total": float("inf")}, {"total": None}, "Total"),
        ({"Total": Decimal("NaN")}, {"total": None}, "Total"),
        ({"Total": Decimal("1e999999999")}, {"total": None}, "Total"),
        ({"Total": Decimal("-1e-999999999")}, {"total": None}, "Total"),
        ({"Total": Decimal("1" * 101)}, {"total": None}, "Total"),
        ({"AmountPaid": "oops"}, {"amount_paid": 0.0}, "AmountPaid"),
        ({"Type": 5}, {"type": None}, "Type"),
        ({"Status": 5}, {"status": None}, "Status"),
        ({"Date": 5}, {"issue_date": None}, "Date"),
        ({"InvoiceNumber": []}, {"number": None}, "InvoiceNumber"),
        ({"InvoiceNumber": True}, {"number": None}, "InvoiceNumber"),
        ({"BrandingThemeID": 5}, {"branding_theme_id": None}, "BrandingThemeID"),
        ({"SentToContact": "maybe"}, {"sent_to_contact": False}, "SentToContact"),
        ({"SentToContact": 2}, {"sent_to_contact": False}, "SentToContact"),
        ({"Contact": []}, {"contact": None}, "Contact"),
        ({"Contact": {"ContactID": "a", "Name": {}}}, {"contact": {"id": "a", "name": None}}, "Contact.Name"),
        ({"LineItems": {}}, {"line_items": []}, "LineItems"),
        ({"Payments": [None]}, {"payments": []}, "Payments"),
        ({"LineItems": [{"Tracking": [{"Name": []}]}]}, {}, "LineItems.Tracking.Name"),
        ({"LineItems": [FULL_LINE, {**FULL_LINE, "Quantity": []}]}, {}, "LineItems.Quantity"),
    ],
)
def test_a_scalar_that_can_not_be_read_costs_its_field_only(
    fields: dict[str, Any], expected: dict[str, Any], path: str
) -> None:
    """It is null (a flag false), the rest of the record is as ever, and the field is named, never its value."""
    plain = {"InvoiceID": "A0", "Type": "ACCREC"}

    invoice, oddities = observed(INVOICES.unify, {**plain, **fields})

    assert {key: invoice[key] for key in expected} == expected
    assert oddities == [Oddity(OddityKind.UNREADABLE, path)]
    Invoice.model_validate({"tenant_id": "t", **invoice})
    assert _invoice(**fields) == invoice  # observed or not


def test_a_bad_date_costs_the_date_not_the_record() -> None:
    """What Date can't say DateString may; else the date is null."""
    assert _invoice(Date="/Date(oops)/")["issue_date"] is None
    assert _invoice(Date="/Date(oops)/", DateString="2018-10-20T00:00:00")["issue_date"] == "2018-10-20"
    assert _invoice(Date="/Date(1539993600000+0000)/", DateString="oops")["issue_date"] == "2018-10-20"


@pytest.mark.parametrize(
    ("date", "string", "expected", "contradict"),
    [
        ("/Date(1451905200000+1300)/", "2016-01-05T00:00:00", "2016-01-05", False),
        ("/Date(1451905200000+1300)/", None, "2016-01-05", False),
        ("/Date(1539993600000+0000)/", "2018-10-20T00:00:00", "2018-10-20", False),
        ("/Date(1539993600000+0000)/", "2000-01-01", "2000-01-01", True),
        ("/Date(1539993600000+1300)/", "2018-10-20", "2018-10-20", False),
        (None, "2018-10-20", "2018-10-20", False),
        ("/Date(1539993600000)/", "", "2018-10-20", False),
        ("/Date(-62135596800000+0000)/", "2018-10-20", "2018-10-20", False),
    ],
)
def test_a_document_date_goes_by_its_string(
    date: str | None, string: str | None, expected: str, contradict: bool
) -> None:
    """The twin is a plain date; two that say different days are noticed."""
    raw = {"InvoiceID": "A0", "Date": date, "DateString": string}

    invoice, oddities = observed(INVOICES.unify, raw)

    assert invoice["issue_date"] == expected
    assert oddities == ([Oddity(OddityKind.CONTRADICTION, "Date")] if contradict else [])


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("TAXNUMBERTYPE/EIN", "ein"),
        ("EIN", "ein"),
        ("TaxNumberType/ssn", "ssn"),
        ("TAXNUMBERTYPE/", None),
        ("VAT", "vat"),
    ],
)
def test_a_kind_of_tax_number_in_any_spelling(word: str, expected: str | None) -> None:
    """Reads put a prefix before the word that writes take (XeroAPI/xero-ruby#351)."""
    assert _contact(TaxNumberType=word)["tax_number_type"] == expected


def test_the_change_stamp_falls_back_to_its_string() -> None:
    """UpdatedDateUTCString lacks the milliseconds, so it is only second best."""
    text = "2018-11-02T16:31:30Z"

    assert _invoice(UpdatedDateUTC="/Date(1541176290160+0000)/", UpdatedDateUTCString=text)["updated_at"] == (
        "2018-11-02T16:31:30.160Z"
    )
    assert _invoice(UpdatedDateUTC="garbage", UpdatedDateUTCString=text)["updated_at"] == "2018-11-02T16:31:30.000Z"
    assert _invoice(UpdatedDateUTC=5, UpdatedDateUTCString=text)["updated_at"] == "2018-11-02T16:31:30.000Z"
    contradicting = {
        "InvoiceID": "A0",
        "UpdatedDateUTC": "/Date(1541176290160)/",
        "UpdatedDateUTCString": "2018-11-02T16:31:32Z",
    }
    unified, oddities = observed(INVOICES.unify, contradicting)
    assert unified["updated_at"] == "2018-11-02T16:31:30.160Z"
    assert oddities == [Oddity(OddityKind.CONTRADICTION, "UpdatedDateUTC")]
    assert _invoice()["updated_at"] is None


def test_credit_is_summed_where_a_read_leaves_it_out() -> None:
    """AmountCredited missing: what is applied, exactly; present: Xero's word."""
    applied = {"CreditNotes": [{"AppliedAmount": 0.1}, {}], "Overpayments": [{"AppliedAmount": "0.2"}]}

    assert _invoice(**applied)["amount_credited"] == 0.3
    assert _invoice(**applied, AmountCredited=5)["amount_credited"] == 5.0


def test_credits_and_payments_are_in_an_order_of_their_own() -> None:
    """Xero keeps them in none: date and id make equal records equal."""
    applied = [
        {"Date": day, "CreditNoteID": name} for day, name in (("2018-01-02", "b"), (None, "c"), ("2018-01-02", "a"))
    ]
    paid = [{"Date": item["Date"], "PaymentID": item["CreditNoteID"]} for item in applied]

    invoice = _invoice(CreditNotes=applied, Payments=paid)

    assert [item["id"] for item in invoice["credit_notes"]] == ["c", "a", "b"]
    assert [item["id"] for item in invoice["payments"]] == ["c", "a", "b"]


def test_numbers_in_text_fields_are_written_out() -> None:
    """A reference of digits that came as a number is still text."""
    assert _invoice(Reference=1234, InvoiceNumber="007")["reference"] == "1234"


def test_an_item_is_known_by_its_code_too() -> None:
    """ItemCode serves where the Item object is missing or incomplete."""
    line = _invoice(LineItems=[{"ItemCode": "A"}])["line_items"][0]

    assert line["item"] == {"id": None, "code": "A", "name": None}


@pytest.mark.parametrize(
    ("word", "expected"),
    [("Exclusive", "exclusive"), ("INCLUSIVE", "inclusive"), ("NoTax", "no_tax"), ("NOTAX", "no_tax"), ("Odd", "odd")],
)
def test_tax_inclusion_in_any_spelling(word: str, expected: str) -> None:
    """Xero spells these words differently in different places."""
    assert _invoice(LineAmountTypes=word)["tax_inclusion"] == expected


def test_directions() -> None:
    """Four types of Xero's, two directions; an unknown type is carried."""
    assert _invoice()["type"] == "receivable"
    assert _invoice(Type="ACCPAY")["type"] == "payable"
    assert _credit_note()["type"] == "receivable"
    assert _credit_note(Type="ACCPAYCREDIT")["type"] == "payable"
    assert _invoice(Type="ARPREPAYMENT")["type"] == "arprepayment"


def test_deleted_allocations_do_not_count() -> None:
    """An allocation Xero marks as deleted is left out; the others are in order."""
    allocations = [
        {"AllocationID": "b", "Date": "2018-01-02", "Amount": 1},
        {"AllocationID": "c", "Date": "2018-01-01", "Amount": 2, "IsDeleted": True},
        {"AllocationID": "a", "Date": "2018-01-02", "Amount": 3},
    ]

    assert [item["id"] for item in _credit_note(Allocations=allocations)["allocations"]] == ["a", "b"]


def test_empty_phones_and_addresses_are_left_out() -> None:
    """Xero lists four phones and two addresses for everyone, mostly empty."""
    contact = _contact(
        Phones=[{"PhoneType": "DDI", "PhoneNumber": ""}, {"PhoneType": "FAX", "PhoneNumber": "1"}],
        Addresses=[{"AddressType": "STREET", "City": ""}],
    )

    assert [phone["type"] for phone in contact["phones"]] == ["fax"]
    assert contact["addresses"] == []


@pytest.mark.parametrize(
    ("status", "expected"), [("ACTIVE", "active"), ("ARCHIVED", "archived"), ("GDPRREQUEST", "gdpr_erasure")]
)
def test_status_of_a_contact(status: str, expected: str) -> None:
    """The words of the contract."""
    assert _contact(ContactStatus=status)["status"] == expected


def test_days_of_payment_terms_are_whole_numbers() -> None:
    """20.0 is 20; half a day is null."""
    assert _contact(PaymentTerms={"Bills": {"Day": 20.0}})["payment_terms"]["bills"]["day"] == 20
    assert _contact(PaymentTerms={"Bills": {"Day": 0.5, "Type": "X"}})["payment_terms"]["bills"]["day"] is None


@entities
def test_the_model_and_the_mapping_agree(entity: Entity[Any]) -> None:
    """Keys come in the order of the model's fields: equal records encode to equal bytes."""
    model: type[Record] = entity.model

    assert list(entity.unified(TENANT, _full(entity))) == list(model.model_fields)
