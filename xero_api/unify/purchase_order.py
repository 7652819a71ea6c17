"""Xero's PurchaseOrder → unified purchase order. Pure."""

from typing import Any

from xero_api.unify.documents import TAX_INCLUSIONS, contact, line_items
from xero_api.unify.fields import (
    Raw,
    amount,
    amount_or_zero,
    day,
    filled,
    flag,
    identifier,
    record_id,
    text,
    updated_at,
    word,
)


def unify(raw: Raw) -> dict[str, Any]:
    """The unified purchase order, as JSON-able data in a fixed order of keys.

    Args:
        raw: an element of ``PurchaseOrders`` as :func:`xero_api.decode.decode` gives it.

    Raises:
        InvalidRecordError: it can't be mapped.
    """
    return {
        "id": record_id(raw, "PurchaseOrderID"),
        "updated_at": updated_at(raw),
        "status": word(raw, "Status", {}),
        "number": text(raw, "PurchaseOrderNumber"),
        "reference": text(raw, "Reference"),
        "contact": contact(raw),
        "issue_date": day(raw, "Date"),
        "delivery_date": day(raw, "DeliveryDate"),
        "expected_arrival_date": day(raw, "ExpectedArrivalDate"),
        "currency": text(raw, "CurrencyCode"),
        "exchange_rate": amount(raw, "CurrencyRate"),
        "tax_inclusion": word(raw, "LineAmountTypes", TAX_INCLUSIONS),
        "sub_total": amount(raw, "SubTotal"),
        "total_tax": amount(raw, "TotalTax"),
        "total_discount": amount_or_zero(raw, "TotalDiscount"),
        "total": amount(raw, "Total"),
        "line_items": line_items(raw),
        "delivery": filled(
            {
                "address": text(raw, "DeliveryAddress"),
                "attention_to": text(raw, "AttentionTo"),
                "telephone": text(raw, "Telephone"),
                "instructions": text(raw, "DeliveryInstructions"),
            }
        ),
        "sent_to_contact": flag(raw, "SentToContact"),
        "has_attachments": flag(raw, "HasAttachments"),
        "branding_theme_id": identifier(raw, "BrandingThemeID"),
    }
