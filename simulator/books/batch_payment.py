"""Batch payments: several payments of one side that leave or reach the bank as one."""

from dataclasses import dataclass, field, replace

from simulator.books.amounts import Cents, Day
from simulator.books.words import RuleError, Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchPayment:
    """A batch; ``receives`` if customers paid it. Its total is what its payments were when it was made."""

    id: str
    receives: bool
    status: Standing
    account_id: str
    date: Day
    payment_ids: tuple[str, ...]
    total: Cents
    updated_ms: int
    reference: str = ""
    is_reconciled: bool = False
    overrides: dict[str, str] = field(default_factory=dict)

    @property
    def type(self) -> str:
        """Xero's ``Type``."""
        return "RECBATCH" if self.receives else "PAYBATCH"


def delete(batch: BatchPayment) -> BatchPayment:
    """Take it back; its payments go with it.

    Raises:
        RuleError: it was deleted before, or is reconciled.
    """
    if batch.status is Standing.DELETED or batch.is_reconciled:
        raise RuleError("a batch that is deleted or reconciled can't be deleted")
    return replace(batch, status=Standing.DELETED)
