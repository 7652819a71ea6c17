"""Money spent and received without an invoice, and the bank's side of transfers, prepayments and overpayments."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from simulator.books.amounts import RATE_ONE, Cents, Day
from simulator.books.document import Attachment, LineItem, add_up
from simulator.books.words import LineAmountTypes, RuleError, Standing


class BankTransactionType(StrEnum):
    """Source: published OpenAPI, ``BankTransaction.Type``."""

    RECEIVE = "RECEIVE"
    RECEIVE_OVERPAYMENT = "RECEIVE-OVERPAYMENT"
    RECEIVE_PREPAYMENT = "RECEIVE-PREPAYMENT"
    RECEIVE_TRANSFER = "RECEIVE-TRANSFER"
    SPEND = "SPEND"
    SPEND_OVERPAYMENT = "SPEND-OVERPAYMENT"
    SPEND_PREPAYMENT = "SPEND-PREPAYMENT"
    SPEND_TRANSFER = "SPEND-TRANSFER"

    @property
    def receives(self) -> bool:
        """Whether money comes in."""
        return self.value.startswith("RECEIVE")


@dataclass(frozen=True, slots=True, kw_only=True)
class BankTransaction:
    """A bank transaction; transfers have no contact."""

    id: str
    type: BankTransactionType
    status: Standing
    contact_id: str | None
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
    is_reconciled: bool = False
    prepayment_id: str | None = None
    overpayment_id: str | None = None
    attachments: tuple[Attachment, ...] = ()
    overrides: dict[str, str] = field(default_factory=dict)


def with_lines(transaction: BankTransaction, lines: Sequence[LineItem]) -> BankTransaction:
    """The transaction with other lines and the totals that follow.

    Raises:
        RuleError: it was deleted, or belongs to a transfer or a credit.
    """
    if transaction.status is Standing.DELETED or "-" in transaction.type:
        raise RuleError("only money spent or received can change its lines, while it counts")
    totals = add_up(lines, transaction.line_amount_types)
    return replace(
        transaction, lines=tuple(lines), sub_total=totals.sub_total, total_tax=totals.total_tax, total=totals.total
    )


def delete(transaction: BankTransaction) -> BankTransaction:
    """Take it back.

    Raises:
        RuleError: it was deleted before, is reconciled, or belongs to a transfer or a credit.
    """
    if transaction.status is Standing.DELETED or transaction.is_reconciled or "-" in transaction.type:
        raise RuleError(f"a {transaction.type} that is {transaction.status} or reconciled can't be deleted by itself")
    return replace(transaction, status=Standing.DELETED)
