"""Budgets."""

from datetime import UTC, datetime
from typing import Any

from simulator.accounting_api.view import View
from simulator.accounting_api.wire import money, ms_date
from simulator.books.budget import Budget


def budget(record: Budget, view: View) -> dict[str, Any]:
    """A budget; only a single GET has its amounts."""
    return {
        "BudgetID": record.id,
        "Type": record.type,
        "Description": record.description,
        "Status": "APPROVED",
        "UpdatedDateUTC": ms_date(record.updated_ms),
        "BudgetLines": [
            {
                "AccountID": line.account_id,
                "AccountCode": line.account_code,
                "BudgetBalances": [
                    {"Period": _month(month), "Amount": money(amount), "Notes": ""} for month, amount in line.months
                ],
            }
            for line in (record.lines if view.single else ())
        ],
        "Tracking": [],
    }


def _month(month: str) -> str:
    """The first of a month as Xero writes dates."""
    first = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
    return ms_date(int(first.timestamp()) * 1000)
