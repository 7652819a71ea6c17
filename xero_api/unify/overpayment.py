"""Xero's Overpayment → unified overpayment. Pure."""

from typing import Any

from xero_api.unify.documents import advance
from xero_api.unify.fields import Raw, record_id, updated_at, word

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
        **advance(raw),
    }
