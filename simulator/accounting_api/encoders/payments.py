"""Payments. What they pay is embedded: in short in lists, whole in a single GET."""

from typing import Any

from simulator.accounting_api.view import Form, View
from simulator.accounting_api.wire import currency_rate, day_date, money, ms_date, second_string
from simulator.books.batch_payment import BatchPayment
from simulator.books.invoice import Invoice
from simulator.books.payment import PaymentRecord

NOTHING: dict[str, Any] = {
    "Payments": [],
    "CreditNotes": [],
    "Prepayments": [],
    "Overpayments": [],
    "HasErrors": False,
    "IsDiscounted": False,
    "LineItems": [],
}
"""What an invoice in short has empty, whatever the invoice has: never to be taken for the record."""


def payment(record: PaymentRecord, view: View) -> dict[str, Any]:
    """A payment."""
    fields: dict[str, Any] = {
        "PaymentID": record.id,
        "Date": day_date(record.date),
        "BankAmount": money(record.amount),
        "Amount": money(record.amount),
        "Reference": record.reference,
        "CurrencyRate": currency_rate(record.currency_rate),
        "PaymentType": record.type,
        "Status": record.status,
        "UpdatedDateUTC": ms_date(record.updated_ms),
        "UpdatedDateUTCString": second_string(record.updated_ms),
        "HasAccount": True,
        "IsReconciled": record.is_reconciled,
        "Account": view.account(record.account_id, "Code", *(("Name",) if view.single else ())),
        "Invoice": paid(record, view),
        "HasValidationErrors": False,
    }
    batch = view.books.of(BatchPayment).get(record.batch_id) if record.batch_id else None
    if batch is not None:
        fields |= {"BatchPaymentID": batch.id, "BatchPayment": batch_brief(batch)}
    return fields


def paid(record: PaymentRecord, view: View) -> Any:
    """What a payment paid."""
    invoice = view.books.of(Invoice).get(record.invoice_id)
    if invoice is None:
        return {"InvoiceID": record.invoice_id} | NOTHING
    if view.single:
        return view.whole(invoice)
    return {
        "Type": invoice.type,
        "InvoiceID": invoice.id,
        "InvoiceNumber": invoice.number,
        **NOTHING,
        "Contact": view.contact(invoice.contact_id, Form.PAGE),
        "CurrencyCode": invoice.currency,
    }


def batch_brief(batch: BatchPayment) -> dict[str, Any]:
    """A batch as its payments show it."""
    return {
        "Account": {"AccountID": batch.account_id},
        "BatchPaymentID": batch.id,
        "Date": day_date(batch.date),
        "Type": batch.type,
        "Status": batch.status,
        "TotalAmount": money(batch.total),
        "UpdatedDateUTC": ms_date(batch.updated_ms),
        "IsReconciled": batch.is_reconciled,
    }
