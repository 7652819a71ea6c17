"""``BankTransaction``: money spent or received on a bank account without an invoice, with lines."""

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


class BankTransactionType(StrEnum):
    """Which way the money went, and for what."""

    RECEIVE = "receive"
    RECEIVE_OVERPAYMENT = "receive_overpayment"
    RECEIVE_PREPAYMENT = "receive_prepayment"
    RECEIVE_TRANSFER = "receive_transfer"
    SPEND = "spend"
    SPEND_OVERPAYMENT = "spend_overpayment"
    SPEND_PREPAYMENT = "spend_prepayment"
    SPEND_TRANSFER = "spend_transfer"


class BankTransactionStatus(StrEnum):
    """Where a bank transaction stands."""

    AUTHORISED = "authorised"
    VOIDED = "voided"
    DELETED = "deleted"


class BankAccountRef(Part):
    """A bank account of the organisation."""

    id: Id | None
    """Account id."""
    code: str | None
    """Account code. A bank account may have none."""
    name: str | None
    """The account's name when the transaction was read."""


class BankTransaction(Record):
    """Money spent from or received on a bank account. Transfers and prepayments show here too, each with its type."""

    version: ClassVar[int] = 1

    type: Known[BankTransactionType] | None
    """Which way the money went, and for what; a type of Xero's we don't know in lower case, null where
    it can't be read."""
    status: Known[BankTransactionStatus] | None
    """The status; an unknown status of Xero's is passed on in lower case."""
    bank_account: BankAccountRef | None
    """The account spent from or received on."""
    contact: ContactRef | None
    """Who was paid or paid; transfers have none."""
    date: Day | None
    """When."""
    reference: str | None
    """Reference."""
    is_reconciled: bool
    """Whether it is matched with a line of the bank statement."""
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
    line_items: tuple[LineItem, ...]
    """The lines, in the order of the document."""
    prepayment_id: Id | None
    """The prepayment it made."""
    overpayment_id: Id | None
    """The overpayment it made."""
    url: str | None
    """Link to a source document."""
    has_attachments: bool
    """Whether files are attached."""
