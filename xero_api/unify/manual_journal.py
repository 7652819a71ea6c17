"""Xero's ManualJournal → unified manual journal. Pure."""

from typing import Any

from xero_api.unify.documents import TAX_INCLUSIONS, tracking
from xero_api.unify.fields import Raw, amount, day, filled, flag, identifier, parts, record_id, text, updated_at, word


def unify(raw: Raw) -> dict[str, Any]:
    """The unified manual journal, as JSON-able data in a fixed order of keys.

    Args:
        raw: an element of ``ManualJournals`` as :func:`xero_api.decode.decode` gives it.

    Raises:
        InvalidRecordError: it can't be mapped.
    """
    return {
        "id": record_id(raw, "ManualJournalID"),
        "updated_at": updated_at(raw),
        "status": word(raw, "Status", {}),
        "narration": text(raw, "Narration"),
        "date": day(raw, "Date"),
        "tax_inclusion": word(raw, "LineAmountTypes", TAX_INCLUSIONS),
        "lines": parts(raw, "JournalLines", _line),
        "on_cash_basis_reports": flag(raw, "ShowOnCashBasisReports"),
        "has_attachments": flag(raw, "HasAttachments"),
        "url": text(raw, "Url"),
    }


def _line(raw: Raw) -> dict[str, Any]:
    return {
        "description": text(raw, "Description"),
        "account": filled({"id": identifier(raw, "AccountID"), "code": text(raw, "AccountCode")}),
        "amount": amount(raw, "LineAmount"),
        "tax_amount": amount(raw, "TaxAmount"),
        "tax_rate": text(raw, "TaxType"),
        "tracking": tracking(raw, "Tracking"),
        "is_blank": flag(raw, "IsBlank"),
    }
