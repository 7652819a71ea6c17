"""What hangs below a record: attachments, history notes, emails, allocations."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from mimetypes import MimeTypes
from typing import Any

import orjson

from simulator.accounting_api.desk import Desk
from simulator.accounting_api.documents import credit_note_extras
from simulator.accounting_api.validation import Fields, Problems
from simulator.accounting_api.wire import ms_date
from simulator.books import credit_note as credit_notes
from simulator.books import invoice as invoices
from simulator.books.amounts import DAY_MS
from simulator.books.credit_note import CreditNote
from simulator.books.document import Allocation, Attachment
from simulator.books.invoice import Invoice, InvoiceType
from simulator.books.words import DocumentStatus, Endpoint, RuleError

MOST_FILES = 10
"""Attachments of one record. Source: developer.xero.com, attachments."""

_TYPES = MimeTypes()
_ANY_BYTES = "application/octet-stream"

Row = dict[str, Any]


@dataclass(slots=True)
class Papers:
    """Files and notes of one organisation. They are not kept over a restart.

    Attributes:
        files: attachment id → its bytes.
        notes: record id → notes, oldest first.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    notes: dict[str, list[Row]] = field(default_factory=dict)


# -- attachments ----------------------------------------------------------------------------------------------------------


def attachment_named(record: Any, name: str) -> Attachment | None:
    """A record's attachment, by its id or its file name."""
    return next((one for one in record.attachments if name in (one.attachment_id, one.file_name)), None)


def content_of(papers: Papers, attachment: Attachment) -> bytes:
    """The bytes of a file; files of the sample, and those from before a restart, are made of blanks."""
    return papers.files.get(attachment.attachment_id, b"%PDF-1.4".ljust(attachment.size)[: attachment.size])


def attach(desk: Desk, papers: Papers, record: Any, name: str, mime_type: str, content: bytes) -> Attachment | str:
    """Attach a file; one of that name is replaced. That the record's stamp moves is unconfirmed.

    Clients that send all files as mere bytes leave their type to the ending of the name.

    Returns:
        The attachment, or why not.
    """
    before = attachment_named(record, name)
    if not content:
        return "The file is empty."
    if before is None and len(record.attachments) >= MOST_FILES:
        return f"A maximum of {MOST_FILES} attachments is allowed."
    attachment = Attachment(
        attachment_id=before.attachment_id if before else desk.new_id(),
        file_name=name,
        size=len(content),
        mime_type=(_TYPES.guess_type(name)[0] or mime_type) if mime_type == _ANY_BYTES else mime_type,
    )
    papers.files[attachment.attachment_id] = content
    kept = tuple(one for one in record.attachments if one is not before)
    desk.changes.append(desk.organisation.put(replace(record, attachments=(*kept, attachment)), desk.now_ms))
    return attachment


# -- history --------------------------------------------------------------------------------------------------------------


def note_row(details: str, at_ms: int) -> Row:
    """A note as Xero lists it."""
    moment = datetime.fromtimestamp(at_ms // 1000, UTC)
    return {
        "Changes": "Note",
        "DateUTCString": f"{moment:%Y-%m-%dT%H:%M:%S}",
        "DateUTC": ms_date(at_ms),
        "User": "System Generated",
        "Details": details,
    }


def add_notes(papers: Papers, record_id: str, elements: list[Row], at_ms: int) -> tuple[list[Row], Problems]:
    """Add notes; nothing is added if one is wrong."""
    problems = Problems()
    rows = []
    for element in elements:
        details = Fields(element, problems).text("Details", "")
        if not details:
            problems.add("Details must be specified.")
        rows.append(note_row(details, at_ms))
    if not problems:
        papers.notes.setdefault(record_id, []).extend(rows)
    return rows, problems


# -- emails ---------------------------------------------------------------------------------------------------------------


def email(desk: Desk, record: Any) -> str | None:
    """Mark an invoice as sent; on one with money on it without a stamp, as Xero does.

    Returns:
        Why not, or None.
    """
    contact = desk.organisation.contacts.get(record.contact_id)
    open_to_send = (DocumentStatus.SUBMITTED, DocumentStatus.AUTHORISED, DocumentStatus.PAID)
    if not isinstance(record, Invoice) or record.type is not InvoiceType.ACCREC or record.status not in open_to_send:
        return "Invoice not of valid status for modification"
    if contact is None or not contact.email:
        return "The contact has no email address."
    settled = bool(record.payments or record.allocations)
    desk.changes.append(desk.organisation.put(replace(record, sent_to_contact=True), desk.now_ms, stamp=not settled))
    return None


# -- allocations ----------------------------------------------------------------------------------------------------------


def allocate(desk: Desk, note: CreditNote, element: Row) -> tuple[Row | None, Problems]:
    """Apply credit to an invoice.

    Returns:
        The allocation as Xero shows it, or None and why not.
    """
    problems = Problems()
    fields = Fields(element, problems)
    inner = fields.inner("Invoice")
    invoice_id = inner.guid("InvoiceID") if inner is not None else None
    amount = fields.units("Amount", 2, 0)
    if invoice_id is None or desk.organisation.invoices.get(invoice_id) is None:
        fields.wrong("Invoice could not be found.")
    day = fields.day("Date", desk.now_ms // DAY_MS)
    if problems or invoice_id is None:
        return None, problems
    allocation = Allocation(
        allocation_id=desk.new_id(), invoice_id=invoice_id, credit_note_id=note.id, amount=amount, date=day
    )
    try:
        desk.changes += desk.organisation.allocate(allocation, desk.now_ms)
    except RuleError as error:
        problems.add(f"{error}")
        return None, problems
    return _allocation_row(desk, note.id, allocation.allocation_id), problems


def _allocation_row(desk: Desk, note_id: str, allocation_id: str) -> Row:
    note = desk.organisation.credit_notes.get(note_id)
    assert note is not None
    rows = orjson.loads(orjson.dumps(credit_note_extras(note, desk.organisation)["Allocations"]))
    row: Row = next(one for one in rows if one["AllocationID"] == allocation_id)
    return row | {"CreditNote": {"CreditNoteID": note_id, "ID": note_id, "LineItems": []}, "ValidationErrors": []}


def take_back(desk: Desk, note: CreditNote, allocation_id: str) -> Row | str:
    """Take an allocation back: the credit remains again, the invoice is due again.

    Returns:
        The allocation as it was, or why not.
    """
    books = desk.organisation
    allocation = next((one for one in note.allocations if one.allocation_id == allocation_id), None)
    if allocation is None:
        return "Allocation could not be found."
    try:
        books.check_open(allocation)
        again = invoices.take_credit_back(books.must_have(Invoice, allocation.invoice_id), allocation_id)
    except RuleError as error:
        return f"{error}"
    row = _allocation_row(desk, note.id, allocation_id) | {"IsDeleted": True}
    for record in (credit_notes.take_back(note, allocation_id), again):
        desk.changes.append(books.put(record, desk.now_ms))
    return row


PARTS: dict[str, frozenset[Endpoint]] = {
    "attachments": frozenset({Endpoint.INVOICES, Endpoint.CONTACTS, Endpoint.CREDIT_NOTES}),
    "history": frozenset({Endpoint.INVOICES, Endpoint.CONTACTS, Endpoint.CREDIT_NOTES}),
    "email": frozenset({Endpoint.INVOICES}),
    "allocations": frozenset({Endpoint.CREDIT_NOTES}),
}
"""Which endpoints have what below their records here."""
