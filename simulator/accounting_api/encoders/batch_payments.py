"""Batch payments."""

from typing import Any

from orjson import Fragment

from simulator.accounting_api.encoders.payments import NOTHING, bank_amount
from simulator.accounting_api.view import View
from simulator.accounting_api.wire import day_date, day_string, money, ms_date
from simulator.books.batch_payment import BatchPayment
from simulator.books.invoice import Invoice
from simulator.books.payment import PaymentRecord

_OF_THE_BANK = frozenset({"BankAccountNumber", "Code", "Details", "Particulars"})


def batch_payment(record: BatchPayment, view: View) -> dict[str, Any]:
    """A batch with its payments in short."""
    return {
        "Account": view.account(record.account_id, "CurrencyCode"),
        "Reference": record.reference,
        "BatchPaymentID": record.id,
        "DateString": day_string(record.date),
        "Date": day_date(record.date),
        "Payments": [_payment(payment_id, view) for payment_id in record.payment_ids],
        "Type": record.type,
        "Status": record.status,
        "TotalAmount": money(record.total),
        "UpdatedDateUTC": ms_date(record.updated_ms),
        "IsReconciled": record.is_reconciled,
    }


def _payment(payment_id: str, view: View) -> dict[str, Any]:
    payment = view.books.must_have(PaymentRecord, payment_id)
    invoice = view.books.must_have(Invoice, payment.document_id)
    return {
        "Invoice": {"InvoiceID": invoice.id, "CurrencyCode": invoice.currency} | NOTHING,
        "PaymentID": payment.id,
        "Amount": money(payment.amount),
        "BankAmount": money(bank_amount(payment, view)),
        **({"Reference": payment.reference} if payment.reference else {}),
        **{name: Fragment(text.encode()) for name, text in payment.overrides.items() if name in _OF_THE_BANK},
    }
