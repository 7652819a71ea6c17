"""Credit notes, receivable (ACCRECCREDIT) and payable (ACCPAYCREDIT)."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from simulator.books.amounts import RATE_ONE, Cents, Day
from simulator.books.document import Allocation, Attachment, LineItem, add_up
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
    allocations: tuple[Allocation, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    fully_paid_on: Day | None = None
    overrides: dict[str, str] = field(default_factory=dict)

    @property
    def remaining_credit(self) -> Cents:
        """What can still be applied."""
        if self.status in (DocumentStatus.VOIDED, DocumentStatus.DELETED):
            return 0
        return self.total - sum(allocation.amount for allocation in self.allocations)


def with_lines(note: CreditNote, lines: Sequence[LineItem]) -> CreditNote:
    """The credit note with other lines and the totals that follow.

    Raises:
        RuleError: lines of a credit note in use don't change.
    """
    if note.allocations or note.status in (DocumentStatus.VOIDED, DocumentStatus.DELETED):
        raise RuleError("only a credit note that isn't applied can change its lines")
    totals = add_up(lines, note.line_amount_types)
    return replace(note, lines=tuple(lines), sub_total=totals.sub_total, total_tax=totals.total_tax, total=totals.total)


def move(note: CreditNote, to: DocumentStatus) -> CreditNote:
    """Submit, approve, void, delete or take back to draft.

    Raises:
        RuleError: Xero refuses that move.
    """
    check_move(note.status, to)
    if to is DocumentStatus.VOIDED and note.allocations:
        raise RuleError("a credit note that is applied can't be voided")
    return replace(note, status=to)


def allocate(note: CreditNote, allocation: Allocation) -> CreditNote:
    """Apply credit to an invoice; the last of it turns the credit note PAID.

    Raises:
        RuleError: it isn't approved, or the amount isn't between zero and what remains.
    """
    if note.status is not DocumentStatus.AUTHORISED:
        raise RuleError(f"a credit note that is {note.status} can't be applied")
    if not 0 < allocation.amount <= note.remaining_credit:
        raise RuleError(f"the amount must be above zero and at most what remains ({note.remaining_credit / 100:.2f})")
    after = replace(note, allocations=(*note.allocations, allocation))
    if after.remaining_credit:
        return after
    return replace(after, status=DocumentStatus.PAID, fully_paid_on=allocation.date)


def take_back(note: CreditNote, allocation_id: str) -> CreditNote:
    """Take an allocation back: its credit remains again.

    Raises:
        RuleError: the credit note has no such allocation.
    """
    kept = tuple(one for one in note.allocations if one.allocation_id != allocation_id)
    if len(kept) == len(note.allocations):
        raise RuleError(f"{note.number} has no allocation {allocation_id}")
    return replace(note, allocations=kept, status=DocumentStatus.AUTHORISED, fully_paid_on=None)
