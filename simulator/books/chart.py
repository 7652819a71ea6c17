"""What every organisation has from its first day, and which follows from its profile: chart, tax, currencies, itself."""

from collections.abc import Iterator

from simulator.books.account import Account, AccountStatus
from simulator.books.amounts import PERCENT
from simulator.books.branding_theme import BrandingTheme
from simulator.books.company import Company
from simulator.books.currency import Currency
from simulator.books.item import INVENTORY
from simulator.books.kinds import AnyRecord
from simulator.books.profile import Profile, derived_id
from simulator.books.tax_rate import TaxRate
from simulator.books.tracking_category import TrackingCategory, TrackingOption
from simulator.books.words import Presence

BANK, SAVINGS, RECEIVABLE, PAYABLE, TAX = "090", "091", "610", "800", "820"
"""Codes of the accounts that the books themselves post to."""

REALISED = "499"
"""Where the difference goes when a foreign document is settled at another rate than its own."""

PREPAID_BY_US, PREPAID_TO_US, FUNDS = "620", "825", "970"

_CHART = (
    (BANK, "Business Bank Account", "BANK", None),
    (SAVINGS, "Business Savings Account", "BANK", None),
    ("200", "Sales", "REVENUE", None),
    ("260", "Other Revenue", "OTHERINCOME", None),
    ("310", "Cost of Goods Sold", "DIRECTCOSTS", None),
    ("400", "Advertising", "OVERHEADS", None),
    ("429", "General Expenses", "EXPENSE", None),
    ("497", "Bank Revaluations", "EXPENSE", "BANKCURRENCYGAIN"),
    ("498", "Unrealised Currency Gains", "EXPENSE", "UNREALISEDCURRENCYGAIN"),
    (REALISED, "Realised Currency Gains", "EXPENSE", "REALISEDCURRENCYGAIN"),
    (RECEIVABLE, "Accounts Receivable", "CURRENT", "DEBTORS"),
    (PREPAID_BY_US, "Prepayments", "PREPAYMENT", None),
    (INVENTORY, "Inventory", "INVENTORY", None),
    ("710", "Office Equipment", "FIXED", None),
    (PAYABLE, "Accounts Payable", "CURRLIAB", "CREDITORS"),
    (TAX, "Sales Tax", "CURRLIAB", "GST"),
    (PREPAID_TO_US, "Income in Advance", "CURRLIAB", None),
    ("860", "Rounding", "CURRLIAB", "ROUNDING"),
    ("900", "Loan", "TERMLIAB", None),
    ("960", "Retained Earnings", "EQUITY", "RETAINEDEARNINGS"),
    (FUNDS, "Owner Funds Introduced", "EQUITY", None),
)
"""Code, name, type, Xero's word for it if it is a system account."""

CURRENCY_NAMES = {
    "NZD": "New Zealand Dollar",
    "AUD": "Australian Dollar",
    "GBP": "British Pound",
    "EUR": "Euro",
    "USD": "United States Dollar",
}


def account_ids(profile: Profile) -> dict[str, str]:
    """Account code → id."""
    return {code: derived_id(profile.id, "account", code) for code, *_ in _CHART} | profile.accounts


def opening_records(profile: Profile) -> Iterator[AnyRecord]:
    """Every record an organisation has before anybody wrote one."""
    at_ms = profile.created_ms
    yield Company(
        id=profile.id,
        name=profile.name,
        country=profile.country,
        currency=profile.currency,
        created_ms=at_ms,
        updated_ms=at_ms,
    )
    yield from _chart(profile)
    yield from _tax_rates(profile)
    for code in (profile.currency, profile.foreign_currency):
        yield Currency(id=code, description=CURRENCY_NAMES.get(code, code), updated_ms=at_ms)
    for category_id, name, options in profile.tracking:
        yield TrackingCategory(
            id=category_id,
            name=name,
            status=Presence.ACTIVE,
            options=tuple(TrackingOption(id=option_id, name=option) for option_id, option in options),
            updated_ms=at_ms,
        )
    for place, name in enumerate(("Standard", "Overdue reminder")):
        yield BrandingTheme(id=derived_id(profile.id, "theme", name), name=name, sort_order=place, updated_ms=at_ms)


def _chart(profile: Profile) -> Iterator[Account]:
    ids = account_ids(profile)
    known = {code for code, *_ in _CHART}
    rows = (*_CHART, *((code, f"Account {code}", "EXPENSE", None) for code in profile.accounts if code not in known))
    for code, name, kind, system in rows:
        taxed = {"REVENUE": profile.sales_tax, "EXPENSE": profile.purchase_tax}
        tax = taxed.get(kind, "NONE") if system is None else "NONE"
        yield Account(
            id=ids[code],
            code=code,
            name=name,
            type=kind,
            status=AccountStatus.ACTIVE,
            updated_ms=profile.created_ms,
            tax_type=tax,
            system=system,
            bank_number=f"01-0902-00{code}42-00" if kind == "BANK" else None,
            currency=profile.currency if kind == "BANK" else None,
            takes_payments=code == FUNDS,
        )


def _tax_rates(profile: Profile) -> Iterator[TaxRate]:
    for tax_type, rate in ({"NONE": 0} | profile.tax).items():
        sales, purchases = tax_type == profile.sales_tax, tax_type == profile.purchase_tax
        percent = f"{rate / PERCENT:g}% "
        yield TaxRate(
            id=tax_type,
            name=f"{percent}GST on Income" if sales else f"{percent}GST on Expenses" if purchases else tax_type.title(),
            rate=rate,
            status="ACTIVE",
            report_tax_type="OUTPUT" if sales else "INPUT" if purchases else tax_type,
            updated_ms=profile.created_ms,
            sales=not purchases,
            purchases=not sales,
        )
