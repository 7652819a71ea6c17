"""Bank transactions."""

from typing import Any

from simulator.accounting_api.documents import line_fields
from simulator.accounting_api.view import View
from simulator.accounting_api.wire import currency_rate, day_date, day_string, money, ms_date
from simulator.books.bank_transaction import BankTransaction


def bank_transaction(record: BankTransaction, view: View) -> dict[str, Any]:
    """A bank transaction; without ``page`` no lines."""
    fields: dict[str, Any] = {
        "BankTransactionID": record.id,
        "BankAccount": view.account(record.account_id, "Code", "Name"),
        "Type": record.type,
        "Reference": record.reference,
        "IsReconciled": record.is_reconciled,
        "HasAttachments": bool(record.attachments),
        "DateString": day_string(record.date),
        "Date": day_date(record.date),
        "Status": record.status,
        "LineAmountTypes": record.line_amount_types,
        "LineItems": [line_fields(line, record, view.four_decimals) for line in record.lines] if view.lines else [],
        "SubTotal": money(record.sub_total),
        "TotalTax": money(record.total_tax),
        "Total": money(record.total),
        "UpdatedDateUTC": ms_date(record.updated_ms),
        "CurrencyCode": record.currency,
        "CurrencyRate": currency_rate(record.currency_rate),
    }
    if record.contact_id:
        fields["Contact"] = view.contact(record.contact_id, view.form)
    if record.prepayment_id:
        fields["PrepaymentID"] = record.prepayment_id
    if record.overpayment_id:
        fields["OverpaymentID"] = record.overpayment_id
    return fields
