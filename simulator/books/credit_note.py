"""Credit notes, receivable (ACCRECCREDIT) and payable (ACCPAYCREDIT)."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from simulator.books.amounts import RATE_ONE, Cents, Day
from simulator.books.document import Allocation, Attachment, LineItem, Payment, add_up
from simulator.books.words import DocumentStatus, LineAmountTypes, RuleError, check_move


class CreditNoteType(StrEnum):
    """Whose credit it is."""

    ACCRECCREDIT = "ACCRECCREDIT"
    ACCPAYCREDIT = "ACCPAYCREDIT"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditNote:
    """A credit note."""

    id: str
    type: CreditNoteType
    number: str
    reference: str
    contact_id: str
    date: Day
    status: DocumentStatus
    line_amount_types: LineAmountTypes
    lines: tuple[LineItem, ...]
    currency: str
    updated_ms: int
    sub_total: Cents = 0
    total_tax: Cents = 0
    total: Cents = 0
    currency_rate: int = RATE_ONE
    sent_to_contact: bool = False
    branding_theme_id: str | None = None
    payments: tuple[Payment, ...] = ()
    allocations: tuple[Allocation, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    fully_paid_on: Day | None = None
    overrides: dict[str, str] = field(default_factory=dict)

    @property
    def remaining_credit(self) -> Cents:
        """What can still be applied, or given back."""
        if self.status in (DocumentStatus.VOIDED, DocumentStatus.DELETED):
            return 0
        applied = sum(allocation.amount for allocation in self.allocations)
        return self.total - applied - sum(payment.amount for payment in self.payments)


def with_lines(note: CreditNote, lines: Sequence[LineItem]) -> CreditNote:
    """The credit note with other lines and the totals that follow.

    Raises:
        RuleError: lines of a credit note in use don't change.
    """
    if note.allocations or note.payments or note.status in (DocumentStatus.VOIDED, DocumentStatus.DELETED):
        raise RuleError("only a credit note that isn't applied or refunded can change its lines")
    totals = add_up(lines, note.line_amount_types)
    return replace(note, lines=tuple(lines), sub_total=totals.sub_total, total_tax=totals.total_tax, total=totals.total)


def move(note: CreditNote, to: DocumentStatus) -> CreditNote:
    """Submit, approve, void, delete or take back to draft.

    Raises:
        RuleError: Xero refuses that move.
    """
    check_move(note.status, to)
    if to is DocumentStatus.VOIDED and (note.allocations or note.payments):
        raise RuleError("a credit note that is applied or refunded can't be voided")
    return replace(note, status=to)


def allocate(note: CreditNote, allocation: Allocation) -> CreditNote:
    """Apply credit to an invoice; the last of it turns the credit note PAID.

    Raises:
        RuleError: it isn't approved, or the amount isn't between zero and what remains.
    """
    _can_spend(note, allocation.amount)
    return _spent(replace(note, allocations=(*note.allocations, allocation)), allocation.date)


def refund(note: CreditNote, payment: Payment) -> CreditNote:
    """Give credit back as money; the last of it turns the credit note PAID.

    Raises:
        RuleError: it isn't approved, or the amount isn't between zero and what remains.
    """
    _can_spend(note, payment.amount)
    return _spent(replace(note, payments=(*note.payments, payment)), payment.date)


def take_back(note: CreditNote, allocation_id: str) -> CreditNote:
    """Take an allocation back: its credit remains again.

    Raises:
        RuleError: the credit note has no such allocation.
    """
    kept = tuple(one for one in note.allocations if one.allocation_id != allocation_id)
    if len(kept) == len(note.allocations):
        raise RuleError(f"{note.number} has no allocation {allocation_id}")
    return replace(note, allocations=kept, status=DocumentStatus.AUTHORISED, fully_paid_on=None)


def take_refund_back(note: CreditNote, payment_id: str) -> CreditNote:
    """Take a refund back: its credit remains again.

    Raises:
        RuleError: the credit note has no such payment.
    """
    kept = tuple(one for one in note.payments if one.payment_id != payment_id)
    if len(kept) == len(note.payments):
        raise RuleError(f"{note.number} has no payment {payment_id}")
    return replace(note, payments=kept, status=DocumentStatus.AUTHORISED, fully_paid_on=None)


def _can_spend(note: CreditNote, amount: Cents) -> None:
    if note.status is not DocumentStatus.AUTHORISED:
        raise RuleError(f"a credit note that is {note.status} can't be applied or refunded")
    if not 0 < amount <= note.remaining_credit:
        raise RuleError(f"the amount must be above zero and at most what remains ({note.remaining_credit / 100:.2f})")


def _spent(note: CreditNote, day: Day) -> CreditNote:
    if note.remaining_credit:
        return note
    return replace(note, status=DocumentStatus.PAID, fully_paid_on=day)
