"""Xero's validation and effects of writes: books and a request in, bytes out."""

from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.books.contact import Person
from simulator.books.document import Attachment
from simulator.books.words import ContactStatus, DocumentStatus, Endpoint
from simulator.reply import Reply
from tests.support.examples import examples
from tests.support.unconfirmed import unconfirmed
from tests.unit.simulator import builders
from tests.unit.simulator.builders import CUSTOMER, DAY, NOW, OTHER, credit_note, guid, invoice, payment
from tests.unit.simulator.office import Office, one

NO_ID = "00000000-0000-0000-0000-000000000000"
LINE = {"Description": "Consulting", "Quantity": 1, "UnitAmount": 100, "AccountCode": "200"}
SALE = {
    "Type": "ACCREC",
    "Contact": {"ContactID": CUSTOMER},
    "LineItems": [LINE],
    "Date": "2026-11-01",
    "DueDate": "2026-12-01",
}
BILL = {**SALE, "Type": "ACCPAY", "LineItems": [{**LINE, "AccountCode": "400"}]}
TAKEN = (
    "The contact name ridgeway university is already assigned to another contact. "
    "The contact name must be unique across all active contacts."
)
CREDIT = {"Type": "ACCRECCREDIT", "Contact": {"ContactID": CUSTOMER}, "LineItems": [LINE], "Date": "2026-11-01"}


# -- creating -----------------------------------------------------------------------------------------------------------


def test_a_new_invoice_has_what_was_sent_and_what_follows() -> None:
    """Id, the next number, totals, tax of the account, a stamp; and it is announced as new."""
    office = Office(invoice(1))

    row = one(office, SALE)

    assert (row["InvoiceNumber"], row["Status"], row["Total"], row["TotalTax"]) == ("INV-0002", "DRAFT", 115.0, 15.0)
    assert (row["DateString"], row["DueDateString"]) == ("2026-11-01T00:00:00", "2026-12-01T00:00:00")
    assert row["Contact"]["ContactID"] == CUSTOMER
    assert [(change.endpoint, change.created) for change in office.changes] == [(Endpoint.INVOICES, True)]
    assert office.books.invoices.get(row["InvoiceID"]) is not None


def test_a_bill_has_the_number_it_is_given_however_often() -> None:
    """Only sales numbers are unique; a bill without one has none."""
    office = Office()

    rows = office.rows("PUT", Endpoint.INVOICES, {**BILL, "InvoiceNumber": "X"}, {**BILL, "InvoiceNumber": "X"}, BILL)

    assert [(row["StatusAttributeString"], row["InvoiceNumber"]) for row in rows] == [
        ("OK", "X"),
        ("OK", "X"),
        ("OK", ""),
    ]


