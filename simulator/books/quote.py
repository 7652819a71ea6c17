"""Quotes. They post nothing, and their tax words are in capitals."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from simulator.books.amounts import RATE_ONE, Cents, Day
from simulator.books.document import Attachment, LineItem, add_up
from simulator.books.words import LineAmountTypes, RuleError


class QuoteStatus(StrEnum):
    """Status of a quote. Source: published OpenAPI, ``QuoteStatusCodes``."""

    DRAFT = "DRAFT"  # to SENT, DELETED
    SENT = "SENT"  # to ACCEPTED, DECLINED, DRAFT, DELETED
    DECLINED = "DECLINED"  # to DRAFT, DELETED
    ACCEPTED = "ACCEPTED"  # to INVOICED, DRAFT, DELETED
    INVOICED = "INVOICED"  # to DELETED
    DELETED = "DELETED"  # final


MOVES: dict[QuoteStatus, frozenset[QuoteStatus]] = {
    QuoteStatus.DRAFT: frozenset({QuoteStatus.SENT, QuoteStatus.DELETED}),
    QuoteStatus.SENT: frozenset({QuoteStatus.ACCEPTED, QuoteStatus.DECLINED, QuoteStatus.DRAFT, QuoteStatus.DELETED}),
    QuoteStatus.DECLINED: frozenset({QuoteStatus.DRAFT, QuoteStatus.DELETED}),
    QuoteStatus.ACCEPTED: frozenset({QuoteStatus.INVOICED, QuoteStatus.DRAFT, QuoteStatus.DELETED}),
    QuoteStatus.INVOICED: frozenset({QuoteStatus.DELETED}),
    QuoteStatus.DELETED: frozenset(),
}
"""What a user may do to a quote's status."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A quote."""

    id: str
    number: str
    status: QuoteStatus
    contact_id: str
    date: Day
    line_amount_types: LineAmountTypes
    lines: tuple[LineItem, ...]
    currency: str
    updated_ms: int
    expiry_date: Day | None = None
    title: str = ""
    summary: str = ""
    terms: str = ""
    reference: str = ""
    sub_total: Cents = 0
    total_tax: Cents = 0
    total: Cents = 0
    total_discount: Cents = 0
    currency_rate: int = RATE_ONE
    attachments: tuple[Attachment, ...] = ()
    overrides: dict[str, str] = field(default_factory=dict)


def with_lines(quote: Quote, lines: Sequence[LineItem]) -> Quote:
    """The quote with other lines and the totals that follow."""
    totals = add_up(lines, quote.line_amount_types)
    return replace(
        quote,
        lines=tuple(lines),
        sub_total=totals.sub_total,
        total_tax=totals.total_tax,
        total=totals.total,
        total_discount=totals.total_discount,
    )


def move(quote: Quote, to: QuoteStatus) -> Quote:
    """Change its status.

    Raises:
        RuleError: Xero refuses that move.
    """
    if to not in MOVES[quote.status]:
        raise RuleError(f"a quote that is {quote.status} can't become {to}")
    return replace(quote, status=to)
