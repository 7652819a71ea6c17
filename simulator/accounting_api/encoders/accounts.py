"""Accounts of the chart."""

from typing import Any

from simulator.accounting_api.view import View
from simulator.accounting_api.wire import ms_date
from simulator.books.account import Account


def account(record: Account, view: View) -> dict[str, Any]:
    """An account; bank accounts have no reporting code but a number and a currency."""
    fields: dict[str, Any] = {
        "AccountID": record.id,
        "Code": record.code,
        "Name": record.name,
        "Status": record.status,
        "Type": record.type,
        "TaxType": record.tax_type,
        "Description": record.description,
        "Class": record.group,
        "EnablePaymentsToAccount": record.takes_payments,
        "ShowInExpenseClaims": False,
        "ReportingCode": record.group[:3],
        "ReportingCodeName": record.group.capitalize(),
        "HasAttachments": bool(record.attachments),
        "UpdatedDateUTC": ms_date(record.updated_ms),
        "CreatedDateUTC": ms_date(record.created_ms or view.books.profile.created_ms),
        "AddToWatchlist": False,
    }
    if record.system:
        fields["SystemAccount"] = record.system
    if record.type == "BANK":
        fields |= {
            "BankAccountNumber": record.bank_number,
            "BankAccountType": "BANK",
            "CurrencyCode": record.currency,
        }
    return fields
