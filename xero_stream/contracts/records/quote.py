"""``Quote``: offers to customers, with lines."""

from enum import StrEnum
from typing import ClassVar

from xero_stream.contracts.records.common import ContactRef, Day, Id, Known, LineItem, Number, Record, TaxInclusion


class QuoteStatus(StrEnum):
    """Where a quote stands."""

    DRAFT = "draft"
    SENT = "sent"
    DECLINED = "declined"
    ACCEPTED = "accepted"
    INVOICED = "invoiced"  # an invoice was made of it
    DELETED = "deleted"


class Quote(Record):
    """A quote."""

    version: ClassVar[int] = 1

    status: Known[QuoteStatus] | None
    """The status; an unknown status of Xero's is passed on in lower case."""
    number: str | None
    """Quote number."""
    reference: str | None
    """Further reference."""
    contact: ContactRef | None
    """The customer."""
    issue_date: Day | None
    """Date of the document."""
    expiry_date: Day | None
    """Until when it stands."""
    currency: str | None
    """ISO 4217 code."""
    exchange_rate: Number | None
    """Units of ``currency`` per unit of the organisation's currency, up to ten decimals."""
    tax_inclusion: Known[TaxInclusion] | None
    """How line amounts stand to tax."""
    sub_total: Number | None
    """Total without tax."""
    total_tax: Number | None
    """Tax."""
    total_discount: Number
    """Discounts on the lines; 0 if there are none."""
    total: Number | None
    """Total with tax."""
    line_items: tuple[LineItem, ...]
    """The lines, in the order of the document."""
    title: str | None
    """Its title."""
    summary: str | None
    """Text above the lines."""
    terms: str | None
    """Terms, below the lines."""
    branding_theme_id: Id | None
    """Branding theme it is printed with."""
