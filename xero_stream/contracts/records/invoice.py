"""``Invoice``: sales invoices and bills, with lines, payments and credits applied."""

from enum import StrEnum
from typing import ClassVar

from xero_stream.contracts.records.common import (
    ContactRef,
    Day,
    Direction,
    DocumentPayment,
    Id,
    Known,
    LineItem,
    Number,
    Part,
    Record,
    TaxInclusion,
)


class InvoiceStatus(StrEnum):
    """Where an invoice stands."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    AUTHORISED = "authorised"
    PARTIALLY_PAID = "partially_paid"  # authorised, and something of it, but not all, is paid or credited
    PAID = "paid"
    VOIDED = "voided"
    DELETED = "deleted"


class AppliedCredit(Part):
    """A credit note, prepayment or overpayment applied to an invoice."""

    id: Id | None
    """Id of the credit note, prepayment or overpayment."""
    number: str | None
    """Its number; only credit notes have one."""
    date: Day | None
    """Its date."""
    amount: Number | None
    """How much of it is applied to this invoice."""


class Invoice(Record):
    """A sales invoice (``receivable``) or a bill (``payable``)."""

    version: ClassVar[int] = 1

    type: Known[Direction] | None
    """``receivable`` for a sales invoice, ``payable`` for a bill; a type of Xero's we don't know in lower case, null where it
    can't be read."""
    status: Known[InvoiceStatus] | None
    """The status; an unknown status of Xero's is passed on in lower case."""
    number: str | None
    """Invoice number: unique among sales invoices, not among bills."""
    reference: str | None
    """The customer's reference."""
    contact: ContactRef | None
    """Customer or supplier."""
    issue_date: Day | None
    """Date of the document."""
    due_date: Day | None
    """When it is due."""
    expected_payment_date: Day | None
    """When payment of a sales invoice is expected, if someone said so."""
    planned_payment_date: Day | None
    """When payment of a bill is planned, if someone said so."""
    paid_on_date: Day | None
    """When it was fully paid."""
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
    """Discounts of all lines; 0 when there is none."""
    total: Number | None
    """Total with tax, and with ``rounding_amount`` where that is known."""
    rounding_amount: Number | None
    """What the totals were rounded by, -0.10 to 0.10. Xero tells it in single reads only: null for none, and as long as the
    invoice has only been read in lists, whose totals are without it."""
    entered_total: Number | None
    """The total somebody entered, for the lines to be compared with. In single reads only, like ``rounding_amount``."""
    amount_paid: Number
    """Sum of the payments."""
    amount_credited: Number
    """Sum of credit notes, prepayments and overpayments applied."""
    amount_due: Number | None
    """What is still to be paid."""
    cis_deduction: Number | None
    """Deduction under the United Kingdom's Construction Industry Scheme."""
    cis_rate: Number | None
    """Rate of that deduction in percent."""
    line_items: tuple[LineItem, ...]
    """The lines, in the order of the document."""
    payments: tuple[DocumentPayment, ...]
    """Payments, by date and id."""
    credit_notes: tuple[AppliedCredit, ...]
    """Credit notes applied, by date and id."""
    prepayments: tuple[AppliedCredit, ...]
    """Prepayments applied, by date and id."""
    overpayments: tuple[AppliedCredit, ...]
    """Overpayments applied, by date and id."""
    sent_to_contact: bool
    """Whether it is marked as sent."""
    has_attachments: bool
    """Whether files are attached."""
    url: str | None
    """Link to a source document."""
    branding_theme_id: Id | None
    """Branding theme it is printed with."""
    repeating_invoice_id: Id | None
    """The repeating invoice it was made from."""
