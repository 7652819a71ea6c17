"""Xero's BankTransfer → unified bank transfer. Pure."""

from typing import Any

from xero_api.unify.documents import tracking
from xero_api.unify.fields import (
    Raw,
    amount,
    day,
    exchange_rate,
    flag,
    identifier,
    part,
    record_id,
    text,
    updated_at,
    word,
)


def unify(raw: Raw) -> dict[str, Any]:
    """The unified bank transfer, as JSON-able data in a fixed order of keys.

    Single read and list give equal results: only what both carry is used (lists name the accounts, but not their codes).

    Args:
        raw: an element of ``BankTransfers`` as :func:`xero_api.decode.decode` gives it.

    Raises:
        InvalidRecordError: it can't be mapped.
    """
    return {
        "id": record_id(raw, "BankTransferID"),
        "updated_at": None,
        "created_at": updated_at(raw, "CreatedDateUTC"),
        "status": word(raw, "Status", {}),
        "date": day(raw, "Date"),
        "amount": amount(raw, "Amount"),
        "exchange_rate": exchange_rate(raw),
        "reference": text(raw, "Reference"),
        "source": _side(raw, "From"),
        "destination": _side(raw, "To"),
        "has_attachments": flag(raw, "HasAttachments"),
    }


def _side(raw: Raw, end: str) -> dict[str, Any]:
    return {
        **(part(raw, f"{end}BankAccount", _account) or {"account_id": None, "account_name": None}),
        "transaction_id": identifier(raw, f"{end}BankTransactionID"),
        "is_reconciled": flag(raw, f"{end}IsReconciled"),
        "tracking": tracking(raw, f"{end}Tracking"),
    }


def _account(raw: Raw) -> dict[str, Any]:
    return {"account_id": identifier(raw, "AccountID"), "account_name": text(raw, "Name")}
