"""What documents have in common: contact, lines, payments, allocations. Pure.

Lists give a summary of the contact where a single read gives all of it, so only id and name are used.
"""

from typing import Any

from xero_api.unify.fields import Raw, amount, day, exchange_rate, filled, flag, identifier, part, parts, text, word

DIRECTIONS = {
    "accrec": "receivable",
    "accpay": "payable",
    "accreccredit": "receivable",
    "accpaycredit": "payable",
}
"""Our word for a document's type."""

TAX_INCLUSIONS = {"exclusive": "exclusive", "inclusive": "inclusive", "notax": "no_tax", "none": "no_tax"}
"""Our word for LineAmountTypes, in each of Xero's spellings."""


def contact(raw: Raw) -> dict[str, Any] | None:
    """The document's contact."""
    return part(raw, "Contact", _contact)


def tracking(raw: Raw, key: str) -> list[dict[str, Any]]:
    """Tracking categories with the options chosen, in Xero's order.

    Args:
        raw: the enclosing object.
    """
    return parts(raw, key, _tracking)


def line_items(raw: Raw) -> list[dict[str, Any]]:
    """The document's lines, in its order."""
    return parts(raw, "LineItems", _line_item)


def payments(raw: Raw) -> list[dict[str, Any]]:
    """The document's payments, by date and id."""
    return sorted(parts(raw, "Payments", _payment), key=date_and_id)


def allocations(raw: Raw) -> list[dict[str, Any]]:
    """Where the document's credit went, by date and id; without allocations that were taken back."""
    live = (item for item in parts(raw, "Allocations", _allocation) if item is not None)
    return sorted(live, key=date_and_id)


def advance(raw: Raw) -> dict[str, Any]:
    """What overpayments and prepayments share: their last fields, from ``reference`` on, in a fixed order of keys."""
    return {
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


def date_and_id(item: dict[str, Any]) -> tuple[str, str]:
    """The order of things that Xero keeps in no order.

    Args:
        item: a mapped object with ``date`` and ``id``.
    """
    return item["date"] or "", item["id"] or ""


def _contact(raw: Raw) -> dict[str, Any] | None:
    return filled({"id": identifier(raw, "ContactID"), "name": text(raw, "Name")})


def _payment(raw: Raw) -> dict[str, Any]:
    return {
        "id": identifier(raw, "PaymentID"),
        "date": day(raw, "Date"),
        "amount": amount(raw, "Amount"),
        "reference": text(raw, "Reference"),
        "exchange_rate": amount(raw, "CurrencyRate"),
    }


def _allocation(raw: Raw) -> dict[str, Any] | None:
    if flag(raw, "IsDeleted"):
        return None
    return {
        "id": identifier(raw, "AllocationID"),
        "invoice": part(raw, "Invoice", _invoice),
        "amount": amount(raw, "Amount"),
        "date": day(raw, "Date"),
    }


def _invoice(raw: Raw) -> dict[str, Any] | None:
    return filled({"id": identifier(raw, "InvoiceID"), "number": text(raw, "InvoiceNumber")})


def _line_item(raw: Raw) -> dict[str, Any]:
    return {
        "id": identifier(raw, "LineItemID"),
        "description": text(raw, "Description"),
        "quantity": amount(raw, "Quantity"),
        "unit_price": amount(raw, "UnitAmount"),
        "discount_rate": amount(raw, "DiscountRate"),
        "discount_amount": amount(raw, "DiscountAmount"),
        "tax_amount": amount(raw, "TaxAmount"),
        "total": amount(raw, "LineAmount"),
        "account": filled({"id": identifier(raw, "AccountID"), "code": text(raw, "AccountCode")}),
        "item": _item(raw),
        "tax_rate": text(raw, "TaxType"),
        "tracking": tracking(raw, "Tracking"),
    }


def _item(raw: Raw) -> dict[str, Any] | None:
    item = part(raw, "Item", _item_object) or {"id": None, "code": None, "name": None}
    if item["code"] is None:
        item["code"] = text(raw, "ItemCode")
    return filled(item)


def _item_object(raw: Raw) -> dict[str, Any]:
    return {"id": identifier(raw, "ItemID"), "code": text(raw, "Code"), "name": text(raw, "Name")}


def _tracking(raw: Raw) -> dict[str, Any]:
    return {
        "category_id": identifier(raw, "TrackingCategoryID"),
        "category_name": text(raw, "Name"),
        "option_id": identifier(raw, "TrackingOptionID"),
        "option_name": text(raw, "Option"),
    }
