"""What hangs below a record: attachments, history notes, emails, allocations, contacts of a group, options."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from mimetypes import MimeTypes
from typing import Any

import orjson

from simulator.accounting_api.documents import allocation_row
from simulator.accounting_api.encoders.tracking_categories import option_row
from simulator.accounting_api.facts import FACTS
from simulator.accounting_api.pdf import PRINTED
from simulator.accounting_api.validation import Fields, Problems
from simulator.accounting_api.wire import ms_date
from simulator.accounting_api.write_context import WriteContext
from simulator.books import money
from simulator.books.bank_transfer import BankTransfer
from simulator.books.contact_group import ContactGroup
from simulator.books.credit_note import CreditNote
from simulator.books.document import Allocation, Attachment
from simulator.books.invoice import Invoice, InvoiceType
from simulator.books.kinds import ENDPOINTS
from simulator.books.overpayment import Overpayment
from simulator.books.prepayment import Prepayment
from simulator.books.tracking_category import MOST_OPTIONS, TrackingCategory, TrackingOption
from simulator.books.words import DocumentStatus, Endpoint, Presence
from simulator.keeping.books import PaperKind
from simulator.spelling import guid_of

MOST_FILES = 10
"""Attachments of one record. Source: developer.xero.com, attachments."""

_TYPES = MimeTypes()
_ANY_BYTES = "application/octet-stream"

Row = dict[str, Any]


@dataclass(slots=True)
class AttachmentStore:
    """Files and notes of all organisations.

    Attributes:
        files: attachment id → its bytes.
        notes: record id → notes, oldest first.
        keep: keeps one of either over a restart, as JSON or as it is.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    notes: dict[str, list[Row]] = field(default_factory=dict)
    keep: Callable[[PaperKind, str, bytes], None] = lambda _, __, ___: None

    @classmethod
    def kept(
        cls, papers: Iterable[tuple[PaperKind, str, bytes]], keep: Callable[[PaperKind, str, bytes], None]
    ) -> "AttachmentStore":
        """What was kept.

        Args:
            papers: of which kind, the attachment's or the record's id, content.
            keep: keeps what comes.
        """
        found = cls(keep=keep)
        for kind, of_id, body in papers:
            if kind is PaperKind.FILE:
                found.files[of_id] = body
            else:
                found.notes[of_id] = orjson.loads(body)
        return found

    def file(self, attachment_id: str, content: bytes) -> None:
        """Take the bytes of an attachment."""
        self.files[attachment_id] = content
        self.keep(PaperKind.FILE, attachment_id, content)

    def note(self, record_id: str, rows: list[Row]) -> None:
        """Take notes on a record."""
        notes = self.notes.setdefault(record_id, [])
        notes += rows
        self.keep(PaperKind.NOTES, record_id, orjson.dumps(notes))


# -- attachments ----------------------------------------------------------------------------------------------------------


def attachment_named(record: Any, name: str) -> Attachment | None:
    """A record's attachment, by its id or its file name."""
    return next(
        (one for one in record.attachments if one.attachment_id == guid_of(name) or one.file_name == name), None
    )


def content_of(papers: AttachmentStore, attachment: Attachment) -> bytes:
    """The bytes of a file; files of the sample are made of blanks."""
    return papers.files.get(attachment.attachment_id, b"%PDF-1.4".ljust(attachment.size)[: attachment.size])


def attach(
    context: WriteContext,
    papers: AttachmentStore,
    record: Any,
    name: str,
    mime_type: str,
    content: bytes,
    *,
    online: bool = False,
) -> Attachment | str:
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
        attachment_id=before.attachment_id if before else context.new_id(),
        file_name=name,
        size=len(content),
        mime_type=(_TYPES.guess_type(name)[0] or mime_type) if mime_type == _ANY_BYTES else mime_type,
        online=online,
    )
    papers.file(attachment.attachment_id, content)
    kept = tuple(one for one in record.attachments if one is not before)
    filed = replace(record, attachments=(*kept, attachment))
    stamp = not isinstance(record, BankTransfer)  # its only date is that of its making
    context.changes.append(context.organisation.put(filed, context.now_ms, stamp=stamp))
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


