"""One word per entity, used for the topic, the URL, the metric label, the CLI and ``ce_type``."""

from enum import StrEnum
from typing import NewType

TenantId = NewType("TenantId", str)
"""A Xero organisation: a lower-case UUID with hyphens."""

RecordId = NewType("RecordId", str)
"""A Xero record's id: a lower-case UUID with hyphens (TaxType or Code for the few entities without one)."""

AppName = NewType("AppName", str)
"""A Xero app of this deployment; ``default`` is the one from the environment."""

DEFAULT_APP = AppName("default")


class EntityName(StrEnum):
    """Kebab-case plural: topic suffix, URL segment, metric label and CLI word."""

    ACCOUNTS = "accounts"
    BANK_TRANSACTIONS = "bank-transactions"
    BANK_TRANSFERS = "bank-transfers"
    BATCH_PAYMENTS = "batch-payments"
    BRANDING_THEMES = "branding-themes"
    BUDGETS = "budgets"
    CONTACT_GROUPS = "contact-groups"
    CONTACTS = "contacts"
    CREDIT_NOTES = "credit-notes"
    CURRENCIES = "currencies"
    INVOICES = "invoices"
    ITEMS = "items"
    JOURNALS = "journals"
    LINKED_TRANSACTIONS = "linked-transactions"
    MANUAL_JOURNALS = "manual-journals"
    ORGANISATIONS = "organisations"
    OVERPAYMENTS = "overpayments"
    PAYMENT_SERVICES = "payment-services"
    PAYMENTS = "payments"
    PREPAYMENTS = "prepayments"
    PURCHASE_ORDERS = "purchase-orders"
    QUOTES = "quotes"
    REPEATING_INVOICES = "repeating-invoices"
    TAX_RATES = "tax-rates"
    TRACKING_CATEGORIES = "tracking-categories"
    USERS = "users"

    @property
    def singular(self) -> str:
        """The word in ``ce_type``, e.g. ``credit-note``."""
        if self.value.endswith("ies"):
            return f"{self.value.removesuffix('ies')}y"
        return self.value.removesuffix("s")


STREAMED = (
    EntityName.INVOICES,
    EntityName.CONTACTS,
    EntityName.CREDIT_NOTES,
    EntityName.PREPAYMENTS,
    EntityName.OVERPAYMENTS,
    EntityName.PAYMENTS,
)
"""What is streamed where nothing else is set: the entities that Xero announces by webhook."""
