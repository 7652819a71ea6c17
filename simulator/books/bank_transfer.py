"""Transfers between the organisation's own bank accounts. Deleting one is soft; only ``CreatedDateUTC`` is told."""

from dataclasses import dataclass, field, replace

from simulator.books.amounts import Cents, Day
from simulator.books.document import Attachment, Tracking
from simulator.books.words import RuleError, Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class BankTransfer:
    """A transfer. ``updated_ms`` is when it was created: nothing moves it afterwards."""

    id: str
    status: Standing
    from_account_id: str
    to_account_id: str
    from_transaction_id: str
    to_transaction_id: str
    amount: Cents
    date: Day
    updated_ms: int
    reference: str = ""
    from_is_reconciled: bool = False
    to_is_reconciled: bool = False
    from_tracking: tuple[Tracking, ...] = ()
    to_tracking: tuple[Tracking, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    overrides: dict[str, str] = field(default_factory=dict)


def delete(transfer: BankTransfer) -> BankTransfer:
    """Take it back.

    Raises:
        RuleError: it was deleted before, or is reconciled.
    """
    if transfer.status is Standing.DELETED or transfer.from_is_reconciled or transfer.to_is_reconciled:
        raise RuleError("a transfer that is deleted or reconciled can't be deleted")
    return replace(transfer, status=Standing.DELETED)
