"""Xero's Payment → unified payment. Pure."""

from functools import partial
from typing import Any

from xero_api.unify.documents import contact
from xero_api.unify.fields import (
    Raw,
    amount,
    day,
    filled,
    flag,
    identifier,
    part,
    record_id,
    text,
    updated_at,
    word,
)

_TYPES = {
    "accrecpayment": ("receivable", "invoice"),
    "accpaypayment": ("payable", "invoice"),
    "arcreditpayment": ("receivable", "credit_note"),
    "apcreditpayment": ("payable", "credit_note"),
    "arprepaymentpayment": ("receivable", "prepayment"),
    "apprepaymentpayment": ("payable", "prepayment"),
    "aroverpaymentpayment": ("receivable", "overpayment"),
    "apoverpaymentpayment": ("payable", "overpayment"),
}
_DOCUMENTS = {
    "Invoice": ("InvoiceID", "InvoiceNumber"),  # lists show credit notes here too (published OpenAPI, /Payments)
    "CreditNote": ("CreditNoteID", "CreditNoteNumber"),
    "Prepayment": ("PrepaymentID", "InvoiceNumber"),
    "Overpayment": ("OverpaymentID", "InvoiceNumber"),
}


def unify(raw: Raw) -> dict[str, Any]:
    """The unified payment, as JSON-able data in a fixed order of keys.

    Single read, ``where`` batch and page give equal results: of the document, which single reads give with lines, only
    what all three carry is used.

    Args:
        raw: an element of ``Payments`` as :func:`xero_api.decode.decode` gives it.

    Raises:
        InvalidRecordError: it can't be mapped.
    """
    kind = word(raw, "PaymentType", {})
    direction, kind = _TYPES.get(kind or "", (None, kind))
    document = _document(raw)
    paid = amount(raw, "Amount")
    return {
        "id": record_id(raw, "PaymentID"),
        "updated_at": updated_at(raw),
        "direction": direction,
        "kind": kind,
        "status": word(raw, "Status", {}),
        "date": day(raw, "Date"),
        "amount": paid,
        "bank_amount": amount(raw, "BankAmount"),
        "currency": document["currency"],
        "exchange_rate": amount(raw, "CurrencyRate"),
        "contact": document["contact"],
        "account": part(raw, "Account", _account),
        "reference": text(raw, "Reference"),
        "is_reconciled": flag(raw, "IsReconciled"),
        "batch_id": identifier(raw, "BatchPaymentID") or part(raw, "BatchPayment", _batch_id),
        "allocations": [{"id": document["id"], "number": document["number"], "amount": paid}] if document["id"] else [],
    }


def _document(raw: Raw) -> dict[str, Any]:
    for key, (id_key, number_key) in _DOCUMENTS.items():
        found = part(raw, key, partial(_summary, id_key=id_key, number_key=number_key))
        if found is not None:
            return found
    return {"id": None, "number": None, "currency": None, "contact": None}


def _summary(raw: Raw, id_key: str, number_key: str) -> dict[str, Any] | None:
    return filled(
        {
            "id": identifier(raw, id_key),
            "number": text(raw, number_key),
            "currency": text(raw, "CurrencyCode"),
            "contact": contact(raw),
        }
    )


def _account(raw: Raw) -> dict[str, Any] | None:
    return filled({"id": identifier(raw, "AccountID"), "code": text(raw, "Code")})


def _batch_id(raw: Raw) -> str | None:
    return identifier(raw, "BatchPaymentID")
