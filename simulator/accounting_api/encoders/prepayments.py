"""Prepayments."""

from typing import Any

from simulator.accounting_api.encoders.advances import advance
from simulator.accounting_api.view import View
from simulator.books.prepayment import Prepayment


def prepayment(record: Prepayment, view: View) -> dict[str, Any]:
    """A prepayment; a customer's one has a number."""
    fields = advance(record, "PrepaymentID", record.type, view)
    return fields | ({"InvoiceNumber": record.number} if record.number else {})
