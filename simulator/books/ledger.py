"""The general ledger: which journals a record has, and what follows when it changes. Pure.

A journal is permanent. What changes a posting writes two more: the old one with its signs turned, and the new one.
Amounts are in the organisation's own currency; the control account takes what rounding leaves, so debits equal credits.
"""

import bisect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from simulator.books import chart
from simulator.books.amounts import Cents, Day, in_base
from simulator.books.bank_transaction import BankTransaction
from simulator.books.bank_transfer import BankTransfer
from simulator.books.collection import Collection
from simulator.books.credit_note import CreditNote, CreditNoteType
from simulator.books.document import Allocation, LineItem
from simulator.books.invoice import Invoice, InvoiceType
from simulator.books.journal import Journal, JournalLine
from simulator.books.kinds import AnyRecord
from simulator.books.manual_journal import ManualJournal, ManualStatus
from simulator.books.overpayment import Overpayment
from simulator.books.payment import PaymentRecord, PaymentType
from simulator.books.prepayment import Prepayment
from simulator.books.profile import derived_id
from simulator.books.words import CreditStatus, DocumentStatus, LineAmountTypes, Standing

CASH = frozenset(
    {
        *("ACCRECPAYMENT", "ACCPAYPAYMENT", "ARCREDITPAYMENT", "APCREDITPAYMENT"),
        *("CASHREC", "CASHPAID", "TRANSFER", "MANJOURNAL"),
    }
)
"""Source types that ``paymentsOnly=true`` leaves: where money moved."""

_REFUNDS = {
    PaymentType.ARPREPAYMENTPAYMENT: "ARPREPAYMENT",
    PaymentType.APPREPAYMENTPAYMENT: "APPREPAYMENT",
    PaymentType.AROVERPAYMENTPAYMENT: "AROVERPAYMENT",
    PaymentType.APOVERPAYMENTPAYMENT: "APOVERPAYMENT",
}
"""Money on account given back: journals have no source type of its own (unconfirmed that it is the one of its making)."""

_ON_ACCOUNT = (DocumentStatus.AUTHORISED, DocumentStatus.PAID)
Accounts = Mapping[str, str]
"""Account code → id, for the accounts that the books themselves post to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """One journal a record should have; a reference that changes posts nothing again."""

    source_type: str
    date: Day
    lines: tuple[JournalLine, ...]
    reference: str = field(default="", compare=False)


def postings(record: Any, accounts: Accounts) -> dict[str, Posting]:
    """The journals that a record has as it is, by a word for what each is about.

    Args:
        record: any record, or None.
        accounts: code → id.
    """
    post = _POSTS.get(type(record))
    return post(record, accounts) if post is not None else {}


def _invoice(invoice: Invoice, accounts: Accounts) -> dict[str, Posting]:
    if invoice.status not in _ON_ACCOUNT:
        return {}
    sales = invoice.type is InvoiceType.ACCREC
    control = accounts[chart.RECEIVABLE if sales else chart.PAYABLE]
    return {"": _lines(invoice, invoice.type, control, -1 if sales else 1, accounts)}


def _credit_note(note: CreditNote, accounts: Accounts) -> dict[str, Posting]:
    if note.status not in _ON_ACCOUNT:
        return {}
    sales = note.type is CreditNoteType.ACCRECCREDIT
    control = accounts[chart.RECEIVABLE if sales else chart.PAYABLE]
    posted = {"": _lines(note, note.type, control, 1 if sales else -1, accounts)}
    return posted | _gains(note, note.type, control, 1 if sales else -1, accounts)


def _bank_transaction(transaction: BankTransaction, accounts: Accounts) -> dict[str, Posting]:
    """Transfers and money on account post by their own records."""
    if transaction.status is Standing.DELETED or "-" in transaction.type:
        return {}
    receives = transaction.type.receives
    kind = "CASHREC" if receives else "CASHPAID"
    return {"": _lines(transaction, kind, transaction.account_id, -1 if receives else 1, accounts)}


def _overpayment(overpayment: Overpayment, accounts: Accounts) -> dict[str, Posting]:
    if overpayment.status is CreditStatus.VOIDED:
        return {}
    control = accounts[chart.RECEIVABLE if overpayment.receives else chart.PAYABLE]
    amount = in_base(overpayment.total, overpayment.currency_rate) * (1 if overpayment.receives else -1)
    kind = "AROVERPAYMENT" if overpayment.receives else "APOVERPAYMENT"
    lines = (JournalLine(account_id=overpayment.account_id, net=amount), JournalLine(account_id=control, net=-amount))
    posted = {"": Posting(source_type=kind, date=overpayment.date, lines=lines, reference=overpayment.reference)}
    return posted | _gains(overpayment, kind, control, 1 if overpayment.receives else -1, accounts)


def _gains(
    credit: CreditNote | Overpayment, kind: str, control: str, sign: int, accounts: Accounts
) -> dict[str, Posting]:
    """What an allocation leaves on the control account, where the invoice has another rate than the credit."""
    found: dict[str, Posting] = {}
    for allocation in credit.allocations:
        loss = sign * _loss(allocation, credit.currency_rate)
        if loss:
            lines = (JournalLine(account_id=control, net=-loss), *_realised(loss, accounts))
            found[allocation.allocation_id] = Posting(source_type=kind, date=allocation.date, lines=lines)
    return found


def _loss(allocation: Allocation, rate: int) -> Cents:
    """How much more the invoice was posted with than the credit that settles it."""
    return in_base(allocation.amount, allocation.invoice_rate or rate) - in_base(allocation.amount, rate)


def _realised(loss: Cents, accounts: Accounts) -> tuple[JournalLine, ...]:
    """A loss (a gain below zero) on its account, if there is any."""
    return (JournalLine(account_id=accounts[chart.REALISED], net=loss),) if loss else ()


def _prepayment(prepayment: Prepayment, accounts: Accounts) -> dict[str, Posting]:
    """Received: the bank against the lines' accounts; each allocation moves its part on to the control account."""
    if prepayment.status is CreditStatus.VOIDED:
        return {}
    receives = prepayment.receives
    kind = "ARPREPAYMENT" if receives else "APPREPAYMENT"
    found = {"": _lines(prepayment, kind, prepayment.account_id, -1 if receives else 1, accounts)}
    control = accounts[chart.RECEIVABLE if receives else chart.PAYABLE]
    held = prepayment.lines[0].account_id
    for allocation in prepayment.allocations:
        sign = 1 if receives else -1
        amount = in_base(allocation.amount, prepayment.currency_rate) * sign
        loss = sign * _loss(allocation, prepayment.currency_rate)
        lines = (
            JournalLine(account_id=held, net=amount),
            JournalLine(account_id=control, net=-amount - loss),
            *_realised(loss, accounts),
        )
        found[allocation.allocation_id] = Posting(source_type=kind, date=allocation.date, lines=lines)
    return found


