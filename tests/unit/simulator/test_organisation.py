"""What a change of one record does to others."""

from dataclasses import replace

import pytest

from simulator.books import money
from simulator.books.contact import Contact
from simulator.books.credit_note import CreditNote
from simulator.books.invoice import Invoice, InvoiceType
from simulator.books.words import ContactStatus, DocumentStatus, Endpoint, RuleError
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
    organisation,
    payment,
)


def test_a_payment_is_created_and_stamps_its_invoice() -> None:
    """Two changes, nothing else."""
    books = organisation(invoice())

    changes = books.pay(guid(1), payment(11_500), NOW)

    assert [(one.endpoint, one.record.id, one.record.updated_ms, one.created, one.silent) for one in changes] == [
        (Endpoint.PAYMENTS, guid(700), NOW, True, False),
        (Endpoint.INVOICES, guid(1), NOW, False, False),
    ]
    paid = books.invoices.get(guid(1))
    assert paid is not None
    assert paid.status is DocumentStatus.PAID


def test_an_allocation_stamps_both_documents_alike() -> None:
    """Credit note and invoice change together."""
    books = organisation(invoice(), credit_note())

    changes = books.allocate(allocation(11_500), NOW)

    assert [(one.endpoint, one.record.updated_ms) for one in changes] == [
        (Endpoint.CREDIT_NOTES, NOW),
        (Endpoint.INVOICES, NOW),
    ]


@pytest.mark.parametrize("wrong", [{"contact_id": OTHER}, {"type": InvoiceType.ACCPAY}, {"currency": "AUD"}])
def test_credit_stays_with_contact_side_and_currency(wrong: dict[str, object]) -> None:
    """It can't be applied across them."""
    books = organisation(invoice(**wrong), credit_note())

    with pytest.raises(RuleError, match="same contact, side and currency"):
        books.allocate(allocation(100), NOW)


def test_a_refused_allocation_changes_neither_side() -> None:
    """More credit than the invoice owes: nothing happens to either."""
    books = organisation(invoice(payments=(payment(11_000),)), credit_note())

    with pytest.raises(RuleError):
        books.allocate(allocation(1_000), NOW)

    note = books.credit_notes.get(guid(100))
    assert note is not None
    assert note.remaining_credit == 11_500


def test_a_merge_moves_documents_and_stamps_everything() -> None:
    """Both contacts, the moved documents and their payments change; a payment that was taken back does not."""
    books = organisation(invoice(), credit_note())
    books.pay(guid(1), payment(1_000), NOW - 3)
    books.pay(guid(1), replace(payment(1_000), payment_id=guid(701)), NOW - 2)
    money.delete_payment(books, guid(701), NOW - 1)

    changes = books.merge(CUSTOMER, OTHER, NOW)

    assert {one.record.id for one in changes} == {CUSTOMER, OTHER, guid(1), guid(100), guid(700)}
    assert all(one.record.updated_ms == NOW for one in changes)
    assert {document.contact_id for document in books.documents_of(OTHER)} == {OTHER}
    assert books.documents_of(CUSTOMER) == []
    target = books.contacts.get(OTHER)
    assert target is not None
    assert target.is_customer


def test_the_first_document_makes_a_customer_silently() -> None:
    """The flag moves, the contact's stamp doesn't, and nobody is told."""
    stranger = contact(OTHER, is_customer=False, name="Bayside Club")
    books = organisation(contacts=(stranger,))

    changes = books.write(invoice(1, contact_id=OTHER), NOW)

    assert [(one.endpoint, one.silent, one.created) for one in changes] == [
        (Endpoint.CONTACTS, True, False),
        (Endpoint.INVOICES, False, True),
    ]
    after = books.contacts.get(OTHER)
    assert after is not None
    assert (after.is_customer, after.updated_ms) == (True, stranger.updated_ms)


def test_the_first_bill_makes_a_supplier() -> None:
    """The other flag."""
    books = organisation()

    books.write(invoice(1, type=InvoiceType.ACCPAY), NOW)

    after = books.contacts.get(CUSTOMER)
    assert after is not None
    assert after.is_supplier


