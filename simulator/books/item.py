"""Items that lines name by their code. The only records that vanish without a trace when they are deleted."""

from dataclasses import dataclass, field

from simulator.books.amounts import TenThousandths


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """An item. ``opening`` is what was in stock before the first document; the books add what documents moved."""

    id: str
    code: str
    name: str
    updated_ms: int
    description: str = ""
    purchase_description: str = ""
    is_sold: bool = True
    is_purchased: bool = True
    is_tracked: bool = False
    opening: TenThousandths = 0
    sales_price: TenThousandths = 0
    sales_account: str = "200"
    sales_tax: str = "NONE"
    purchase_price: TenThousandths = 0
    purchase_account: str = "310"
    purchase_tax: str = "NONE"
    overrides: dict[str, str] = field(default_factory=dict)
