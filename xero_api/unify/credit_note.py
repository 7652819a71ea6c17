"""Xero's CreditNote → unified credit note. Pure."""

from typing import Any

from xero_api.unify.documents import DIRECTIONS, TAX_INCLUSIONS, allocations, contact, line_items, payments
from xero_api.unify.fields import Raw, amount, day, flag, identifier, record_id, text, updated_at, word


def unify(raw: Raw) -> dict[str, Any]:
    """The unified credit note, as JSON-able data in a fixed order of keys.

    Single read, ``where`` batch and page give equal results: only what all three carry is used.

    Args:
        raw: an element of ``CreditNotes`` as :func:`xero_api.decode.decode` gives it.

    Raises:
        InvalidRecordError: it can't be mapped.
    """
    return {
        "id": record_id(raw, "CreditNoteID"),
        "updated_at": updated_at(raw),
        "type": word(raw, "Type", DIRECTIONS),
        "status": word(raw, "Status", {}),
        "number": text(raw, "CreditNoteNumber"),
        "reference": text(raw, "Reference"),
        "contact": contact(raw),
        "issue_date": day(raw, "Date"),
        "due_date": day(raw, "DueDate"),
        "paid_on_date": day(raw, "FullyPaidOnDate"),
        "currency": text(raw, "CurrencyCode"),
        "exchange_rate": amount(raw, "CurrencyRate"),
        "tax_inclusion": word(raw, "LineAmountTypes", TAX_INCLUSIONS),
        "sub_total": amount(raw, "SubTotal"),
        "total_tax": amount(raw, "TotalTax"),
        "total": amount(raw, "Total"),
        "remaining_credit": amount(raw, "RemainingCredit"),
        "cis_deduction": amount(raw, "CISDeduction"),
        "cis_rate": amount(raw, "CISRate"),
        "line_items": line_items(raw),
        "allocations": allocations(raw),
        "payments": payments(raw),
        "sent_to_contact": flag(raw, "SentToContact"),
        "has_attachments": flag(raw, "HasAttachments"),
        "branding_theme_id": identifier(raw, "BrandingThemeID"),
    }
