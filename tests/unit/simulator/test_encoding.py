"""Records in the three forms Xero answers."""

import time
from dataclasses import replace

import pytest

from simulator.accounting_api.encoding import REMOVED, Encoder
from simulator.accounting_api.view import Form
from simulator.books.contact import Terms
from simulator.books.document import Attachment, Tracking
from simulator.books.words import LineAmountTypes
from tests.unit.simulator.builders import (
    CUSTOMER,
    DAY,
    NOW,
    OTHER,
    allocation,
    contact,
    credit_note,
    guid,
    invoice,
    line,
    organisation,
    payment,
    sample,
    shown,
)


def test_a_single_invoice_has_everything() -> None:
    """Lines, payments, the whole contact, attachments."""
    scan = Attachment(attachment_id=guid(60), file_name="scan.pdf", size=10)
    record = invoice(payments=(payment(1_500),), attachments=(scan,))
    books = organisation(record, contacts=(contact(email="a@b.example"),))

    single = shown(books, record)

    assert single["LineItems"][0]["LineAmount"] == 100
    assert single["Payments"][0]["Amount"] == 15
    assert single["Contact"]["EmailAddress"] == "a@b.example"
    assert single["Contact"]["ContactStatus"] == "ACTIVE"
    assert "Balances" not in single["Contact"]
    assert single["HasAttachments"] is True
    assert single["Attachments"][0]["FileName"] == "scan.pdf"
    assert (single["AmountDue"], single["AmountPaid"], single["Total"]) == (100, 15, 115)


def test_a_page_has_lines_but_a_short_contact() -> None:
    """Id and name, the rest empty; attachments only as a flag."""
    scan = Attachment(attachment_id=guid(60), file_name="scan.pdf", size=10)
    record = invoice(attachments=(scan,))
    page = shown(organisation(record), record, Form.PAGE)

    assert len(page["LineItems"]) == 1
    assert page["Contact"] == {
        "ContactID": CUSTOMER,
        "Name": "Ridgeway University",
        "Addresses": [],
        "Phones": [],
        "ContactGroups": [],
        "ContactPersons": [],
        "HasValidationErrors": False,
    }
    assert page["HasAttachments"] is True
    assert "Attachments" not in page


def test_lists_differ_from_single_reads_where_the_organisation_is_told_so() -> None:
    """Rounding, and the total with it, in single reads only; ids of options too; overrides of the rounding as well."""
    options = (Tracking(category_id=guid(70), name="Region", option_id=guid(71), option="North"),)
    record = replace(invoice(lines=(replace(line(), tracking=options),)), rounding=-3, entered_total=11_500)
    books = organisation(record)
    assert "RoundingAmount" not in shown(books, record)

    books.write(replace(books.company(), rounds=True, lists_option_ids=False), NOW)
    single, page = shown(books, record), shown(books, record, Form.PAGE)

    assert (single["RoundingAmount"], single["EnteredTotal"], single["Total"], single["AmountDue"]) == (
        -0.03,
        115,
        114.97,
        114.97,
    )
    assert (page["Total"], page["AmountDue"]) == (115, 115)
    assert not {"RoundingAmount", "EnteredTotal"} & page.keys()
    assert single["LineItems"][0]["Tracking"][0]["TrackingOptionID"] == guid(71)
    assert page["LineItems"][0]["Tracking"] == [{"Name": "Region", "Option": "North", "TrackingCategoryID": guid(70)}]
    overridden = replace(record, overrides={"RoundingAmount": "0.05", "Reference": '"r"'})
    assert shown(books, overridden)["RoundingAmount"] == 0.05
    assert "RoundingAmount" not in shown(books, overridden, Form.PAGE)
    assert shown(books, overridden, Form.PAGE)["Reference"] == "r"


def test_without_paging_line_items_are_empty() -> None:
    """The trap of a forgotten page=1."""
    record = invoice()
    summary = shown(organisation(record), record, Form.SUMMARY)

    assert summary["LineItems"] == []
    assert summary["Total"] == 115


def test_summary_only_drops_more() -> None:
    """No lines, no payments, no HasAttachments."""
    record = invoice()
    summary = shown(organisation(record), record, Form.SUMMARY_ONLY)

    assert not {"LineItems", "Payments", "HasAttachments"} & set(summary)


def test_the_embedded_contact_is_the_contact_as_it_is_now() -> None:
    """Renaming one changes its documents, without a stamp."""
    record = invoice()
    books = organisation(record)
    encoder = Encoder(books)
    before = encoder.encode(record, Form.PAGE, four_decimals=True, now_ms=NOW)

    books.write(contact(name="Ridgeway College"), NOW)
    after = encoder.encode(record, Form.PAGE, four_decimals=True, now_ms=NOW)

    assert b"Ridgeway University" in before
    assert b"Ridgeway College" in after
    assert before.split(b'"Contact"')[0] == after.split(b'"Contact"')[0]


def test_prices_below_a_cent_need_unitdp_4() -> None:
    """Else they are rounded, amounts are not touched."""
    record = invoice(lines=(line(unit_amount=13_375),))
    books = organisation(record)

    assert shown(books, record)["LineItems"][0]["UnitAmount"] == 1.3375
    assert shown(books, record, four=False)["LineItems"][0]["UnitAmount"] == 1.34
    assert shown(books, record)["LineItems"][0]["UnitAmount"] == 1.3375


def test_lines_without_tax_say_none() -> None:
    """NoTax documents have the tax type NONE."""
    record = invoice(line_amount_types=LineAmountTypes.NO_TAX, lines=(line(types=LineAmountTypes.NO_TAX),))

    assert shown(organisation(record), record)["LineItems"][0]["TaxType"] == "NONE"


