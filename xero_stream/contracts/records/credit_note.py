"""``CreditNote``: credit notes to customers and from suppliers, with lines, allocations and refunds."""

from enum import StrEnum
from typing import ClassVar

from xero_stream.contracts.records.common import (
    Allocation,
    ContactRef,
    Day,
    Direction,
    DocumentPayment,
    Id,
    Known,
    LineItem,
    Number,
    Record,
    TaxInclusion,
)


class CreditNoteStatus(StrEnum):
    """Where a credit note stands."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    AUTHORISED = "authorised"
    PAID = "paid"  # fully allocated or refunded
    VOIDED = "voided"
    DELETED = "deleted"


class CreditNote(Record):
    """A credit note to a customer (``receivable``) or from a supplier (``payable``)."""

    version: ClassVar[int] = 1

    type: Known[Direction] | None
    """``receivable`` or ``payable``; a type of Xero's we don't know in lower case, null where
    it can't be read."""
    status: Known[CreditNoteStatus] | None
    """The status; an unknown status of Xero's is passed on in lower case."""
    number: str | None
    """Credit note number."""
    reference: str | None
    """The customer's reference."""
    contact: ContactRef | None
    """Customer or supplier."""
    issue_date: Day | None
    """Date of the document."""
    due_date: Day | None
    """Due date, where Xero has one."""
    paid_on_date: Day | None
    """When it was fully allocated or refunded."""
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
    total: Number | None
    """Total with tax."""
    remaining_credit: Number | None
    """What is not yet allocated or refunded."""
    cis_deduction: Number | None
    """Deduction under the United Kingdom's Construction Industry Scheme."""
    cis_rate: Number | None
    """Rate of that deduction in percent."""
    line_items: tuple[LineItem, ...]
    """The lines, in the order of the document."""
    allocations: tuple[Allocation, ...]
    """Where the credit went, by date and id."""
    payments: tuple[DocumentPayment, ...]
    """Refunds, by date and id."""
    sent_to_contact: bool
    """Whether it is marked as sent."""
    has_attachments: bool
    """Whether files are attached."""
    branding_theme_id: Id | None
    """Branding theme it is printed with."""