@unconfirmed("what Xero says to a rounding it refuses; the rules are those of the release notes of its OpenAPI 19.0.0")
def test_a_rounding_is_written_where_the_organisation_rounds() -> None:
    """Small, on approved invoices with all three totals; the entered total on drafts; neither where the option is off."""
    sums: dict[str, Any] = {"SubTotal": 100, "TotalTax": 15, "Total": 115}
    office = Office()
    plain = one(office, {**SALE, "RoundingAmount": 0.05})
    assert not {"RoundingAmount", "EnteredTotal"} & plain.keys()
    office.books.write(replace(office.books.company(), rounds=True), NOW)

    drafted = one(office, {**SALE, "RoundingAmount": 0.05, "EnteredTotal": 115.05})
    approved = one(office, {**SALE, "Status": "AUTHORISED", "RoundingAmount": -0.1, **sums})
    assert (drafted["RoundingAmount"], drafted["EnteredTotal"], drafted["Total"]) == (0.05, 115.05, 115.05)
    assert (approved["RoundingAmount"], approved["Total"]) == (-0.1, 114.9)

    refused: dict[str, dict[str, Any]] = {
        "RoundingAmount must be between -0.10 and 0.10.": {"RoundingAmount": 0.11},
        "RoundingAmount needs SubTotal, TotalTax and Total.": {"RoundingAmount": 0.01, "Status": "AUTHORISED"},
        "EnteredTotal can only be set on DRAFT invoices.": {"EnteredTotal": 1, "Status": "SUBMITTED"},
    }
    for said, fields in refused.items():
        (row,) = office.rows("PUT", Endpoint.INVOICES, {**SALE, **fields})
        assert [problem["Message"] for problem in row["ValidationErrors"]] == [said]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"Type": None}, "Invoice Type must be specified"),
        ({"Contact": None}, "A Contact must be specified for this type of transaction"),
        ({"Contact": {}}, "A Contact must be specified for this type of transaction"),
        ({"LineItems": []}, "One or more line items must be specified"),
        ({"LineItems": None}, "One or more line items must be specified"),
        ({"Status": "PAID"}, "Invoice not of valid status for creation"),
        ({"Status": "NONSENSE"}, "Invoice not of valid status for creation"),
        ({"InvoiceNumber": "INV-0001"}, "Invoice # must be unique."),
        ({"CurrencyCode": "XYZ"}, "Organisation is not subscribed to currency XYZ"),
        ({"LineItems": [{**LINE, "AccountCode": "999"}]}, "Account code '999' is not a valid code for this document."),
        ({"LineItems": [{**LINE, "AccountCode": "610"}]}, "Account code '610' is not a valid code for this document."),
        (
            {"LineItems": [{**LINE, "TaxType": "X"}]},
            "The TaxType code X does not exist or cannot be used for this type of transaction.",
        ),
        (
            {"LineItems": [{**LINE, "Quantity": -1}]},
            "The quantity value '-1.0000' is invalid. Quantity must not be less than zero.",
        ),
        (
            {"LineItems": [{**LINE, "LineAmount": 99}]},
            "The line total 99.00 does not match the expected line total 100.00",
        ),
        (
            {"Status": "AUTHORISED", "LineItems": [{"Description": "x", "UnitAmount": 1}]},
            "Account code must be specified",
        ),
        ({"Status": "AUTHORISED", "LineItems": [{"Description": ""}]}, "Description must be specified."),
    ],
)
def test_what_xero_refuses_in_a_new_invoice(changed: dict[str, Any], said: str) -> None:
    """In its words, and nothing is written."""
    office = Office(invoice(1))

    assert office.refusal("PUT", Endpoint.INVOICES, {**SALE, **changed}) == {said}
    assert len(office.books.invoices) == 1


@unconfirmed("the words for these refusals, and that they are refusals")
@pytest.mark.parametrize(
    "changed",
    [
        {"Type": "NONSENSE"},
        {"Date": "tomorrow"},
        {"Contact": {"ContactID": guid(99)}},
        {"Contact": {"ContactID": guid(60)}},
        {"Contact": {"ContactNumber": "none"}},
        {"LineAmountTypes": "Sometimes"},
        {"LineItems": [{"UnitAmount": 1}]},
        {"LineItems": [{**LINE, "UnitAmount": "much"}]},
        {"LineItems": [{**LINE, "Tracking": [{"Name": "Region", "Option": "Nowhere"}]}]},
        {"Status": "AUTHORISED", "DueDate": None},
    ],
)
def test_what_else_is_refused(changed: dict[str, Any]) -> None:
    """Unknown or archived contacts, unreadable values, missing descriptions."""
    archived = builders.contact(guid(60), name="Gone", status=ContactStatus.ARCHIVED)
    office = Office(contacts=(builders.contact(), archived))

    assert len(office.refusal("PUT", Endpoint.INVOICES, {**SALE, **changed})) == 1


def test_a_line_and_the_contact_say_it_themselves() -> None:
    """The message stands at its place, and once more at the top."""
    office = Office()
    element = {
        **SALE,
        "Contact": {"Name": "X", "EmailAddress": "no"},
        "LineItems": [LINE, {**LINE, "AccountCode": "999"}],
    }

    (row,) = office.rows("PUT", Endpoint.INVOICES, element)

    assert row["Contact"]["ValidationErrors"] == [{"Message": "Email address must be valid."}]
    assert "ValidationErrors" not in row["LineItems"][0]
    assert row["LineItems"][1]["ValidationErrors"][0] in row["ValidationErrors"]
    assert (row["InvoiceID"], row["HasErrors"]) == (NO_ID, True)
    assert office.books.contacts.get("X") is None
    assert len(office.books.contacts) == 2


@pytest.mark.parametrize(("four", "price", "total"), [(True, 1.2346, 12.35), (False, 1.23, 12.3)])
def test_prices_round_to_cents_without_unitdp(four: bool, price: float, total: float) -> None:
    """The line's total follows the rounded price."""
    line = {**LINE, "Quantity": 10, "UnitAmount": 1.23456}

    row = one(Office(), {**SALE, "LineItems": [line]}, four=four)

    assert (row["LineItems"][0]["UnitAmount"], row["SubTotal"]) == (price, total)


