"""``TaxRate``: tax rates with their components. Xero knows them by a code, not by a GUID."""

from enum import StrEnum
from typing import ClassVar

from xero_stream.contracts.records.common import Known, Number, Part, Record


class TaxRateStatus(StrEnum):
    """Where a tax rate stands."""

    ACTIVE = "active"
    ARCHIVED = "archived"
    PENDING = "pending"
    DELETED = "deleted"


class TaxComponent(Part):
    """One of the taxes a rate is made of."""

    name: str | None
    """Name."""
    rate: Number | None
    """In percent, up to four decimals."""
    is_compound: bool
    """Whether it is charged on top of the other components too."""
    is_non_recoverable: bool
    """Whether it can't be claimed back (Canada)."""


class AppliesTo(Part):
    """Which classes of account a tax rate may be used with."""

    assets: bool
    """Asset accounts."""
    equity: bool
    """Equity accounts."""
    expenses: bool
    """Expense accounts."""
    liabilities: bool
    """Liability accounts."""
    revenue: bool
    """Revenue accounts."""


class TaxRate(Record):
    """A tax rate. Its ``id`` is its code in lower case; Xero gives it no ``updated_at``."""

    version: ClassVar[int] = 1

    status: Known[TaxRateStatus] | None
    """The status; an unknown status of Xero's is passed on in lower case."""
    code: str | None
    """Xero's TaxType, e.g. ``OUTPUT2``: what lines, accounts and contacts name it by."""
    name: str | None
    """Name, e.g. ``15% GST on Income``."""
    effective_rate: Number | None
    """What it comes to in percent, compound components taken into account."""
    total_rate: Number | None
    """Sum of the components in percent (Xero's DisplayTaxRate)."""
    components: tuple[TaxComponent, ...]
    """What it is made of, in Xero's order."""
    report_tax_type: str | None
    """Where the tax return counts it, in lower case (Xero's ReportTaxType)."""
    applies_to: AppliesTo
    """Which classes of account it may be used with."""
