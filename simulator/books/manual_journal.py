"""Manual journals: what an accountant posts by hand. Their lines add up to nothing."""

from dataclasses import dataclass, field, replace
from enum import StrEnum

from simulator.books.amounts import Cents, Day
from simulator.books.document import Attachment, Tracking
from simulator.books.words import LineAmountTypes, RuleError


class ManualStatus(StrEnum):
    """Status of a manual journal. Source: published OpenAPI, ``ManualJournal.Status``."""

    DRAFT = "DRAFT"  # to POSTED, DELETED
    POSTED = "POSTED"  # to VOIDED
    DELETED = "DELETED"  # final
    VOIDED = "VOIDED"  # final


MOVES: dict[ManualStatus, frozenset[ManualStatus]] = {
    ManualStatus.DRAFT: frozenset({ManualStatus.POSTED, ManualStatus.DELETED}),
    ManualStatus.POSTED: frozenset({ManualStatus.VOIDED}),
    ManualStatus.DELETED: frozenset(),
    ManualStatus.VOIDED: frozenset(),
}
"""What a user may do to a manual journal's status."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualLine:
    """A line; debits are above zero."""

    account_code: str
    account_id: str
    amount: Cents
    description: str = ""
    tax_type: str = "NONE"
    tax_amount: Cents = 0
    tracking: tuple[Tracking, ...] = ()

    def net(self, types: LineAmountTypes) -> Cents:
        """What goes to the line's own account."""
        return self.amount - self.tax_amount if types is LineAmountTypes.INCLUSIVE else self.amount

    def gross(self, types: LineAmountTypes) -> Cents:
        """That and its tax."""
        return self.net(types) + self.tax_amount


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualJournal:
    """A manual journal."""

    id: str
    narration: str
    status: ManualStatus
    date: Day
    lines: tuple[ManualLine, ...]
    updated_ms: int
    line_amount_types: LineAmountTypes = LineAmountTypes.NO_TAX
    shows_on_cash_reports: bool = True
    attachments: tuple[Attachment, ...] = ()
    overrides: dict[str, str] = field(default_factory=dict)


def move(journal: ManualJournal, to: ManualStatus) -> ManualJournal:
    """Post, void or delete it.

    Raises:
        RuleError: Xero refuses that move, or the lines don't add up to nothing.
    """
    if to not in MOVES[journal.status]:
        raise RuleError(f"a manual journal that is {journal.status} can't become {to}")
    if to is ManualStatus.POSTED and sum(line.gross(journal.line_amount_types) for line in journal.lines) != 0:
        raise RuleError("the total debits must equal total credits")
    return replace(journal, status=to)
