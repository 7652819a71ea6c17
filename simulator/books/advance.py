"""What prepayments and overpayments share: money that came before, or beyond, an invoice, and is allocated later."""

from dataclasses import dataclass, field, replace
from typing import TypeVar

from simulator.books.amounts import RATE_ONE, Cents, Day
from simulator.books.document import Allocation, LineItem
from simulator.books.words import CreditStatus, LineAmountTypes, RuleError


@dataclass(frozen=True, slots=True, kw_only=True)
class Advance:
    """Money on account; ``receives`` if a customer paid it."""

    id: str
    receives: bool
    status: CreditStatus
    contact_id: str
    account_id: str
    date: Day
    line_amount_types: LineAmountTypes
    lines: tuple[LineItem, ...]
    currency: str
    updated_ms: int
    sub_total: Cents = 0
    total_tax: Cents = 0
    total: Cents = 0
    currency_rate: int = RATE_ONE
    reference: str = ""
    allocations: tuple[Allocation, ...] = ()
    overrides: dict[str, str] = field(default_factory=dict)

    @property
    def remaining_credit(self) -> Cents:
        """What can still be allocated."""
        if self.status is CreditStatus.VOIDED:
            return 0
        return self.total - sum(allocation.amount for allocation in self.allocations)


A = TypeVar("A", bound=Advance)


def allocate(advance: A, allocation: Allocation) -> A:
    """Move credit to an invoice; the last of it turns the advance PAID.

    Raises:
        RuleError: it is voided or used up, or the amount isn't between zero and what remains.
    """
    if advance.status is not CreditStatus.AUTHORISED:
        raise RuleError(f"money on account that is {advance.status} can't be allocated")
    if not 0 < allocation.amount <= advance.remaining_credit:
        raise RuleError(f"the amount must be above zero and at most {advance.remaining_credit / 100:.2f}")
    after = replace(advance, allocations=(*advance.allocations, allocation))
    return after if after.remaining_credit else replace(after, status=CreditStatus.PAID)


def withdraw(advance: A, allocation_id: str) -> A:
    """Take an allocation back.

    Raises:
        RuleError: there is no such allocation.
    """
    kept = tuple(one for one in advance.allocations if one.allocation_id != allocation_id)
    if len(kept) == len(advance.allocations):
        raise RuleError(f"there is no allocation {allocation_id}")
    return replace(advance, allocations=kept, status=CreditStatus.AUTHORISED)


def void(advance: A) -> A:
    """Void it.

    Raises:
        RuleError: some of it is allocated, or it was voided before.
    """
    if advance.allocations or advance.status is CreditStatus.VOIDED:
        raise RuleError("money on account that is allocated, or void, can't be voided")
    return replace(advance, status=CreditStatus.VOIDED)
