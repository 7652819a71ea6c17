"""Invoices: sales (ACCREC) and bills (ACCPAY). Each function answers the invoice as it is afterwards, or refuses."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from simulator.books.amounts import RATE_ONE, Cents, Day
from simulator.books.document import Allocation, Attachment, LineItem, Payment, add_up
from simulator.books.words import DocumentStatus, LineAmountTypes, RuleError, check_move


class InvoiceType(StrEnum):
    """Who owes whom."""

    ACCREC = "ACCREC"
    ACCPAY = "ACCPAY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """A sales invoice or a bill.

    Attributes:
        rounding: what Xero shows its totals rounded by; the books go on without it.
        entered_total: the total somebody entered.
        created_by: the app that made it, None: a user did.
    """

    id: str
    type: InvoiceType
    number: str
    reference: str
    contact_id: str
    date: Day
    due_date: Day
    status: DocumentStatus
    line_amount_types: LineAmountTypes
    lines: tuple[LineItem, ...]
    currency: str
    updated_ms: int
    sub_total: Cents = 0
    total_tax: Cents = 0
    total: Cents = 0
    total_discount: Cents = 0
    rounding: Cents = 0
    entered_total: Cents | None = None
    currency_rate: int = RATE_ONE
    sent_to_contact: bool = False
    branding_theme_id: str | None = None
    payments: tuple[Payment, ...] = ()
    allocations: tuple[Allocation, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    fully_paid_on: Day | None = None
    created_by: str | None = None
    overrides: dict[str, str] = field(default_factory=dict)

    @property
    def amount_paid(self) -> Cents:
        """What payments have covered."""
        return sum(payment.amount for payment in self.payments)

    @property
    def amount_credited(self) -> Cents:
        """What credit notes have covered."""
        return sum(allocation.amount for allocation in self.allocations)

    @property
    def amount_due(self) -> Cents:
        """What is left to pay; nothing on a document that no longer counts."""
        if self.status in (DocumentStatus.VOIDED, DocumentStatus.DELETED):
            return 0
        return self.total - self.amount_paid - self.amount_credited


def with_lines(invoice: Invoice, lines: Sequence[LineItem]) -> Invoice:
    """The invoice with other lines and the totals that follow.

    Raises:
        RuleError: lines of an approved invoice with money on it don't change.
    """
    if invoice.payments or invoice.allocations or invoice.status in (DocumentStatus.VOIDED, DocumentStatus.DELETED):
        raise RuleError("only an invoice without payments or credit can change its lines")
    totals = add_up(lines, invoice.line_amount_types)
    return replace(
        invoice,
        lines=tuple(lines),
        sub_total=totals.sub_total,
        total_tax=totals.total_tax,
        total=totals.total,
        total_discount=totals.total_discount,
    )


def move(invoice: Invoice, to: DocumentStatus) -> Invoice:
    """Submit, approve, void, delete or take back to draft.

    Raises:
        RuleError: Xero refuses that move.
    """
    check_move(invoice.status, to)
    if to is DocumentStatus.VOIDED and (invoice.payments or invoice.allocations):
        raise RuleError("an invoice with payments or credit can't be voided")
    return replace(invoice, status=to)


def pay(invoice: Invoice, payment: Payment) -> Invoice:
    """Apply a payment; the last one turns the invoice PAID.

    Raises:
        RuleError: the invoice isn't approved, or the amount isn't between zero and what is due.
    """
    _can_settle(invoice, payment.amount)
    return _settled(replace(invoice, payments=(*invoice.payments, payment)), payment.date)


def apply_credit(invoice: Invoice, allocation: Allocation) -> Invoice:
    """Apply credit of a credit note; the last one turns the invoice PAID.

    Raises:
        RuleError: the invoice isn't approved, or the amount isn't between zero and what is due.
    """
    _can_settle(invoice, allocation.amount)
    return _settled(replace(invoice, allocations=(*invoice.allocations, allocation)), allocation.date)


def unpay(invoice: Invoice, payment_id: str) -> Invoice:
    """Take a payment back: what it covered is due again.

    Raises:
        RuleError: the invoice has no such payment.
    """
    kept = tuple(payment for payment in invoice.payments if payment.payment_id != payment_id)
    if len(kept) == len(invoice.payments):
        raise RuleError(f"{invoice.number} has no payment {payment_id}")
    return replace(invoice, payments=kept, status=DocumentStatus.AUTHORISED, fully_paid_on=None)


def take_credit_back(invoice: Invoice, allocation_id: str) -> Invoice:
    """Take an allocation back: what it covered is due again.

    Raises:
        RuleError: the invoice has no such allocation.
    """
    kept = tuple(one for one in invoice.allocations if one.allocation_id != allocation_id)
    if len(kept) == len(invoice.allocations):
        raise RuleError(f"{invoice.number} has no allocation {allocation_id}")
    return replace(invoice, allocations=kept, status=DocumentStatus.AUTHORISED, fully_paid_on=None)


def _can_settle(invoice: Invoice, amount: Cents) -> None:
    if invoice.status is not DocumentStatus.AUTHORISED:
        raise RuleError(f"an invoice that is {invoice.status} takes no payment or credit")
    if not 0 < amount <= invoice.amount_due:
        raise RuleError(f"the amount must be above zero and at most what is due ({invoice.amount_due / 100:.2f})")


def _settled(invoice: Invoice, day: Day) -> Invoice:
    if invoice.amount_due:
        return invoice
    return replace(invoice, status=DocumentStatus.PAID, fully_paid_on=day)