@pytest.mark.parametrize(
    ("types", "total", "tax"), [("Exclusive", 115.0, 15.0), ("Inclusive", 100.0, 13.04), ("NOTAX", 100.0, 0.0)]
)
def test_tax_follows_the_line_amount_types(types: str, total: float, tax: float) -> None:
    """In whatever letter case they come."""
    row = one(Office(), {**SALE, "LineAmountTypes": types})

    assert (row["Total"], row["TotalTax"]) == (total, tax)


def test_lines_may_come_as_amounts_with_discount_tracking_and_tax() -> None:
    """LineAmount without a price; a discount; a tax amount of its own."""
    office = Office()
    lines = [
        {"Description": "a", "LineAmount": 30, "Quantity": 3, "AccountCode": "200"},
        {**LINE, "DiscountRate": 12.5, "LineAmount": 87.5},
        {**LINE, "TaxAmount": 14.99, "TaxType": "OUTPUT2", "ItemCode": "HOST"},
    ]

    row = one(office, {**SALE, "LineItems": lines})

    assert [(line["UnitAmount"], line["LineAmount"]) for line in row["LineItems"]] == [
        (10, 30),
        (100, 87.5),
        (100, 100),
    ]
    assert (row["LineItems"][2]["TaxAmount"], row["LineItems"][2]["ItemCode"]) == (14.99, "HOST")


def test_the_sent_mark_on_a_draft_is_remarked() -> None:
    """A warning: written all the same."""
    (row,) = Office().rows("PUT", Endpoint.INVOICES, {**SALE, "SentToContact": True})

    assert row["StatusAttributeString"] == "WARNING"
    assert row["Warnings"] == [{"Message": "Only AUTHORISED and PAID invoices may have SentToContact updated."}]


def test_a_locked_period_takes_nothing() -> None:
    """Neither new documents nor changes of old ones."""
    office = Office(invoice(1, date=DAY - 60))
    office.books.put(replace(office.books.company(), period_lock=DAY - 50), NOW)

    new = office.refusal("PUT", Endpoint.INVOICES, {**SALE, "Date": "2026-09-01"})
    old = office.refusal("POST", Endpoint.INVOICES, {"InvoiceID": guid(1), "Date": "2026-11-01"})

    assert new == old == {"The document date cannot be before the period lock date, currently set at 29-Sep-2026"}


# -- contacts of documents ---------------------------------------------------------------------------------------------


def test_a_name_nobody_has_makes_a_contact() -> None:
    """And one that somebody has finds it, in whatever letter case."""
    office = Office()

    rows = office.rows(
        "PUT", Endpoint.INVOICES, {**SALE, "Contact": {"Name": "New Ltd"}}, {**SALE, "Contact": {"Name": "new ltd"}}
    )

    assert len({row["Contact"]["ContactID"] for row in rows}) == 1
    assert len(office.books.contacts) == 3


def test_a_refused_document_makes_no_contact() -> None:
    """All of a row or nothing."""
    office = Office()

    office.refusal("PUT", Endpoint.INVOICES, {**SALE, "Contact": {"Name": "New Ltd"}, "LineItems": []})

    assert len(office.books.contacts) == 2


@unconfirmed("that persons are dropped where a document's contact comes with other fields")
def test_other_fields_of_a_documents_contact_change_it() -> None:
    """The trap: the persons that were not sent along are gone."""
    somebody = builders.contact(persons=(Person(first_name="A", last_name="B", email="a@b.example"),))
    office = Office(contacts=(somebody,))

    one(office, {**SALE, "Contact": {"ContactID": CUSTOMER, "EmailAddress": "new@example.com"}})

    after = office.books.contacts.get(CUSTOMER)
    assert after is not None
    assert (after.email, after.persons) == ("new@example.com", ())


# -- updating -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pointer", [{"InvoiceID": guid(1)}, {"InvoiceNumber": "INV-0001"}])
def test_post_updates_what_it_finds(pointer: dict[str, str]) -> None:
    """By id, or a sales invoice by its number; what isn't sent stays."""
    office = Office(invoice(1))

    row = one(office, {**pointer, "Reference": "changed"}, method="POST")

    assert (row["InvoiceID"], row["Reference"], row["Total"]) == (guid(1), "changed", 115.0)
    assert [change.created for change in office.changes] == [False]


def test_post_creates_what_it_does_not_find() -> None:
    """A new number, or none; an id that isn't there is refused."""
    office = Office()

    rows = office.rows(
        "POST", Endpoint.INVOICES, {**SALE, "InvoiceNumber": "A-1"}, SALE, {**SALE, "InvoiceID": guid(5)}
    )

    assert [row["StatusAttributeString"] for row in rows] == ["OK", "OK", "ERROR"]


