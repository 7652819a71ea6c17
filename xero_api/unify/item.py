"""Xero's Item → unified item. Pure."""

from typing import Any

from xero_api.unify.fields import Raw, amount, filled, flag, part, record_id, text, updated_at


def unify(raw: Raw) -> dict[str, Any]:
    """The unified item, as JSON-able data in a fixed order of keys.

    Args:
        raw: an element of ``Items`` as :func:`xero_api.decode.decode` gives it.

    Raises:
        InvalidRecordError: it can't be mapped.
    """
    return {
        "id": record_id(raw, "ItemID"),
        "updated_at": updated_at(raw),
        "code": text(raw, "Code"),
        "name": text(raw, "Name"),
        "description": text(raw, "Description"),
        "purchase_description": text(raw, "PurchaseDescription"),
        "is_sold": flag(raw, "IsSold"),
        "is_purchased": flag(raw, "IsPurchased"),
        "is_tracked": flag(raw, "IsTrackedAsInventory"),
        "inventory_account": text(raw, "InventoryAssetAccountCode"),
        "sales": part(raw, "SalesDetails", _trade),
        "purchase": part(raw, "PurchaseDetails", _trade),
        "quantity_on_hand": amount(raw, "QuantityOnHand"),
        "quantity_available": amount(raw, "QuantityAvailable"),
        "quantity_on_back_order": amount(raw, "QuantityOnBackOrder"),
        "total_cost": amount(raw, "TotalCostPool"),
    }


def _trade(raw: Raw) -> dict[str, Any] | None:
    return filled(
        {
            "unit_price": amount(raw, "UnitPrice"),
            "account": text(raw, "AccountCode"),
            "cost_of_goods_account": text(raw, "COGSAccountCode"),
            "tax_rate": text(raw, "TaxType"),
        }
    )