def add_notes(papers: AttachmentStore, record_id: str, elements: list[Row], at_ms: int) -> tuple[list[Row], Problems]:
    """Add notes; nothing is added if one is wrong."""
    problems = Problems()
    rows = []
    for element in elements:
        details = Fields(element, problems).text("Details", "")
        if not details:
            problems.add("Details must be specified.")
        rows.append(note_row(details, at_ms))
    if not problems:
        papers.note(record_id, rows)
    return rows, problems


# -- emails ---------------------------------------------------------------------------------------------------------------


def email(context: WriteContext, record: Any) -> str | None:
    """Mark an invoice as sent; on one with money on it without a stamp, as Xero does.

    Returns:
        Why not, or None.
    """
    contact = context.organisation.contacts.get(record.contact_id)
    open_to_send = (DocumentStatus.SUBMITTED, DocumentStatus.AUTHORISED, DocumentStatus.PAID)
    if not isinstance(record, Invoice) or record.type is not InvoiceType.ACCREC or record.status not in open_to_send:
        return "Invoice not of valid status for modification"
    if contact is None or not contact.email:
        return "The contact has no email address."
    settled = bool(record.payments or record.allocations)
    context.changes.append(
        context.organisation.put(replace(record, sent_to_contact=True), context.now_ms, stamp=not settled)
    )
    return None


# -- online invoices ------------------------------------------------------------------------------------------------------

NOT_ONLINE = "Only sales invoices that are approved can be seen online."
"""Refusal (unconfirmed) of an address for another invoice."""


def online_invoice(invoice: Invoice) -> str | None:
    """Where a customer sees the invoice; None: nowhere. The address follows from the id, and leads nowhere."""
    shown = invoice.status in (DocumentStatus.AUTHORISED, DocumentStatus.PAID)
    if invoice.type is not InvoiceType.ACCREC or not shown:
        return None
    return f"https://in.xero.com/{sha256(invoice.id.encode()).hexdigest()[:40]}"


# -- allocations ----------------------------------------------------------------------------------------------------------


Credit = CreditNote | Prepayment | Overpayment


def allocate(context: WriteContext, credit: Credit, element: Row) -> tuple[Row | None, Problems]:
    """Apply credit to an invoice. ``AppliedAmount`` is the amount's older name, of bodies in XML.

    Returns:
        The allocation as Xero shows it, or None and why not.
    """
    problems = Problems()
    fields = Fields(element, problems)
    inner = fields.inner("Invoice")
    invoice_id = inner.guid("InvoiceID") if inner is not None else None
    if invoice_id is None or context.organisation.invoices.get(invoice_id) is None:
        fields.wrong("Invoice could not be found.")
    allocation = Allocation(
        allocation_id=context.new_id(),
        invoice_id=str(invoice_id),
        credit_note_id=credit.id,
        amount=fields.units("Amount" if fields.has("Amount") else "AppliedAmount", 2, 0),
        date=fields.day("Date", context.today),
        source=ENDPOINTS[type(credit)],
    )
    if isinstance(credit, CreditNote):
        context.run(problems, lambda: context.organisation.allocate(allocation, context.now_ms))
    else:
        context.run(problems, lambda: money.allocate(context.organisation, credit, allocation, context.now_ms))
    return (None if problems else _allocation(context, allocation)), problems


def _allocation(context: WriteContext, allocation: Allocation) -> Row:
    id_field = FACTS[allocation.source].id_field
    row = allocation_row(allocation, context.organisation)
    credit = {id_field: allocation.credit_note_id, "ID": allocation.credit_note_id, "LineItems": []}
    return row | {id_field.removesuffix("ID"): credit, "ValidationErrors": []}


def take_back(context: WriteContext, credit: Credit, allocation_id: str) -> Row | str:
    """Take an allocation back: the credit remains again, the invoice is due again.

    Returns:
        The allocation as it was, or why not.
    """
    allocation = next((one for one in credit.allocations if one.allocation_id == allocation_id), None)
    if allocation is None:
        return "Allocation could not be found."
    row = _allocation(context, allocation) | {"IsDeleted": True}
    problems = Problems()
    context.run(problems, lambda: money.withdraw(context.organisation, credit, allocation_id, context.now_ms))
    return problems.errors[0][1] if problems else row


# -- contacts of a group --------------------------------------------------------------------------------------------------


