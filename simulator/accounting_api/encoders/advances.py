"""What prepayments and overpayments share on the wire."""

from typing import Any

from simulator.accounting_api.documents import allocation_row, line_fields, payment_rows
from simulator.accounting_api.view import View
from simulator.accounting_api.wire import currency_rate, day_date, day_string, money, ms_date, second_string
from simulator.books.advance import Advance


def advance(record: Advance, id_field: str, kind: str, view: View) -> dict[str, Any]:
    """Money on account; without ``page`` no lines."""
    return {
        id_field: record.id,
        "ID": record.id,
        "Type": kind,
        "Reference": record.reference,
        "CurrencyRate": currency_rate(record.currency_rate),
        "RemainingCredit": money(record.remaining_credit),
        "Allocations": [allocation_row(allocation, view.books) for allocation in record.allocations],
        "Payments": payment_rows(record.payments, record.currency_rate),
        "HasAttachments": False,
        "Contact": view.contact(record.contact_id, view.form),
        "DateString": day_string(record.date),
        "Date": day_date(record.date),
        "Status": record.status,
        "LineAmountTypes": record.line_amount_types,
        "LineItems": [line_fields(line, record, view.four_decimals) for line in record.lines] if view.lines else [],
        "SubTotal": money(record.sub_total),
        "TotalTax": money(record.total_tax),
        "Total": money(record.total),
        "UpdatedDateUTC": ms_date(record.updated_ms),
        "UpdatedDateUTCString": second_string(record.updated_ms),
        "CurrencyCode": record.currency,
    }
