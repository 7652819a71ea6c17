"""``RepeatingInvoice``: what invoices and bills are made from, again and again."""

from enum import StrEnum
from typing import ClassVar

from xero_stream.contracts.records.common import (
    ContactRef,
    Day,
    Direction,
    Id,
    Known,
    LineItem,
    Number,
    Part,
    Record,
    TaxInclusion,
)


class RepeatingInvoiceStatus(StrEnum):
    """Where a repeating invoice stands."""

    DRAFT = "draft"  # what it makes are drafts
    AUTHORISED = "authorised"  # what it makes is authorised
    DELETED = "deleted"


class ScheduleUnit(StrEnum):
    """What a schedule counts."""

    WEEKLY = "weekly"
    MONTHLY = "monthly"


class Schedule(Part):
    """When the next ones are made."""

    period: int | None
    """Every so many weeks or months."""
    unit: Known[ScheduleUnit] | None
    """Weeks or months."""
    start_date: Day | None
    """Date of the first one of the current schedule."""
    next_date: Day | None
    """Date of the next one."""
    end_date: Day | None
    """When it ends, if it does."""
    due_day: int | None
    """Number of days, or day of the month, as ``due_type`` says."""
    due_type: str | None
    """When they fall due: Xero's DueDateType in lower case, e.g. ``ofcurrentmonth``."""


class RepeatingInvoice(Record):
    """What sales invoices (``receivable``) or bills (``payable``) are made from. Xero gives it no ``updated_at``."""

    version: ClassVar[int] = 1

    type: Known[Direction] | None
    """``receivable`` for sales invoices, ``payable`` for bills; a type of Xero's we don't know in lower case, null where
    it can't be read."""
    status: Known[RepeatingInvoiceStatus] | None
    """The status; an unknown status of Xero's is passed on in lower case."""
    reference: str | None
    """Reference of the invoices it makes; may hold placeholders like ``[Week]``."""
    contact: ContactRef | None
    """Customer or supplier."""
    schedule: Schedule | None
    """When the next ones are made."""
    currency: str | None
    """ISO 4217 code."""
    tax_inclusion: Known[TaxInclusion] | None
    """How line amounts stand to tax."""
    sub_total: Number | None
    """Total without tax."""
    total_tax: Number | None
    """Tax."""
    total: Number | None
    """Total with tax."""
    line_items: tuple[LineItem, ...]
    """The lines, in the order of the document."""
    approved_for_sending: bool
    """Whether what it makes is mailed to the contact."""
    send_copy: bool
    """Whether the sender gets a copy."""
    mark_as_sent: bool
    """Whether what it makes is marked as sent."""
    include_pdf: bool
    """Whether the mail has the PDF attached."""
    has_attachments: bool
    """Whether files are attached."""
    branding_theme_id: Id | None
    """Branding theme the invoices are printed with."""
