"""Xero's Overpayment → unified overpayment. Pure."""

from typing import Any

from xero_api.unify.documents import TAX_INCLUSIONS, allocations, contact, line_items, payments
from xero_api.unify.fields import Raw, amount, day, exchange_rate, flag, record_id, text, updated_at, word

_DIRECTIONS = {
    "receive-overpayment": "receivable",
    "spend-overpayment": "payable",
    "aroverpayment": "receivable",
    "apoverpayment": "payable",
}


def unify(raw: Raw) -> dict[str, Any]:
    """The unified overpayment, as JSON-able data in a fixed order of keys.

    Single read, ``where`` batch and page give equal results: only what all three carry is used.

    Args:
        raw: an element of ``Overpayments`` as :func:`xero_api.decode.decode` gives it.

    Raises:
        InvalidRecordError: it can't be mapped.
    """
    return {
        "id": record_id(raw, "OverpaymentID"),
        "updated_at": updated_at(raw),
        "type": word(raw, "Type", _DIRECTIONS),
        "status": word(raw, "Status", {}),
        "reference": text(raw, "Reference"),
        "contact": contact(raw),
        "date": day(raw, "Date"),
        "currency": text(raw, "CurrencyCode"),
        "exchange_rate": exchange_rate(raw),
        "tax_inclusion": word(raw, "LineAmountTypes", TAX_INCLUSIONS),
        "sub_total": amount(raw, "SubTotal"),
        "total_tax": amount(raw, "TotalTax"),
        "total": amount(raw, "Total"),
        "remaining_credit": amount(raw, "RemainingCredit"),
        "line_items": line_items(raw),
        "allocations": allocations(raw),
        "payments": payments(raw),
        "has_attachments": flag(raw, "HasAttachments"),
    }
