"""Repeating invoices: templates with a schedule. They tell no date of change."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from simulator.books.amounts import Cents, Day
from simulator.books.document import Attachment, LineItem, add_up
from simulator.books.invoice import InvoiceType
from simulator.books.words import LineAmountTypes, RuleError

DUE_TYPES = frozenset(
    {
        "DAYSAFTERBILLDATE",
        "DAYSAFTERBILLMONTH",
        "DAYSAFTERINVOICEDATE",
        "DAYSAFTERINVOICEMONTH",
        "OFCURRENTMONTH",
        "OFFOLLOWINGMONTH",
    }
)
"""Source: published OpenAPI, ``Schedule.DueDateType``."""


class RepeatingStatus(StrEnum):
    """Status of a template. Source: published OpenAPI, ``RepeatingInvoice.Status``."""

    DRAFT = "DRAFT"  # to AUTHORISED, DELETED
    AUTHORISED = "AUTHORISED"  # to DELETED
    DELETED = "DELETED"  # final


MOVES: dict[RepeatingStatus, frozenset[RepeatingStatus]] = {
    RepeatingStatus.DRAFT: frozenset({RepeatingStatus.AUTHORISED, RepeatingStatus.DELETED}),
    RepeatingStatus.AUTHORISED: frozenset({RepeatingStatus.DELETED}),
    RepeatingStatus.DELETED: frozenset(),
}
"""What a user may do to a template's status."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When the next one is made, and when that is due."""

    period: int
    unit: str
    due_day: int
    due_type: str
    start: Day
    next: Day
    end: Day | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatingInvoice:
    """A template."""

    id: str
    type: InvoiceType
    status: RepeatingStatus
    contact_id: str
    schedule: Schedule
    line_amount_types: LineAmountTypes
    lines: tuple[LineItem, ...]
    currency: str
    updated_ms: int
    reference: str = ""
    sub_total: Cents = 0
    total_tax: Cents = 0
    total: Cents = 0
    attachments: tuple[Attachment, ...] = ()
    overrides: dict[str, str] = field(default_factory=dict)


def with_lines(template: RepeatingInvoice, lines: Sequence[LineItem]) -> RepeatingInvoice:
    """The template with other lines and the totals that follow."""
    totals = add_up(lines, template.line_amount_types)
    return replace(
        template, lines=tuple(lines), sub_total=totals.sub_total, total_tax=totals.total_tax, total=totals.total
    )


def move(template: RepeatingInvoice, to: RepeatingStatus) -> RepeatingInvoice:
    """Change its status.

    Raises:
        RuleError: Xero refuses that move.
    """
    if to not in MOVES[template.status]:
        raise RuleError(f"a template that is {template.status} can't become {to}")
    return replace(template, status=to)