def test_put_never_updates() -> None:
    """Its number is taken; its id is ignored, since Xero gives ids."""
    office = Office(invoice(1))

    assert office.refusal("PUT", Endpoint.INVOICES, {**SALE, "InvoiceNumber": "INV-0001"}) == {
        "Invoice # must be unique."
    }
    assert one(office, {**SALE, "InvoiceID": guid(1)})["InvoiceID"] != guid(1)


def test_a_sales_number_moves_only_to_where_none_is() -> None:
    """An update can't take another's number; the one it leaves is free at once."""
    office = Office(invoice(1), invoice(2))

    taken = office.refusal("POST", Endpoint.INVOICES, {"InvoiceID": guid(2), "InvoiceNumber": "INV-0001"})
    rows = office.rows(
        "POST",
        Endpoint.INVOICES,
        {"InvoiceID": guid(1), "InvoiceNumber": "A-1"},
        {"InvoiceID": guid(2), "InvoiceNumber": "INV-0001"},
    )

    assert taken == {"Invoice # must be unique."}
    assert [row["StatusAttributeString"] for row in rows] == ["OK", "OK"]


def test_lines_are_replaced_by_their_ids() -> None:
    """One that is named changes, one that isn't is gone, one without an id is new; none sent, none changes."""
    office = Office(invoice(1, status=DocumentStatus.DRAFT, lines=(builders.line(1), builders.line(2))))
    kept = guid(501)

    row = one(office, {"InvoiceID": guid(1), "LineItems": [{"LineItemID": kept, "Quantity": 2}, LINE]}, method="POST")
    again = one(office, {"InvoiceID": guid(1), "Reference": "x"}, method="POST")

    first, second = row["LineItems"]
    assert (first["LineItemID"], first["Quantity"], first["LineAmount"], first["Description"]) == (
        kept,
        2,
        200,
        "Consulting",
    )
    assert second["LineItemID"] not in {kept, guid(502)}
    assert [line["LineItemID"] for line in again["LineItems"]] == [kept, second["LineItemID"]]


@pytest.mark.parametrize(
    ("status", "to", "allowed"),
    [
        ("DRAFT", "SUBMITTED", True),
        ("DRAFT", "AUTHORISED", True),
        ("DRAFT", "DELETED", True),
        ("DRAFT", "VOIDED", False),
        ("SUBMITTED", "DRAFT", True),
        ("SUBMITTED", "AUTHORISED", True),
        ("SUBMITTED", "DELETED", True),
        ("AUTHORISED", "VOIDED", True),
        ("AUTHORISED", "DRAFT", False),
        ("AUTHORISED", "DELETED", False),
        ("AUTHORISED", "PAID", False),
        ("VOIDED", "DRAFT", False),
        ("DELETED", "DRAFT", False),
        ("PAID", "VOIDED", False),
    ],
)
def test_statuses_move_as_xero_lets_them(status: str, to: str, allowed: bool) -> None:
    """The whole table."""
    office = Office(invoice(1, status=DocumentStatus(status)))
    element = {"InvoiceID": guid(1), "Status": to}

    if allowed:
        assert one(office, element, method="POST")["Status"] == to
    else:
        assert office.refusal("POST", Endpoint.INVOICES, element) == {"Invoice not of valid status for modification"}


@pytest.mark.parametrize("status", ["DRAFT", "SUBMITTED", "AUTHORISED"])
def test_a_line_may_be_a_description_alone(status: str) -> None:
    """In every status: it has no quantity, no price and no account, and posts nothing."""
    office = Office()
    row = one(office, {**SALE, "Status": status, "LineItems": [LINE, {"Description": "Thank you"}]})
    text = row["LineItems"][1]

    assert {"Quantity", "UnitAmount", "AccountCode", "AccountID", "TaxType"}.isdisjoint(text)
    assert (text["Description"], text["LineAmount"], row["SubTotal"]) == ("Thank you", 0, 100)
    assert all(line.account_id for journal in office.books.ledger.after(0) for line in journal.lines)
    (again,) = office.rows(
        "POST",
        Endpoint.INVOICES,
        {"InvoiceID": row["InvoiceID"], "LineItems": [row["LineItems"][0], text | {"Description": "x"}]},
    )
    assert [line["Description"] for line in again["LineItems"]] == [LINE["Description"], "x"]
    assert again["LineItems"][1]["LineItemID"] == text["LineItemID"]


