"""``Item``: products and services. Xero deletes them for good: they have no status."""

from typing import ClassVar

from xero_stream.contracts.records.common import Number, Part, Record


class Trade(Part):
    """How an item is sold or bought."""

    unit_price: Number | None
    """Price of one, up to four decimals."""
    account: str | None
    """Code of the account it is booked to."""
    cost_of_goods_account: str | None
    """Code of the account for the cost of goods sold; only where a tracked item is bought."""
    tax_rate: str | None
    """Code of the tax rate (Xero's TaxType)."""


class Item(Record):
    """A product or service."""

    version: ClassVar[int] = 1

    code: str | None
    """Code given by the user, unique."""
    name: str | None
    """Name."""
    description: str | None
    """What sales documents say of it."""
    purchase_description: str | None
    """What purchase documents say of it."""
    is_sold: bool
    """Whether it can be put on sales documents."""
    is_purchased: bool
    """Whether it can be put on purchase documents."""
    is_tracked: bool
    """Whether Xero counts the stock of it."""
    inventory_account: str | None
    """Code of the account its stock is valued in; tracked items only."""
    sales: Trade | None
    """How it is sold."""
    purchase: Trade | None
    """How it is bought."""
    quantity_on_hand: Number | None
    """Stock. A sale may change it without moving ``updated_at``: it is fresh as of the last read."""
    quantity_available: Number | None
    """``quantity_on_hand`` less what is on back order, so it may be negative; fresh as of the last read. Null before Xero's API
    of August 2026."""
    quantity_on_back_order: Number | None
    """Sold without being in stock; ``quantity_on_hand`` is 0 then. Fresh as of the last read."""
    total_cost: Number | None
    """Value of the stock at average cost (Xero's TotalCostPool), fresh as of the last read."""
