"""One organisation: its records, and what a change of one does to others.

Every operation takes the time as an argument, answers what changed, and refuses with ``RuleError`` before it changes
anything. All records of one operation share one stamp, as they do in Xero, so ties of ``UpdatedDateUTC`` happen.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal, overload

from simulator.books import contact as contacts
from simulator.books import credit_note as credit_notes
from simulator.books import invoice as invoices
from simulator.books.amounts import DAY_MS, Cents
from simulator.books.contact import Contact
from simulator.books.credit_note import CreditNote, CreditNoteType
from simulator.books.document import Allocation, Payment
from simulator.books.invoice import Invoice, InvoiceType
from simulator.books.shelf import Shelf
from simulator.books.words import DocumentStatus, Endpoint, RuleError

AnyRecord = Invoice | Contact | CreditNote
Document = Invoice | CreditNote


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What is fixed about an organisation. ``tax`` maps tax types to hundredths of a percent."""

    id: str
    name: str
    country: str
    currency: str
    foreign_currency: str
    sales_tax: str
    purchase_tax: str
    tax: dict[str, int]
    created_ms: int
    tracking: tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...] = ()
    accounts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A record as it is now, since when, and how Xero would announce it (not at all if ``silent``)."""

    endpoint: Endpoint
    record: AnyRecord
    at_ms: int
    created: bool = False
    silent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What a contact owes us (or we owe it): all of it, and the part that is overdue."""

    outstanding: Cents = 0
    overdue: Cents = 0


