"""What documents moved of each item: sales take away, purchases bring. Pure."""

from typing import Any

from simulator.books.amounts import TenThousandths
from simulator.books.bank_transaction import BankTransaction
from simulator.books.credit_note import CreditNote, CreditNoteType
from simulator.books.invoice import Invoice, InvoiceType
from simulator.books.words import DocumentStatus, Standing

_COUNTS = (DocumentStatus.AUTHORISED, DocumentStatus.PAID)


def direction(record: Any) -> int:
    """1 if the record's lines bring items, -1 if they take them away, 0 if it doesn't count."""
    match record:
        case Invoice(status=status, type=kind) if status in _COUNTS:
            return -1 if kind is InvoiceType.ACCREC else 1
        case CreditNote(status=status, type=kind) if status in _COUNTS:
            return 1 if kind is CreditNoteType.ACCRECCREDIT else -1
        case BankTransaction(status=Standing.AUTHORISED, type=kind):
            return -1 if kind.receives else 1
        case _:
            return 0


class Stock:
    """Quantities moved, by item code."""

    def __init__(self) -> None:
        self._moved: dict[str, TenThousandths] = {}

    def moved(self, code: str) -> TenThousandths:
        """Brought less taken."""
        return self._moved.get(code, 0)

    def follow(self, before: Any, after: Any) -> None:
        """Forget what a record moved, and count what it moves now."""
        for record, turn in ((before, -1), (after, 1)):
            sign = turn * direction(record)
            if sign:
                for line in record.lines:
                    if line.item_code:
                        self._moved[line.item_code] = self._moved.get(line.item_code, 0) + sign * line.quantity