def _payment(payment: PaymentRecord, accounts: Accounts) -> dict[str, Posting]:
    if payment.status is Standing.DELETED:
        return {}
    sign = 1 if payment.type.receives else -1
    amount, posted = (sign * in_base(payment.amount, rate) for rate in (payment.currency_rate, payment.document_rate))
    held = payment.held_id or accounts[chart.RECEIVABLE if payment.type.sales else chart.PAYABLE]
    lines = (
        JournalLine(account_id=payment.account_id, net=amount),
        JournalLine(account_id=held, net=-posted),
        *_realised(posted - amount, accounts),
    )
    kind = _REFUNDS.get(payment.type, payment.type.value)
    return {"": Posting(source_type=kind, date=payment.date, lines=lines, reference=payment.reference)}


def _bank_transfer(transfer: BankTransfer, accounts: Accounts) -> dict[str, Posting]:
    del accounts
    if transfer.status is Standing.DELETED:
        return {}
    lines = (
        JournalLine(account_id=transfer.to_account_id, net=transfer.amount, tracking=transfer.to_tracking),
        JournalLine(account_id=transfer.from_account_id, net=-transfer.amount, tracking=transfer.from_tracking),
    )
    return {"": Posting(source_type="TRANSFER", date=transfer.date, lines=lines, reference=transfer.reference)}


def _manual_journal(journal: ManualJournal, accounts: Accounts) -> dict[str, Posting]:
    if journal.status is not ManualStatus.POSTED:
        return {}
    lines = [
        JournalLine(
            account_id=line.account_id,
            net=line.net(journal.line_amount_types),
            tax=line.tax_amount,
            tax_type=line.tax_type,
            description=line.description,
            tracking=line.tracking,
        )
        for line in journal.lines
    ]
    tax = sum(line.tax for line in lines)
    if tax:
        lines.append(JournalLine(account_id=accounts[chart.TAX], net=tax))
    return {"": Posting(source_type="MANJOURNAL", date=journal.date, lines=tuple(lines), reference=journal.narration)}


_POSTS: dict[type[AnyRecord], Callable[[Any, Accounts], dict[str, Posting]]] = {
    Invoice: _invoice,
    CreditNote: _credit_note,
    BankTransaction: _bank_transaction,
    Overpayment: _overpayment,
    Prepayment: _prepayment,
    PaymentRecord: _payment,
    BankTransfer: _bank_transfer,
    ManualJournal: _manual_journal,
}


