"""Xero's Prepayment → unified prepayment. Pure."""

from typing import Any

from xero_api.unify.documents import advance
from xero_api.unify.fields import Raw, record_id, text, updated_at, word

_DIRECTIONS = {
    "receive-prepayment": "receivable",
    "spend-prepayment": "payable",
    "arprepayment": "receivable",
    "apprepayment": "payable",
}


def unify(raw: Raw) -> dict[str, Any]:
    """The unified prepayment, as JSON-able data in a fixed order of keys.

    Single read, ``where`` batch and page give equal results: only what all three carry is used.

    Args:
        raw: an element of ``Prepayments`` as :func:`xero_api.decode.decode` gives it.

    Raises:
        InvalidRecordError: it can't be mapped.
    """
    return {
        "id": record_id(raw, "PrepaymentID"),
        "updated_at": updated_at(raw),
        "type": word(raw, "Type", _DIRECTIONS),
        "status": word(raw, "Status", {}),
        "number": text(raw, "InvoiceNumber"),
        **advance(raw),
    }
