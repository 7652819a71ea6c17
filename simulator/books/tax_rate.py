"""Tax rates. Their id is their type; they tell no date of change."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxComponent:
    """A part of a rate; ``rate`` is hundredths of a percent."""

    name: str
    rate: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxRate:
    """A tax rate; ``id`` is Xero's ``TaxType``, ``rate`` hundredths of a percent. Xero's own name no components."""

    id: str
    name: str
    rate: int
    status: str
    report_tax_type: str
    updated_ms: int
    sales: bool = True
    purchases: bool = True
    components: tuple[TaxComponent, ...] = ()
    overrides: dict[str, str] = field(default_factory=dict)
