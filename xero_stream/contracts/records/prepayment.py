"""``Prepayment``: money paid before there is an invoice, with lines, allocations and refunds."""

from enum import StrEnum
from typing import ClassVar

from xero_stream.contracts.records.common import (
    Allocation,
    ContactRef,
    Day,
    Direction,
    DocumentPayment,
    Known,
    LineItem,
    Number,
    Record,
    TaxInclusion,
)


class PrepaymentStatus(StrEnum):
    """Where a prepayment stands."""

    AUTHORISED = "authorised"
    PAID = "paid"  # fully allocated or refunded
    VOIDED = "voided"


# Shares no base with Overpayment: a base's fields come first, and `number` has its place among them in what is published.
class Prepayment(Record):
    """A prepayment from a customer (``receivable``) or to a supplier (``payable``)."""

    version: ClassVar[int] = 1

    type: Known[Direction] | None
    """``receivable`` or ``payable``; a type of Xero's we don't know in lower case."""
    status: Known[PrepaymentStatus] | None
    """The status; an unknown status of Xero's is passed on in lower case."""
    number: str | None
    """Its number, where it was received with a document."""
    reference: str | None
    """What Xero shows as its reference: the number, of received and spent ones."""
    contact: ContactRef | None
    """Customer or supplier."""
    date: Day | None
    """When it was paid."""
    currency: str | None
    """ISO 4217 code."""
    exchange_rate: Number | None
    """Units of ``currency`` per unit of the organisation's currency, up to ten decimals; null where it is 1."""
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
    line_items: tuple[LineItem, ...]
    """The lines, in the order of the document."""
    allocations: tuple[Allocation, ...]
    """Where the credit went, by date and id."""
    payments: tuple[DocumentPayment, ...]
    """Refunds, by date and id."""
    has_attachments: bool
    """Whether files are attached."""