class Organisation:
    """An organisation's books."""

    def __init__(
        self,
        profile: Profile,
        *,
        contacts: Iterable[Contact] = (),
        invoices: Iterable[Invoice] = (),
        credit_notes: Iterable[CreditNote] = (),
    ) -> None:
        """Open the books with records that are consistent."""
        self.profile = profile
        self.contacts: Shelf[Contact] = Shelf(contacts)
        self.invoices: Shelf[Invoice] = Shelf(invoices)
        self.credit_notes: Shelf[CreditNote] = Shelf(credit_notes)
        self._open: dict[str, dict[str, Invoice]] = {}
        self._documents: dict[str, dict[str, Endpoint]] = {}
        self._balance_marks: dict[str, int] = {}
        self._numbers: dict[str, int] = {}
        for invoice in self.invoices:
            self._index(Endpoint.INVOICES, None, invoice)
        for note in self.credit_notes:
            self._index(Endpoint.CREDIT_NOTES, None, note)

    @property
    def id(self) -> str:
        """The tenant id."""
        return self.profile.id

    @overload
    def shelf(self, endpoint: Literal[Endpoint.INVOICES]) -> Shelf[Invoice]: ...
    @overload
    def shelf(self, endpoint: Literal[Endpoint.CONTACTS]) -> Shelf[Contact]: ...
    @overload
    def shelf(self, endpoint: Literal[Endpoint.CREDIT_NOTES]) -> Shelf[CreditNote]: ...
    @overload
    def shelf(self, endpoint: Endpoint) -> Shelf[Invoice] | Shelf[Contact] | Shelf[CreditNote]: ...

    def shelf(self, endpoint: Endpoint) -> Shelf[Invoice] | Shelf[Contact] | Shelf[CreditNote]:
        """The records of an endpoint."""
        match endpoint:
            case Endpoint.INVOICES:
                return self.invoices
            case Endpoint.CONTACTS:
                return self.contacts
            case Endpoint.CREDIT_NOTES:
                return self.credit_notes

    def shelf_of(self, record: AnyRecord) -> Shelf[Invoice] | Shelf[Contact] | Shelf[CreditNote]:
        """The shelf a record stands on."""
        if isinstance(record, Invoice):
            return self.invoices
        return self.contacts if isinstance(record, Contact) else self.credit_notes

    def newest_ms(self) -> int:
        """The latest ``UpdatedDateUTC`` in the books."""
        return max(shelf.newest_ms for shelf in (self.invoices, self.contacts, self.credit_notes))

    def documents_of(self, contact_id: str) -> list[Document]:
        """Every invoice and credit note of a contact."""
        found: list[Document] = []
        for record_id, endpoint in self._documents.get(contact_id, {}).items():
            record = self.shelf(endpoint).get(record_id)
            assert isinstance(record, Invoice | CreditNote)
            found.append(record)
        return found

    def balances(self, contact_id: str, now_ms: int) -> tuple[Balance, Balance]:
        """Receivable and payable. They move with documents and with the days, never with the contact's stamp."""
        today = now_ms // DAY_MS
        sums = {InvoiceType.ACCREC: [0, 0], InvoiceType.ACCPAY: [0, 0]}
        for invoice in self._open.get(contact_id, {}).values():
            side = sums[invoice.type]
            side[0] += invoice.amount_due
            if invoice.due_date < today:
                side[1] += invoice.amount_due
        receivable, payable = (Balance(outstanding=total, overdue=late) for total, late in sums.values())
        return receivable, payable

    def balance_mark(self, contact_id: str) -> int:
        """A number that moves whenever the contact's balances may have."""
        return self._balance_marks.get(contact_id, 0)

    def next_number(self, kind: InvoiceType | CreditNoteType) -> int:
        """The number the next document of that type takes, from 1."""
        return self._numbers.get(kind, 0) + 1

    # -- operations -----------------------------------------------------------------------------------------------

    def write(self, record: AnyRecord, now_ms: int, *, stamp: bool = True) -> tuple[Change, ...]:
        """Create or replace a record.

        Args:
            record: as it is from now on.
            now_ms: the time.
            stamp: whether its ``UpdatedDateUTC`` moves; Xero forgets that for some changes.

        Raises:
            RuleError: a document's contact isn't in the books.
        """
        changes: list[Change] = []
        if isinstance(record, Invoice | CreditNote):
            changes += self._sides(record, now_ms)
        changes.append(self._put(record, now_ms, stamp=stamp))
        return tuple(changes)

    def move(self, endpoint: Endpoint, record_id: str, to: DocumentStatus, now_ms: int) -> tuple[Change, ...]:
        """Change a document's status as a user does.

        Raises:
            RuleError: Xero refuses that.
        """
        record = self._must_have(endpoint, record_id)
        if isinstance(record, Invoice):
            return (self._put(invoices.move(record, to), now_ms),)
        if isinstance(record, CreditNote):
            return (self._put(credit_notes.move(record, to), now_ms),)
        raise RuleError("contacts have no such status")

    def pay(self, invoice_id: str, payment: Payment, now_ms: int) -> tuple[Change, ...]:
        """Pay an invoice or a bill, in part or in full.

        Raises:
            RuleError: it isn't approved, or the amount is wrong.
        """
        return (self._put(invoices.pay(self._invoice(invoice_id), payment), now_ms),)

    def allocate(self, allocation: Allocation, now_ms: int) -> tuple[Change, ...]:
        """Apply credit of a credit note to an invoice; both move.

        Raises:
            RuleError: the two don't belong together, or the amount is more than either has.
        """
        invoice = self._invoice(allocation.invoice_id)
        note = self._must_have(Endpoint.CREDIT_NOTES, allocation.credit_note_id)
        assert isinstance(note, CreditNote)
        sides = (note.type is CreditNoteType.ACCRECCREDIT, invoice.type is InvoiceType.ACCREC)
        if sides[0] != sides[1] or note.contact_id != invoice.contact_id or note.currency != invoice.currency:
            raise RuleError("credit goes to an invoice of the same contact, side and currency")
        applied = invoices.apply_credit(invoice, allocation)
        return (self._put(credit_notes.allocate(note, allocation), now_ms), self._put(applied, now_ms))

    def archive(self, contact_id: str, now_ms: int) -> tuple[Change, ...]:
        """Archive a contact.

        Raises:
            RuleError: it isn't active.
        """
        return (self._put(contacts.archive(self._contact(contact_id)), now_ms),)

    def unarchive(self, contact_id: str, now_ms: int) -> tuple[Change, ...]:
        """Make an archived contact active again.

        Raises:
            RuleError: it isn't archived, or was merged.
        """
        return (self._put(contacts.unarchive(self._contact(contact_id)), now_ms),)

    def erase(self, contact_id: str, now_ms: int) -> tuple[Change, ...]:
        """Erase a contact's personal details on request.

        Raises:
            RuleError: that was asked before.
        """
        return (self._put(contacts.erase(self._contact(contact_id)), now_ms),)

    def merge(self, contact_id: str, into_id: str, now_ms: int) -> tuple[Change, ...]:
        """Merge a contact into another: its documents move over, both contacts and the documents are stamped.

        That the moved documents are stamped and announced is our assumption; Xero doesn't say.

        Raises:
            RuleError: either isn't active, or both are the same.
        """
        target = self._contact(into_id)
        merged = contacts.merge_into(self._contact(contact_id), target)
        moved = [replace(document, contact_id=into_id) for document in self.documents_of(contact_id)]
        target = replace(
            target,
            is_customer=target.is_customer or merged.is_customer,
            is_supplier=target.is_supplier or merged.is_supplier,
        )
        return tuple(self._put(record, now_ms) for record in (merged, target, *moved))

    # -- inside ---------------------------------------------------------------------------------------------------

    def _put(self, record: AnyRecord, now_ms: int, *, stamp: bool = True) -> Change:
        if stamp:
            record = replace(record, updated_ms=now_ms)
        if isinstance(record, Contact):
            endpoint, created = Endpoint.CONTACTS, self.contacts.get(record.id) is None
            self.contacts.put(record, now_ms)
        elif isinstance(record, Invoice):
            endpoint, before = Endpoint.INVOICES, self.invoices.get(record.id)
            created = before is None
            self.invoices.put(record, now_ms)
            self._index(endpoint, before, record)
        else:
            endpoint, earlier = Endpoint.CREDIT_NOTES, self.credit_notes.get(record.id)
            created = earlier is None
            self.credit_notes.put(record, now_ms)
            self._index(endpoint, earlier, record)
        return Change(endpoint=endpoint, record=record, at_ms=now_ms, created=created)

    def _index(self, endpoint: Endpoint, before: Document | None, after: Document) -> None:
        if before is None:
            self._numbers[after.type] = self._numbers.get(after.type, 0) + 1
        if before is not None and before.contact_id != after.contact_id:
            self._documents.get(before.contact_id, {}).pop(after.id, None)
            self._open.get(before.contact_id, {}).pop(after.id, None)
            self._mark(before.contact_id)
        self._documents.setdefault(after.contact_id, {})[after.id] = endpoint
        if isinstance(after, Invoice):
            still_open = self._open.setdefault(after.contact_id, {})
            if after.status is DocumentStatus.AUTHORISED:
                still_open[after.id] = after
            else:
                still_open.pop(after.id, None)
            self._mark(after.contact_id)

    def _mark(self, contact_id: str) -> None:
        self._balance_marks[contact_id] = self._balance_marks.get(contact_id, 0) + 1

    def _sides(self, document: Document, now_ms: int) -> list[Change]:
        """The first sales document makes a contact a customer, the first bill a supplier; no stamp moves for that."""
        contact = self._contact(document.contact_id)
        sales = document.type in (InvoiceType.ACCREC, CreditNoteType.ACCRECCREDIT)
        after = replace(contact, is_customer=True) if sales else replace(contact, is_supplier=True)
        if after == contact:
            return []
        return [replace(self._put(after, now_ms, stamp=False), silent=True)]

    def _must_have(self, endpoint: Endpoint, record_id: str) -> AnyRecord:
        record = self.shelf(endpoint).get(record_id)
        if record is None:
            raise RuleError(f"{endpoint} has no {record_id}")
        return record

    def _invoice(self, record_id: str) -> Invoice:
        record = self._must_have(Endpoint.INVOICES, record_id)
        assert isinstance(record, Invoice)
        return record

    def _contact(self, record_id: str) -> Contact:
        record = self._must_have(Endpoint.CONTACTS, record_id)
        assert isinstance(record, Contact)
        return record
