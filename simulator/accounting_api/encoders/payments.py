"""Payments. What they pay is embedded: in short in lists, whole in a single GET.

Credit that is given back is shown as ``Invoice`` too, its id as ``InvoiceID``: for credit notes in Xero's published
examples, for overpayments as Xero's support confirmed (calcinai/xero-php#889); for prepayments unconfirmed.
"""

from typing import Any

from simulator.accounting_api.documents import line_fields
from simulator.accounting_api.view import Form, View
from simulator.accounting_api.wire import currency_rate, day_date, day_string, money, ms_date, second_string
from simulator.books.advance import Advance
from simulator.books.amounts import Cents, in_base
from simulator.books.batch_payment import BatchPayment
from simulator.books.credit_note import CreditNote
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
        "BankAmount": money(bank_amount(record, view)),
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


def bank_amount(record: PaymentRecord, view: View) -> Cents:
    """What the bank account saw, in its own currency."""
    document = view.books.shelf(record.type.endpoint).get(record.document_id)
    account, own = view.books.account(record.account_id), view.books.profile.currency
    banked_in = account.currency if account is not None and account.currency else own
    foreign = document is not None and document.currency != banked_in == own
    return in_base(record.amount, record.currency_rate) if foreign else record.amount


def paid(record: PaymentRecord, view: View) -> Any:
    """What a payment paid, or gave back."""
    document = view.books.shelf(record.type.endpoint).get(record.document_id)
    if document is None:
        return {"InvoiceID": record.document_id} | NOTHING
    if view.single and isinstance(document, Invoice):
        return view.whole(document)
    brief = {
        "Type": document.type if not isinstance(document, Advance) else record.type.removesuffix("PAYMENT"),
        "InvoiceID": document.id,
        "InvoiceNumber": getattr(document, "number", ""),
        **NOTHING,
        "Contact": view.contact(document.contact_id, Form.PAGE),
        "CurrencyCode": document.currency,
    }
    return brief | _as_invoice(document, view) if view.single else brief


def _as_invoice(credit: CreditNote | Advance, view: View) -> dict[str, Any]:
    """What a single GET tells of credit, in an invoice's words: what is due on it is what remains of it."""
    return {
        "Reference": credit.reference,
        "AmountDue": money(credit.remaining_credit),
        "AmountPaid": money(sum(one.amount for one in credit.payments)),
        "CurrencyRate": currency_rate(credit.currency_rate),
        "DateString": day_string(credit.date),
        "Date": day_date(credit.date),
        "Status": credit.status,
        "LineAmountTypes": credit.line_amount_types,
        "LineItems": [line_fields(line, credit, view.four_decimals) for line in credit.lines],
        "SubTotal": money(credit.sub_total),
        "TotalTax": money(credit.total_tax),
        "Total": money(credit.total),
        "UpdatedDateUTC": ms_date(credit.updated_ms),
        "UpdatedDateUTCString": second_string(credit.updated_ms),
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
