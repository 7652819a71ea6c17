"""Random valid edits of an organisation. Pure but for the random source and the books, which are arguments.

By default only edits that leave a trace: every change of what Xero would answer moves a stamp and sends an event. The
silent ones (``rename``, ``touch_without_stamp``, ``restore``) have to be asked for.
"""

import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TypeVar

from simulator.books import credit_note as credit_notes
from simulator.books import invoice as invoices
from simulator.books.amounts import DAY_MS
from simulator.books.collection import Collection, Record
from simulator.books.contact import Contact
from simulator.books.credit_note import CreditNote, CreditNoteType
from simulator.books.document import Allocation, Payment
from simulator.books.invoice import Invoice, InvoiceType
from simulator.books.kinds import AnyRecord
from simulator.books.organisation import Change, Organisation
from simulator.books.words import ContactStatus, DocumentStatus, Endpoint, RuleError
from simulator.chance import draw_uuid
from simulator.edits.kinds import OTHER_WEIGHT, WEIGHTS, Edit, EditKind, Wish
from simulator.edits.others import OTHERS, At
from simulator.sample.records import (
    approved,
    contact_name,
    draw_contact,
    draw_credit_note,
    draw_invoice,
    draw_lines,
    draw_phone,
    rate_on_the_day,
)

R = TypeVar("R", bound=Record)
_TRIES = 40


def edit(source: random.Random, organisation: Organisation, wish: Wish, now_ms: int) -> Edit:
    """Make one edit.

    Args:
        source: where choices come from.
        now_ms: the time; the stamp of what changes.

    Raises:
        RuleError: nothing fits the wish.
    """
    options = _options(wish)
    if not options:
        raise RuleError("no such edit: that kind doesn't exist for that endpoint")
    reasons: list[str] = []
    while options:
        (chosen,) = source.choices(list(options), weights=list(options.values()))
        del options[chosen]
        try:
            return _Edit(source, organisation, wish, now_ms).make(*chosen)
        except RuleError as error:
            reasons.append(f"{chosen[1]} {chosen[0]}: {error}")
    raise RuleError("nothing to edit: " + "; ".join(reasons))


def _options(wish: Wish) -> dict[tuple[Endpoint, EditKind], float]:
    options: dict[tuple[Endpoint, EditKind], float] = {}
    others = OTHERS if wish.everything or wish.endpoint is not None else ()
    for (endpoint, kind), usual in {**WEIGHTS, **{one: OTHER_WEIGHT for one in others if one not in WEIGHTS}}.items():
        if wish.endpoint not in (None, endpoint) or wish.kind not in (None, kind):
            continue
        weight = usual if wish.weights is None else wish.weights.get(kind, 0)
        if wish.kind is not None:
            weight = max(weight, 1)
        if weight > 0:
            options[endpoint, kind] = weight
    return options


