"""``Organisation``: the company whose books these are.

Left out on purpose: the APIKey (who has it can send the organisation invoices and bills).
"""

from enum import StrEnum
from typing import ClassVar

from xero_stream.contracts.records.common import Day, Instant, Known, Part, Record
from xero_stream.contracts.records.contact import Address, PaymentTerms, Phone


class OrganisationStatus(StrEnum):
    """Where an organisation stands."""

    ACTIVE = "active"


class Edition(StrEnum):
    """How Xero sold it."""

    BUSINESS = "business"
    PARTNER = "partner"  # through an accounting practice, with fewer features


class LockDates(Part):
    """Up to when the books are closed."""

    period: Day | None
    """Nobody but advisers may change anything up to this day."""
    year_end: Day | None
    """Nobody at all may change anything up to this day."""


class Link(Part):
    """A page about the organisation."""

    type: str | None
    """Which service, in lower case, e.g. ``linkedin``, ``website``."""
    url: str | None
    """Where."""
    description: str | None
    """What the user says of it."""


class Organisation(Record):
    """The organisation itself. Xero gives it no ``updated_at``."""

    version: ClassVar[int] = 1

    status: Known[OrganisationStatus] | None
    """The status; an unknown status of Xero's is passed on in lower case."""
    name: str | None
    """Name shown in Xero."""
    legal_name: str | None
    """Name on reports."""
    short_code: str | None
    """Short id that Xero's own URLs use, e.g. ``!mBdtL``."""
    type: str | None
    """What it is, in lower case, e.g. ``company``, ``sole_trader``."""
    entity_type: str | None
    """What it is for tax, in lower case; mostly the same as ``type``."""
    line_of_business: str | None
    """What it does, as typed."""
    country: str | None
    """ISO 3166 code."""
    regional_edition: str | None
    """Which country's Xero it uses, in lower case, e.g. ``nz``, ``global`` (Xero's Version)."""
    edition: Known[Edition] | None
    """How it was sold."""
    plan: str | None
    """Pricing plan in lower case, e.g. ``demo``, ``premium`` (Xero's Class)."""
    is_demo: bool
    """Whether it is Xero's demo company, which is emptied now and then."""
    base_currency: str | None
    """Currency of the books, ISO 4217."""
    timezone: str | None
    """Time zone, as Xero writes it, e.g. ``NEWZEALANDSTANDARDTIME``."""
    created_at: Instant | None
    """When it was created in Xero."""
    financial_year_end_day: int | None
    """Last day of the financial year."""
    financial_year_end_month: int | None
    """Last month of the financial year, 1 to 12."""
    lock_dates: LockDates | None
    """Up to when the books are closed."""
    pays_tax: bool
    """Whether it is registered for tax."""
    tax_number: str | None
    """GST, VAT or tax number."""
    registration_number: str | None
    """Company registration number."""
    employer_number: str | None
    """Employer identification number (United States)."""
    sales_tax_basis: str | None
    """How tax is accounted for, in lower case, e.g. ``cash``, ``accrual``."""
    sales_tax_period: str | None
    """How often tax is returned, in lower case, e.g. ``twomonths``."""
    default_sales_tax: str | None
    """How amounts of sales stand to tax by default, as Xero writes it, e.g. ``Tax Exclusive``."""
    default_purchases_tax: str | None
    """How amounts of purchases stand to tax by default, as Xero writes it."""
    payment_terms: PaymentTerms | None
    """Default payment terms."""
    phones: tuple[Phone, ...]
    """Telephone numbers, by type; empty ones are left out."""
    addresses: tuple[Address, ...]
    """Addresses, by type; empty ones are left out."""
    links: tuple[Link, ...]
    """Pages about it, by type and address."""
