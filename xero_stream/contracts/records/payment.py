"""``Payment``: money that settles an invoice or a bill, or that refunds a credit note, a prepayment or an overpayment."""

from enum import StrEnum
from typing import ClassVar

from xero_stream.contracts.records.common import AccountRef, ContactRef, Day, Direction, Id, Known, Number, Part, Record


class PaymentKind(StrEnum):
    """What a payment is for."""

    INVOICE = "invoice"  # it settles an invoice or a bill; the others are refunds
    CREDIT_NOTE = "credit_note"
    PREPAYMENT = "prepayment"
    OVERPAYMENT = "overpayment"


class PaymentStatus(StrEnum):
    """Whether a payment stands. Payments don't change: Xero deletes them and makes new ones."""

    AUTHORISED = "authorised"
    DELETED = "deleted"


class PaymentAllocation(Part):
    """What a payment was put to."""

    id: Id | None
    """Id of the invoice, credit note, prepayment or overpayment; the payment's ``kind`` says which it is."""
    number: str | None
    """Its number."""
    amount: Number | None
    """How much, in the document's currency."""


class Payment(Record):
    """A payment of one document. Money comes in for a receivable invoice and a payable refund, else it goes out."""

    version: ClassVar[int] = 1

    direction: Known[Direction] | None
    """Side of the document: ``receivable`` or ``payable``; null for a kind we don't know."""
    kind: Known[PaymentKind] | None
    """Kind of the document; a payment type of Xero's we don't know is carried in lower case."""
    status: Known[PaymentStatus] | None
    """The status; an unknown status of Xero's is passed on in lower case."""
    date: Day | None
    """When it was paid."""
    amount: Number | None
    """How much, in the document's currency."""
    bank_amount: Number | None
    """How much, in the currency of the account."""
    currency: str | None
    """ISO 4217 code of the document's currency."""
    exchange_rate: Number | None
    """Units of ``currency`` per unit of the organisation's currency, up to ten decimals."""
    contact: ContactRef | None
    """Customer or supplier."""
    account: AccountRef | None
    """The account paid from or into. A bank account may have no code."""
    reference: str | None
    """The payment's reference."""
    is_reconciled: bool
    """Whether it is matched with a line of the bank statement."""
    batch_id: Id | None
    """The batch payment it is part of."""
    allocations: tuple[PaymentAllocation, ...]
    """The document it was put to. Xero makes a payment of its own for each document, so there is one."""
