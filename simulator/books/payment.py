"""Payments as records of their own: money on an invoice, a bill or what was paid too much. Deleted, never changed."""

from dataclasses import dataclass, field, replace
from enum import StrEnum

from simulator.books.amounts import RATE_ONE, Cents, Day
from simulator.books.words import RuleError, Standing


class PaymentType(StrEnum):
    """What was paid. Source: published OpenAPI, ``Payment.PaymentType``; refunds of credit notes aren't modelled."""

    ACCRECPAYMENT = "ACCRECPAYMENT"
    ACCPAYPAYMENT = "ACCPAYPAYMENT"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRecord:
    """A payment of an invoice or a bill, in the document's currency."""

    id: str
    type: PaymentType
    status: Standing
    invoice_id: str
    account_id: str
    date: Day
    amount: Cents
    updated_ms: int
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
