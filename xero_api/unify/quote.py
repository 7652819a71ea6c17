"""Xero's Quote → unified quote. Pure."""

from typing import Any

from xero_api.unify.documents import TAX_INCLUSIONS, contact, line_items
from xero_api.unify.fields import Raw, amount, amount_or_zero, day, identifier, record_id, text, updated_at, word


def unify(raw: Raw) -> dict[str, Any]:
    """The unified quote, as JSON-able data in a fixed order of keys.

    Args:
        raw: an element of ``Quotes`` as :func:`xero_api.decode.decode` gives it.

    Raises:
        InvalidRecordError: it can't be mapped.
    """
    return {
        "id": record_id(raw, "QuoteID"),
        "updated_at": updated_at(raw),
        "status": word(raw, "Status", {}),
        "number": text(raw, "QuoteNumber"),
        "reference": text(raw, "Reference"),
        "contact": contact(raw),
        "issue_date": day(raw, "Date"),
        "expiry_date": day(raw, "ExpiryDate"),
        "currency": text(raw, "CurrencyCode"),
        "exchange_rate": amount(raw, "CurrencyRate"),
        "tax_inclusion": word(raw, "LineAmountTypes", TAX_INCLUSIONS),
        "sub_total": amount(raw, "SubTotal"),
        "total_tax": amount(raw, "TotalTax"),
        "total_discount": amount_or_zero(raw, "TotalDiscount"),
        "total": amount(raw, "Total"),
        "line_items": line_items(raw),
        "title": text(raw, "Title"),
        "summary": text(raw, "Summary"),
        "terms": text(raw, "Terms"),
        "branding_theme_id": identifier(raw, "BrandingThemeID"),
    }