def test_a_draft_line_without_an_account_has_no_account() -> None:
    """Nothing is not an empty text, and never an empty id."""
    row = one(Office(), {**SALE, "LineItems": [{"Description": "x", "UnitAmount": 1}]})

    assert {"AccountCode", "AccountID"}.isdisjoint(row["LineItems"][0])
    assert row["LineItems"][0]["Quantity"] == 1


def test_an_approval_needs_the_accounts_that_a_draft_lacks() -> None:
    """What was enough for a draft isn't for the ledger."""
    office = Office()
    row = one(office, {**SALE, "LineItems": [{"Description": "x", "UnitAmount": 1}]})

    refused = office.refusal("POST", Endpoint.INVOICES, {"InvoiceID": row["InvoiceID"], "Status": "AUTHORISED"})

    assert refused == {"Account code must be specified"}


@pytest.mark.parametrize(
    "changed", [{"LineItems": [LINE]}, {"Date": "2026-11-02"}, {"Status": "VOIDED"}, {"CurrencyCode": "AUD"}]
)
def test_money_on_a_document_fixes_it(changed: dict[str, Any]) -> None:
    """Lines, dates, currency and status of a partly paid invoice stay."""
    office = Office(invoice(1, payments=(payment(500),)))

    refused = office.refusal("POST", Endpoint.INVOICES, {"InvoiceID": guid(1), **changed})

    assert refused == {"This document cannot be edited as it has a payment or credit note allocated to it."}


def test_the_due_date_of_a_partly_paid_invoice_moves_without_a_stamp() -> None:
    """Which If-Modified-Since never sees."""
    office = Office(invoice(1, payments=(payment(500),)))
    before = office.books.invoices.get(guid(1))
    assert before is not None

    row = one(office, {"InvoiceID": guid(1), "DueDate": "2027-01-01"}, method="POST")

    after = office.books.invoices.get(guid(1))
    assert after is not None
    assert row["DueDateString"] == "2027-01-01T00:00:00"
    assert after.updated_ms == before.updated_ms


def test_one_record_at_its_own_address() -> None:
    """Found by the address; one that isn't there is a 404."""
    office = Office(invoice(1))

    reply = office.order("POST", Endpoint.INVOICES, {"Invoices": [{"Reference": "x"}]}, guid(1), summarize=True)
    missing = office.order("POST", Endpoint.INVOICES, {"Invoices": [{"Reference": "x"}]}, guid(9), summarize=True)

    assert orjson.loads(reply.body)["Invoices"][0]["Reference"] == "x"
    assert missing.status == 404


# -- many ---------------------------------------------------------------------------------------------------------------


def test_rows_answer_for_themselves() -> None:
    """A 200 with each row's own status, in the order sent; a number taken by the row before is taken."""
    office = Office()
    sale = {**SALE, "InvoiceNumber": "A-1"}

    rows = office.rows("PUT", Endpoint.INVOICES, sale, sale, {**SALE, "InvoiceNumber": "A-2"})

    assert [row["StatusAttributeString"] for row in rows] == ["OK", "ERROR", "OK"]
    assert len(office.books.invoices) == 2


def test_summarised_errors_hide_the_rows_that_were_written() -> None:
    """The trap: a 400 that lists the bad row only, while its neighbours are in the books."""
    office = Office()

    reply = office.order("PUT", Endpoint.INVOICES, {"Invoices": [SALE, {"Type": "ACCREC"}, SALE]}, summarize=True)

    document = orjson.loads(reply.body)
    assert (reply.status, document["ErrorNumber"], document["Type"]) == (400, 10, "ValidationException")
    assert [element["InvoiceID"] for element in document["Elements"]] == [NO_ID]
    assert len(office.books.invoices) == 2
    assert len(office.changes) == 2


def test_what_is_no_json_is_refused_whole() -> None:
    """Number 14, nothing written."""
    reply = Office().order("PUT", Endpoint.INVOICES, b"{")

    assert (reply.status, orjson.loads(reply.body)["ErrorNumber"]) == (400, 14)


def test_what_is_not_modelled_says_so() -> None:
    """Other endpoints, and parts that a record hasn't."""
    office = Office(invoice(1))

    assert office.order("PUT", Endpoint.BUDGETS, {}).status == 501
    assert office.order("DELETE", Endpoint.INVOICES, b"", guid(1)).status == 501
    assert office.order("PUT", Endpoint.INVOICES, {}, guid(1), part="allocations").status == 501
    assert office.order("DELETE", Endpoint.INVOICES, b"", guid(1), part="attachments", name="x").status == 501


