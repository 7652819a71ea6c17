"""Aged receivables and payables by contact: every document that counts, what was paid on it, what is due."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from simulator.accounting_api.reports.cells import Row, amount, day_of, header, long_date, plain, section, summary
from simulator.books.amounts import DAY_MS, Cents, Day, in_base
from simulator.books.contact import Contact
from simulator.books.credit_note import CreditNote, CreditNoteType
from simulator.books.invoice import Invoice, InvoiceType
from simulator.books.organisation import Organisation
from simulator.books.overpayment import Overpayment
from simulator.books.words import CreditStatus, DocumentStatus
from simulator.errors import RefusedError, not_found, unparsable
from simulator.spelling import guid_of

_COUNTS = (DocumentStatus.AUTHORISED, DocumentStatus.PAID)


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """Who owes whom."""

    invoices: InvoiceType
    notes: CreditNoteType
    number: str


RECEIVABLES = Side(invoices=InvoiceType.ACCREC, notes=CreditNoteType.ACCRECCREDIT, number="Number")
PAYABLES = Side(invoices=InvoiceType.ACCPAY, notes=CreditNoteType.ACCPAYCREDIT, number="Reference")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Owed:
    """A document as it stood on a day, in the organisation's own currency; credit is below zero."""

    id: str
    date: Day
    number: str
    due_date: Day | None
    total: Cents
    paid: Cents = 0
    credited: Cents = 0

    @property
    def due(self) -> Cents:
        """What is left."""
        return self.total - self.paid - self.credited


def aged(side: Side) -> Callable[[Organisation, Mapping[str, str], Day], list[Row]]:
    """The report of one side."""

    def write(books: Organisation, given: Mapping[str, str], today: Day) -> list[Row]:
        contact, day = _contact(books, given), day_of(given, "date", today)
        owed = sorted(_owed(books, contact, side, day), key=lambda one: (one.date, one.id))
        since, until = _span(owed, given, day)
        opening = sum(one.due for one in owed if one.date < since)
        shown = [one for one in owed if since <= one.date <= until and one.due]
        sums = [sum(column) for column in zip(*(_sums(one) for one in shown), strict=True)] or [0, 0, 0, 0]
        closing = summary("Closing Balance", "", "", "", *map(amount, (*sums[:3], sums[3] + opening)))
        return [
            header("Date", side.number, "Due Date", "", "Total", "Paid", "Credited", "Due"),
            section("", [plain("Row", _moment(since), "Opening Balance", "", "", "", "", "", amount(opening))]),
            section("", [*(_row(one, day) for one in shown), summary("Total", "", "", "", *map(amount, sums))]),
            section("", [closing]),
        ]

    return write


def aged_titles(side: Side) -> Callable[[Organisation, Mapping[str, str], Day], list[str]]:
    """What, whose, from when to when."""

    def titles(books: Organisation, given: Mapping[str, str], today: Day) -> list[str]:
        contact, day = _contact(books, given), day_of(given, "date", today)
        since, until = _span(list(_owed(books, contact, side, day)), given, day)
        span = f"From {long_date(since)} to {long_date(until)}"
        return ["Invoices", contact.name, span, f"Showing payments to {long_date(day)}"]

    return titles


def _contact(books: Organisation, given: Mapping[str, str]) -> Contact:
    contact_id = guid_of(given.get("contactid", ""))
    if contact_id is None:
        raise RefusedError(unparsable("contactID", uuid=True))
    contact = books.contacts.get(contact_id)
    if contact is None:
        raise RefusedError(not_found())
    return contact


def _span(owed: list[_Owed], given: Mapping[str, str], day: Day) -> tuple[Day, Day]:
    """From the first document, up to the day of the report."""
    first = min((one.date for one in owed), default=day)
    return day_of(given, "fromdate", first), day_of(given, "todate", day)


def _owed(books: Organisation, contact: Contact, side: Side, day: Day) -> Iterator[_Owed]:
    for document in books.documents_of(contact.id):
        if document.date > day or document.status not in _COUNTS or document.type not in (side.invoices, side.notes):
            continue
        rate = document.currency_rate
        credited = sum(in_base(one.amount, rate) for one in document.allocations if one.date <= day)
        if isinstance(document, Invoice):
            paid = sum(in_base(one.amount, rate) for one in document.payments if one.date <= day)
            number = document.number if side is RECEIVABLES else document.number or document.reference
            yield _Owed(
                id=document.id, date=document.date, number=number, due_date=document.due_date,
                total=in_base(document.total, rate), paid=paid, credited=credited,
            )  # fmt: skip
        else:
            yield _credit(document, document.number, day, credited)
    for advance in books.of(Overpayment):
        sided = advance.contact_id == contact.id and advance.receives is (side is RECEIVABLES)
        if sided and advance.date <= day and advance.status is not CreditStatus.VOIDED:
            rate = advance.currency_rate
            credited = sum(in_base(one.amount, rate) for one in advance.allocations if one.date <= day)
            yield _credit(advance, "Overpayment", day, credited)


def _credit(record: CreditNote | Overpayment, number: str, day: Day, credited: Cents) -> _Owed:
    rate = record.currency_rate
    refunded = sum(in_base(one.amount, rate) for one in record.payments if one.date <= day)
    return _Owed(
        id=record.id, date=record.date, number=number, due_date=None,
        total=-in_base(record.total, rate), paid=-refunded, credited=-credited,
    )  # fmt: skip


def _sums(one: _Owed) -> tuple[Cents, Cents, Cents, Cents]:
    return one.total, one.paid, one.credited, one.due


def _row(one: _Owed, day: Day) -> Row:
    late = "" if one.due_date is None or one.due_date >= day else f"{day - one.due_date} days overdue"
    due = _moment(one.due_date) if one.due_date is not None else ""
    texts = (_moment(one.date), one.number, due, late, *map(amount, _sums(one)))
    attributes = [{"Value": one.id, "Id": "invoiceID"}]
    return {"RowType": "Row", "Cells": [{"Value": text, "Attributes": attributes} for text in texts]}


def _moment(day: Day) -> str:
    return f"{datetime.fromtimestamp(day * DAY_MS / 1000, UTC):%Y-%m-%dT%H:%M:%S}"
