"""Payments as records of their own: money on an invoice or a bill, or credit given back. Deleted, never changed."""

from dataclasses import dataclass, field, replace
from enum import StrEnum

from simulator.books.amounts import RATE_ONE, Cents, Day
from simulator.books.words import Endpoint, RuleError, Standing


class PaymentType(StrEnum):
    """What was paid, or given back. Source: published OpenAPI, ``Payment.PaymentType``."""

    ACCRECPAYMENT = "ACCRECPAYMENT"  # a customer pays an invoice
    ACCPAYPAYMENT = "ACCPAYPAYMENT"  # we pay a bill
    ARCREDITPAYMENT = "ARCREDITPAYMENT"  # a customer gets the money of a credit note
    APCREDITPAYMENT = "APCREDITPAYMENT"  # a supplier gives it back to us
    ARPREPAYMENTPAYMENT = "ARPREPAYMENTPAYMENT"
    APPREPAYMENTPAYMENT = "APPREPAYMENTPAYMENT"
    AROVERPAYMENTPAYMENT = "AROVERPAYMENTPAYMENT"
    APOVERPAYMENTPAYMENT = "APOVERPAYMENTPAYMENT"

    @classmethod
    def of(cls, endpoint: Endpoint, *, sales: bool) -> "PaymentType":
        """The type for a document of that endpoint.

        Args:
            endpoint: invoices, credit notes, prepayments or overpayments.
            sales: whether it is a customer's, not a supplier's.
        """
        return next(one for one in cls if (one.endpoint, one.sales) == (endpoint, sales))

    @property
    def endpoint(self) -> Endpoint:
        """Where the document is."""
        return _DOCUMENTS.get(self[2:].removesuffix("PAYMENT"), Endpoint.INVOICES)

    @property
    def sales(self) -> bool:
        """Whether the document is a customer's."""
        return self.startswith(("ACCREC", "AR"))

    @property
    def refunds(self) -> bool:
        """Whether it gives credit back."""
        return self.endpoint is not Endpoint.INVOICES

    @property
    def receives(self) -> bool:
        """Whether money comes in."""
        return self.sales is not self.refunds


_DOCUMENTS = {
    "CREDIT": Endpoint.CREDIT_NOTES,
    "PREPAYMENT": Endpoint.PREPAYMENTS,
    "OVERPAYMENT": Endpoint.OVERPAYMENTS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRecord:
    """A payment in the document's currency.

    Attributes:
        document_id: the invoice or bill, or the credit that is given back.
        held_id: the account that a prepayment is held on; None: the document is with receivables or payables.
        document_rate: the currency rate that the document was posted at.
    """

    id: str
    type: PaymentType
    status: Standing
    document_id: str
    account_id: str
    date: Day
    amount: Cents
    updated_ms: int
    held_id: str | None = None
    document_rate: int = RATE_ONE
    currency_rate: int = RATE_ONE
    reference: str = ""
    is_reconciled: bool = False
    batch_id: str | None = None
    overrides: dict[str, str] = field(default_factory=dict)


def delete(payment: PaymentRecord) -> PaymentRecord:
    """Take a payment back.

    Raises:
        RuleError: it was deleted before, or is reconciled with the bank.
    """
    if payment.status is Standing.DELETED:
        raise RuleError("the payment was deleted before")
    if payment.is_reconciled:
        raise RuleError("a payment that is reconciled can't be deleted")
    return replace(payment, status=Standing.DELETED)
