"""``Contact``: customers and suppliers.

Left out on purpose: balances (they move without the contact's UpdatedDateUTC moving, so a copy of them would be wrong
most of the time; sum the open invoices instead), and the XeroNetworkKey (who has it can send the contact bills).
"""

from enum import StrEnum
from typing import ClassVar

from xero_stream.contracts.records.common import Id, Known, Number, Part, Record, TaxInclusion


class ContactStatus(StrEnum):
    """Where a contact stands."""

    ACTIVE = "active"
    ARCHIVED = "archived"
    GDPR_ERASURE = "gdpr_erasure"  # the person asked to be forgotten


class PhoneType(StrEnum):
    """What a number is for."""

    DEFAULT = "default"
    DDI = "ddi"
    MOBILE = "mobile"
    FAX = "fax"
    OFFICE = "office"


class AddressType(StrEnum):
    """What an address is for."""

    POBOX = "pobox"
    STREET = "street"
    DELIVERY = "delivery"


class TaxNumberType(StrEnum):
    """What a tax number of the United States is."""

    SSN = "ssn"
    EIN = "ein"
    ITIN = "itin"
    ATIN = "atin"


class Phone(Part):
    """A telephone number."""

    type: Known[PhoneType] | None
    """What it is for."""
    number: str | None
    """The number without codes, as typed."""
    area_code: str | None
    """Area code."""
    country_code: str | None
    """Country code."""


class Address(Part):
    """A postal address."""

    type: Known[AddressType] | None
    """What it is for."""
    attention_to: str | None
    """Person or department."""
    line_1: str | None
    """First line."""
    line_2: str | None
    """Second line."""
    line_3: str | None
    """Third line."""
    line_4: str | None
    """Fourth line."""
    city: str | None
    """City."""
    region: str | None
    """State or region."""
    postal_code: str | None
    """Postal code."""
    country: str | None
    """Country, as typed."""


class Person(Part):
    """A further person at the contact."""

    first_name: str | None
    """First name."""
    last_name: str | None
    """Last name."""
    email: str | None
    """E-mail address."""
    include_in_emails: bool
    """Whether invoices are mailed to this person too."""


class BatchPaymentDetails(Part):
    """Bank details used when the contact is paid in a batch."""

    account_number: str | None
    """Bank account number."""
    account_name: str | None
    """Name of the account or bank."""
    details: str | None
    """Text on the statement."""
    code: str | None
    """Code on the statement (New Zealand)."""
    reference: str | None
    """Reference on the statement (New Zealand)."""


class PaymentTerm(Part):
    """When something falls due."""

    day: int | None
    """Number of days, or day of the month, as ``type`` says."""
    type: str | None
    """Xero's PaymentTermType in lower case, e.g. ``daysafterbilldate``, ``ofcurrentmonth``."""


class PaymentTerms(Part):
    """Default payment terms."""

    bills: PaymentTerm | None
    """For bills from the contact."""
    sales: PaymentTerm | None
    """For invoices to the contact."""


class DefaultTracking(Part):
    """A tracking option used by default. Xero gives names only."""

    category_name: str | None
    """Tracking category name."""
    option_name: str | None
    """Tracking option name."""


class BrandingThemeRef(Part):
    """A branding theme."""

    id: Id | None
    """Branding theme id."""
    name: str | None
    """Its name."""


class ContactGroupRef(Part):
    """A group the contact is in."""

    id: Id | None
    """Contact group id."""
    name: str | None
    """Its name."""


class Contact(Record):
    """A customer, a supplier, or both."""

    version: ClassVar[int] = 1

    status: Known[ContactStatus] | None
    """The status; an unknown status of Xero's is passed on in lower case."""
    name: str | None
    """Full name of the organisation or person."""
    first_name: str | None
    """First name of the main person."""
    last_name: str | None
    """Last name of the main person."""
    email: str | None
    """E-mail address of the main person."""
    external_id: str | None
    """Xero's ContactNumber: an id given by another system, shown read-only in Xero."""
    account_number: str | None
    """Account number given by the user."""
    registration_number: str | None
    """Company registration number."""
    tax_number: str | None
    """ABN, GST, VAT or tax id number; may be masked by Xero."""
    tax_number_type: Known[TaxNumberType] | None
    """Kind of tax number (United States)."""
    is_customer: bool
    """Whether it has sales invoices. Changing it does not move ``updated_at``: it is fresh as of the last read."""
    is_supplier: bool
    """Whether it has bills. Changing it does not move ``updated_at``: it is fresh as of the last read."""
    merged_into: Id | None
    """The contact this one was merged into."""
    currency: str | None
    """Default currency, ISO 4217."""
    website: str | None
    """Web site."""
    phones: tuple[Phone, ...]
    """Telephone numbers, by type; empty ones are left out."""
    addresses: tuple[Address, ...]
    """Addresses, by type; empty ones are left out."""
    persons: tuple[Person, ...]
    """Further persons, in Xero's order."""
    bank_account: str | None
    """Bank account number (Xero's BankAccountDetails)."""
    batch_payments: BatchPaymentDetails | None
    """Bank details for batch payments."""
    payment_terms: PaymentTerms | None
    """Default payment terms."""
    discount_rate: Number | None
    """Default discount in percent."""
    default_sales_account: str | None
    """Account code for sales."""
    default_purchases_account: str | None
    """Account code for purchases."""
    sales_tax_rate: str | None
    """Code of the tax rate for sales (Xero's AccountsReceivableTaxType)."""
    purchases_tax_rate: str | None
    """Code of the tax rate for purchases (Xero's AccountsPayableTaxType)."""
    sales_tax_inclusion: Known[TaxInclusion] | None
    """How amounts of sales lines stand to tax by default."""
    purchases_tax_inclusion: Known[TaxInclusion] | None
    """How amounts of purchase lines stand to tax by default."""
    sales_tracking: tuple[DefaultTracking, ...]
    """Tracking options for sales."""
    purchases_tracking: tuple[DefaultTracking, ...]
    """Tracking options for purchases."""
    branding_theme: BrandingThemeRef | None
    """Branding theme for documents to the contact."""
    groups: tuple[ContactGroupRef, ...]
    """Contact groups, by name and id."""
    has_attachments: bool
    """Whether files are attached."""
