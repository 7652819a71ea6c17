"""Repeating invoices."""

from typing import Any

from simulator.accounting_api.documents import line_fields
from simulator.accounting_api.view import Form, View
from simulator.accounting_api.wire import day_date, money
from simulator.books.repeating_invoice import RepeatingInvoice


def repeating_invoice(record: RepeatingInvoice, view: View) -> dict[str, Any]:
    """A template with its schedule; lines in lists too."""
    schedule: dict[str, Any] = {
        "Period": record.schedule.period,
        "Unit": record.schedule.unit,
        "DueDate": record.schedule.due_day,
        "DueDateType": record.schedule.due_type,
        "StartDate": day_date(record.schedule.start),
        "NextScheduledDate": day_date(record.schedule.next),
    }
    if record.schedule.end is not None:
        schedule["EndDate"] = day_date(record.schedule.end)
    return {
        "Schedule": schedule,
        "RepeatingInvoiceID": record.id,
        "Type": record.type,
        "Reference": record.reference,
        "HasAttachments": bool(record.attachments),
        "ApprovedForSending": False,
        "SendCopy": False,
        "MarkAsSent": False,
        "IncludePDF": False,
        "ID": record.id,
        "Contact": view.contact(record.contact_id, Form.PAGE),
        "Status": record.status,
        "LineAmountTypes": record.line_amount_types,
        "LineItems": [line_fields(line, record, four_decimals=True) for line in record.lines],
        "SubTotal": money(record.sub_total),
        "TotalTax": money(record.total_tax),
        "Total": money(record.total),
        "CurrencyCode": record.currency,
    }