def test_allocations_show_on_both_documents() -> None:
    """The same amount on invoice and credit note."""
    books = organisation(invoice(), credit_note())
    books.allocate(allocation(500), NOW)
    settled, note = books.invoices.get(guid(1)), books.credit_notes.get(guid(100))
    assert settled is not None
    assert note is not None

    assert shown(books, settled)["CreditNotes"][0]["AppliedAmount"] == 5
    assert shown(books, settled)["AmountCredited"] == 5
    assert shown(books, note)["Allocations"][0]["Amount"] == 5
    assert shown(books, note)["RemainingCredit"] == 110


def test_a_changed_record_is_encoded_anew_and_an_old_version_as_it_was() -> None:
    """What is remembered belongs to one version."""
    record = invoice()
    books = organisation(record)
    encoder = Encoder(books)
    encoder.encode(record, Form.PAGE, four_decimals=True, now_ms=NOW)

    books.write(replace(record, reference="PO 9"), NOW)
    changed = books.invoices.get(record.id)
    assert changed is not None

    assert b'"PO 9"' in encoder.encode(changed, Form.PAGE, four_decimals=True, now_ms=NOW)
    assert b'"PO 9"' not in encoder.encode(record, Form.PAGE, four_decimals=True, now_ms=NOW)
    assert b'"PO 9"' in encoder.encode(changed, Form.PAGE, four_decimals=True, now_ms=NOW)


def test_contacts_without_paging_lack_details() -> None:
    """MergedToContactID, persons, balances need page= or a single GET."""
    record = contact(merged_to=OTHER, website="https://x.example", sales_terms=Terms(day=14))
    books = organisation(contacts=(record,))

    page, summary, shortest = (shown(books, record, form) for form in (Form.PAGE, Form.SUMMARY, Form.SUMMARY_ONLY))

    assert page["MergedToContactID"] == OTHER
    assert page["PaymentTerms"]["Sales"] == {"Day": 14, "Type": "DAYSAFTERBILLDATE"}
    assert page["Website"] == "https://x.example"
    assert not {"MergedToContactID", "ContactPersons", "Balances"} & set(summary)
    assert "IsCustomer" in summary
    assert "IsCustomer" not in shortest


def test_balances_move_with_documents_and_days() -> None:
    """Though the contact itself didn't change."""
    books = organisation(invoice(due_date=DAY + 1))
    encoder = Encoder(books)
    record = books.contacts.get(CUSTOMER)
    assert record is not None

    texts = [encoder.encode(record, Form.SINGLE, four_decimals=True, now_ms=NOW)]
    texts.append(encoder.encode(record, Form.SINGLE, four_decimals=True, now_ms=NOW + 3 * 86_400_000))
    books.pay(guid(1), payment(11_500), NOW)
    texts.append(encoder.encode(record, Form.SINGLE, four_decimals=True, now_ms=NOW))

    assert b'"AccountsReceivable":{"Outstanding":115.00,"Overdue":0.00}' in texts[0]
    assert b'"AccountsReceivable":{"Outstanding":115.00,"Overdue":115.00}' in texts[1]
    assert b'"AccountsReceivable":{"Outstanding":0.00,"Overdue":0.00}' in texts[2]


def test_overrides_stand_digit_by_digit_where_the_field_stood() -> None:
    """New fields too; removed ones are gone; lines and contact can be anything."""
    record = invoice(
        overrides={
            "Total": "12345678901234567.89",
            "Extra": '"\\u0000"',
            "Reference": REMOVED,
            "LineItems": '"none"',
            "Contact": "null",
        }
    )
    books = organisation(record)
    encoder = Encoder(books)

    text = encoder.encode(record, Form.PAGE, four_decimals=True, now_ms=NOW)

    assert b'"Total":12345678901234567.89' in text
    assert b'"Extra":"\\u0000"' in text
    assert b'"LineItems":"none"' in text
    assert b'"Contact":null' in text
    assert b'"Reference"' not in text


def test_a_removed_contact_is_gone_and_an_overridden_name_shows_in_documents() -> None:
    """Overrides of a contact reach the documents that embed it."""
    record = invoice(overrides={"Contact": REMOVED})
    named = invoice(2)
    books = organisation(record, named, contacts=(contact(overrides={"Name": '"Raw"'}),))

    assert "Contact" not in shown(books, record)
    assert shown(books, named, Form.PAGE)["Contact"]["Name"] == "Raw"
    assert shown(books, named)["Contact"]["Name"] == "Raw"


def test_contact_overrides_reach_every_group() -> None:
    """Core, roles and details."""
    record = contact(overrides={"IsCustomer": "1", "Balances": "[]", "Odd": "{}"})

    single = shown(organisation(contacts=(record,)), record)

    assert (single["IsCustomer"], single["Balances"], single["Odd"]) == (1, [], {})


@pytest.mark.parametrize("four", [True, False])
def test_rows_are_kept_until_they_change(four: bool) -> None:
    """A page that was read before costs a fraction of the first one, whichever decimals its prices have."""
    books = sample(1, invoices=300)
    encoder = Encoder(books)

    def read() -> tuple[float, list[bytes]]:
        before = time.process_time()
        rows = [encoder.encode(one, Form.PAGE, four_decimals=four, now_ms=NOW) for one in books.invoices]
        return time.process_time() - before, rows

    first, rows = read()
    again, same = min((read() for _ in range(3)), key=lambda found: found[0])

    assert rows == same
    assert again < first / 4
