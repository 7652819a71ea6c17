"""Purchase orders. They post nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from simulator.books.amounts import RATE_ONE, Cents, Day
from simulator.books.document import Attachment, LineItem, add_up
from simulator.books.words import LineAmountTypes, RuleError


class OrderStatus(StrEnum):
    """Status of a purchase order. Source: published OpenAPI, ``PurchaseOrder.Status``."""

    DRAFT = "DRAFT"  # to SUBMITTED, AUTHORISED, DELETED
    SUBMITTED = "SUBMITTED"  # to DRAFT, AUTHORISED, DELETED
    AUTHORISED = "AUTHORISED"  # to BILLED, DELETED
    BILLED = "BILLED"  # final
    DELETED = "DELETED"  # final


MOVES: dict[OrderStatus, frozenset[OrderStatus]] = {
    OrderStatus.DRAFT: frozenset({OrderStatus.SUBMITTED, OrderStatus.AUTHORISED, OrderStatus.DELETED}),
    OrderStatus.SUBMITTED: frozenset({OrderStatus.DRAFT, OrderStatus.AUTHORISED, OrderStatus.DELETED}),
    OrderStatus.AUTHORISED: frozenset({OrderStatus.BILLED, OrderStatus.DELETED}),
    OrderStatus.BILLED: frozenset(),
    OrderStatus.DELETED: frozenset(),
}
"""What a user may do to a purchase order's status."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseOrder:
    """A purchase order."""

    id: str
    number: str
    status: OrderStatus
    contact_id: str
    date: Day
    line_amount_types: LineAmountTypes
    lines: tuple[LineItem, ...]
    currency: str
    updated_ms: int
    delivery_date: Day | None = None
    reference: str = ""
    attention_to: str = ""
    sent_to_contact: bool = False
    sub_total: Cents = 0
    total_tax: Cents = 0
    total: Cents = 0
    total_discount: Cents = 0
    currency_rate: int = RATE_ONE
    attachments: tuple[Attachment, ...] = ()
    overrides: dict[str, str] = field(default_factory=dict)


def with_lines(order: PurchaseOrder, lines: Sequence[LineItem]) -> PurchaseOrder:
    """The purchase order with other lines and the totals that follow."""
    totals = add_up(lines, order.line_amount_types)
    return replace(
        order,
        lines=tuple(lines),
        sub_total=totals.sub_total,
        total_tax=totals.total_tax,
        total=totals.total,
        total_discount=totals.total_discount,
    )


def move(order: PurchaseOrder, to: OrderStatus) -> PurchaseOrder:
    """Change its status.

    Raises:
        RuleError: Xero refuses that move.
    """
    if to not in MOVES[order.status]:
        raise RuleError(f"a purchase order that is {order.status} can't become {to}")
    return replace(order, status=to)
