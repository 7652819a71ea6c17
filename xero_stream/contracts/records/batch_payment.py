"""``BatchPayment``: many payments that show as one on the bank statement."""

from enum import StrEnum
from typing import ClassVar

from xero_stream.contracts.records.common import Day, Direction, Id, Known, Number, Part, Record


class BatchPaymentStatus(StrEnum):
    """Whether a batch stands."""

    AUTHORISED = "authorised"
    DELETED = "deleted"


class BatchedPayment(Part):
    """One payment of a batch."""

    id: Id | None
    """Payment id."""
    invoice_id: Id | None
    """The invoice or bill it settles."""
    currency: str | None
    """ISO 4217 code of the invoice's currency."""
    amount: Number | None
    """How much, in the invoice's currency."""
    bank_amount: Number | None
    """How much, in the currency of the account."""
    reference: str | None
    """The payment's reference."""
    bank_account_number: str | None
    """The supplier's bank account it goes to."""
    particulars: str | None
    """What shows on the supplier's statement (New Zealand)."""
    code: str | None
    """What shows on the supplier's statement (New Zealand)."""
    details: str | None
    """What shows on the supplier's statement."""


class BatchPayment(Record):
    """Payments made together: of bills (``payable``) or of sales invoices (``receivable``)."""

    version: ClassVar[int] = 1

    direction: Known[Direction] | None
    """``payable`` for payments of bills, ``receivable`` for sales invoices; a type of Xero's we don't know in lower case."""
    status: Known[BatchPaymentStatus] | None
    """The status; an unknown status of Xero's is passed on in lower case."""
    account_id: Id | None
    """The bank account paid from or into."""
    currency: str | None
    """ISO 4217 code of that account's currency."""
    date: Day | None
    """When it was paid."""
    total: Number | None
    """Sum of the payments, in ``currency``."""
    reference: str | None
    """Reference (New Zealand)."""
    particulars: str | None
    """Particulars on the bank statement (New Zealand)."""
    code: str | None
    """Code on the bank statement (New Zealand)."""
    details: str | None
    """Details on the bank statement (outside New Zealand)."""
    narrative: str | None
    """Narrative on the statement line in Xero (United Kingdom)."""
    is_reconciled: bool
    """Whether it is matched with a line of the bank statement."""
    payments: tuple[BatchedPayment, ...]
    """The payments, by id."""
