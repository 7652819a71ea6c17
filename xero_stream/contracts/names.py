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

    INVOICES = "invoices"
    CONTACTS = "contacts"
    CREDIT_NOTES = "credit-notes"

    @property
    def singular(self) -> str:
        """The word in ``ce_type``, e.g. ``credit-note``."""
        return self.value.removesuffix("s")
