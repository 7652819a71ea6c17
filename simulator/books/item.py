"""Items that lines name by their code. The only records that vanish without a trace when they are deleted."""

from dataclasses import dataclass, field

from simulator.books.amounts import TenThousandths

INVENTORY = "630"
"""Account of what is in stock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What a line that only names an item gets from it."""

    description: str
    price: TenThousandths
    account: str
    tax: str


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

    def offer(self, *, sale: bool) -> Offer:
        """What it is sold or bought for; what is bought of a tracked one goes into stock."""
        if sale:
            return Offer(
                description=self.description, price=self.sales_price, account=self.sales_account, tax=self.sales_tax
            )
        account = INVENTORY if self.is_tracked else self.purchase_account
        description = self.purchase_description or self.description
        return Offer(description=description, price=self.purchase_price, account=account, tax=self.purchase_tax)
