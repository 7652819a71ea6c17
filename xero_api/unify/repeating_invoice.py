"""Xero's RepeatingInvoice → unified repeating invoice. Pure."""

from typing import Any

from xero_api.unify.documents import DIRECTIONS, TAX_INCLUSIONS, contact, line_items
from xero_api.unify.fields import Raw, amount, day, filled, flag, identifier, part, record_id, text, whole, word


def unify(raw: Raw) -> dict[str, Any]:
    """The unified repeating invoice, as JSON-able data in a fixed order of keys.

    Args:
        raw: an element of ``RepeatingInvoices`` as :func:`xero_api.decode.decode` gives it.

    Raises:
        InvalidRecordError: it can't be mapped.
    """
    return {
        "id": record_id(raw, "RepeatingInvoiceID"),
        "updated_at": None,
        "type": word(raw, "Type", DIRECTIONS),
        "status": word(raw, "Status", {}),
        "reference": text(raw, "Reference"),
        "contact": contact(raw),
        "schedule": part(raw, "Schedule", _schedule),
        "currency": text(raw, "CurrencyCode"),
        "tax_inclusion": word(raw, "LineAmountTypes", TAX_INCLUSIONS),
        "sub_total": amount(raw, "SubTotal"),
        "total_tax": amount(raw, "TotalTax"),
        "total": amount(raw, "Total"),
        "line_items": line_items(raw),
        "approved_for_sending": flag(raw, "ApprovedForSending"),
        "send_copy": flag(raw, "SendCopy"),
        "mark_as_sent": flag(raw, "MarkAsSent"),
        "include_pdf": flag(raw, "IncludePDF"),
        "has_attachments": flag(raw, "HasAttachments"),
        "branding_theme_id": identifier(raw, "BrandingThemeID"),
    }


def _schedule(raw: Raw) -> dict[str, Any] | None:
    return filled(
        {
            "period": whole(raw, "Period"),
            "unit": word(raw, "Unit", {}),
            "start_date": day(raw, "StartDate"),
            "next_date": day(raw, "NextScheduledDate"),
            "end_date": day(raw, "EndDate"),
            "due_day": whole(raw, "DueDate"),
            "due_type": word(raw, "DueDateType", {}),
        }
    )
