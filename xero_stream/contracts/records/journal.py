"""``Journal``: the general ledger.

Xero writes one for every posting and never changes it: an edit, a void and a deletion write one that takes the old back.
"""

from enum import StrEnum
from typing import ClassVar

from xero_stream.contracts.records.account import AccountType
from xero_stream.contracts.records.common import AccountRef, Day, Id, Instant, Known, Number, Part, Record, TrackingRef


class JournalSource(StrEnum):
    """What a journal was written for."""

    RECEIVABLE_INVOICE = "receivable_invoice"
    PAYABLE_INVOICE = "payable_invoice"
    RECEIVABLE_CREDIT_NOTE = "receivable_credit_note"
    PAYABLE_CREDIT_NOTE = "payable_credit_note"
    RECEIVABLE_PAYMENT = "receivable_payment"
    PAYABLE_PAYMENT = "payable_payment"
    RECEIVABLE_CREDIT_NOTE_REFUND = "receivable_credit_note_refund"
    PAYABLE_CREDIT_NOTE_REFUND = "payable_credit_note_refund"
    MONEY_RECEIVED = "money_received"
    MONEY_SPENT = "money_spent"
    BANK_TRANSFER = "bank_transfer"
    RECEIVABLE_PREPAYMENT = "receivable_prepayment"
    PAYABLE_PREPAYMENT = "payable_prepayment"
    RECEIVABLE_OVERPAYMENT = "receivable_overpayment"
    PAYABLE_OVERPAYMENT = "payable_overpayment"
    EXPENSE_CLAIM = "expense_claim"
    EXPENSE_PAYMENT = "expense_payment"
    MANUAL_JOURNAL = "manual_journal"
    PAYSLIP = "payslip"
    WAGES_PAYABLE = "wages_payable"
    PAYROLL_EXPENSE = "payroll_expense"
    PAYROLL_TAX = "payroll_tax"
    PAYROLL_TAX_PAYMENT = "payroll_tax_payment"
    PAYROLL_CREDIT_NOTE = "payroll_credit_note"
    EXTERNAL_MONEY_SPENT = "external_money_spent"


class JournalLine(Part):
    """One line of a journal."""

    id: Id | None
    """Journal line id."""
    account: AccountRef | None
    """The account it is booked to."""
    account_name: str | None
    """The account's name when it was read."""
    account_type: Known[AccountType] | None
    """What the account is for."""
    description: str | None
    """What the line of the source document says."""
    net_amount: Number | None
    """Without tax; debits are positive, credits negative."""
    tax_amount: Number | None
    """Tax on the line."""
    gross_amount: Number | None
    """``net_amount`` + ``tax_amount``."""
    tax_rate: str | None
    """Code of the tax rate (Xero's TaxType)."""
    tax_name: str | None
    """Its name."""
    tracking: tuple[TrackingRef, ...]
    """Tracking options, at most two."""


class Journal(Record):
    """One posting of the general ledger."""

    version: ClassVar[int] = 1

    updated_at: Instant | None
    """Xero's CreatedDateUTC: when it was written. Journals never change."""
    number: int | None
    """Xero's JournalNumber: it grows, with gaps."""
    date: Day | None
    """Date of the posting."""
    reference: str | None
    """Reference of the source document."""
    source_type: Known[JournalSource] | None
    """What it was written for; a source of Xero's we don't know in lower case. Null for what Xero posts by itself."""
    source_id: Id | None
    """Id of the document it was written for."""
    lines: tuple[JournalLine, ...]
    """The lines, in Xero's order; their net amounts add up to 0."""