def test_a_document_needs_a_contact_of_these_books() -> None:
    """Else it is refused and nothing is written."""
    books = organisation()

    with pytest.raises(RuleError, match="Contacts has no"):
        books.write(invoice(1, contact_id=guid(5)), NOW)
    assert len(books.invoices) == 0


def test_writing_without_a_stamp_leaves_updated_date() -> None:
    """What Xero forgets for some changes."""
    books = organisation(invoice())
    before = books.invoices.get(guid(1))
    assert before is not None

    books.write(replace(before, due_date=DAY + 9), NOW, stamp=False)

    after = books.invoices.get(guid(1))
    assert after is not None
    assert (after.due_date, after.updated_ms) == (DAY + 9, before.updated_ms)


def test_balances_follow_open_invoices_and_the_day() -> None:
    """Outstanding and overdue, receivable and payable."""
    books = organisation(
        invoice(1, due_date=DAY - 1),
        invoice(2, due_date=DAY + 1, payments=(payment(1_500),)),
        invoice(3, type=InvoiceType.ACCPAY, due_date=DAY - 1),
        invoice(4, status=DocumentStatus.DRAFT),
    )

    receivable, payable = books.balances(CUSTOMER, NOW)

    assert (receivable.outstanding, receivable.overdue) == (21_500, 11_500)
    assert (payable.outstanding, payable.overdue) == (11_500, 11_500)
    later, _ = books.balances(CUSTOMER, NOW + 3 * 86_400_000)
    assert later.overdue == 21_500


def test_a_paid_invoice_leaves_the_balance_and_marks_it_moved() -> None:
    """The mark tells the encoder to look again; the contact's stamp stays."""
    books = organisation(invoice())
    mark = books.balance_mark(CUSTOMER)

    books.pay(guid(1), payment(11_500), NOW)

    assert books.balances(CUSTOMER, NOW)[0].outstanding == 0
    assert books.balance_mark(CUSTOMER) != mark


def test_numbers_run_on_per_type() -> None:
    """The next number counts documents of the same type."""
    books = organisation(invoice(1), invoice(2), invoice(3, type=InvoiceType.ACCPAY))

    assert books.next_number(InvoiceType.ACCREC) == 3
    assert books.next_number(InvoiceType.ACCPAY) == 2


def test_archive_unarchive_and_erase_stamp_the_contact() -> None:
    """Each is one change."""
    books = organisation()

    archived, back, erased = (
        books.archive(CUSTOMER, NOW),
        books.unarchive(CUSTOMER, NOW + 1),
        books.erase(CUSTOMER, NOW + 2),
    )

    statuses = [one[0].record.status for one in (archived, back, erased) if isinstance(one[0].record, Contact)]
    assert statuses == [ContactStatus.ARCHIVED, ContactStatus.ACTIVE, ContactStatus.GDPRREQUEST]
    assert [one[0].record.updated_ms for one in (archived, back, erased)] == [NOW, NOW + 1, NOW + 2]


def test_documents_move_and_contacts_have_no_status_to_move() -> None:
    """Both kinds of document; a contact is refused."""
    books = organisation(invoice(1, status=DocumentStatus.DRAFT), credit_note())

    (changed,) = books.move(Endpoint.INVOICES, guid(1), DocumentStatus.SUBMITTED, NOW)
    (voided,) = books.move(Endpoint.CREDIT_NOTES, guid(100), DocumentStatus.VOIDED, NOW)

    assert isinstance(changed.record, Invoice)
    assert isinstance(voided.record, CreditNote)
    assert (changed.record.status, voided.record.status) == (DocumentStatus.SUBMITTED, DocumentStatus.VOIDED)
    with pytest.raises(RuleError, match="no such status"):
        books.move(Endpoint.CONTACTS, CUSTOMER, DocumentStatus.VOIDED, NOW)
    with pytest.raises(RuleError, match="has no"):
        books.move(Endpoint.INVOICES, guid(99), DocumentStatus.VOIDED, NOW)


def test_the_newest_stamp_of_the_books() -> None:
    """Over all shelves."""
    assert organisation(invoice(1, updated_ms=NOW + 5)).newest_ms() == NOW + 5
