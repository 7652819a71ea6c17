"""Prepayments: money before there is an invoice, on an account of its own."""

from dataclasses import dataclass

from simulator.books.advance import Advance


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepayment(Advance):
    """A prepayment; ``number`` is the invoice number a customer's one was given."""

    number: str = ""

    @property
    def type(self) -> str:
        """Xero's ``Type``."""
        return "RECEIVE-PREPAYMENT" if self.receives else "SPEND-PREPAYMENT"