def join(context: WriteContext, group: ContactGroup, elements: list[Row]) -> tuple[list[Row], Problems]:
    """Put contacts into a group; one that is in it already stays."""
    problems = Problems()
    rows: list[Row] = []
    for element in elements:
        fields = Fields(element, problems)
        contact_id = fields.guid("ContactID")
        contact = context.organisation.contacts.get(contact_id) if contact_id else None
        if contact is None:
            fields.wrong("The contact could not be found.")  # (unconfirmed)
        else:
            nothing: list[Row] = []
            empty = dict.fromkeys(("Addresses", "Phones", "ContactGroups", "ContactPersons"), nothing)
            rows.append({"ContactID": contact.id, "Name": contact.name, **empty, "HasValidationErrors": False})
    joined = dict.fromkeys((*group.contact_ids, *(row["ContactID"] for row in rows)))
    context.write(replace(group, contact_ids=tuple(joined)), problems)
    return rows, problems


def leave(context: WriteContext, group: ContactGroup, contact_id: str | None) -> bool:
    """Take a contact out of a group, or all of them; False: it isn't in it."""
    if contact_id is not None and contact_id not in group.contact_ids:
        return False
    kept = tuple(one for one in group.contact_ids if contact_id is not None and one != contact_id)
    context.write(replace(group, contact_ids=kept), Problems())
    return True


# -- options of a tracking category ---------------------------------------------------------------------------------------


def write_option(context: WriteContext, category: TrackingCategory, option_id: str | None, element: Row) -> Row | str:
    """Add an option to a category, or change one; deleting one is a status.

    Returns:
        The option as Xero shows it, or why not.
    """
    problems = Problems()
    fields = Fields(element, problems)
    before = next((one for one in category.options if one.id == option_id), None)
    if option_id is not None and before is None:
        return "The tracking option could not be found."  # (unconfirmed)
    blank = before or TrackingOption(id=context.new_id(), name="")
    option = replace(
        blank, name=fields.text("Name", blank.name), status=fields.one_of("Status", Presence, blank.status)
    )
    others = [one for one in category.options if one.id != option.id]
    if not option.name or len(option.name) > 100:
        fields.wrong("The Name of a tracking option has 1 to 100 characters.")  # (unconfirmed)
    if any(one.name.lower() == option.name.lower() for one in others if one.status is not Presence.DELETED):
        fields.wrong("Please enter a unique Name.")  # (unconfirmed)
    if before is None and len(others) >= MOST_OPTIONS:
        fields.wrong(f"A tracking category has at most {MOST_OPTIONS} options.")  # (unconfirmed)
    kept = [option if one.id == option.id else one for one in category.options]
    context.write(replace(category, options=tuple(kept if before else [*kept, option])), problems)
    return problems.errors[0][1] if problems else option_row(option)


# -- where they are -------------------------------------------------------------------------------------------------------

_FILED = {
    Endpoint.BANK_TRANSACTIONS,
    Endpoint.BANK_TRANSFERS,
    Endpoint.CONTACTS,
    Endpoint.CREDIT_NOTES,
    Endpoint.INVOICES,
    Endpoint.MANUAL_JOURNALS,
    Endpoint.PURCHASE_ORDERS,
    Endpoint.QUOTES,
    Endpoint.REPEATING_INVOICES,
}
_SETTLED = {Endpoint.BATCH_PAYMENTS, Endpoint.ITEMS, Endpoint.OVERPAYMENTS, Endpoint.PAYMENTS, Endpoint.PREPAYMENTS}

PARTS: dict[str, frozenset[Endpoint]] = {
    "attachments": frozenset({*_FILED, Endpoint.ACCOUNTS}),
    "history": frozenset({*_FILED, *_SETTLED}),
    "email": frozenset({Endpoint.INVOICES}),
    "onlineinvoice": frozenset({Endpoint.INVOICES}),
    "pdf": frozenset(PRINTED),
    "allocations": frozenset({Endpoint.CREDIT_NOTES, Endpoint.OVERPAYMENTS, Endpoint.PREPAYMENTS}),
    "contacts": frozenset({Endpoint.CONTACT_GROUPS}),
    "options": frozenset({Endpoint.TRACKING_CATEGORIES}),
}
"""Which endpoints have what below their records here. Source: published OpenAPI."""