class _Edit:
    def __init__(self, source: random.Random, organisation: Organisation, wish: Wish, now_ms: int) -> None:
        self._source = source
        self._books = organisation
        self._wish = wish
        self._now_ms = now_ms

    def make(self, endpoint: Endpoint, kind: EditKind) -> Edit:
        if (endpoint, kind) in OTHERS:
            at = At(source=self._source, books=self._books, now_ms=self._now_ms, record_id=self._wish.record_id)
            return self._done(endpoint, kind, *OTHERS[endpoint, kind](at))
        match kind:
            case EditKind.CREATE:
                changes, what = self._create(endpoint)
            case EditKind.PAY:
                changes, what = self._pay()
            case EditKind.ALLOCATE:
                changes, what = self._allocate(endpoint)
            case EditKind.MERGE:
                changes, what = self._merge()
            case EditKind.SUBMIT | EditKind.APPROVE | EditKind.VOID | EditKind.DELETE:
                changes, what = self._move(endpoint, kind)
            case EditKind.ARCHIVE | EditKind.UNARCHIVE | EditKind.ERASE | EditKind.RENAME:
                changes, what = self._contact(kind)
            case EditKind.CHANGE | EditKind.TOUCH_WITHOUT_STAMP:
                changes, what = self._change(endpoint, stamp=kind is EditKind.CHANGE)
            case EditKind.RESTORE:
                changes, what = self._restore(endpoint)
            case EditKind.WITHDRAW | EditKind.LOCK:
                raise RuleError(f"{endpoint} have no such edit")
        return self._done(endpoint, kind, changes, what)

    def _done(self, endpoint: Endpoint, kind: EditKind, changes: tuple[Change, ...], what: str) -> Edit:
        subject = next((one for one in changes if one.endpoint is endpoint and not one.silent), changes[0])
        return Edit(endpoint=endpoint, kind=kind, record_id=subject.record.id, what=what, changes=changes)

    # -- finding something that fits ----------------------------------------------------------------------------------

    def _pick(self, shelf: Collection[R], fits: Callable[[R], bool], why: str) -> R:
        if self._wish.record_id is not None:
            record = shelf.get(self._wish.record_id)
            if record is None or not fits(record):
                raise RuleError(f"{self._wish.record_id} {'is no such record' if record is None else why}")
            return record
        return self._any(shelf, fits, why)

    def _any(self, shelf: Collection[R], fits: Callable[[R], bool], why: str) -> R:
        ids = shelf.ids
        for _ in range(_TRIES if ids else 0):
            record = shelf.get(self._source.choice(ids))
            if record is not None and fits(record):
                return record
        start = self._source.randrange(len(ids)) if ids else 0
        for record_id in (*ids[start:], *ids[:start]):
            record = shelf.get(record_id)
            if record is not None and fits(record):
                return record
        raise RuleError(f"no record {why.removeprefix('has ').removeprefix('is ')}")

    # -- kinds ----------------------------------------------------------------------------------------------------------

    def _create(self, endpoint: Endpoint) -> tuple[tuple[Change, ...], str]:
        source, books, now_ms = self._source, self._books, self._now_ms
        if endpoint is Endpoint.CONTACTS:
            contact = draw_contact(source, books.profile, place=len(books.contacts), now_ms=now_ms)
            return books.write(contact, now_ms), f"created {contact.name}"
        sales = source.random() < 0.65
        if self._wish.record_id is not None:
            buyer = self._pick(books.contacts, _active, "is not active")
        else:
            buyer = self._any(
                books.contacts,
                lambda one: _active(one) and (one.is_customer if sales else one.is_supplier),
                "is active",
            )
        document: AnyRecord
        if endpoint is Endpoint.INVOICES:
            side = InvoiceType.ACCREC if sales else InvoiceType.ACCPAY
            document = draw_invoice(source, books, buyer, side, now_ms=now_ms, number=books.next_number(side))
            document = approved(document) if source.random() < 0.6 else document
        else:
            credit = CreditNoteType.ACCRECCREDIT if sales else CreditNoteType.ACCPAYCREDIT
            document = draw_credit_note(source, books, buyer, credit, now_ms=now_ms, number=books.next_number(credit))
            if source.random() < 0.6:
                document = credit_notes.move(document, DocumentStatus.AUTHORISED)
        return books.write(document, now_ms), f"created {document.number} {document.status} for {buyer.name}"

    def _pay(self) -> tuple[tuple[Change, ...], str]:
        def payable(one: Invoice) -> bool:
            return one.status is DocumentStatus.AUTHORISED and one.amount_due > 0

        invoice = self._pick(self._books.invoices, payable, "has nothing to pay")
        due = invoice.amount_due
        amount = due if due < 100 or self._source.random() < 0.6 else self._source.randrange(1, due)
        payment_id = draw_uuid(self._source)
        payment = Payment(
            payment_id=payment_id,
            date=self._now_ms // DAY_MS,
            amount=amount,
            reference=f"Transfer {self._source.randrange(1000, 9999)}",
            currency_rate=rate_on_the_day(invoice.currency_rate, payment_id),
        )
        changes = self._books.pay(invoice.id, payment, self._now_ms)
        return changes, f"paid {amount / 100:.2f} of {due / 100:.2f} on {invoice.number}"

    def _allocate(self, endpoint: Endpoint) -> tuple[tuple[Change, ...], str]:
        books, fitting = self._books, self._fitting
        if endpoint is Endpoint.INVOICES:
            invoice = self._pick(books.invoices, lambda one: _owing(one) and any(fitting(one)), "has no credit to take")
            note = next(iter(fitting(invoice)))
        else:
            note = self._pick(
                books.credit_notes, lambda one: _spendable(one) and any(self._takers(one)), "has no invoice to go to"
            )
            invoice = next(iter(self._takers(note)))
        amount = min(note.remaining_credit, invoice.amount_due)
        allocation = Allocation(
            allocation_id=draw_uuid(self._source),
            invoice_id=invoice.id,
            credit_note_id=note.id,
            amount=amount,
            date=self._now_ms // DAY_MS,
        )
        changes = books.allocate(allocation, self._now_ms)
        return changes, f"applied {amount / 100:.2f} of {note.number} to {invoice.number}"

    def _fitting(self, invoice: Invoice) -> Iterable[CreditNote]:
        for document in self._books.documents_of(invoice.contact_id):
            if isinstance(document, CreditNote) and _spendable(document) and _together(document, invoice):
                yield document

    def _takers(self, note: CreditNote) -> Iterable[Invoice]:
        for document in self._books.documents_of(note.contact_id):
            if isinstance(document, Invoice) and _owing(document) and _together(note, document):
                yield document

    def _merge(self) -> tuple[tuple[Change, ...], str]:
        books = self._books
        few = len(books.invoices) // max(len(books.contacts), 1) + 2
        contact = self._pick(
            books.contacts,
            lambda one: _active(one) and (self._wish.record_id is not None or len(books.documents_of(one.id)) <= few),
            "is not active",
        )
        target = self._any(books.contacts, lambda one: _active(one) and one.id != contact.id, "is active beside it")
        return books.merge(contact.id, target.id, self._now_ms), f"merged {contact.name} into {target.name}"

    def _move(self, endpoint: Endpoint, kind: EditKind) -> tuple[tuple[Change, ...], str]:
        to = {
            EditKind.SUBMIT: DocumentStatus.SUBMITTED,
            EditKind.APPROVE: DocumentStatus.AUTHORISED,
            EditKind.VOID: DocumentStatus.VOIDED,
            EditKind.DELETE: DocumentStatus.DELETED,
        }[kind]
        document: Invoice | CreditNote
        if endpoint is Endpoint.INVOICES:
            document = self._pick(self._books.invoices, lambda one: _movable(one, to), f"can't become {to}")
        else:
            document = self._pick(self._books.credit_notes, lambda one: _movable(one, to), f"can't become {to}")
        changes = self._books.move(endpoint, document.id, to, self._now_ms)
        return changes, f"{document.number}: {document.status} to {to}"

    def _contact(self, kind: EditKind) -> tuple[tuple[Change, ...], str]:
        books, now_ms = self._books, self._now_ms
        if kind is EditKind.UNARCHIVE:
            archived = self._pick(books.contacts, _archived, "is not archived")
            return books.unarchive(archived.id, now_ms), f"brought {archived.name} back"
        contact = self._pick(books.contacts, _active, "is not active")
        if kind is EditKind.ARCHIVE:
            return books.archive(contact.id, now_ms), f"archived {contact.name}"
        if kind is EditKind.ERASE:
            return books.erase(contact.id, now_ms), f"erased the details of {contact.name}"
        name = f"{contact_name(self._source.randrange(len(books.contacts)))} & Co {self._source.randrange(1000)}"
        return books.write(replace(contact, name=name), now_ms), f"renamed {contact.name} to {name}"

    def _change(self, endpoint: Endpoint, *, stamp: bool) -> tuple[tuple[Change, ...], str]:
        stamp = stamp if self._wish.stamp is None else self._wish.stamp
        books = self._books
        after: AnyRecord
        match endpoint:
            case Endpoint.INVOICES:
                invoice = self._pick(books.invoices, _counts, "is gone")
                after, what = self._changed_invoice(invoice, keep_amounts=not stamp)
            case Endpoint.CREDIT_NOTES:
                note = self._pick(books.credit_notes, _counts, "is gone")
                after, what = self._changed_note(note)
            case Endpoint.CONTACTS:
                contact = self._pick(books.contacts, _active, "is not active")
                after, what = self._changed_contact(contact)
            case _:
                raise RuleError(f"{endpoint} have no such edit")
        return books.write(after, self._now_ms, stamp=stamp), what if stamp else f"{what}, without a stamp"

    def _changed_invoice(self, invoice: Invoice, *, keep_amounts: bool) -> tuple[Invoice, str]:
        source = self._source
        free = not (invoice.payments or invoice.allocations or keep_amounts)
        if free and source.random() < 0.5:
            sales = invoice.type is InvoiceType.ACCREC
            lines = draw_lines(source, self._books.profile, invoice.line_amount_types, sales=sales)
            after = invoices.with_lines(invoice, lines)
            return after, f"{invoice.number}: lines changed, total {invoice.total / 100:.2f} to {after.total / 100:.2f}"
        if invoice.type is InvoiceType.ACCREC and source.random() < 0.5:
            reference = _other(invoice.reference, lambda: f"PO {source.randrange(1000, 9999)}")
            return replace(invoice, reference=reference), f"{invoice.number}: reference {reference}"
        after = replace(invoice, due_date=invoice.due_date + source.randrange(1, 15))
        return after, f"{invoice.number}: due {after.due_date - invoice.due_date} days later"

    def _changed_note(self, note: CreditNote) -> tuple[CreditNote, str]:
        source = self._source
        reference = _other(note.reference, lambda: f"Return {source.randrange(100, 9999)}")
        return replace(note, reference=reference), f"{note.number}: reference {reference}"

    def _changed_contact(self, contact: Contact) -> tuple[Contact, str]:
        source = self._source
        if source.random() < 0.5:
            host = contact.email.partition("@")[2] or "mail.example"
            email = _other(contact.email, lambda: f"accounts{source.randrange(100)}@{host}")
            return replace(contact, email=email), f"{contact.name}: email {email}"
        phone = draw_phone(source)
        others = tuple(one for one in contact.phones if one.type != phone.type)
        number = _other(contact.account_number or "", lambda: str(source.randrange(10_000, 99_999)))
        return replace(contact, phones=(*others, phone), account_number=number), f"{contact.name}: phone {phone.number}"

    def _restore(self, endpoint: Endpoint) -> tuple[tuple[Change, ...], str]:
        earlier: AnyRecord = self._earlier(self._books.shelf(endpoint))
        changes = self._books.write(earlier, self._now_ms, stamp=bool(self._wish.stamp))
        return changes, f"{earlier.id} as it was before"

    def _earlier(self, shelf: Collection[R]) -> R:
        def before(record: R) -> R | None:
            return next((one for one in shelf.earlier(record.id) if one != record and _same_effect(one, record)), None)

        record = self._pick(shelf, lambda one: before(one) is not None, "has no earlier content to go back to")
        found = before(record)
        assert found is not None
        return found


