"""What prepayments and overpayments share: money that came before, or beyond, an invoice, and is allocated later."""

from dataclasses import dataclass, field, replace
from typing import TypeVar

from simulator.books.amounts import RATE_ONE, Cents, Day
from simulator.books.document import Allocation, LineItem, Payment
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
    payments: tuple[Payment, ...] = ()
    allocations: tuple[Allocation, ...] = ()
    overrides: dict[str, str] = field(default_factory=dict)

    @property
    def remaining_credit(self) -> Cents:
        """What can still be allocated, or given back."""
        if self.status is CreditStatus.VOIDED:
            return 0
        applied = sum(allocation.amount for allocation in self.allocations)
        return self.total - applied - sum(payment.amount for payment in self.payments)


A = TypeVar("A", bound=Advance)


def allocate(advance: A, allocation: Allocation) -> A:
    """Move credit to an invoice; the last of it turns the advance PAID.

    Raises:
        RuleError: it is voided or used up, or the amount isn't between zero and what remains.
    """
    _can_spend(advance, allocation.amount)
    return _spent(replace(advance, allocations=(*advance.allocations, allocation)))


def refund(advance: A, payment: Payment) -> A:
    """Give money back; the last of it turns the advance PAID.

    Raises:
        RuleError: it is voided or used up, or the amount isn't between zero and what remains.
    """
    _can_spend(advance, payment.amount)
    return _spent(replace(advance, payments=(*advance.payments, payment)))


def take_refund_back(advance: A, payment_id: str) -> A:
    """Take a refund back.

    Raises:
        RuleError: there is no such payment.
    """
    kept = tuple(one for one in advance.payments if one.payment_id != payment_id)
    if len(kept) == len(advance.payments):
        raise RuleError(f"there is no payment {payment_id}")
    return replace(advance, payments=kept, status=CreditStatus.AUTHORISED)


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
        RuleError: some of it is allocated or given back, or it was voided before.
    """
    if advance.allocations or advance.payments or advance.status is CreditStatus.VOIDED:
        raise RuleError("money on account that is allocated, given back or void can't be voided")
    return replace(advance, status=CreditStatus.VOIDED)


def _can_spend(advance: Advance, amount: Cents) -> None:
    if advance.status is not CreditStatus.AUTHORISED:
        raise RuleError(f"money on account that is {advance.status} can't be allocated or given back")
    if not 0 < amount <= advance.remaining_credit:
        raise RuleError(f"the amount must be above zero and at most {advance.remaining_credit / 100:.2f}")


def _spent(advance: A) -> A:
    return advance if advance.remaining_credit else replace(advance, status=CreditStatus.PAID)
