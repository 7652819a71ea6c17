"""``PurchaseOrder``: orders to suppliers, with lines."""

from enum import StrEnum
from typing import ClassVar

from xero_stream.contracts.records.common import (
    ContactRef,
    Day,
    Id,
    Known,
    LineItem,
    Number,
    Part,
    Record,
    TaxInclusion,
)


class PurchaseOrderStatus(StrEnum):
    """Where a purchase order stands."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    AUTHORISED = "authorised"
    BILLED = "billed"  # a bill was made of it
    DELETED = "deleted"


class Delivery(Part):
    """Where the goods are to go."""

    address: str | None
    """Address, in lines as typed."""
    attention_to: str | None
    """Who takes the delivery."""
    telephone: str | None
    """Their telephone number."""
    instructions: str | None
    """What else the carrier should know."""


class PurchaseOrder(Record):
    """A purchase order."""

    version: ClassVar[int] = 1

    status: Known[PurchaseOrderStatus] | None
    """The status; an unknown status of Xero's is passed on in lower case."""
    number: str | None
    """Purchase order number."""
    reference: str | None
    """Further reference."""
    contact: ContactRef | None
    """The supplier."""
    issue_date: Day | None
    """Date of the document."""
    delivery_date: Day | None
    """When the goods are to be delivered."""
    expected_arrival_date: Day | None
    """When the goods are expected to arrive."""
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
    delivery: Delivery | None
    """Where the goods are to go."""
    sent_to_contact: bool
    """Whether it is marked as sent."""
    has_attachments: bool
    """Whether files are attached."""
    branding_theme_id: Id | None
    """Branding theme it is printed with."""
