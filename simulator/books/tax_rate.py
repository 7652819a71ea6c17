"""Tax rates. Their id is their type; they tell no date of change. Rates are ten-thousandths of a percent."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from simulator.books.amounts import PERCENT, Cents, half_up


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxComponent:
    """A part of a rate.

    Attributes:
        compound: it is charged on the amount with the other components on it.
        unrecovered: on what is bought it is a cost: nobody gives it back.
    """

    name: str
    rate: int
    compound: bool = False
    unrecovered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxRate:
    """A tax rate; ``id`` is Xero's ``TaxType``, ``rate`` what is charged. Xero's own name no components."""

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

    @property
    def display_rate(self) -> int:
        """Its components' rates, added up."""
        return sum(one.rate for one in self.components) if self.components else self.rate


def effective(components: Sequence[TaxComponent]) -> int:
    """The rate that components come to, four decimals of a percent."""
    return sum(_parts(components))


def unrecovered(rate: TaxRate, tax: Cents) -> Cents:
    """How much of a tax at that rate is a cost to who buys."""
    lost = sum(part for one, part in zip(rate.components, _parts(rate.components), strict=True) if one.unrecovered)
    return half_up(tax * lost, rate.rate) if lost else 0


def _parts(components: Sequence[TaxComponent]) -> list[int]:
    simple = sum(one.rate for one in components if not one.compound)
    return [
        half_up(one.rate * (100 * PERCENT + simple), 100 * PERCENT) if one.compound else one.rate for one in components
    ]
