"""One organisation: its records, and what a change of one does to others.

Every operation takes the time as an argument, answers what changed, and refuses with ``RuleError`` before it changes
anything. All records of one operation share one stamp, as they do in Xero, so ties of ``UpdatedDateUTC`` happen.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast

from simulator.books import contact as contacts
from simulator.books import credit_note as credit_notes
from simulator.books import invoice as invoices
from simulator.books.account import Account
from simulator.books.amounts import DAY_MS, Cents, Day, TenThousandths
from simulator.books.chart import BANK, account_ids, opening_records
from simulator.books.collection import Collection
from simulator.books.company import Company
from simulator.books.contact import Contact
from simulator.books.credit_note import CreditNote, CreditNoteType
from simulator.books.document import Allocation, Payment
from simulator.books.invoice import Invoice, InvoiceType
from simulator.books.item import Item
from simulator.books.journal import Journal
from simulator.books.kinds import ENDPOINTS, KINDS, AnyRecord, Document
from simulator.books.ledger import Ledger
from simulator.books.payment import PaymentRecord, PaymentType
from simulator.books.profile import Profile
from simulator.books.stock import Stock
from simulator.books.words import DocumentStatus, Endpoint, RuleError, Standing

R = TypeVar("R", bound=AnyRecord)
_ON_ACCOUNT = (Endpoint.PREPAYMENTS, Endpoint.OVERPAYMENTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A record as it is now (as it was, if ``removed``), since when, and whether Xero may announce it."""

    endpoint: Endpoint
    record: AnyRecord
    at_ms: int
    created: bool = False
    silent: bool = False
    removed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What a contact owes us (or we owe it): all of it, and the part that is overdue."""

    outstanding: Cents = 0
    overdue: Cents = 0


class Organisation:
    """An organisation's books.

    Attributes:
        ledger: its journals.
        stock: what documents moved of each item.
        account_ids: account code → id, for the accounts that the books themselves post to.
    """

    def __init__(
        self,
        profile: Profile,
        *,
        contacts: Iterable[Contact] = (),
        invoices: Iterable[Invoice] = (),
        credit_notes: Iterable[CreditNote] = (),
        others: Iterable[AnyRecord] = (),
        post: bool = True,
    ) -> None:
        """Open the books with records that are consistent.

        What follows from them is added where it is missing: the chart and the like, payments behind what invoices
        show as paid, and journals, unless not ``post``: then :meth:`open_ledger` comes later.
        """
        self.profile = profile
        self.account_ids = account_ids(profile)
        self.ledger = Ledger(profile.id, self.account_ids)
        self.stock = Stock()
        self._open: dict[str, dict[str, Invoice]] = {}
        self._documents: dict[str, dict[str, Endpoint]] = {}
        self._balance_marks: dict[str, int] = {}
        self._numbers: dict[str, int] = {}
        self._followed: list[Change] = []
        given: dict[type[AnyRecord], dict[str, Any]] = {kind: {} for kind in KINDS.values()}
        for record in (*opening_records(profile), *contacts, *invoices, *credit_notes, *others):
            given[type(record)][record.id] = record
        for invoice in given[Invoice].values():
            for payment in invoice.payments:
                given[PaymentRecord].setdefault(payment.payment_id, self._payment(invoice, payment))
        self._shelves: dict[Endpoint, Collection[Any]] = {
            endpoint: Collection(given[kind].values()) for endpoint, kind in KINDS.items()
        }
        if given[Journal]:
            self.ledger.restore(given[Journal].values())
            self._shelves[Endpoint.JOURNALS] = self.ledger.shelf
        elif post:
            self.open_ledger()
        self.contacts: Collection[Contact] = self.of(Contact)
        self.invoices: Collection[Invoice] = self.of(Invoice)
        self.credit_notes: Collection[CreditNote] = self.of(CreditNote)
        for document in (*self.invoices, *self.credit_notes):
            self._index(None, document)
        for records in given.values():
            for record in records.values():
                self.stock.follow(None, record)

    def open_ledger(self) -> None:
        """Write the journals of everything there is, as if nothing had ever been posted."""
        self.ledger.open(record for shelf in self._shelves.values() for record in shelf)
        self._shelves[Endpoint.JOURNALS] = self.ledger.shelf
        self._followed.clear()

    @property
    def id(self) -> str:
        """The tenant id."""
        return self.profile.id

    def shelf(self, endpoint: Endpoint) -> Collection[Any]:
        """The records of an endpoint."""
        return self._shelves[endpoint]

    def of(self, kind: type[R]) -> Collection[R]:
        """The records of a kind."""
        return cast("Collection[R]", self._shelves[ENDPOINTS[kind]])

    def shelf_of(self, record: AnyRecord) -> Collection[Any]:
        """The shelf a record stands on."""
        return self._shelves[ENDPOINTS[type(record)]]

    def newest_ms(self) -> int:
        """The latest ``UpdatedDateUTC`` in the books."""
        return max(shelf.newest_ms for shelf in self._shelves.values())

    def account(self, account_id: str) -> Account | None:
        """An account of the chart."""
        return self.of(Account).get(account_id)

    def uses_account(self, account: Account) -> bool:
        """Whether anything was posted to it, or a line names it."""
        with_lines = (record for shelf in self._shelves.values() for record in shelf if hasattr(record, "lines"))
        return any(line.account_id == account.id for record in with_lines for line in record.lines)

    def bank_account(self) -> str:
        """Id of the account that payments go through where nobody says otherwise."""
        return self.account_ids[BANK]

    def company(self) -> Company:
        """The organisation's own record."""
        company = self.of(Company).get(self.profile.id)
        assert company is not None
        return company

    def on_hand(self, item: Item) -> TenThousandths:
        """What is in stock of an item: moved by documents, never with the item's own stamp."""
        return item.opening + self.stock.moved(item.code)

    def take_followed(self) -> list[Change]:
        """What followed from the changes since the last call, for who keeps the books: journals, and what a merge moved.

        Xero announces none of it, and no operation answers it.
        """
        followed, self._followed = self._followed, []
        return followed

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
            stamp: whether its ``UpdatedDateUTC`` moves; Xero forgets that for some changes.

        Raises:
            RuleError: a document's contact isn't in the books.
        """
        changes: list[Change] = []
        self.check_open(record)
        if isinstance(record, Invoice | CreditNote):
            changes += self._sides(record, now_ms)
        changes.append(self.put(record, now_ms, stamp=stamp))
        return tuple(changes)

    def check_open(self, *dated: Any) -> None:
        """Refuse what is dated in a locked period.

        Raises:
            RuleError: one of those records or pieces is.
        """
        for one in dated:
            day: Day | None = getattr(one, "date", None)
            for refusal in self.company().refusals(day) if day is not None else ():
                raise RuleError(refusal)

    def move(self, endpoint: Endpoint, record_id: str, to: DocumentStatus, now_ms: int) -> tuple[Change, ...]:
        """Change a document's status as a user does.

        Raises:
            RuleError: Xero refuses that.
        """
        record = self.must_have(KINDS[endpoint], record_id)
        if not isinstance(record, Invoice | CreditNote):
            raise RuleError(f"{endpoint} have no such status")
        self.check_open(record)
        if isinstance(record, Invoice):
            return (self.put(invoices.move(record, to), now_ms),)
        return (self.put(credit_notes.move(record, to), now_ms),)

    def pay(self, invoice_id: str, payment: Payment, now_ms: int) -> tuple[Change, ...]:
        """Pay an invoice or a bill, in part or in full.

        Raises:
            RuleError: it isn't approved, or the amount is wrong.
        """
        self.check_open(payment)
        invoice = self.must_have(Invoice, invoice_id)
        paid = invoices.pay(invoice, payment)
        return (self.put(self._payment(invoice, payment), now_ms), self.put(paid, now_ms))

    def allocate(self, allocation: Allocation, now_ms: int) -> tuple[Change, ...]:
        """Apply credit of a credit note to an invoice; both move.

        Raises:
            RuleError: the two don't belong together, or the amount is more than either has.
        """
        self.check_open(allocation)
        invoice = self.must_have(Invoice, allocation.invoice_id)
        note = self.must_have(CreditNote, allocation.credit_note_id)
        sides = (note.type is CreditNoteType.ACCRECCREDIT, invoice.type is InvoiceType.ACCREC)
        if sides[0] != sides[1] or note.contact_id != invoice.contact_id or note.currency != invoice.currency:
            raise RuleError("credit goes to an invoice of the same contact, side and currency")
        allocation = replace(allocation, invoice_rate=invoice.currency_rate)
        applied = invoices.apply_credit(invoice, allocation)
        return (self.put(credit_notes.allocate(note, allocation), now_ms), self.put(applied, now_ms))

    def archive(self, contact_id: str, now_ms: int) -> tuple[Change, ...]:
        """Archive a contact.

        Raises:
            RuleError: it isn't active.
        """
        return (self.put(contacts.archive(self.must_have(Contact, contact_id)), now_ms),)

    def unarchive(self, contact_id: str, now_ms: int) -> tuple[Change, ...]:
        """Make an archived contact active again.

        Raises:
            RuleError: it isn't archived, or was merged.
        """
        return (self.put(contacts.unarchive(self.must_have(Contact, contact_id)), now_ms),)

    def erase(self, contact_id: str, now_ms: int) -> tuple[Change, ...]:
        """Erase a contact's personal details on request.

        Raises:
            RuleError: that was asked before.
        """
        return (self.put(contacts.erase(self.must_have(Contact, contact_id)), now_ms),)

    def merge(self, contact_id: str, into_id: str, now_ms: int) -> tuple[Change, ...]:
        """Merge a contact into another: its documents and money on account move over, with the payments that name it.

        All of them are stamped and announced. That is our assumption; Xero doesn't say.

        Raises:
            RuleError: either isn't active, or both are the same.
        """
        target = self.must_have(Contact, into_id)
        merged = contacts.merge_into(self.must_have(Contact, contact_id), target)
        on_account = [
            record
            for endpoint in _ON_ACCOUNT
            for record in self._shelves[endpoint]
            if getattr(record, "contact_id", None) == contact_id
        ]
        moved = [replace(one, contact_id=into_id) for one in (*self.documents_of(contact_id), *on_account)]
        moved_ids = {one.id for one in moved}
        paid = [
            payment
            for payment in self.of(PaymentRecord)
            if payment.document_id in moved_ids and payment.status is Standing.AUTHORISED
        ]
        target = replace(
            target,
            is_customer=target.is_customer or merged.is_customer,
            is_supplier=target.is_supplier or merged.is_supplier,
        )
        self._move_others(contact_id, into_id, now_ms)
        return tuple(self.put(record, now_ms) for record in (merged, target, *moved, *paid))

    def remove(self, kind: type[AnyRecord], record_id: str, now_ms: int) -> Change:
        """Take a record away without a trace.

        Raises:
            RuleError: there is no such record.
        """
        self.must_have(kind, record_id)
        endpoint = ENDPOINTS[kind]
        record = self._shelves[endpoint].remove(record_id, now_ms)
        return Change(endpoint=endpoint, record=record, at_ms=now_ms, removed=True)

    def must_have(self, kind: type[R], record_id: str) -> R:
        """A record that must be there.

        Raises:
            RuleError: it isn't.
        """
        record = self.of(kind).get(record_id)
        if record is None:
            raise RuleError(f"{ENDPOINTS[kind]} has no {record_id}")
        return record

    def put(self, record: AnyRecord, now_ms: int, *, stamp: bool = True) -> Change:
        """Put a record on its shelf as it is, with everything that follows from it.

        Operations end with this, after they checked the rules.
        """
        if stamp:
            record = replace(record, updated_ms=now_ms)
        endpoint = ENDPOINTS[type(record)]
        shelf = self._shelves[endpoint]
        before = shelf.get(record.id)
        shelf.put(record, now_ms)
        if isinstance(record, Invoice | CreditNote):
            self._index(before, record)
        self.stock.follow(before, record)
        self._followed += [
            Change(endpoint=Endpoint.JOURNALS, record=journal, at_ms=now_ms, created=True, silent=True)
            for journal in self.ledger.follow(before, record, now_ms)
        ]
        return Change(endpoint=endpoint, record=record, at_ms=now_ms, created=before is None)

    # -- inside ---------------------------------------------------------------------------------------------------

    def put_along(self, record: AnyRecord, now_ms: int) -> None:
        """Put a record that follows from another: kept, but neither answered nor announced."""
        self._followed.append(replace(self.put(record, now_ms), silent=True))

    def _payment(self, invoice: Invoice, payment: Payment) -> PaymentRecord:
        return PaymentRecord(
            id=payment.payment_id,
            type=PaymentType.of(Endpoint.INVOICES, sales=invoice.type is InvoiceType.ACCREC),
            status=Standing.AUTHORISED,
            document_id=invoice.id,
            account_id=self.bank_account(),
            date=payment.date,
            amount=payment.amount,
            document_rate=invoice.currency_rate,
            currency_rate=payment.currency_rate or invoice.currency_rate,
            reference=payment.reference,
            updated_ms=invoice.updated_ms,
        )

    def _move_others(self, contact_id: str, into_id: str, now_ms: int) -> None:
        """Everything of a merged contact that Xero does not announce moves too."""
        for endpoint, shelf in self._shelves.items():
            if endpoint in (Endpoint.INVOICES, Endpoint.CREDIT_NOTES, Endpoint.JOURNALS, *_ON_ACCOUNT):
                continue
            for record in [one for one in shelf if getattr(one, "contact_id", None) == contact_id]:
                self.put_along(replace(record, contact_id=into_id), now_ms)

    def _index(self, before: Document | None, after: Document) -> None:
        if before is None:
            self._numbers[after.type] = self._numbers.get(after.type, 0) + 1
        if before is not None and before.contact_id != after.contact_id:
            self._documents.get(before.contact_id, {}).pop(after.id, None)
            self._open.get(before.contact_id, {}).pop(after.id, None)
            self._mark(before.contact_id)
        self._documents.setdefault(after.contact_id, {})[after.id] = ENDPOINTS[type(after)]
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
        contact = self.must_have(Contact, document.contact_id)
        sales = document.type in (InvoiceType.ACCREC, CreditNoteType.ACCRECCREDIT)
        after = replace(contact, is_customer=True) if sales else replace(contact, is_supplier=True)
        if after == contact:
            return []
        return [replace(self.put(after, now_ms, stamp=False), silent=True)]
