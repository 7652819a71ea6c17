"""Xero's BatchPayment → unified batch payment. Pure."""

from typing import Any

from xero_api.unify.fields import Raw, amount, day, flag, identifier, part, parts, record_id, text, updated_at, word

_DIRECTIONS = {"paybatch": "payable", "recbatch": "receivable"}


def unify(raw: Raw) -> dict[str, Any]:
    """The unified batch payment, as JSON-able data in a fixed order of keys.

    Single read and list give equal results: only what both carry is used.

    Args:
        raw: an element of ``BatchPayments`` as :func:`xero_api.decode.decode` gives it.

    Raises:
        InvalidRecordError: it can't be mapped.
    """
    return {
        "id": record_id(raw, "BatchPaymentID"),
        "updated_at": updated_at(raw),
        "direction": word(raw, "Type", _DIRECTIONS),
        "status": word(raw, "Status", {}),
        **(part(raw, "Account", _account) or {"account_id": None, "currency": None}),
        "date": day(raw, "Date"),
        "total": amount(raw, "TotalAmount"),
        "reference": text(raw, "Reference"),
        "particulars": text(raw, "Particulars"),
        "code": text(raw, "Code"),
        "details": text(raw, "Details"),
        "narrative": text(raw, "Narrative"),
        "is_reconciled": flag(raw, "IsReconciled"),
        "payments": sorted(parts(raw, "Payments", _payment), key=lambda payment: payment["id"] or ""),
    }


def _account(raw: Raw) -> dict[str, Any]:
    return {"account_id": identifier(raw, "AccountID"), "currency": text(raw, "CurrencyCode")}


def _payment(raw: Raw) -> dict[str, Any]:
    return {
        "id": identifier(raw, "PaymentID"),
        **(part(raw, "Invoice", _invoice) or {"invoice_id": None, "currency": None}),
        "amount": amount(raw, "Amount"),
        "bank_amount": amount(raw, "BankAmount"),
        "reference": text(raw, "Reference"),
        "bank_account_number": text(raw, "BankAccountNumber"),
        "particulars": text(raw, "Particulars"),
        "code": text(raw, "Code"),
        "details": text(raw, "Details"),
    }


def _invoice(raw: Raw) -> dict[str, Any]:
    return {"invoice_id": identifier(raw, "InvoiceID"), "currency": text(raw, "CurrencyCode")}
