"""Words shared by all books, and the one error their rules raise."""

from enum import StrEnum


class Endpoint(StrEnum):
    """Path segment of the Accounting API."""

    INVOICES = "Invoices"
    CONTACTS = "Contacts"
    CREDIT_NOTES = "CreditNotes"
    ACCOUNTS = "Accounts"
    BANK_TRANSACTIONS = "BankTransactions"
    BANK_TRANSFERS = "BankTransfers"
    BATCH_PAYMENTS = "BatchPayments"
    BRANDING_THEMES = "BrandingThemes"
    BUDGETS = "Budgets"
    CONTACT_GROUPS = "ContactGroups"
    CURRENCIES = "Currencies"
    ITEMS = "Items"
    JOURNALS = "Journals"
    LINKED_TRANSACTIONS = "LinkedTransactions"
    MANUAL_JOURNALS = "ManualJournals"
    ORGANISATION = "Organisation"
    OVERPAYMENTS = "Overpayments"
    PAYMENT_SERVICES = "PaymentServices"
    PAYMENTS = "Payments"
    PREPAYMENTS = "Prepayments"
    PURCHASE_ORDERS = "PurchaseOrders"
    QUOTES = "Quotes"
    REPEATING_INVOICES = "RepeatingInvoices"
    TAX_RATES = "TaxRates"
    TRACKING_CATEGORIES = "TrackingCategories"
    USERS = "Users"


class DocumentStatus(StrEnum):
    """Status of an invoice or a credit note. Source: published OpenAPI, ``Invoice.Status``."""

    DRAFT = "DRAFT"  # to SUBMITTED, AUTHORISED, DELETED
    SUBMITTED = "SUBMITTED"  # to DRAFT, AUTHORISED, DELETED
    AUTHORISED = "AUTHORISED"  # to VOIDED while nothing is paid or applied; to PAID by the books themselves
    PAID = "PAID"  # final here: payments are not taken back
    VOIDED = "VOIDED"  # final
    DELETED = "DELETED"  # final


class ContactStatus(StrEnum):
    """Status of a contact. Source: published OpenAPI, ``Contact.ContactStatus``."""

    ACTIVE = "ACTIVE"
    ARCHIVED = "ARCHIVED"
    GDPRREQUEST = "GDPRREQUEST"


class Standing(StrEnum):
    """Whether a payment, batch, transfer or bank transaction counts."""

    AUTHORISED = "AUTHORISED"
    DELETED = "DELETED"


class CreditStatus(StrEnum):
    """Status of a prepayment or an overpayment. Source: published OpenAPI, ``Prepayment.Status``."""

    AUTHORISED = "AUTHORISED"
    PAID = "PAID"
    VOIDED = "VOIDED"


class Presence(StrEnum):
    """Status of a tracking category or a contact group."""

    ACTIVE = "ACTIVE"
    ARCHIVED = "ARCHIVED"
    DELETED = "DELETED"


class LineAmountTypes(StrEnum):
    """Whether line amounts include tax."""

    EXCLUSIVE = "Exclusive"
    INCLUSIVE = "Inclusive"
    NO_TAX = "NoTax"


class RuleError(Exception):
    """Xero would refuse this; the message says why."""


MOVES: dict[DocumentStatus, frozenset[DocumentStatus]] = {
    DocumentStatus.DRAFT: frozenset({DocumentStatus.SUBMITTED, DocumentStatus.AUTHORISED, DocumentStatus.DELETED}),
    DocumentStatus.SUBMITTED: frozenset({DocumentStatus.DRAFT, DocumentStatus.AUTHORISED, DocumentStatus.DELETED}),
    DocumentStatus.AUTHORISED: frozenset({DocumentStatus.VOIDED}),
    DocumentStatus.PAID: frozenset(),
    DocumentStatus.VOIDED: frozenset(),
    DocumentStatus.DELETED: frozenset(),
}
"""What a user may do to a document's status."""


def check_move(current: DocumentStatus, to: DocumentStatus) -> None:
    """Refuse an illegal change of status.

    Raises:
        RuleError: a user can't move a document that way.
    """
    if to not in MOVES[current]:
        raise RuleError(f"a document that is {current} can't become {to}")
