"""Overpayments."""

from typing import Any

from simulator.accounting_api.encoders.advances import advance
from simulator.accounting_api.view import View
from simulator.books.overpayment import Overpayment


def overpayment(record: Overpayment, view: View) -> dict[str, Any]:
    """An overpayment."""
    return advance(record, "OverpaymentID", record.type, view)
