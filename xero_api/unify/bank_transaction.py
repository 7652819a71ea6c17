"""Xero's BankTransaction → unified bank transaction. Pure."""

from typing import Any

from xero_api.unify.documents import TAX_INCLUSIONS, contact, line_items
from xero_api.unify.fields import (
    Raw,
    amount,
    day,
    exchange_rate,
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
    f"{way}-{purpose}": f"{way}_{purpose}"
    for way in ("receive", "spend")
    for purpose in ("overpayment", "prepayment", "transfer")
}


def unify(raw: Raw) -> dict[str, Any]:
    """The unified bank transaction, as JSON-able data in a fixed order of keys.

    Single read, ``where`` batch and page give equal results: only what all three carry is used.

    Args:
        raw: an element of ``BankTransactions`` as :func:`xero_api.decode.decode` gives it.

    Raises:
        InvalidRecordError: it can't be mapped.
    """
    return {
        "id": record_id(raw, "BankTransactionID"),
        "updated_at": updated_at(raw),
        "type": word(raw, "Type", _TYPES),
        "status": word(raw, "Status", {}),
        "bank_account": part(raw, "BankAccount", _bank_account),
        "contact": contact(raw),
        "date": day(raw, "Date"),
        "reference": text(raw, "Reference"),
        "is_reconciled": flag(raw, "IsReconciled"),
        "currency": text(raw, "CurrencyCode"),
        "exchange_rate": exchange_rate(raw),
        "tax_inclusion": word(raw, "LineAmountTypes", TAX_INCLUSIONS),
        "sub_total": amount(raw, "SubTotal"),
        "total_tax": amount(raw, "TotalTax"),
        "total": amount(raw, "Total"),
        "line_items": line_items(raw),
        "prepayment_id": identifier(raw, "PrepaymentID"),
        "overpayment_id": identifier(raw, "OverpaymentID"),
        "url": text(raw, "Url"),
        "has_attachments": flag(raw, "HasAttachments"),
    }


def _bank_account(raw: Raw) -> dict[str, Any] | None:
    return filled({"id": identifier(raw, "AccountID"), "code": text(raw, "Code"), "name": text(raw, "Name")})
