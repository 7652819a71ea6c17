"""Overpayments: money beyond what was due. It stays with receivables or payables."""

from dataclasses import dataclass

from simulator.books.advance import Advance


@dataclass(frozen=True, slots=True, kw_only=True)
class Overpayment(Advance):
    """An overpayment."""

    @property
    def type(self) -> str:
        """Xero's ``Type``."""
        return "RECEIVE-OVERPAYMENT" if self.receives else "SPEND-OVERPAYMENT"