def _other(current: str, draw: Callable[[], str]) -> str:
    value = draw()
    return value if value != current else draw() + "-2"


def _active(contact: Contact) -> bool:
    return contact.status is ContactStatus.ACTIVE


def _archived(contact: Contact) -> bool:
    return contact.status is ContactStatus.ARCHIVED and contact.merged_to is None


def _counts(document: Invoice | CreditNote) -> bool:
    return document.status not in (DocumentStatus.VOIDED, DocumentStatus.DELETED)


def _owing(invoice: Invoice) -> bool:
    return invoice.status is DocumentStatus.AUTHORISED and invoice.amount_due > 0


def _spendable(note: CreditNote) -> bool:
    return note.status is DocumentStatus.AUTHORISED and note.remaining_credit > 0


def _together(note: CreditNote, invoice: Invoice) -> bool:
    same_side = (note.type is CreditNoteType.ACCRECCREDIT) == (invoice.type is InvoiceType.ACCREC)
    return same_side and note.currency == invoice.currency


def _movable(document: Invoice | CreditNote, to: DocumentStatus) -> bool:
    try:
        if isinstance(document, Invoice):
            invoices.move(document, to)
        else:
            credit_notes.move(document, to)
    except RuleError:
        return False
    return True


def _same_effect(one: Record, other: Record) -> bool:
    """Whether swapping the two leaves all other records right."""
    if isinstance(one, Contact) and isinstance(other, Contact):
        return (one.status, one.merged_to, one.name) == (other.status, other.merged_to, other.name)
    if isinstance(one, Invoice) and isinstance(other, Invoice):
        return _effect(one) == _effect(other)
    return isinstance(one, CreditNote) and isinstance(other, CreditNote) and _effect(one) == _effect(other)


def _effect(document: Invoice | CreditNote) -> tuple[object, ...]:
    money = document.allocations, document.payments
    return document.status, document.total, money, document.contact_id, document.number