# -- credit notes and contacts -------------------------------------------------------------------------------------------


def test_credit_notes_are_written_like_invoices() -> None:
    """Their own numbers, statuses and words."""
    office = Office(credit_note(100))

    row = one(office, CREDIT, Endpoint.CREDIT_NOTES)
    taken = office.refusal("PUT", Endpoint.CREDIT_NOTES, {**CREDIT, "CreditNoteNumber": "CN-0100"})
    voided = one(office, {"CreditNoteID": guid(100), "Status": "VOIDED"}, Endpoint.CREDIT_NOTES, "POST")

    assert (row["CreditNoteNumber"], row["Total"], row["RemainingCredit"]) == ("CN-0002", 115.0, 115.0)
    assert taken == {"Credit Note # must be unique."}
    assert voided["Status"] == "VOIDED"


def test_contacts_are_found_by_id_number_and_name() -> None:
    """POST updates them; PUT refuses a name or number that is there."""
    office = Office(contacts=(builders.contact(number="C-1"),))

    for pointer in ({"ContactID": CUSTOMER}, {"ContactNumber": "C-1"}, {"Name": "RIDGEWAY UNIVERSITY"}):
        row = one(office, {**pointer, "FirstName": "Ana"}, Endpoint.CONTACTS, "POST")
        assert (row["ContactID"], row["FirstName"]) == (CUSTOMER, "Ana")

    assert office.refusal("PUT", Endpoint.CONTACTS, {"Name": "ridgeway university"}) == {TAKEN}
    assert office.refusal("PUT", Endpoint.CONTACTS, {"Name": "B", "ContactNumber": "C-1"}) == {
        "Another contact has this contact number. Please enter a different contact number."
    }
    assert office.refusal("PUT", Endpoint.CONTACTS, {"Name": "B", "EmailAddress": "b"}) == {
        "Email address must be valid."
    }


@unconfirmed("the words for a contact without a name, an unknown status, an unknown id")
@pytest.mark.parametrize(
    ("method", "element"),
    [
        ("PUT", {"FirstName": "x"}),
        ("POST", {"ContactID": guid(9), "Name": "x"}),
        ("PUT", {"Name": "x", "ContactStatus": "GONE"}),
    ],
)
def test_other_refusals_of_contacts(method: str, element: dict[str, str]) -> None:
    """One complaint each."""
    assert len(Office().refusal(method, Endpoint.CONTACTS, element)) == 1


def test_contacts_are_archived_brought_back_and_erased() -> None:
    """By their status; a name in use by another active contact can't come back."""
    office = Office()

    for status in ("ARCHIVED", "ACTIVE", "ACTIVE", "GDPRREQUEST"):
        row = one(office, {"ContactID": CUSTOMER, "ContactStatus": status}, Endpoint.CONTACTS, "POST")
        assert row["ContactStatus"] == status
    assert len(office.refusal("POST", Endpoint.CONTACTS, {"ContactID": CUSTOMER, "ContactStatus": "ACTIVE"})) == 1


def test_all_fields_of_a_contact_come_back() -> None:
    """Addresses and phones by their type, persons as a whole, terms."""
    office = Office()
    element = {
        "Name": "Full Ltd",
        "Addresses": [{"AddressType": "STREET", "AddressLine1": "1 Main Road", "City": "Otago"}],
        "Phones": [{"PhoneType": "MOBILE", "PhoneNumber": "1"}],
        "ContactPersons": [{"FirstName": "A", "LastName": "B", "EmailAddress": "a@b.example", "IncludeInEmails": True}],
        "PaymentTerms": {"Sales": {"Day": 9, "Type": "DAYSAFTERBILLDATE"}},
        "DefaultCurrency": "NZD",
    }

    row = one(office, element, Endpoint.CONTACTS)
    again = one(office, {"ContactID": row["ContactID"], "FirstName": "x"}, Endpoint.CONTACTS, "POST")

    assert again["Addresses"][0]["AddressLine1"] == "1 Main Road"
    assert again["Phones"][3]["PhoneNumber"] == "1"
    assert again["ContactPersons"] == element["ContactPersons"]
    assert again["PaymentTerms"]["Sales"]["Day"] == 9


