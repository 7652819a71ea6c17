"""Believable organisations from a seed."""

import random
import re

from simulator.books.invoice import InvoiceType
from simulator.books.words import ContactStatus, DocumentStatus, Endpoint
from simulator.sample.organisations import FIRST_MS, LAST_MS, draw_profile
from simulator.sample.records import contact_name
from simulator.sample.words import COUNTRIES
from tests.unit.simulator.builders import sample


def test_the_same_seed_gives_the_same_organisation() -> None:
    """Record by record; another seed another one."""
    one, same, other = sample(1), sample(1), sample(2)

    for endpoint in Endpoint:
        assert list(one.shelf(endpoint)) == list(same.shelf(endpoint))
    for endpoint in (Endpoint.INVOICES, Endpoint.CONTACTS, Endpoint.CREDIT_NOTES, Endpoint.PAYMENTS, Endpoint.JOURNALS):
        assert list(one.shelf(endpoint)) != list(other.shelf(endpoint))


def test_it_has_as_many_records_as_asked_for() -> None:
    """And a mix of statuses, types, currencies."""
    books = sample(invoices=400, contacts=30, credit_notes=60)

    assert (len(books.invoices), len(books.contacts), len(books.credit_notes)) == (400, 30, 60)
    assert {invoice.status for invoice in books.invoices} == set(DocumentStatus)
    assert {invoice.type for invoice in books.invoices} == set(InvoiceType)
    assert len({invoice.currency for invoice in books.invoices}) == 2
    assert any(note.allocations for note in books.credit_notes)
    assert any(invoice.attachments for invoice in books.invoices)
    assert any(line.tracking for invoice in books.invoices for line in invoice.lines)
    assert any(line.unit_amount % 100 for invoice in books.invoices for line in invoice.lines)


def test_its_past_is_fixed_in_time() -> None:
    """So that the books don't depend on the day they are drawn."""
    books = sample()

    for endpoint in Endpoint:
        assert all(FIRST_MS <= record.updated_ms < LAST_MS for record in books.shelf(endpoint))


def test_money_agrees_with_statuses() -> None:
    """PAID owes nothing; open ones owe something; credit stands on both sides."""
    books = sample(invoices=300, credit_notes=60)

    for invoice in books.invoices:
        assert (invoice.status is DocumentStatus.PAID) == (invoice.fully_paid_on is not None)
        if invoice.status is DocumentStatus.PAID:
            assert invoice.amount_due == 0
        for allocation in invoice.allocations:
            note = books.credit_notes.get(allocation.credit_note_id)
            assert note is not None
            assert allocation in note.allocations


def test_contacts_of_documents_are_customers_or_suppliers() -> None:
    """And not archived."""
    books = sample(contacts=60)

    for invoice in books.invoices:
        contact = books.contacts.get(invoice.contact_id)
        assert contact is not None
        assert contact.status is ContactStatus.ACTIVE
        assert contact.is_customer if invoice.type is InvoiceType.ACCREC else contact.is_supplier
    assert any(contact.status is ContactStatus.ARCHIVED for contact in books.contacts)


def test_names_are_unique_and_numbers_run() -> None:
    """Ridgeway University and INV-0042."""
    names = [contact_name(place) for place in range(5000)]
    numbers = [invoice.number for invoice in sample().invoices if invoice.type is InvoiceType.ACCREC]

    assert names[0] == "Ridgeway University"
    assert len(set(names)) == 5000
    assert all(re.fullmatch(r"INV-\d{4}", number) for number in numbers)
    assert len(set(numbers)) == len(numbers)


def test_a_sole_contact_is_enough() -> None:
    """Small books are books."""
    assert len(sample(contacts=1, invoices=5, credit_notes=2).invoices) == 5


def test_profiles_take_a_name_and_a_country() -> None:
    """Else they are drawn, and stay distinct."""
    source = random.Random(1)
    given = draw_profile(source, 0, name="Mine", country="AU")
    drawn = [draw_profile(source, place) for place in range(20)]

    assert (given.name, given.currency, given.sales_tax) == ("Mine", "AUD", "OUTPUT")
    assert len({profile.name for profile in drawn}) == 20
    assert {profile.country for profile in drawn} == set(COUNTRIES)
