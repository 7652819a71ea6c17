"""Bank transfers."""

from typing import Any

from simulator.accounting_api.documents import tracking_fields
from simulator.accounting_api.view import View
from simulator.accounting_api.wire import currency_rate, day_date, day_string, money, ms_date, second_string
from simulator.books.amounts import RATE_ONE
from simulator.books.bank_transfer import BankTransfer


def bank_transfer(record: BankTransfer, view: View) -> dict[str, Any]:
    """A transfer; it tells when it was created, never when it changed."""
    return {
        "BankTransferID": record.id,
        "CreatedDateUTCString": second_string(record.updated_ms).removesuffix("Z"),
        "CreatedDateUTC": ms_date(record.updated_ms),
        "DateString": day_string(record.date),
        "Date": day_date(record.date),
        "Status": record.status,
        "FromBankAccount": view.account(record.from_account_id, "Code", "Name"),
        "ToBankAccount": view.account(record.to_account_id, "Code", "Name"),
        "Amount": money(record.amount),
        "CurrencyRate": currency_rate(RATE_ONE),
        "FromBankTransactionID": record.from_transaction_id,
        "ToBankTransactionID": record.to_transaction_id,
        "FromIsReconciled": record.from_is_reconciled,
        "ToIsReconciled": record.to_is_reconciled,
        "Reference": record.reference,
        "HasAttachments": bool(record.attachments),
        "FromTracking": tracking_fields(record.from_tracking),
        "ToTracking": tracking_fields(record.to_tracking),
    }