# -- parts --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("endpoint", "record_id"),
    [(Endpoint.INVOICES, guid(1)), (Endpoint.CREDIT_NOTES, guid(100)), (Endpoint.CONTACTS, CUSTOMER)],
)
def test_files_are_kept_listed_and_given_back(endpoint: Endpoint, record_id: str) -> None:
    """By name or id; one of the same name replaces it; the record says it has some."""
    office = Office(invoice(1), credit_note(100))

    def put(content: bytes) -> Any:
        reply = office.order(
            "PUT", endpoint, content, record_id, part="attachments", name="a b.txt", content_type="text/plain; x=y"
        )
        return orjson.loads(reply.body)["Attachments"][0]

    first, second = put(b"one"), put(b"three")

    listed = orjson.loads(office.order("GET", endpoint, b"", record_id, part="attachments").body)["Attachments"]
    assert listed == [second]
    assert (second["AttachmentID"], second["ContentLength"], second["MimeType"]) == (
        first["AttachmentID"],
        5,
        "text/plain",
    )
    assert second["Url"].endswith("/Attachments/a%20b.txt")
    for name in ("a b.txt", first["AttachmentID"]):
        got = office.order("GET", endpoint, b"", record_id, part="attachments", name=name)
        assert (got.body, got.content_type) == (b"three", "text/plain")
    record: Any = office.books.shelf(endpoint).get(record_id)
    assert builders.shown(office.books, record)["HasAttachments"] is True
    assert office.order("GET", endpoint, b"", record_id, part="attachments", name="other").status == 404


@pytest.mark.parametrize(
    ("name", "sent", "told"),
    [
        ("a.pdf", "application/octet-stream", "application/pdf"),
        ("a.unknown", "application/octet-stream", "application/octet-stream"),
        ("a.pdf", "text/plain", "text/plain"),
    ],
)
def test_mere_bytes_get_their_type_from_the_name(name: str, sent: str, told: str) -> None:
    """As the official SDK sends them."""
    office = Office(invoice(1))

    office.order("PUT", Endpoint.INVOICES, b"x", guid(1), part="attachments", name=name, content_type=sent)

    assert office.order("GET", Endpoint.INVOICES, b"", guid(1), part="attachments", name=name).content_type == told


def test_a_record_takes_ten_files() -> None:
    """And none that is empty."""
    office = Office(invoice(1))
    put = [
        office.order("PUT", Endpoint.INVOICES, b"x", guid(1), part="attachments", name=f"{number}.txt").status
        for number in range(11)
    ]

    assert put == [200] * 10 + [400]
    assert office.order("PUT", Endpoint.INVOICES, b"", guid(1), part="attachments", name="0.txt").status == 400


def test_files_of_the_sample_have_their_size() -> None:
    """Though nobody sent them."""
    office = Office(invoice(1, attachments=(Attachment(attachment_id=guid(3), file_name="scan.pdf", size=1_234),)))

    got = office.order("GET", Endpoint.INVOICES, b"", guid(1), part="attachments", name="scan.pdf")

    assert len(got.body) == 1_234


def test_notes_are_added_and_listed() -> None:
    """With a time; an empty one is refused with all that came with it."""
    office = Office(invoice(1))

    good = office.order("PUT", Endpoint.INVOICES, {"HistoryRecords": [{"Details": "called"}]}, guid(1), part="history")
    bad = office.order(
        "PUT", Endpoint.INVOICES, {"HistoryRecords": [{"Details": "a"}, {"x": 1}]}, guid(1), part="history"
    )
    listed = orjson.loads(office.order("GET", Endpoint.INVOICES, b"", guid(1), part="history").body)

    assert (good.status, bad.status) == (200, 400)
    assert [row["Details"] for row in listed["HistoryRecords"]] == ["called"]


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, 204),
        ({"status": DocumentStatus.DRAFT}, 400),
        ({"status": DocumentStatus.VOIDED}, 400),
        ({"contact_id": OTHER}, 400),
    ],
)
def test_approved_sales_invoices_are_emailed(fields: dict[str, Any], status: int) -> None:
    """If the contact has an address; the invoice is marked as sent."""
    people = (builders.contact(email="a@b.example"), builders.contact(OTHER, name="Silent"))
    office = Office(invoice(1, **fields), contacts=people)

    reply = office.order("POST", Endpoint.INVOICES, b"{}", guid(1), part="email")

    after = office.books.invoices.get(guid(1))
    assert after is not None
    assert (reply.status, after.sent_to_contact) == (status, status == 204)