def _lines(record: Any, source_type: str, control: str, sign: int, accounts: Accounts) -> Posting:
    """A document's lines on their accounts, the tax on its own, and all of it on the control account."""
    rate, types = record.currency_rate, record.line_amount_types
    lines = [_line(line, sign, rate, types) for line in record.lines if not line.is_text]
    tax = sum(line.tax for line in lines)
    if tax:
        lines.append(JournalLine(account_id=accounts[chart.TAX], net=tax))
    total = -sum(line.net for line in lines)
    return Posting(
        source_type=source_type,
        date=record.date,
        lines=(JournalLine(account_id=control, net=total), *lines),
        reference=record.reference,
    )


def _line(line: LineItem, sign: int, rate: int, types: LineAmountTypes) -> JournalLine:
    net = line.line_amount - line.tax_amount if types is LineAmountTypes.INCLUSIVE else line.line_amount
    return JournalLine(
        account_id=line.account_id,
        net=sign * in_base(net + line.unrecovered, rate),
        tax=sign * in_base(line.tax_amount - line.unrecovered, rate),
        tax_type="NONE" if types is LineAmountTypes.NO_TAX else line.tax_type,
        description=line.description,
        tracking=line.tracking,
    )


class Ledger:
    """All journals of an organisation, by number."""

    def __init__(self, tenant_id: str, accounts: Accounts) -> None:
        self.shelf: Collection[Journal] = Collection()
        self.accounts = accounts
        self._tenant_id = tenant_id
        self._by_number: list[Journal] = []

    def restore(self, journals: Iterable[Journal]) -> None:
        """Take over journals that were kept."""
        self._by_number = sorted(journals, key=lambda journal: journal.number)
        self.shelf = Collection(self._by_number)

    def open(self, records: Iterable[AnyRecord]) -> None:
        """Post records that were there before the ledger, in the order of their stamps."""
        self._by_number = []
        for record in sorted(records, key=lambda one: (one.updated_ms, one.id)):
            for posting in postings(record, self.accounts).values():
                self._next(posting, record.id, record.updated_ms)
        self.shelf = Collection(self._by_number)

    def follow(self, before: AnyRecord | None, after: AnyRecord | None, now_ms: int) -> list[Journal]:
        """Write what a change posts: reversals of what is no longer so, and what is new."""
        record = after if after is not None else before
        if type(record) not in _POSTS:
            return []
        assert record is not None
        old, new = postings(before, self.accounts), postings(after, self.accounts)
        written = [
            self._next(_reversed(posting), record.id, now_ms) for key, posting in old.items() if new.get(key) != posting
        ]
        written += [self._next(posting, record.id, now_ms) for key, posting in new.items() if old.get(key) != posting]
        for journal in written:
            self.shelf.put(journal, now_ms)
        return written

    def _next(self, posting: Posting, source_id: str, now_ms: int) -> Journal:
        last = self._by_number[-1].number if self._by_number else 0
        journal_id = derived_id(self._tenant_id, "journal", str(last))
        gap = 1 + (int(journal_id[0], 16) == 0) * 7  # one number in sixteen is followed by a gap, as in Xero
        journal = Journal(
            id=journal_id,
            number=last + gap,
            date=posting.date,
            updated_ms=now_ms,
            source_id=source_id,
            source_type=posting.source_type,
            lines=posting.lines,
            reference=posting.reference,
        )
        self._by_number.append(journal)
        return journal

    def by_number(self, number: int) -> Journal | None:
        """The journal of that number."""
        place = bisect.bisect_left(self._by_number, number, key=lambda journal: journal.number)
        found = self._by_number[place : place + 1]
        return found[0] if found and found[0].number == number else None

    def after(self, offset: int) -> Sequence[Journal]:
        """Journals with a number above ``offset``, lowest first."""
        return self._by_number[bisect.bisect_right(self._by_number, offset, key=lambda journal: journal.number) :]

    def balances(self, until: Day, since: Day | None = None) -> dict[str, Cents]:
        """Account id → debits less credits of journals dated up to ``until`` (and from ``since`` on)."""
        sums: dict[str, Cents] = {}
        for journal in self._by_number:
            if journal.date <= until and (since is None or journal.date >= since):
                for line in journal.lines:
                    sums[line.account_id] = sums.get(line.account_id, 0) + line.net
        return sums


def _reversed(posting: Posting) -> Posting:
    return replace(posting, lines=tuple(replace(line, net=-line.net, tax=-line.tax) for line in posting.lines))
