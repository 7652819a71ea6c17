"""``Account``: the chart of accounts, bank accounts included."""

from enum import StrEnum
from typing import ClassVar

from xero_stream.contracts.records.common import Instant, Known, Record


class AccountStatus(StrEnum):
    """Where an account stands."""

    ACTIVE = "active"
    ARCHIVED = "archived"
    DELETED = "deleted"


class AccountClass(StrEnum):
    """Which part of the balance sheet or of profit and loss an account belongs to."""

    ASSET = "asset"
    EQUITY = "equity"
    EXPENSE = "expense"
    LIABILITY = "liability"
    REVENUE = "revenue"


class AccountType(StrEnum):
    """What an account is for."""

    BANK = "bank"
    CURRENT_ASSET = "current_asset"
    CURRENT_LIABILITY = "current_liability"
    DEPRECIATION = "depreciation"
    DIRECT_COSTS = "direct_costs"
    EQUITY = "equity"
    EXPENSE = "expense"
    FIXED_ASSET = "fixed_asset"
    INVENTORY = "inventory"
    LIABILITY = "liability"
    NON_CURRENT_ASSET = "non_current_asset"
    NON_CURRENT_LIABILITY = "non_current_liability"  # Xero's TERMLIAB
    OTHER_INCOME = "other_income"
    OVERHEADS = "overheads"
    PAYG_LIABILITY = "payg_liability"  # Australia: tax withheld from wages
    PREPAYMENT = "prepayment"
    REVENUE = "revenue"
    SALES = "sales"


class BankAccountType(StrEnum):
    """What kind of bank account."""

    BANK = "bank"
    CREDIT_CARD = "credit_card"
    PAYPAL = "paypal"
    NONE = "none"


class Account(Record):
    """An account of the chart of accounts."""

    version: ClassVar[int] = 1

    created_at: Instant | None
    """When it was made. Null before Xero's API of November 2026."""
    status: Known[AccountStatus] | None
    """The status; an unknown status of Xero's is passed on in lower case."""
    code: str | None
    """Code given by the user, e.g. ``200``; bank accounts may have none."""
    name: str | None
    """Name."""
    description: str | None
    """Description; bank accounts have none."""
    classification: Known[AccountClass] | None
    """Asset, liability, equity, revenue or expense (Xero's Class)."""
    type: Known[AccountType] | None
    """What it is for (Xero's Type); a type we don't know in lower case."""
    currency: str | None
    """ISO 4217 code; bank accounts only."""
    tax_rate: str | None
    """Code of the default tax rate (Xero's TaxType), e.g. ``OUTPUT2``."""
    is_bank_account: bool
    """Whether it is a bank account, credit card or PayPal."""
    bank_account_number: str | None
    """Number of the bank account."""
    bank_account_type: Known[BankAccountType] | None
    """Kind of bank account."""
    system_account: str | None
    """Which of Xero's own accounts it is, in lower case, e.g. ``debtors``; null for any other."""
    accepts_payments: bool
    """Whether payments may be booked to it."""
    in_expense_claims: bool
    """Whether it can be chosen in expense claims."""
    on_watchlist: bool
    """Whether it is on the dashboard's watchlist."""
    reporting_code: str | None
    """Reporting code, if set."""
    reporting_name: str | None
    """Name of the reporting code, if set."""
    has_attachments: bool
    """Whether files are attached."""