def test_credit_is_applied_and_taken_back() -> None:
    """Both documents move, to PAID and back; more than there is is refused."""
    office = Office(invoice(1), credit_note(100))
    element = {"Invoice": {"InvoiceID": guid(1)}, "Amount": 115, "Date": "2026-11-22"}

    def put(*elements: Any, summarize: bool = False) -> Reply:
        body = {"Allocations": elements}
        return office.order("PUT", Endpoint.CREDIT_NOTES, body, guid(100), part="allocations", summarize=summarize)

    too_much = put({**element, "Amount": 116}, summarize=True)
    nobody = put({**element, "Invoice": {"InvoiceID": guid(9)}})
    rows = orjson.loads(put(element).body)["Allocations"]
    paid = [office.books.must_have(type(one), one.id).status for one in (invoice(1), credit_note(100))]
    gone = office.order(
        "DELETE", Endpoint.CREDIT_NOTES, b"", guid(100), part="allocations", name=rows[0]["AllocationID"]
    )
    missing = office.order("DELETE", Endpoint.CREDIT_NOTES, b"", guid(100), part="allocations", name=guid(5))

    assert (too_much.status, missing.status) == (400, 400)
    assert orjson.loads(nobody.body)["Allocations"][0]["StatusAttributeString"] == "ERROR"
    assert (rows[0]["Amount"], rows[0]["Invoice"]["InvoiceID"]) == (115, guid(1))
    assert paid == [DocumentStatus.PAID] * 2
    assert orjson.loads(gone.body) == rows[0] | {"IsDeleted": True}
    after = office.books.invoices.get(guid(1))
    assert after is not None
    assert (after.amount_due, after.status) == (11_500, DocumentStatus.AUTHORISED)


# -- whatever comes -----------------------------------------------------------------------------------------------------

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**18), 10**18) | st.text(max_size=6) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)
FIELDS = st.sampled_from(
    [*SALE, *LINE, *CREDIT, "InvoiceID", "InvoiceNumber", "Status", "Name", "ContactStatus", "ContactID", "CurrencyRate",
     "Addresses", "ContactPersons", "PaymentTerms", "LineAmountTypes", "Tracking", "Details", "Amount", "Invoice"]
)  # fmt: skip
ELEMENTS = st.dictionaries(
    FIELDS,
    VALUES
    | st.sampled_from(
        [SALE["Contact"], SALE["LineItems"], "ACCREC", "AUTHORISED", "VOIDED", "ARCHIVED", "2026-11-01", guid(1)]
    ),
    max_size=6,
)
ORDERS: list[tuple[str, Endpoint, str | None, str | None]] = [
    ("PUT", Endpoint.INVOICES, None, None),
    ("POST", Endpoint.INVOICES, None, None),
    ("POST", Endpoint.INVOICES, guid(1), None),
    ("PUT", Endpoint.CONTACTS, None, None),
    ("POST", Endpoint.CONTACTS, CUSTOMER, None),
    ("PUT", Endpoint.CREDIT_NOTES, None, None),
    ("PUT", Endpoint.CREDIT_NOTES, guid(100), "allocations"),
    ("PUT", Endpoint.INVOICES, guid(1), "history"),
]


@given(
    st.lists(
        st.tuples(st.sampled_from(ORDERS), st.lists(ELEMENTS | ELEMENTS.map(lambda one: SALE | one), max_size=3)),
        max_size=4,
    ),
    st.booleans(),
)
@settings(max_examples=examples(25))
def test_any_request_is_answered_and_the_books_still_agree(orders: list[Any], summarize: bool) -> None:
    """Never an exception; totals, debits and credits, and what is due stay what they must be."""
    office = Office(invoice(1), invoice(2, payments=(payment(500),)), credit_note(100))

    for (method, endpoint, record_id, part), elements in orders:
        list_key = {"allocations": "Allocations", "history": "HistoryRecords"}.get(part or "", endpoint.value)
        reply = office.order(method, endpoint, {list_key: elements}, record_id, part=part, summarize=summarize)
        assert reply.status in {200, 400}
        orjson.loads(reply.body)

    for document in (*office.books.invoices, *office.books.credit_notes):
        assert document.total == document.sub_total + document.total_tax
        assert document.line_amount_types != "Exclusive" or document.sub_total == sum(
            line.line_amount for line in document.lines
        )
        assert office.books.contacts.get(document.contact_id) is not None
    numbers = [one.number for one in office.books.invoices if one.type == "ACCREC" and one.status != "DELETED"]
    assert len(numbers) == len(set(numbers))
    assert all(sum(line.net for line in journal.lines) == 0 for journal in office.books.ledger.shelf)
